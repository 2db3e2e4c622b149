// The second stage of the map page, after the first bottles: overlays, links, banners, the welcome card, events.

/** @import { App, MapBottle, Openers } from '../lib/types.js' */

import { ApiError, byId, isAbort, readStored, server, session, t, writeStored } from '../lib/core.js';
import { dismissDialog } from '../lib/dialog.js';
import { el, loadStyle, phrase } from '../lib/dom.js';
import { displayName } from '../lib/format.js';
import { parseBottleLink, parseView } from '../lib/geo.js';
import { fetchList } from '../lib/my-bottles.js';
import { toast } from '../lib/notices.js';
import { INVITATION_KEY, openAccount } from '../panels/account.js';
import { watchConnection, watchSession, watchStandby } from '../panels/banners.js';
import { watchInbox } from '../panels/bell.js';
import { closePanel, discardOtherAccounts, endLink, watchHistory, watchPanel } from '../panels/panel.js';
import { WELCOMED_KEY, flyToBottles, showWelcome } from '../panels/welcome.js';
import { subscribeToMap } from './events.js';
import { addOverlays, addPlaceSearch } from './overlays.js';
import { PileLayer } from './piles.js';

/** The panels that are loaded in advance. */
const PANELS = ['throw', 'bottle', 'in-view', 'lists', 'profile', 'inbox', 'catch'];

/** @param {App} app */
export async function start(app) {
  await loadStyle('panel');
  await showWelcome(app);
  // The manifest is needed only to install the page, so index.html does not load it before the first bottle.
  document.head.append(el('link', { rel: 'manifest', href: 'manifest.webmanifest' }));
  watchConnection();
  watchSession(app);
  watchStandby(app);
  watchFreeze(app);
  addPiles(app);
  server.addEventListener('session', (event) => {
    app.openedIds.clear();
    loadOpenedIds(app);
    const { detail } = /** @type {CustomEvent<{ isElsewhere?: boolean, isExpired?: boolean }>} */ (event);
    if (detail.isElsewhere) leaveAccount();
    // After the end of its session the same account may go on.
    if (!detail.isExpired) discardOtherAccounts();
  });
  loadOpenedIds(app);
  watchHistory(app, () => openLink(app));
  // The reader may have opened a panel already.
  if (byId('panel').hidden) openLink(app);
  app.land.loadDetail();
  app.map.on('zoomend', () => app.land.loadDetail());
  // The welcome card is painted before the largest file is loaded.
  await new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });
  await addOverlays(app);
  addPlaceSearch(app.map);
  const isEmpty = app.visible.total === 0 && !app.visible.isClosed;
  if (isEmpty && !app.hasLink && !readStored(WELCOMED_KEY)) flyToBottles(app);
  subscribeToMap(app);
  watchInbox(app);
  watchOpeners(app);
  preloadPanels();
  if (location.protocol === 'https:') (await import('../lib/offline.js')).workOffline();
}

/**
 * Updates the numbers of openers in the panel.
 * @param {App} app
 */
function watchOpeners(app) {
  app.events.addEventListener('opened', (event) => {
    const { detail } = /** @type {CustomEvent<Openers>} */ (event);
    import('../panels/openers.js').then(({ updateOpeners }) => updateOpeners(app, detail));
  });
}

/**
 * Shows the numbers of bottles that share a position.
 * @param {App} app
 */
function addPiles(app) {
  const piles = new PileLayer().addTo(app.map);
  const isShown = (/** @type {MapBottle} */ { bottle_id: id }) => !app.bottles.hiddenIds.has(id);
  const update = () => piles.showBottles(app.visible.bottles.filter(isShown));
  app.events.addEventListener('refreshed', update);
  app.bottles.on('hide', update);
  update();
}

/**
 * Says in the button that throws a bottle whether throwing is frozen.
 * @param {App} app
 */
function watchFreeze(app) {
  const button = byId('throw');
  const update = () => {
    const isFrozen = app.settings.frozen ?? false;
    button.textContent = t(isFrozen ? 'throw.frozen' : 'throw.open');
    button.classList.toggle('primary', !isFrozen);
  };
  app.events.addEventListener('settings', update);
  update();
}

/**
 * Opens the view or the bottle that the URL's fragment names. Reports a fragment that names neither, and replaces it.
 * @param {App} app
 */
async function openLink(app) {
  const { hash } = location;
  const id = parseBottleLink(hash);
  if (id !== null) {
    const isWaiting = watchPanel();
    const { showLinkedBottle } = await import('../panels/bottle.js');
    await showLinkedBottle(app, id, isWaiting);
    return;
  }
  const [, invitation] = hash.match(/^#invite\/([\w-]+)$/) ?? [];
  if (invitation) {
    endLink(app.map, false);
    openInvitation(app, invitation);
    return;
  }
  const [, code] = hash.match(/^#class\/([\w-]+)$/) ?? [];
  if (code) {
    endLink(app.map, false);
    dismissDialog();
    const { joinClass } = await import('../panels/join-class.js');
    joinClass(code).catch(ignoreAbort);
    return;
  }
  const view = parseView(hash);
  if (view) app.map.setView([view.latitude, view.longitude], view.zoom);
  else if (hash) toast(t('link.invalid'));
  endLink(app.map, view !== null);
}

/** @param {unknown} error */
function ignoreAbort(error) {
  if (!isAbort(error)) throw error;
}

/**
 * Opens the registration with the invitation filled in. The tab keeps it until it is used, also while an account is
 * logged in.
 * @param {App} app
 * @param {string} code
 */
function openInvitation(app, code) {
  writeStored(INVITATION_KEY, code, 'sessionStorage');
  dismissDialog();
  if (session.user) {
    toast(phrase('register.loggedIn', { name: displayName(session.user) }));
    return;
  }
  openAccount(app, 'register');
}

/** Closes what belongs to the account that another tab left, except the form of a visitor. */
function leaveAccount() {
  dismissDialog();
  if (!byId('panel').classList.contains('panel-throw')) closePanel();
  if (session.user) toast(phrase('session.other', { name: displayName(session.user) }));
}

/**
 * Loads the ids of the bottles that the session's account has opened.
 * @param {App} app
 */
async function loadOpenedIds(app) {
  if (!session.user) return;
  app.events.dispatchEvent(new Event('login'));
  try {
    for (const bottle of await fetchList('opened')) app.openedIds.add(bottle.bottle_id);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // The map sends its requests to the same server and shows the failure.
    return;
  }
  app.bottles.repaint();
}

/** Loads the panels in advance, so that the reader can write a message while the connection is lost. */
async function preloadPanels() {
  try {
    for (const name of PANELS) await import(`../panels/${name}.js`);
  } catch {
    // A panel is imported again when the reader opens it.
  }
}
