// Deletion of an own bottle, the report of another account's, and its hiding by a teacher.

/** @import { App } from '../lib/types.js' */

import { isAbort, request, session, t } from '../lib/core.js';
import { USER_TEXT, el } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { invalidateList } from '../lib/my-bottles.js';
import { toast } from '../lib/notices.js';
import { withSession } from './account.js';
import { closePanel } from './panel.js';

const MAX_REASON_LENGTH = 500;

/**
 * Creates the controls below an opened bottle.
 * @param {App} app
 * @param {number} id
 * @param {boolean} isOwn
 */
export function bottleActions(app, id, isOwn) {
  if (isOwn) return deleteControls(app, id);
  return session.user?.is_teacher ? hideControls(app, id) : reportControls(app, id);
}

/**
 * @param {App} app
 * @param {number} id
 */
function hideControls(app, id) {
  const error = el('p', { class: 'error', role: 'alert' });
  const node = el('div', {}, el('button', { type: 'button', class: 'danger', onclick: hide }, t('hide.bottle')), error);
  return node;

  async function hide() {
    error.replaceChildren();
    try {
      await withSession(app, () => request('PUT', `teacher/bottles/${id}`, { body: { hidden: true } }));
    } catch (reason) {
      if (!isAbort(reason)) error.textContent = explain(reason).message;
      return;
    }
    // The reader may have opened something else meanwhile.
    if (node.isConnected) closePanel();
    toast(t('hide.done'));
    app.refresh();
  }
}

/**
 * @param {App} app
 * @param {number} id
 */
function deleteControls(app, id) {
  const error = el('p', { class: 'error', role: 'alert' });
  const button = el('button', { type: 'button', class: 'danger' }, t('delete.bottle'));
  const cancelButton = el('button', { type: 'button' }, t('delete.no'));
  const confirmation = el('div', { class: 'row' },
    el('span', {}, t('delete.sure')),
    el('button', { type: 'button', class: 'danger', onclick: deleteBottle }, t('delete.yes')),
    cancelButton);
  button.addEventListener('click', () => {
    button.replaceWith(confirmation);
    cancelButton.focus();
  });
  cancelButton.addEventListener('click', () => {
    confirmation.replaceWith(button);
    button.focus();
  });
  const node = el('div', {}, button, error);
  return node;

  async function deleteBottle() {
    try {
      await withSession(app, () => request('DELETE', `bottles/${id}`));
    } catch (reason) {
      if (!isAbort(reason)) error.textContent = explain(reason).message;
      return;
    }
    invalidateList('created');
    if (node.isConnected) closePanel();
    toast(t('delete.done'));
    app.refresh();
  }
}

/**
 * @param {App} app
 * @param {number} id
 */
function reportControls(app, id) {
  const error = el('p', { class: 'error', role: 'alert' });
  const reason = el('textarea', { rows: '2', maxlength: MAX_REASON_LENGTH, required: true, ...USER_TEXT });
  const form = el('form', { hidden: true },
    el('label', {}, t('report.reason'), reason), error,
    el('div', { class: 'row' }, el('button', { class: 'danger' }, t('report.send'))));
  reason.addEventListener('input', () => error.replaceChildren());
  const button = el('button', { type: 'button' }, t('report.open'));
  button.addEventListener('click', () => {
    form.hidden = !form.hidden;
    reason.focus();
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await withSession(app, () => request('POST', `bottles/${id}/report`, { body: { reason: reason.value } }));
    } catch (failure) {
      if (!isAbort(failure)) error.textContent = explain(failure).message;
      return;
    }
    const done = el('p', { class: 'hint', role: 'status', tabindex: '-1' }, t('report.done'));
    form.replaceWith(done);
    button.remove();
    done.focus();
  });
  return el('div', {}, button, form);
}
