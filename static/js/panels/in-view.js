// The visible bottles as a list, for keyboards and screen readers, and the bottles of a pile on the map.

/** @import { App, Cell, MapBottle } from '../lib/types.js' */
/** @import { Child } from '../lib/dom.js' */

import { byId, connection, session, t } from '../lib/core.js';
import { el, present } from '../lib/dom.js';
import { coordinates, placeNode } from '../lib/format.js';
import { styleName } from '../map/bottles.js';
import { cityName, loadCities, nearestCity } from '../map/cities.js';
import { pilesOf } from '../map/piles.js';
import { bottleIcon } from './bottle-icon.js';
import { showBottle } from './bottle.js';
import { flyTo, showPanel, skeleton } from './panel.js';
import { flyToBottles } from './welcome.js';

const MAX_ITEMS = 60;

/**
 * Opens the list. It follows the map until other contents replace it.
 * @param {App} app
 */
export async function openInView(app) {
  let isShown = false;
  let hasCities = false;
  const update = () => {
    if (isShown) replaceItems(hasCities ? present(contents(app)) : [skeleton(3)]);
  };
  const loading = loadCities().then(() => {
    hasCities = true;
  });
  // Without a delay the first contents are the items, which a screen reader then reads once.
  await Promise.race([loading, new Promise((resolve) => { setTimeout(resolve); })]);
  await showPanel('in-view', t('view.title'), [], {
    kind: 'panel-list',
    onShow() {
      isShown = true;
      update();
      app.events.addEventListener('refreshed', update);
    },
    onClose() {
      isShown = false;
      app.events.removeEventListener('refreshed', update);
    },
  });
  await loading;
  update();
}

/**
 * Replaces the contents of the list. The focus stays at its item, or moves to the heading if the item is gone.
 * @param {(string | Node)[]} nodes
 */
function replaceItems(nodes) {
  const body = /** @type {HTMLElement} */ (byId('panel').querySelector('.panel-body'));
  const { activeElement } = document;
  const isFocused = body.contains(activeElement);
  const item = /** @type {HTMLElement | null} */ (activeElement)?.dataset.item;
  const { scrollTop } = body;
  body.replaceChildren(...nodes);
  body.scrollTop = scrollTop;
  if (!isFocused) return;
  const next = item && body.querySelector(`[data-item="${CSS.escape(item)}"]`);
  /** @type {HTMLElement} */ (next || byId('panel-title')).focus({ preventScroll: true });
}

/**
 * Opens the list of bottles that overlap on the map, or even share a position.
 * @param {App} app
 * @param {MapBottle[]} bottles
 */
export function openPile(app, bottles) {
  return showPanel('pile', t('pile.title', { n: bottles.length }), [
    el('ul', { class: 'bottles' }, bottles.map((bottle) => bottleItem(app, bottle, true))),
  ], { kind: 'panel-list' });
}

/**
 * @param {App} app
 * @returns {Child[]}
 */
function contents(app) {
  const { bottles, total, isClosed } = app.visible;
  // As the map shows them.
  const cells = app.bottles.bubbles();
  if (total === 0 && connection.isLost) return [el('p', { class: 'error', role: 'alert' }, t('error.offline'))];
  const items = [
    ...pilesOf(bottles).slice(0, MAX_ITEMS).map((pile) => pileItem(app, pile)),
    ...bottles.slice(0, MAX_ITEMS).map((bottle) => bottleItem(app, bottle)),
    ...cells.toSorted((a, b) => b.count - a.count).slice(0, MAX_ITEMS).map((cell) => cellItem(app, cell)),
  ];
  const hasMore = Math.max(bottles.length, cells.length) > MAX_ITEMS;
  return [
    el('p', { class: 'hint' }, app.describe(app.visible)),
    total === 0 && !isClosed && el('button', { type: 'button', onclick: () => flyToBottles(app) }, t('view.go')),
    items.length > 0 && el('ul', { class: 'bottles' }, items),
    hasMore && el('p', { class: 'hint' }, t('view.more', { n: MAX_ITEMS })),
    cells.length > 0 && !session.user && el('p', { class: 'hint' }, t('view.visitor')),
  ];
}

/**
 * @param {App} app
 * @param {MapBottle} bottle
 * @param {boolean} [isNumbered] whether the number names the bottle, because the others have the same place
 */
function bottleItem(app, bottle, isNumbered = false) {
  const style = t(`bottle.${styleName(bottle.style)}`);
  const name = isNumbered ? t('bottle.numbered', { id: String(bottle.bottle_id) }) : style;
  const state = { isOpened: app.openedIds.has(bottle.bottle_id), isOwn: bottle.is_owner };
  return el('li', {}, bottleIcon(bottle.style, state), el('div', {},
    el('button', {
      type: 'button', class: 'excerpt', 'data-item': bottle.bottle_id, onclick: () => showBottle(app, bottle),
    },
      name,
      state.isOwn && ` ${t('view.mine')}`,
      state.isOpened && ` ${t('view.opened')}`),
    el('p', { class: 'hint' }, placeNode(bottle.location))));
}

/**
 * The number that the map shows at a pile, in words.
 * @param {App} app
 * @param {MapBottle[]} pile
 */
function pileItem(app, pile) {
  const { latitude, longitude } = pile[0].location;
  const key = `pile/${latitude}/${longitude}`;
  return el('li', {}, el('span', { class: 'bubble', 'aria-hidden': 'true' }, String(pile.length)), el('div', {},
    el('button', { type: 'button', class: 'excerpt', 'data-item': key, onclick: () => openPile(app, pile) },
      t('view.pile', { n: pile.length })),
    el('p', { class: 'hint' }, coordinates(latitude, longitude))));
}

/**
 * @param {App} app
 * @param {Cell} cell
 */
function cellItem(app, { latitude, longitude, count }) {
  const nearest = nearestCity(latitude, longitude);
  const label = nearest ? t('view.near', { n: count, city: cityName(nearest.city) }) : t('view.count', { n: count });
  const zoomIn = () => {
    flyTo(app.map, latitude, longitude, Math.min(app.map.getZoom() + 2, app.map.getMaxZoom()));
  };
  return el('li', {}, el('span', { class: 'bubble' }, String(count)), el('div', {},
    el('button', { type: 'button', class: 'excerpt', 'data-item': `${latitude}/${longitude}`, onclick: zoomIn }, label),
    el('p', { class: 'hint' }, coordinates(latitude, longitude))));
}
