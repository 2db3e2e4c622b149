// The openers of an own bottle.

/** @import { App, Openers, Person } from '../lib/types.js' */

import { isAbort, isLostConnection, request, server, t } from '../lib/core.js';
import { bdi, el } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { displayName, time } from '../lib/format.js';
import { withSession } from './account.js';
import { skeleton } from './panel.js';

/** @typedef {Person & { open_at: string }} Opener */

let listCount = 0;

/**
 * Creates a button with the number of openers that shows their names, or a text if nobody has opened the bottle.
 * @param {App} app
 * @param {number} id
 * @param {number} [openers]
 */
export function openersButton(app, id, openers) {
  const node = el('div', { 'data-openers': id });
  showOpeners(app, node, id, openers);
  return node;
}

/**
 * Updates the number, and the names if they are shown, in the panel.
 * @param {App} app
 * @param {Openers} openers
 */
export function updateOpeners(app, { bottle_id: id, openers_count: count }) {
  for (const node of document.querySelectorAll(`[data-openers="${id}"]`)) {
    const button = node.querySelector('button');
    if (!button) {
      showOpeners(app, node, id, count);
      continue;
    }
    button.textContent = label(count);
    const list = /** @type {HTMLElement | null} */ (node.querySelector('.openers'));
    if (list && !list.hidden) fillOpeners(app, id, list);
  }
}

/**
 * @param {App} app
 * @param {Element} node
 * @param {number} id
 * @param {number} [openers]
 */
function showOpeners(app, node, id, openers) {
  if (openers === 0) {
    node.replaceChildren(el('p', { class: 'hint' }, t('openers.zero')));
    return;
  }
  const list = el('div', { class: 'openers', id: `openers-${(listCount += 1)}`, hidden: true });
  const button = el('button', {
    type: 'button', class: 'openers-button', 'aria-expanded': 'false', 'aria-controls': list.id,
  }, label(openers));
  button.addEventListener('click', async () => {
    list.hidden = !list.hidden;
    button.setAttribute('aria-expanded', String(!list.hidden));
    if (!list.hidden) await fillOpeners(app, id, list);
  });
  node.replaceChildren(button, list);
}

/** @param {number | undefined} openers */
function label(openers) {
  return openers ? t('openers.count', { n: openers }) : t('openers.title');
}

/**
 * @param {App} app
 * @param {number} id
 * @param {HTMLElement} list
 */
async function fillOpeners(app, id, list) {
  if (!list.hasChildNodes()) list.replaceChildren(skeleton(2));
  try {
    /** @type {{ openers: Opener[] }} */
    const { openers } = await withSession(app, () => request('GET', `bottles/${id}/openers`));
    list.replaceChildren(openers.length ? names(openers) : el('p', { class: 'hint' }, t('openers.none')));
  } catch (error) {
    const message = isAbort(error) ? '' : explain(error).message;
    list.replaceChildren(el('p', { class: 'error', role: 'alert' }, message));
    if (!isLostConnection(error)) return;
    server.addEventListener('online', () => {
      if (!list.hidden) fillOpeners(app, id, list);
    }, { once: true });
  }
}

/** @param {Opener[]} openers */
const names = (openers) => el('ul', {}, openers.map((opener) => el('li', {},
  el('span', {}, bdi(displayName(opener)),
    opener.gender !== 'unknown' && el('small', {}, t(`gender.${opener.gender}`))),
  time(opener.open_at))));
