// The panel beside the map (a bottom sheet on a phone): a bottle, a list, the form of a new bottle. It is not modal, so
// the map stays usable.

/** @import { App } from '../lib/types.js' */
/** @import { Child } from '../lib/dom.js' */

import { byId, session, t } from '../lib/core.js';
import { dismissDialog } from '../lib/dialog.js';
import { el, loadStyle } from '../lib/dom.js';
import { formatView, mapLatitude, nearestCopy, parseView } from '../lib/geo.js';

const MIN_SHEET_SHARE = 0.9;              // of the width of the window
const FLIGHT_SECONDS = 0.8;
const MAP_STATE = { key: 0, depth: 0 };   // of the map's entry in the history
const LINK_KEY = -1;                      // of an entry that a followed link has added

/**
 * Contents of the panel, which stay here while other contents cover them.
 * @typedef {object} View
 * @property {string} name of the contents: "bottle/7", "created"
 * @property {number | null} userId the account that they belong to, or null for those of a visitor
 * @property {Node[]} nodes the heading and the body
 * @property {string} kind class of the panel
 * @property {string} hash the address of the contents
 * @property {number} depth number of entries of the history above the map's
 * @property {(() => void) | null} onShow runs when the contents appear, also when the reader comes back to them
 * @property {(() => void) | null} onClose runs when the contents disappear
 * @property {HTMLElement | null} focus the focused element when the contents were covered
 * @property {number} scrollTop the scroll position at that time
 */

/**
 * The views by the key in `history.state`. Each has an entry of the browser's history, so "Back" leads from a bottle to
 * its list and from the list to the map. Key 0 is the map without a panel.
 * @type {Map<number, View>}
 */
const views = new Map();
/** @type {View | null} */
let shown = null;
let lastKey = 0;
/** @type {HTMLElement | null} */
let focusBefore = null;
/** Settles when the history has returned to the map. */
let leaving = Promise.resolve();
let isLeaving = false;

const panel = () => byId('panel');

/**
 * Shows new contents in the panel and focuses its heading. Returns the element that holds the contents. Contents of the
 * same name replace the current ones; others get an entry of the history.
 * @param {string} name
 * @param {Child[] | string} title
 * @param {Child[]} contents
 * @param {object} [options]
 * @param {string} [options.kind] class of the panel
 * @param {string} [options.hash] the address of the contents
 * @param {(() => void) | null} [options.onShow] runs when the contents appear, also when the reader comes back
 * @param {(() => void) | null} [options.onClose] runs before the contents disappear
 */
export async function showPanel(name, title, contents, options = {}) {
  await Promise.all([loadStyle('panel'), leaving]);
  const { kind = '', hash = location.hash, onShow = null, onClose = null } = options;
  const heading = el('h2', { id: 'panel-title', tabindex: '-1' }, title);
  const closeButton = el('button', {
    type: 'button', class: 'close', 'aria-label': t('panel.close'), onclick: closePanel,
  }, '×');
  const body = el('div', { class: 'panel-body' }, contents);
  const nodes = [el('header', {}, heading, closeButton), body];
  const isReplacing = shown?.name === name && views.has(history.state?.key);
  if (!shown) focusBefore = /** @type {HTMLElement | null} */ (document.activeElement);
  hideView();
  const userId = session.user?.user_id ?? null;
  addToHistory({
    name, userId, nodes, kind, hash, onShow, onClose, focus: heading, scrollTop: 0, depth: 0,
  }, isReplacing);
  return body;
}

/**
 * @param {View} view
 * @param {boolean} isReplacing
 */
function addToHistory(view, isReplacing) {
  const key = (lastKey += 1);
  views.set(key, view);
  if (isReplacing || history.state?.key === LINK_KEY) {
    view.depth = history.state.depth;
    history.replaceState({ key, depth: view.depth }, '', view.hash);
  } else {
    // The entry below is the map's: a link to a bottle, or what a reload left there.
    if (!views.has(history.state?.key)) history.replaceState(MAP_STATE, '');
    view.depth = history.state.depth + 1;
    history.pushState({ key, depth: view.depth }, '', view.hash);
  }
  showView(view);
}

/** @param {View} view */
function showView(view) {
  shown = view;
  panel().className = `panel ${view.kind}`;
  panel().replaceChildren(...view.nodes);
  panel().hidden = false;
  document.body.classList.add('has-panel');
  const body = panel().querySelector('.panel-body');
  if (body) body.scrollTop = view.scrollTop;
  view.focus?.focus({ preventScroll: true });
  view.onShow?.();
}

/** Ends the current view and keeps what the reader comes back to. */
function hideView() {
  if (!shown) return;
  const body = panel().querySelector('.panel-body');
  shown.scrollTop = body?.scrollTop ?? 0;
  if (panel().contains(document.activeElement)) shown.focus = /** @type {HTMLElement} */ (document.activeElement);
  shown.onClose?.();
  shown = null;
}

