// The banners of a lost connection, of a standby, of an ended session and of an ended class.

/** @import { App } from '../lib/types.js' */

import { ApiError, connection, isAbort, reconnect, request, server, session, t } from '../lib/core.js';
import { el } from '../lib/dom.js';
import { removeBanner, showBanner } from '../lib/notices.js';
import { openAccount } from './account.js';

const COUNTDOWN_MS = 1000;
const END_MARGIN_MS = 1000;   // after the end of a class, to ask whether it has ended

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
 * Shows a banner with the address of the primary while the server is a standby.
 * @param {App} app
 */
export function watchStandby(app) {
  /** @type {string | undefined} */
  let shown;
  const update = () => {
    const url = app.settings.primary_url;
    // A banner that is shown again is read again.
    if (url === shown) return;
    shown = url;
    if (url) showBanner('standby', el('span', {}, t('standby.banner')), el('a', { href: url }, url));
    else removeBanner('standby');
  };
  app.events.addEventListener('settings', update);
  update();
}

/**
 * Shows a banner when the server has ended the session, as it does at the end of a guest's class.
 * @param {App} app
 */
export function watchSession(app) {
  const waitForEnd = watchClass();
  const show = () => {
    const [text, action, label] = session.isClassOver
      ? ['class.over', joinAnother, 'class.again']
      : ['session.ended', () => openAccount(app, 'login'), 'session.again'];
    showBanner('ended', el('span', {}, t(text)), el('button', { type: 'button', onclick: action }, t(label)));
  };
  // The session may have ended before this module was loaded.
  if (session.isClassOver) show();
  server.addEventListener('session', (event) => {
    removeBanner('ended');
    waitForEnd();
    if (/** @type {CustomEvent<{ isExpired: boolean }>} */ (event).detail.isExpired) show();
  });
}

async function joinAnother() {
  const { joinClass } = await import('./join-class.js');
  await joinClass().catch(ignoreExpected);
}

/**
 * Asks the server for the account when the class of a guest ends, so that the page learns of the end. Returns a
 * function that does so for the account of a new session.
 */
function watchClass() {
  /** @type {number | undefined} */
  let timer;
  const wait = () => {
    window.clearTimeout(timer);
    const until = session.user?.guest_until;
    if (!until) return;
    const ask = () => request('GET', 'users/self').catch(ignoreExpected);
    timer = window.setTimeout(ask, Math.max(0, Date.parse(until) - Date.now()) + END_MARGIN_MS);
  };
  wait();
  return wait;
}

/** @param {unknown} error */
function ignoreExpected(error) {
  if (!isAbort(error) && !(error instanceof ApiError)) throw error;
}
