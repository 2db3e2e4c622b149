// System notifications while the tab is hidden. The browser asks for permission only when the reader turns them on.

/** @import { InboxItem } from './types.js' */
/** @import { Child } from './dom.js' */

import { readStored, session, t, writeStored } from './core.js';
import { el } from './dom.js';

const NOTIFY_KEY = 'bottle.notify';

const key = () => `${NOTIFY_KEY}.${session.user?.user_id}`;

/** Whether this browser has notifications. It has none over plain HTTP. */
export const canNotify = () => isSecureContext && 'Notification' in window;

/** Tells whether the account has turned notifications on in this browser, which still permits them. */
export const isNotifying = () => canNotify() && readStored(key()) === 'yes' && Notification.permission === 'granted';

/**
 * Turns notifications on or off. Returns whether they are on.
 * @param {boolean} isOn
 */
export async function setNotifying(isOn) {
  const permission = isOn ? await Notification.requestPermission() : '';
  writeStored(key(), permission === 'granted' ? 'yes' : null);
  return isNotifying();
}

/**
 * Shows a notification, if they are on. A click on it shows the tab and calls `open`.
 * @param {InboxItem} item
 * @param {Child[]} text
 * @param {() => unknown} open
 */
export function showNotification(item, text, open) {
  if (!isNotifying()) return;
  try {
    // Several hidden tabs show the same one: its tag makes it appear once.
    const notification = new Notification(t('app.title'), {
      body: el('p', {}, text).textContent ?? '', tag: `bottle-${item.item_id}`, icon: 'img/favicon.svg',
    });
    notification.addEventListener('click', () => {
      window.focus();
      notification.close();
      open();
    });
  } catch {
    // Chrome on Android permits notifications only to service workers.
  }
}
