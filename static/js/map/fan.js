// Bottles that overlap on the map, fanned out around their place so that each can be chosen.

/** @import { App, MapBottle } from '../lib/types.js' */

import { byId, t } from '../lib/core.js';
import { el, loadStyle, svg } from '../lib/dom.js';
import { mapLatitude, nearestCopy } from '../lib/geo.js';
import { bottleIcon } from '../panels/bottle-icon.js';
import { showBottle } from '../panels/bottle.js';
import { isSheet } from '../panels/panel.js';
import { styleName } from './bottles.js';

const MAX_FANNED = 12;            // more of them are a list
const MIN_RADIUS_PX = 54;
const BOTTLE_PX = 50;             // of the circle, for each bottle
const EDGE_PX = 34;               // from the middle of a bottle to its edge
const BAR_PX = 72;                // at the top and the bottom of the map

let close = () => {};

/**
 * Fans bottles out, or lists them if they are many.
 * @param {App} app
 * @param {MapBottle[]} bottles the topmost first
 */
export async function fanOut(app, bottles) {
  close();
  if (bottles.length > MAX_FANNED) {
    const { openPile } = await import('../panels/in-view.js');
    await openPile(app, bottles);
    return;
  }
  await loadStyle('panel');
  const { map } = app;
  const { latitude, longitude } = bottles[0].location;
  const place = L.latLng(mapLatitude(map, latitude), nearestCopy(longitude, map.getCenter().lng));
  const radius = Math.max(MIN_RADIUS_PX, (bottles.length * BOTTLE_PX) / (2 * Math.PI));
  const points = bottles.map((_, at) => {
    const angle = (at / bottles.length) * 2 * Math.PI;
    return { x: Math.round(Math.sin(angle) * radius), y: Math.round(-Math.cos(angle) * radius) };
  });
  const buttons = bottles.map((bottle, at) => fannedBottle(app, bottle, points[at]));
  const marker = L.marker(place, {
    interactive: false, keyboard: false, icon: L.divIcon({ className: 'fan', iconSize: [0, 0] }),
  }).addTo(map);
  const node = /** @type {HTMLElement} */ (marker.getElement());
  node.setAttribute('role', 'group');
  node.setAttribute('aria-label', t('pile.title', { n: bottles.length }));
  node.append(
    svg('svg', { class: 'fan-legs', width: 1, height: 1, 'aria-hidden': 'true' },
      points.map(({ x, y }) => svg('path', { d: `M0 0L${x} ${y}` }))),
    ...buttons,
  );
  L.DomEvent.disableClickPropagation(node);
  node.addEventListener('keydown', (event) => handleKey(event, buttons));
  keepOpen(app, bottles, marker, buttons);
  makeRoom(map, place, radius + EDGE_PX);
  buttons[0].focus({ preventScroll: true });
}

/**
 * Keeps the fan true until the reader goes on.
 * @param {App} app
 * @param {MapBottle[]} bottles
 * @param {L.Marker} marker
 * @param {HTMLButtonElement[]} buttons
 */
function keepOpen(app, bottles, marker, buttons) {
  const update = () => bottles.forEach((bottle, at) => fill(app, bottle, buttons[at]));
  const check = () => {
    const ids = new Set(app.visible.bottles.map((bottle) => bottle.bottle_id));
    if (!bottles.every((bottle) => ids.has(bottle.bottle_id))) close();
  };
  close = () => {
    close = () => {};
    const hadFocus = marker.getElement()?.contains(document.activeElement);
    app.map.off('click zoomstart', onMap);
    app.bottles.off('select', update);
    app.events.removeEventListener('refreshed', check);
    marker.remove();
    app.bottles.hide([]);
    if (hadFocus) app.map.getContainer().focus({ preventScroll: true });
  };
  const onMap = () => close();
  app.map.on('click zoomstart', onMap);
  app.bottles.on('select', update);
  app.events.addEventListener('refreshed', check);
  app.bottles.hide(bottles.map((bottle) => bottle.bottle_id));
  update();
}

/**
 * @param {App} app
 * @param {MapBottle} bottle
 * @param {{ x: number, y: number }} point
 */
function fannedBottle(app, bottle, { x, y }) {
  const button = el('button', { type: 'button', onclick: () => showBottle(app, bottle) });
  button.style.transform = `translate(${x}px, ${y}px)`;
  return button;
}

/**
 * @param {App} app
 * @param {MapBottle} bottle
 * @param {HTMLButtonElement} button
 */
function fill(app, { bottle_id: id, style, is_owner: isOwn }, button) {
  const isOpened = app.openedIds.has(id);
  const words = [t('bottle.numbered', { id: String(id) }), t(`style.${styleName(style)}`)];
  if (isOwn) words.push(t('view.mine'));
  if (isOpened) words.push(t('view.opened'));
  button.setAttribute('aria-label', words.join(' '));
  button.title = words.join(' ');
  button.classList.toggle('is-chosen', app.bottles.selectedId === id);
  button.replaceChildren(bottleIcon(style, { isOpened, isOwn }));
}

/**
 * @param {KeyboardEvent} event
 * @param {HTMLButtonElement[]} buttons
 */
function handleKey(event, buttons) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (step) {
    const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    buttons.at((at + step) % buttons.length)?.focus();
  } else if (event.key === 'Escape') {
    close();
  } else {
    return;
  }
  // The map stays where it is, and the panel open.
  event.preventDefault();
  event.stopPropagation();
}

/**
 * Moves the map so that neither its edge nor the panel covers the fan.
 * @param {L.Map} map
 * @param {L.LatLng} place
 * @param {number} size from the place to the edge of the fan
 */
function makeRoom(map, place, size) {
  const panel = byId('panel').getBoundingClientRect();
  const left = isSheet() ? 0 : panel.right;
  const bottom = isSheet() ? panel.height : BAR_PX;
  map.panInside(place, { paddingTopLeft: [left + size, BAR_PX + size], paddingBottomRight: [size, bottom + size] });
}
