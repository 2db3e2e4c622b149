// The panel beside the map (a bottom sheet on a phone): a bottle, a list, the form of a new bottle. It is not modal, so
// the map stays usable.

/** @import { App } from '../lib/types.js' */
/** @import { Child } from '../lib/dom.js' */

import { byId, session, t } from '../lib/core.js';
import { el, loadStyle } from '../lib/dom.js';
import { formatView, mapLatitude, nearestCopy } from '../lib/geo.js';

const MAX_PHONE_WIDTH_PX = 720;   // as in panel.css
const FLIGHT_SECONDS = 0.8;
const MAP_STATE = { key: 0, depth: 0 };   // of the map's entry in the history

/**
 * Contents of the panel, which stay here while other contents cover them.
 * @typedef {object} View
 * @property {string} name of the contents: "bottle/7", "created"
 * @property {number | null} userId the account that they belong to, or null for those of a visitor
 * @property {Node[]} nodes the heading and the body
 * @property {string} kind class of the panel
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
export async function showPanel(name, title, contents, { kind = '', hash, onShow = null, onClose = null } = {}) {
  await Promise.all([loadStyle('panel'), leaving]);
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
  addToHistory({ name, userId, nodes, kind, onShow, onClose, focus: heading, scrollTop: 0 }, hash, isReplacing);
  return body;
}

/**
 * @param {View} view
 * @param {string} [hash]
 * @param {boolean} [isReplacing]
 */
function addToHistory(view, hash = location.hash, isReplacing = false) {
  const depth = history.state?.depth ?? 0;
  const key = (lastKey += 1);
  views.set(key, view);
  if (isReplacing) {
    history.replaceState({ key, depth }, '', hash);
  } else {
    // The entry below is the map's: a link to a bottle, or what a reload left there.
    if (!views.has(history.state?.key)) history.replaceState(MAP_STATE, '');
    history.pushState({ key, depth: history.state.depth + 1 }, '', hash);
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
  if (!depth) return;
  leaving = new Promise((resolve) => {
    addEventListener('popstate', () => resolve(), { once: true });
  });
  history.go(-depth);
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
  addEventListener('popstate', ({ state }) => {
    const view = views.get(state?.key);
    if (view) {
      hideView();
      showView(view);
      return;
    }
    if (shown) hidePanel();
    if (state) {
      // The map may have moved since.
      history.replaceState(state, '', formatView(app.map));
    } else {
      // A link that the reader follows, perhaps to the bottle that was shown. Its entry is the map's.
      history.replaceState(MAP_STATE, '');
      openLink();
    }
  });
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

/**
 * Moves the map so that a position is in the middle of the part that the panel leaves free.
 * @param {L.Map} map
 * @param {number} latitude
 * @param {number} longitude
 * @param {number} zoom
 */
export function flyTo(map, latitude, longitude, zoom) {
  const { width, height } = panel().getBoundingClientRect();
  const isPhone = innerWidth < MAX_PHONE_WIDTH_PX;
  // The size of a hidden panel is zero.
  const shift = isPhone ? L.point(0, height / 2) : L.point(-width / 2, 0);
  const near = nearestCopy(longitude, map.getCenter().lng);
  const centre = map.unproject(map.project([mapLatitude(map, latitude, zoom), near], zoom).add(shift), zoom);
  map.flyTo(centre, zoom, { duration: FLIGHT_SECONDS, animate: map.options.zoomAnimation });
}