function hidePanel() {
  hideView();
  panel().hidden = true;
  panel().replaceChildren();
  document.body.classList.remove('has-panel');
  focusBefore?.focus({ preventScroll: true });
}

/** Closes the panel and removes the entries of its contents from the way back. */
export function closePanel() {
  if (!shown) return;
  hidePanel();
  views.clear();
  const depth = history.state?.depth ?? 0;
  if (depth) goBack(depth);
}

/** @param {number} steps */
function goBack(steps) {
  isLeaving = true;
  leaving = new Promise((resolve) => {
    addEventListener('popstate', () => {
      isLeaving = false;
      resolve();
    }, { once: true });
  });
  history.go(-steps);
}

/** Closes the panel. No way back or forward leads to what it has shown. */
export function discardPanels() {
  closePanel();
  views.clear();
}

/** Discards the contents of accounts other than the session's. Those of a visitor pass to it. */
export function discardOtherAccounts() {
  const userId = session.user?.user_id ?? null;
  if ([...views.values()].some((view) => view.userId !== null && view.userId !== userId)) discardPanels();
  for (const view of views.values()) view.userId = userId;
}

/** Returns a function that tells whether the panel still shows the same contents, or none, to the same account. */
export function watchPanel() {
  const view = shown;
  const userId = session.user?.user_id;
  return () => shown === view && session.user?.user_id === userId;
}

/**
 * Follows the reader through the history.
 * @param {App} app
 * @param {() => void} openLink opens what the URL's fragment names
 */
export function watchHistory(app, openLink) {
  const firstHash = location.hash;
  if (!views.has(history.state?.key)) history.replaceState(MAP_STATE, '');
  addEventListener('popstate', ({ state }) => {
    // "Back" leads out of a dialog, too.
    if (!isLeaving) dismissDialog();
    const view = views.get(state?.key);
    if (view) {
      hideView();
      showView(view);
      return;
    }
    const before = shown;
    if (shown) hidePanel();
    if (!state) {
      // A link that the reader follows. One to what is shown has replaced the entry of that, which is the map's now.
      const isNew = location.hash !== (before?.hash ?? firstHash);
      history.replaceState(isNew ? { key: LINK_KEY, depth: (before?.depth ?? 0) + 1 } : MAP_STATE, '');
      openLink();
      return;
    }
    const place = before || isLeaving ? null : parseView(location.hash);
    // From one place that a link named to another, or to the map, which may have moved since.
    if (place) app.map.setView([place.latitude, place.longitude], place.zoom);
    else history.replaceState(state, '', formatView(app.map));
  });
}

/**
 * Ends the opening of a link that shows nothing in the panel. One to no place is left out of the way back.
 * @param {L.Map} map
 * @param {boolean} isPlace
 */
export function endLink(map, isPlace) {
  const { key, depth } = history.state;
  if (key === LINK_KEY && depth === 1 && !isPlace) goBack(1);
  else history.replaceState(key === LINK_KEY ? MAP_STATE : history.state, '', formatView(map));
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !document.querySelector('dialog[open]')) closePanel();
});

/**
 * Creates a placeholder for contents that are loading.
 * @param {number} lines
 */
export function skeleton(lines) {
  return el('div', { class: 'skeleton' }, el('p', { class: 'visually-hidden' }, t('loading')),
    Array.from({ length: lines }, () => el('div', { class: 'skeleton-line' })));
}

/** Returns the pixels from the middle of the part that the panel and the bar leave free to the middle of the map. */
function offCentre() {
  // The size of a hidden panel is zero.
  const { width, height } = panel().getBoundingClientRect();
  const { bottom } = /** @type {Element} */ (document.querySelector('.bar')).getBoundingClientRect();
  return isSheet() ? L.point(0, (height - bottom) / 2) : L.point(-width / 2, 0);
}

/** Tells whether the panel is a sheet at the bottom of the window, not beside the map. */
export const isSheet = () => panel().getBoundingClientRect().width > innerWidth * MIN_SHEET_SHARE;

/**
 * Returns the position in the middle of the part of the map that the panel leaves free.
 * @param {L.Map} map
 */
export const freeCentre = (map) => map.containerPointToLatLng(map.getSize().divideBy(2).subtract(offCentre()));

/**
 * Moves the map so that a position is in the middle of the part that the panel leaves free.
 * @param {L.Map} map
 * @param {number} latitude
 * @param {number} longitude
 * @param {number} zoom
 */
export function flyTo(map, latitude, longitude, zoom) {
  const near = nearestCopy(longitude, map.getCenter().lng);
  const centre = map.unproject(map.project([mapLatitude(map, latitude, zoom), near], zoom).add(offCentre()), zoom);
  map.flyTo(centre, zoom, { duration: FLIGHT_SECONDS, animate: map.options.zoomAnimation });
}
