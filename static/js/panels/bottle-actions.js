// Deletion of an own bottle, the report of another account's, and its hiding by a teacher.

/** @import { App } from '../lib/types.js' */

import { request, session, t } from '../lib/core.js';
import { el } from '../lib/dom.js';
import { invalidateList } from '../lib/my-bottles.js';
import { toast } from '../lib/notices.js';
import { attempt, confirmButton, errorLine, reportButton } from './controls.js';
import { closePanel } from './panel.js';

/**
 * Creates the controls below an opened bottle.
 * @param {App} app
 * @param {number} id
 * @param {boolean} isOwn
 */
export function bottleActions(app, id, isOwn) {
  if (isOwn) return deleteControls(app, id);
  return session.user?.is_teacher ? hideControls(app, id) : reportButton(app, `bottles/${id}/report`);
}

/**
 * @param {App} app
 * @param {number} id
 */
function hideControls(app, id) {
  const error = errorLine();
  const node = el('div', {}, el('button', { type: 'button', class: 'danger', onclick: hide }, t('hide.bottle')), error);
  return node;

  async function hide() {
    const send = () => request('PUT', `teacher/bottles/${id}`, { body: { hidden: true } });
    if (!await attempt(app, error, send)) return;
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
  const node = confirmButton({
    label: t('delete.bottle'),
    question: t('delete.sureBottle'),
    yes: t('delete.yes'),
    no: t('delete.no'),
    run: deleteBottle,
  });
  return node;

  /** @param {HTMLElement} error */
  async function deleteBottle(error) {
    if (!await attempt(app, error, () => request('DELETE', `bottles/${id}`))) return;
    invalidateList('created');
    if (node.isConnected) closePanel();
    toast(t('delete.done'));
    app.refresh();
  }
}
