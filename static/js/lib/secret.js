// A secret that the server shows once.

import { t } from './core.js';
import { el } from './dom.js';
import { field, input } from './forms.js';
import { toast } from './notices.js';

/**
 * Shows a secret, selected, with a button that copies it.
 * @param {Element} container
 * @param {string} secret
 * @param {string} kind beginning of the strings: `{kind}.secret`, `{kind}.once`, `{kind}.copy`, …
 */
export function showSecret(container, secret, kind) {
  const shown = input({ readonly: true, value: secret, autocomplete: 'off', spellcheck: 'false' });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
    } catch {
      // Without https a page has no access to the clipboard, so the reader copies the selected text.
      shown.select();
      toast(t(`${kind}.selected`));
      return;
    }
    toast(t(`${kind}.copied`));
  };
  container.replaceChildren(
    field('secret', t(`${kind}.secret`), shown, t(`${kind}.once`)),
    el('div', { class: 'row' }, el('button', { type: 'button', onclick: copy }, t(`${kind}.copy`))));
  shown.select();
  shown.focus();
}
