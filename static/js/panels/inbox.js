// The inbox: what happened to the account's bottles and conversations.

/** @import { App, InboxItem } from '../lib/types.js' */

import { byId, isAbort, request, session, t } from '../lib/core.js';
import { el } from '../lib/dom.js';
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
      if (isLoaded) load(false);
    },
    onClose() {
      isShown = false;
      app.events.removeEventListener('item', handleItem);
    },
  });
  await load(false);

  /** @param {boolean} isMore whether to add the next page */
  async function load(isMore) {
    const query = { limit: PAGE_SIZE, ...(isMore && next && { after: next }) };
    try {
      /** @type {{ items: InboxItem[], unread: number, next?: number | null }} */
      const page = await withSession(app, () => request('GET', 'inbox', { query }));
      if (!isLoaded) body.replaceChildren(error, empty, list, moreButton);
      isLoaded = true;
      show(page.items, isMore);
      ({ next } = page);
      moreButton.hidden = !next;
      if (isShown && page.unread && page.items.length) await markRead(page.items[0].item_id);
    } catch (reason) {
      if (isAbort(reason)) {
        if (body.isConnected) closePanel();
        return;
      }
      body.replaceChildren(error, list, moreButton);
      error.textContent = explain(reason).message;
    }
  }

  /**
   * @param {InboxItem[]} items
   * @param {boolean} isMore
   */
  function show(items, isMore) {
    const focusedId = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.inboxItem;
    const nodes = items.map((item) => itemView(app, item));
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
}

/**
 * @param {App} app
 * @param {InboxItem} item
 */
function itemView(app, item) {
  const open = () => openItem(app, item);
  return el('li', { class: item.read ? '' : 'is-unread' },
    el('button', { type: 'button', class: 'inbox-item', 'data-inbox-item': item.item_id, onclick: open },
      describeItem(item)),
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
