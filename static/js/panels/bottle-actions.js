// What one may do against a bottle: delete one's own, report another's.

import { asUser } from './account.js';
import { call } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { t } from '../lib/i18n.js';
import { toast } from '../lib/notices.js';
import { closePanel } from './panel.js';
import { forget } from '../lib/my-bottles.js';

/** The buttons that stand below an opened bottle. */
export const againstBottle = (app, id, mine) => (mine ? deleting(app, id) : reporting(app, id));

function deleting(app, id) {
  const error = el('p', { class: 'error', role: 'alert' });
  const button = el('button', { type: 'button', class: 'danger', onclick: ask }, t('delete.bottle'));
  return el('div', {}, button, error);

  // Asked twice, in the same place: no dialog for one word.
  function ask() {
    button.replaceWith(el('div', { class: 'row' },
      el('span', {}, t('delete.sure')),
      el('button', { type: 'button', class: 'danger', onclick: remove }, t('delete.yes')),
      el('button', { type: 'button', onclick: ({ currentTarget }) => currentTarget.parentElement.replaceWith(button) }, t('delete.no'))));
  }

  async function remove() {
    try {
      await asUser(app, () => call('DELETE', `bottles/${id}`));
      forget('created');
      closePanel();
      toast(t('delete.done'));
      app.look();
    } catch (reason) {
      if (reason.name !== 'AbortError') error.textContent = explain(reason).message;
    }
  }
}

function reporting(app, id) {
  const error = el('p', { class: 'error', role: 'alert' });
  const reason = el('textarea', { rows: '2', maxlength: '500', required: true });
  const form = el('form', { hidden: true },
    el('label', {}, t('report.reason'), reason), error,
    el('div', { class: 'row' }, el('button', { class: 'danger' }, t('report.send'))));
  const button = el('button', { type: 'button', onclick: () => {
    form.hidden = !form.hidden;
    reason.focus();
  } }, t('report.open'));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await asUser(app, () => call('POST', `bottles/${id}/report`, { body: { reason: reason.value } }));
      form.replaceWith(el('p', { class: 'hint', role: 'status' }, t('report.done')));
      button.remove();
    } catch (problem) {
      if (problem.name !== 'AbortError') error.textContent = explain(problem).message;
    }
  });
  return el('div', {}, button, form);
}
