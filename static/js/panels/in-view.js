// The visible bottles as a list, for keyboards and screen readers.

/** @import { App, Cell, MapBottle } from '../lib/types.js' */
/** @import { Child } from '../lib/dom.js' */

import { connection, session, t } from '../lib/core.js';
import { el, present } from '../lib/dom.js';
import { coordinates, placeText } from '../lib/format.js';
import { styleName } from '../map/bottles.js';
import { cityName, loadCities, nearestCity } from '../map/cities.js';
import { bottleIcon } from './bottle-icon.js';
import { showBottle } from './bottle.js';
import { flyTo, showPanel } from './panel.js';
import { flyToBottles } from './welcome.js';

const MAX_ITEMS = 60;

/**
 * Opens the list. It follows the map until other contents replace it.
 * @param {App} app
 */
export async function openInView(app) {
  await loadCities();
  const update = () => body.replaceChildren(...present(contents(app)));
  const body = await showPanel(t('view.title'), contents(app), {
    kind: 'panel-list',
    onClose: () => app.events.removeEventListener('refreshed', update),
  });
  app.events.addEventListener('refreshed', update);
}

/**
 * @param {App} app
 * @returns {Child[]}
 */
function contents(app) {
  const { bottles, cells, total, isClosed } = app.visible;
  if (total === 0 && connection.isLost) return [el('p', { class: 'error', role: 'alert' }, t('error.offline'))];
  const items = [
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
 */
function bottleItem(app, bottle) {
  const state = { isOpened: app.openedIds.has(bottle.bottle_id), isOwn: bottle.is_owner };
  return el('li', {}, bottleIcon(bottle.style, state), el('div', {},
    el('button', { type: 'button', class: 'excerpt', onclick: () => showBottle(app, bottle) },
      t(`bottle.${styleName(bottle.style)}`),
      state.isOwn && ` ${t('view.mine')}`,
      state.isOpened && ` ${t('view.opened')}`),
    el('p', { class: 'hint' }, placeText(bottle.location))));
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
    el('button', { type: 'button', class: 'excerpt', onclick: zoomIn }, label),
    el('p', { class: 'hint' }, coordinates(latitude, longitude))));
}
