// The panel beside the map (a bottom sheet on a phone): a bottle, a list, the form of a new bottle. It is not modal, so
// the map stays usable.

/** @import { Child } from '../lib/dom.js' */

import { byId, t } from '../lib/core.js';
import { el, loadStyle } from '../lib/dom.js';
import { nearestCopy } from '../lib/geo.js';

const MAX_PHONE_WIDTH_PX = 720;   // as in panel.css
const FLIGHT_SECONDS = 0.8;

/** @type {(() => void) | null} */
let closeHandler = null;
/** @type {HTMLElement | null} */
let focusBefore = null;

const panel = () => byId('panel');

/**
 * Shows new contents in the panel and focuses its heading. Returns the element that holds the contents.
 * @param {string} title
 * @param {Child[]} contents
 * @param {object} [options]
 * @param {string} [options.kind] class of the panel
 * @param {(() => void) | null} [options.onClose] runs before these contents disappear
 */
export async function showPanel(title, contents, { kind = '', onClose = null } = {}) {
  await loadStyle('panel');
  runCloseHandler();
  if (panel().hidden) focusBefore = /** @type {HTMLElement | null} */ (document.activeElement);
  closeHandler = onClose;
  const heading = el('h2', { id: 'panel-title', tabindex: '-1' }, title);
  const closeButton = el('button', {
    type: 'button', class: 'close', 'aria-label': t('panel.close'), onclick: closePanel,
  }, '×');
  panel().className = `panel ${kind}`;
  const body = el('div', { class: 'panel-body' }, contents);
  panel().replaceChildren(el('header', {}, heading, closeButton), body);
  panel().hidden = false;
  document.body.classList.add('has-panel');
  heading.focus({ preventScroll: true });
  return body;
}

export function closePanel() {
  if (panel().hidden) return;
  runCloseHandler();
  panel().hidden = true;
  panel().replaceChildren();
  document.body.classList.remove('has-panel');
  focusBefore?.focus({ preventScroll: true });
}

function runCloseHandler() {
  closeHandler?.();
  closeHandler = null;
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
  const centre = map.unproject(map.project([latitude, near], zoom).add(shift), zoom);
  map.flyTo(centre, zoom, { duration: FLIGHT_SECONDS, animate: map.options.zoomAnimation });
}
