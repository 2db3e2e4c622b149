// Parts that the sections share: failures, tables that become cards on a phone, a secret that is shown once.

/** @import { Child } from '../lib/dom.js' */

import { ApiError, isAbort, server, t } from '../lib/core.js';
import { el } from '../lib/dom.js';
import { input } from '../lib/forms.js';
import { toast } from '../lib/notices.js';
import { showFailure, showProblem } from '../pages/access.js';

let secretCount = 0;

/**
 * Runs what a reader of a section asks for, and explains its failure at the top of the page.
 * @param {() => Promise<unknown>} action
 */
export async function attempt(action) {
  try {
    await action();
    showProblem('');
  } catch (error) {
    if (isAbort(error)) return;
    // The account may have lost its role: the page looks at its session again.
    if (error instanceof ApiError && error.status === 403 && error.code === 'FORBIDDEN') {
      server.dispatchEvent(new CustomEvent('session', { detail: {} }));
    }
    showFailure(error, 'admin.logIn', 'admin.forbidden');
  }
}

/**
 * Creates a table, which is a list of cards in a narrow window. The roles keep its meaning there.
 * @param {string} label
 * @param {string[]} columns
 * @param {Child[][]} rows the cells of each row
 */
export function table(label, columns, rows) {
  const cell = (/** @type {Child} */ content, /** @type {number} */ at) =>
    el('td', { role: 'cell' }, el('span', { class: 'column', 'aria-hidden': 'true' }, columns[at]),
      el('span', {}, content));
  return el('table', { class: 'cards', role: 'table', 'aria-label': label },
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' },
      columns.map((column) => el('th', { scope: 'col', role: 'columnheader' }, column)))),
    el('tbody', { role: 'rowgroup' }, rows.map((cells) => el('tr', { role: 'row' }, cells.map(cell)))));
}

/**
 * Creates a read-only field with a secret that is shown once, and a button that copies it.
 * @param {string} label
 * @param {string} secret
 */
export function secretField(label, secret) {
  const id = `secret-${secretCount += 1}`;
  const shown = input({ id, readonly: true, value: secret, autocomplete: 'off', spellcheck: 'false' });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
    } catch {
      // Without https a page has no access to the clipboard, so the reader copies the selected text.
      shown.select();
      toast(t('secret.selected'));
      return;
    }
    toast(t('secret.copied'));
  };
  return el('div', { class: 'field' }, el('label', { for: id }, label), shown,
    el('div', { class: 'row' }, el('button', { type: 'button', onclick: copy }, t('secret.copy'))));
}
