// What the map shows, as a list: for the keyboard, for screen readers, and for who likes lists.

import { session } from '../lib/api.js';
import { bottleIcon } from './bottle-icon.js';
import { showBottle } from './bottle.js';
import { styleName } from '../map/bottles.js';
import { cityName, loadCities, nearestCity } from '../map/cities.js';
import { el } from '../lib/dom.js';
import { coordinates, place } from '../lib/format.js';
import { t } from '../lib/i18n.js';
import { showPanel, showPlace } from './panel.js';
import { goToBottles } from './welcome.js';

const MOST = 60;

/** Opens the list; it follows the map until something else takes the panel. */
export async function openInView(app) {
  await loadCities();
  const follow = () => document.querySelector('#panel .panel-body').replaceChildren(...contents(app));
  await showPanel(t('view.title'), contents(app), {
    kind: 'panel-list',
    onClose: () => app.events.removeEventListener('seen', follow),
  });
  app.events.addEventListener('seen', follow);
}

function contents(app) {
  const { bottles, cells, total, closed } = app.seen;
  const items = [
    ...bottles.map((bottle) => () => bottleItem(app, bottle)),
    ...cells.toSorted((a, b) => b.count - a.count).map((cell) => () => cellItem(app, cell)),
  ];
  return [
    el('p', { class: 'hint' }, app.inWords(app.seen)),
    total === 0 && !closed && el('button', { type: 'button', onclick: () => goToBottles(app) }, t('view.go')),
    items.length > 0 && el('ul', { class: 'bottles' }, items.slice(0, MOST).map((make) => make())),
    items.length > MOST && el('p', { class: 'hint' }, t('view.more', { n: MOST })),
    cells.length > 0 && !session.user && el('p', { class: 'hint' }, t('view.visitor')),
  ].filter(Boolean);
}

function bottleItem(app, bottle) {
  const state = { opened: app.opened.has(bottle.bottle_id), mine: bottle.is_owner };
  return el('li', {}, bottleIcon(bottle.style, state), el('div', {},
    el('button', { type: 'button', class: 'excerpt', onclick: () => showBottle(app, bottle) },
      t(`bottle.${styleName(bottle.style)}`), state.mine && ` ${t('view.mine')}`, state.opened && ` ${t('view.opened')}`),
    el('p', { class: 'hint' }, place(bottle.location))));
}

function cellItem(app, { latitude, longitude, count }) {
  const { city } = nearestCity(latitude, longitude);
  const nearer = Math.min(app.map.getZoom() + 2, app.map.getMaxZoom());
  return el('li', {}, el('span', { class: 'bubble' }, String(count)), el('div', {},
    el('button', { type: 'button', class: 'excerpt', onclick: () => showPlace(app.map, latitude, longitude, nearer) },
      t('view.near', { n: count, city: cityName(city) })),
    el('p', { class: 'hint' }, coordinates(latitude, longitude))));
}
