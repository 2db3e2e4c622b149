// Controls that bottles and replies share: a button with a confirmation, and a report.

/** @import { App } from '../lib/types.js' */

import { connection, isAbort, request, server, t } from '../lib/core.js';
import { USER_TEXT, el } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { withSession } from './account.js';

const MAX_REASON_LENGTH = 500;

/**
 * Runs an action with a session and shows its failure. Returns true if it succeeded.
 * @param {App} app
 * @param {HTMLElement} error shows the message
 * @param {() => Promise<unknown>} action
 */
export async function attempt(app, error, action) {
  error.replaceChildren();
  try {
    await withSession(app, action);
    return true;
  } catch (reason) {
    if (!isAbort(reason)) error.textContent = explain(reason).message;
    return false;
  }
}

/**
 * Loads the contents of a folded section when it is unfolded. If that fails, loads them at the next time, or when the
 * server is back.
 * @param {App} app
 * @param {HTMLDetailsElement} section
 * @param {HTMLElement} error shows the message
 * @param {() => Promise<unknown>} load
 */
export function loadUnfolded(app, section, error, load) {
  let isLoaded = false;
  const update = async () => {
    if (isLoaded || !section.open || !section.isConnected) return;
    isLoaded = await attempt(app, error, load);
    if (!isLoaded && connection.isLost) server.addEventListener('online', update, { once: true });
  };
  section.addEventListener('toggle', update);
}

/** Creates the element that shows the message of a failure. */
export const errorLine = () => el('p', { class: 'error', role: 'alert' });

/**
 * Creates a button that asks for a confirmation in its place.
 * @param {object} options
 * @param {string} options.label of the button
 * @param {string} [options.accessibleLabel] of the button, if its text is not enough
 * @param {string} options.question
 * @param {string} options.yes
 * @param {string} options.no
 * @param {string} [options.kind] class of the button
 * @param {(error: HTMLElement) => Promise<unknown>} options.run shows its failure in `error`
 */
export function confirmButton({ label, accessibleLabel, question, yes, no, kind = 'danger', run }) {
  const error = errorLine();
  const button = el('button', { type: 'button', class: kind, 'aria-label': accessibleLabel }, label);
  const cancelButton = el('button', { type: 'button' }, no);
  const confirmation = el('div', { class: 'row' },
    el('span', {}, question),
    el('button', { type: 'button', class: 'danger', onclick: () => run(error) }, yes),
    cancelButton);
  button.addEventListener('click', () => {
    button.replaceWith(confirmation);
    cancelButton.focus();
  });
  const cancel = () => {
    error.replaceChildren();
    confirmation.replaceWith(button);
    button.focus();
  };
  cancelButton.addEventListener('click', cancel);
  confirmation.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    // The panel or the dialog stays open.
    event.preventDefault();
    event.stopPropagation();
    cancel();
  });
  return el('div', {}, button, error);
}

/**
 * Creates a button that opens the form of a report.
 * @param {App} app
 * @param {string} path of the report
 * @param {{ accessibleLabel?: string, kind?: string }} [options] of the button
 */
export function reportButton(app, path, { accessibleLabel, kind } = {}) {
  const error = errorLine();
  const reason = el('textarea', { rows: '2', maxlength: MAX_REASON_LENGTH, required: true, ...USER_TEXT });
  const form = el('form', { hidden: true },
    el('label', {}, t('report.reason'), reason), error,
    el('div', { class: 'row' }, el('button', { class: 'danger' }, t('report.send'))));
  reason.addEventListener('input', () => error.replaceChildren());
  const button = el('button', {
    type: 'button', class: kind, 'aria-label': accessibleLabel, 'aria-expanded': 'false',
  }, t('report.open'));
  button.addEventListener('click', () => {
    form.hidden = !form.hidden;
    button.setAttribute('aria-expanded', String(!form.hidden));
    reason.focus();
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    /** @type {{ settled?: boolean, repeated?: boolean }} */
    let result = {};
    const send = async () => {
      result = await request('POST', path, { body: { reason: reason.value } });
    };
    if (!await attempt(app, error, send)) return;
    const outcome = result.settled ? 'settled' : result.repeated ? 'repeated' : 'done';
    const done = el('p', { class: 'hint', role: 'status', tabindex: '-1' }, t(`report.${outcome}`));
    form.replaceWith(done);
    button.remove();
    done.focus();
  });
  return el('div', {}, button, form);
}
