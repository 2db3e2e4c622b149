// Who opened a bottle of mine.

import { asUser } from './account.js';
import { call } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { time } from '../lib/format.js';
import { t } from '../lib/i18n.js';
import { skeleton } from './panel.js';

let count = 0;

/** A button with the number of openers that unfolds their names. */
export function openersOf(app, id, number) {
  const list = el('div', { class: 'openers', id: `openers-${(count += 1)}`, hidden: true });
  const label = number ? t('openers.count', { n: number }) : t(number === 0 ? 'openers.zero' : 'openers.title');
  const button = el('button', { type: 'button', class: 'openers-button', 'aria-expanded': 'false', 'aria-controls': list.id }, label);
  button.addEventListener('click', async () => {
    list.hidden = !list.hidden;
    button.setAttribute('aria-expanded', String(!list.hidden));
    if (list.hidden) return;
    list.replaceChildren(skeleton(2));
    try {
      const { openers } = await asUser(app, () => call('GET', `bottles/${id}/openers`));
      list.replaceChildren(openers.length ? names(openers) : el('p', { class: 'hint' }, t('openers.none')));
    } catch (error) {
      list.replaceChildren(el('p', { class: 'error', role: 'alert' }, error.name === 'AbortError' ? '' : explain(error).message));
    }
  });
  return el('div', {}, button, list);
}

const names = (openers) => el('ul', {}, openers.map((opener) => el('li', {},
  el('span', {}, opener.nickname || opener.username, opener.gender !== 'unknown' && el('small', {}, t(`gender.${opener.gender}`))),
  time(opener.open_at))));
