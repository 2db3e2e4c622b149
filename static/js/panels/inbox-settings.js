// The settings of the inbox in the account dialog: the kinds of items, and system notifications.

/** @import { Account, App } from '../lib/types.js' */

import { request, t } from '../lib/core.js';
import { el } from '../lib/dom.js';
import { canNotify, isNotifying, setNotifying } from '../lib/notifications.js';
import { attempt, errorLine } from './controls.js';

const KINDS = ['opened', 'replied', 'hidden', 'shown', 'expired'];

/**
 * @param {App} app
 * @param {Account} user
 */
export function inboxSettings(app, user) {
  const error = errorLine();
  return el('div', {},
    el('fieldset', {}, el('legend', {}, t('notify.kinds')), KINDS.map((kind) => kindSwitch(app, user, kind, error))),
    error,
    canNotify() ? systemSwitch() : el('p', { class: 'hint' }, t('notify.unavailable')));
}

/**
 * @param {string} label
 * @param {boolean} isOn
 * @param {(box: HTMLInputElement) => unknown} change
 */
function checkbox(label, isOn, change) {
  const box = el('input', { type: 'checkbox', checked: isOn });
  box.addEventListener('change', () => change(box));
  return el('label', { class: 'check' }, box, label);
}

/**
 * @param {App} app
 * @param {Account} user
 * @param {string} kind
 * @param {HTMLElement} error
 */
function kindSwitch(app, user, kind, error) {
  return checkbox(t(`notify.${kind}`), user.inbox?.[kind] !== false, async (box) => {
    const send = () => request('PUT', 'users/self', { body: { inbox: { [kind]: box.checked } } });
    if (!await attempt(app, error, send)) box.checked = !box.checked;
  });
}

function systemSwitch() {
  const note = el('p', { class: 'hint', role: 'status' });
  return el('div', {},
    checkbox(t('notify.system'), isNotifying(), async (box) => {
      const isWanted = box.checked;
      box.checked = await setNotifying(isWanted);
      note.textContent = isWanted && !box.checked ? t('notify.denied') : '';
    }),
    note);
}
