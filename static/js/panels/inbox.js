// The inbox: what happened to the account's bottles and conversations.

/** @import { App, InboxItem } from '../lib/types.js' */

import {
  ApiError, byId, connection, isAbort, isLostConnection, request, server, session, t,
} from '../lib/core.js';
import { USER_TEXT, el } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { time } from '../lib/format.js';
import { fetchList } from '../lib/my-bottles.js';
import { withSession } from './account.js';
import { describeItem, markRead } from './bell.js';
import { findInLists, showBottle, showOpenedBottle } from './bottle.js';
import { errorLine } from './controls.js';
import { closePanel, showPanel, skeleton, watchPanel } from './panel.js';
import { openThread } from './threads.js';

const PAGE_SIZE = 50;
const EXCERPT_LENGTH = 80;   // of a message, in the line that names its bottle

/**
 * Opens the inbox and marks its items as read.
 * @param {App} app
 */
export async function openInbox(app) {
  const list = el('ul', { class: 'inbox' });
  const error = errorLine();
  const empty = el('p', { class: 'empty', hidden: true }, t('inbox.none'));
  const moreButton = el('button', { type: 'button', hidden: true, onclick: () => load(true) }, t('list.more'));
  /** @type {number | null | undefined} */
  let next;
  let isLoaded = false;
  let isShown = false;
  let needsReload = false;
  const reload = () => {
    if (needsReload && !connection.isLost) load(false);
  };
  /** The first words of the bottles, by id. @type {Map<number, string>} */
  const excerpts = new Map();
  // The list shows the item and marks it as read, so no toast has to.
  const handleItem = (/** @type {Event} */ event) => {
    event.preventDefault();
    load(false);
  };
  const body = await showPanel('inbox', t('inbox.title'), [skeleton(4)], {
    kind: 'panel-list',
    onShow() {
      isShown = true;
      app.events.addEventListener('item', handleItem);
      server.addEventListener('online', reload);
      if (isLoaded) load(false);
    },
    onClose() {
      isShown = false;
      app.events.removeEventListener('item', handleItem);
      server.removeEventListener('online', reload);
    },
  });
  await load(false);

  /** @param {boolean} isMore whether to add the next page */
  async function load(isMore) {
    const query = { limit: PAGE_SIZE, ...(isMore && next && { after: next }) };
    try {
      /** @type {{ items: InboxItem[], unread: number, next?: number | null }} */
      const page = await withSession(app, () => request('GET', 'inbox', { query }));
      if (!empty.isConnected) body.replaceChildren(error, empty, list, moreButton);
      isLoaded = true;
      needsReload = false;
      show(page.items, isMore);
      ({ next } = page);
      moreButton.hidden = !next;
      if (isShown && page.unread && page.items.length) await markRead(page.items[0].item_id);
      await nameBottles();
    } catch (reason) {
      if (isAbort(reason)) {
        if (body.isConnected) closePanel();
        return;
      }
      body.replaceChildren(error, list, moreButton);
      needsReload = isLostConnection(reason);
      error.textContent = explain(reason).message;
    }
  }

  /**
   * @param {InboxItem[]} items
   * @param {boolean} isMore
   */
  function show(items, isMore) {
    const focusedId = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.inboxItem;
    const nodes = items.map((item) => itemView(app, item, excerpts.get(item.bottle_id)));
    if (isMore) {
      list.append(...nodes);
      nodes[0]?.querySelector('button')?.focus();
    } else {
      list.replaceChildren(...nodes);
      /** @type {HTMLElement | null} */
      const focused = focusedId ? list.querySelector(`[data-inbox-item="${focusedId}"]`) : null;
      if (focusedId) (focused ?? byId('panel-title')).focus({ preventScroll: true });
    }
    error.replaceChildren();
    empty.hidden = list.children.length > 0;
  }

  /** Fills in the first words of the bottles, which are in the account's lists. */
  async function nameBottles() {
    const bottles = await fetchBottles();
    for (const { bottle_id: id, content } of bottles) {
      excerpts.set(id, [...content].slice(0, EXCERPT_LENGTH).join(''));
    }
    for (const line of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll('.about'))) {
      line.textContent = excerpts.get(Number(line.dataset.bottle)) ?? '';
    }
  }
}

/** Returns the bottles that the account threw or opened, or none if the server does not respond. */
async function fetchBottles() {
  try {
    return [...await fetchList('created'), ...await fetchList('opened')];
  } catch (error) {
    if (isAbort(error) || error instanceof ApiError) return [];
    throw error;
  }
}

/**
 * @param {App} app
 * @param {InboxItem} item
 * @param {string} [excerpt] of the bottle's message
 */
function itemView(app, item, excerpt = '') {
  const open = () => openItem(app, item);
  const aboutId = `about-${item.item_id}`;
  return el('li', { class: item.read ? '' : 'is-unread' },
    el('button', {
      type: 'button', class: 'inbox-item', 'data-inbox-item': item.item_id, 'aria-describedby': aboutId, onclick: open,
    }, describeItem(item)),
    el('p', { class: 'about', id: aboutId, 'data-bottle': item.bottle_id, ...USER_TEXT }, excerpt),
    el('span', { class: 'hint' },
      !item.read && el('span', { class: 'badge' }, t('inbox.new')), !item.read && ' ', time(item.created_at)));
}

/**
 * Opens the bottle or the conversation of an item.
 * @param {App} app
 * @param {InboxItem} item
 */
export async function openItem(app, item) {
  const isWaiting = watchPanel();
  if (!session.user) return;
  const bottle = await findInLists(item.bottle_id);
  // The reader did not wait.
  if (!isWaiting()) return;
  if (!bottle) {
    await showBottle(app, { bottle_id: item.bottle_id });
    return;
  }
  const isOwn = (await fetchList('created')).includes(bottle);
  if (!isWaiting()) return;
  if (isOwn && item.kind === 'replied' && item.actor) await openThread(app, bottle, item.actor);
  else await showOpenedBottle(app, bottle);
}
