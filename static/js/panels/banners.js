// The banners of a lost connection and of an ended session.

/** @import { App } from '../lib/types.js' */

import { connection, reconnect, server, t } from '../lib/core.js';
import { el } from '../lib/dom.js';
import { removeBanner, showBanner } from '../lib/notices.js';
import { openAccount } from './account.js';

const COUNTDOWN_MS = 1000;

/** Shows a banner with a countdown while the connection is lost. */
export function watchConnection() {
  // Hidden from screen readers, which would read it every second.
  const countdown = el('span', { class: 'countdown', 'aria-hidden': 'true' });
  /** @type {number | undefined} */
  let timer;
  const update = () => {
    const seconds = Math.max(0, Math.ceil((connection.nextAttempt - Date.now()) / 1000));
    countdown.textContent = t('offline.again', { n: seconds });
  };
  const handleOffline = () => {
    if (!countdown.isConnected) {
      showBanner('offline', el('span', {}, t('offline.gone')), countdown,
        el('button', { type: 'button', onclick: reconnect }, t('offline.now')));
    }
    window.clearInterval(timer);
    timer = window.setInterval(update, COUNTDOWN_MS);
    update();
  };
  server.addEventListener('offline', handleOffline);
  server.addEventListener('online', () => {
    window.clearInterval(timer);
    removeBanner('offline');
  });
  if (connection.isLost) handleOffline();
}

/**
 * Shows a banner when the server has ended the session.
 * @param {App} app
 */
export function watchSession(app) {
  server.addEventListener('session', (event) => {
    removeBanner('ended');
    if (!(/** @type {CustomEvent<{ isExpired: boolean }>} */ (event).detail.isExpired)) return;
    const logIn = () => openAccount(app, 'login');
    showBanner('ended', el('span', {}, t('session.ended')),
      el('button', { type: 'button', onclick: logIn }, t('session.again')));
  });
}
