// The conversations about an own bottle: a list, and each in a panel of its own.

/** @import { App, OpenedBottle, Person } from '../lib/types.js' */

import { isAbort, request, session, t } from '../lib/core.js';
import { USER_TEXT, bdi, el, phrase } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { displayName, time } from '../lib/format.js';
import { createConversation } from './conversation.js';
import { errorLine } from './controls.js';
import { showPanel } from './panel.js';
import { repliesBadge } from './replies-badge.js';

const PAGE_SIZE = 100;

/** @typedef {{ opener: Person, replies_count: number, unread_count: number, last_reply_at: string }} ThreadSummary */

/**
 * Creates the list of the conversations about an own bottle. `start` and `stop` begin and end its updates.
 * @param {App} app
 * @param {OpenedBottle} bottle
 */
export function createThreads(app, bottle) {
  const list = el('ul', { class: 'threads' });
  const error = errorLine();
  const moreButton = el('button', { type: 'button', hidden: true, onclick: () => load(true) }, t('list.more'));
  const node = el('section', { class: 'conversation', 'aria-label': t('threads.title'), hidden: true },
    el('h3', {}, t('threads.title')), list, error, moreButton);
  /** @type {number | undefined} */
  let next;
  let shown = '';
  const update = () => load(false);
  return {
    node,
    start() {
      app.events.addEventListener('threads', update);
      update();
    },
    stop: () => app.events.removeEventListener('threads', update),
  };

  /** @param {boolean} isMore whether to add the next page */
  async function load(isMore) {
    if (!session.user) return;
    const query = { limit: PAGE_SIZE, ...(isMore && next && { after: next }) };
    try {
      /** @type {{ threads: ThreadSummary[], next?: number }} */
      const page = await request('GET', `bottles/${bottle.bottle_id}/threads`, { query });
      error.replaceChildren();
      const state = JSON.stringify(page);
      if (!isMore && state === shown) return;
      shown = isMore ? '' : state;
      const items = page.threads.map((thread) => threadItem(app, bottle, thread));
      const focusedId = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.opener;
      if (isMore) list.append(...items);
      else list.replaceChildren(...items);
      if (isMore) items[0]?.querySelector('button')?.focus();
      else if (focusedId) focusThread(list, focusedId);
      ({ next } = page);
      moreButton.hidden = !next;
      node.hidden = !list.children.length;
    } catch (reason) {
      if (isAbort(reason)) return;
      node.hidden = false;
      error.textContent = explain(reason).message;
    }
  }
}

/**
 * @param {HTMLElement} list
 * @param {string} openerId
 */
function focusThread(list, openerId) {
  /** @type {HTMLElement | null} */
  const button = list.querySelector(`[data-opener="${openerId}"]`);
  button?.focus();
}

/**
 * @param {App} app
 * @param {OpenedBottle} bottle
 * @param {ThreadSummary} thread
 */
function threadItem(app, bottle, { opener, replies_count: replies, unread_count: unread, last_reply_at: lastAt }) {
  return el('li', {},
    el('button', {
      type: 'button', class: 'thread', 'data-opener': opener.user_id, onclick: () => openThread(app, bottle, opener),
    }, bdi(displayName(opener))),
    el('span', { class: 'hint' }, repliesBadge({ replies_count: replies, unread_count: unread }), ' · ', time(lastAt)));
}

/**
 * Opens the conversation with an opener of an own bottle.
 * @param {App} app
 * @param {OpenedBottle} bottle
 * @param {Person} opener
 */
export function openThread(app, bottle, opener) {
  const { bottle_id: id } = bottle;
  const isClosed = Boolean(bottle.hidden || bottle.expired);
  const conversation = createConversation(app, { bottleId: id, openerId: opener.user_id, other: opener, isClosed });
  return showPanel(`bottle/${id}/${opener.user_id}`, phrase('threads.with', { name: displayName(opener) }), [
    el('blockquote', { class: 'quote', ...USER_TEXT }, bottle.content),
    conversation.node,
  ], {
    kind: 'panel-bottle',
    hash: `#bottle/${id}`,
    onShow() {
      app.bottles.select(id);
      conversation.start();
    },
    onClose() {
      app.bottles.select(null);
      conversation.stop();
    },
  });
}
