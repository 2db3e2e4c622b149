// The bell in the bar, the number in the title, and the event stream of the inbox, which says what happens.

/** @import { App, InboxItem } from '../lib/types.js' */
/** @import { Child } from '../lib/dom.js' */

import {
  ApiError, byId, checkAccount, connection, isAbort, reconnect, request, server, session, t,
} from '../lib/core.js';
import { phrase } from '../lib/dom.js';
import { displayName } from '../lib/format.js';
import { invalidateList } from '../lib/my-bottles.js';
import { toast } from '../lib/notices.js';
import { showNotification } from '../lib/notifications.js';

const RETRY_MS = 5000;         // from the rejection of the stream to the next attempt
const MAX_UNREAD_SEEN = 100;   // with more unread items, only the inbox marks some as read

/**
 * Returns what an item says: "Bob opened your bottle".
 * @param {Pick<InboxItem, 'kind' | 'actor' | 'count' | 'reply_id'>} item
 * @returns {Child[]}
 */
export function describeItem({ kind, actor, count = 1, reply_id: replyId }) {
  if (replyId) return [t(`inbox.${kind}.reply`)];
  if (!actor) return [t(kind === 'opened' || kind === 'replied' ? `inbox.${kind}.somebody` : `inbox.${kind}`)];
  const name = displayName(actor);
  if (kind !== 'opened' || count === 1) return phrase(`inbox.${kind}`, { name });
  // The plural form needs the number, and the name its own direction.
  return phrase(count === 2 ? 'inbox.opened.two' : 'inbox.opened.more', { name, n: String(count - 1) });
}

/**
 * Marks the items up to this one as read.
 * @param {number} id
 */
export async function markRead(id) {
  /** @type {{ unread: number }} */
  const response = await request('PUT', 'inbox', { body: { read_through: id } });
  showUnread(response.unread);
}

/**
 * Says that the reader sees what some items are about, without the inbox.
 * @param {App} app
 * @param {(item: InboxItem) => boolean} isSeen
 */
export function noteSeen(app, isSeen) {
  app.events.dispatchEvent(new CustomEvent('seen', { detail: isSeen }));
}

/** The number of unread items. */
let unread = 0;

/** @param {number} count */
function showUnread(count) {
  unread = count;
  const badge = byId('inbox-count');
  badge.textContent = unread > 99 ? '99+' : String(unread);
  badge.hidden = unread === 0;
  byId('inbox').setAttribute('aria-label', unread ? t('bar.inboxUnread', { n: unread }) : t('bar.inbox'));
  document.title = unread ? t('app.titleUnread', { n: unread }) : t('app.title');
}

/**
 * Keeps the event stream of the inbox while the page has a session, also in a hidden tab.
 * @param {App} app
 */
export function watchInbox(app) {
  /** @type {EventSource | null} */
  let stream = null;
  /** @type {number | undefined} */
  let timer;
  let wasOpen = false;
  let accountId = session.user?.user_id;

  const notifyPanels = () => app.events.dispatchEvent(new Event('inbox'));
  const notifyThreads = () => app.events.dispatchEvent(new Event('threads'));
  /** @param {InboxItem} item */
  const handleItem = (item) => {
    invalidateList('created');
    if (item.kind === 'replied') invalidateList('opened');
    const event = new CustomEvent('item', { detail: item, cancelable: true });
    // A panel that shows the item itself cancels the event.
    const isShown = !app.events.dispatchEvent(event);
    notifyPanels();
    const text = describeItem({ ...item, count: 1 });
    if (document.hidden) showNotification(item, text, () => openItem(app, item));
    else if (!isShown) toast(text);
    // What the reader sees arrive is read, unless that would mark earlier items too.
    else if (unread === 0) markRead(item.item_id).catch(ignoreApiError);
  };
  const handleOpen = () => {
    // After an interruption the cookie may belong to another account, and a thread may have changed.
    if (wasOpen && session.user) checkAccount(session.user).catch(ignoreApiError);
    if (wasOpen) {
      notifyPanels();
      notifyThreads();
    }
    wasOpen = true;
  };
  const close = () => {
    window.clearTimeout(timer);
    stream?.close();
    stream = null;
  };
  const open = () => {
    close();
    if (!session.user || connection.isLost) return;
    const opened = stream = new EventSource(new URL('api/inbox/live', document.baseURI));
    opened.addEventListener('item', ({ data }) => handleItem(JSON.parse(data)));
    opened.addEventListener('unread', ({ data }) => {
      showUnread(JSON.parse(data).unread);
      notifyPanels();
    });
    opened.addEventListener('threads', notifyThreads);
    opened.addEventListener('open', handleOpen);
    opened.addEventListener('error', () => {
      if (opened !== stream) return;
      if (opened.readyState === EventSource.CLOSED) timer = window.setTimeout(retry, RETRY_MS);
      else reconnect();
    });
  };
  // A request shows whether the session has ended.
  const retry = async () => {
    const { user } = session;
    if (!user || connection.isLost) return;
    try {
      await request('GET', 'inbox', { query: { limit: 1 } });
    } catch (error) {
      ignoreApiError(error);
    }
    if (session.user === user) open();
  };
  server.addEventListener('session', () => {
    // A new nickname changes nothing here.
    if (session.user?.user_id === accountId && stream) return;
    accountId = session.user?.user_id;
    wasOpen = false;
    showUnread(0);
    open();
  });
  server.addEventListener('offline', close);
  server.addEventListener('online', open);
  app.events.addEventListener('seen', (event) => {
    const { detail: isSeen } = /** @type {CustomEvent<(item: InboxItem) => boolean>} */ (event);
    markSeen(isSeen).catch(ignoreApiError);
  });
  open();
}

/**
 * Marks the items that the reader has seen elsewhere as read, from the oldest unread one to the first that is still
 * to be read: an inbox is read up to one item.
 * @param {(item: InboxItem) => boolean} isSeen
 */
async function markSeen(isSeen) {
  if (unread === 0 || unread > MAX_UNREAD_SEEN) return;
  /** @type {{ items: InboxItem[] }} */
  const { items } = await request('GET', 'inbox', { query: { limit: unread } });
  const oldestFirst = items.filter((item) => !item.read).toReversed();
  const next = oldestFirst.findIndex((item) => !isSeen(item));
  const last = next < 0 ? oldestFirst.at(-1) : oldestFirst[next - 1];
  if (last) await markRead(last.item_id);
}

/** @param {unknown} error */
function ignoreApiError(error) {
  if (!isAbort(error) && !(error instanceof ApiError)) throw error;
}

/**
 * @param {App} app
 * @param {InboxItem} item
 */
async function openItem(app, item) {
  const panel = await import('./inbox.js');
  await panel.openItem(app, item);
}
