// My bottles and the opened ones, newest first.

import { asUser } from './account.js';
import { bottleIcon } from './bottle-icon.js';
import { readBottle } from './bottle.js';
import { el } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { place, time } from '../lib/format.js';
import { t } from '../lib/i18n.js';
import { openersOf } from './openers.js';
import { closePanel, showPanel, showPlace, skeleton } from './panel.js';
import { fetchList, forget } from '../lib/my-bottles.js';

const STEP = 30;   // items put into the page at a time

export function openMine(app) {
  // The number of openers grows while one looks away.
  forget('created');
  return openList(app, 'created', t('mine.title'), t('mine.none'), (bottle) => [
    el('p', { class: 'hint' }, place(bottle.location), ' · ', time(bottle.created_at)),
    bottle.hidden && el('p', { class: 'hint' }, t('read.hidden')),
    openersOf(app, bottle.bottle_id, bottle.openers_count),
  ]);
}

export function openOpened(app) {
  return openList(app, 'opened', t('opened.title'), t('opened.none'), (bottle) => [
    el('p', { class: 'hint' }, t('opened.from', { name: bottle.owner.nickname || bottle.owner.username }), ' · ', place(bottle.location),
      ' · ', time(bottle.open_at)),
  ]);
}

async function openList(app, name, title, none, details) {
  const progress = el('p', { class: 'hint' });
  await showPanel(title, [progress, skeleton(6)], { kind: 'panel-list' });
  const body = document.querySelector('#panel .panel-body');
  try {
    const bottles = await asUser(app, () => fetchList(name, (n) => progress.replaceChildren(t('list.progress', { n }))));
    body.replaceChildren(bottles.length ? list(app, bottles.toReversed(), details) : el('p', { class: 'empty' }, none));
  } catch (error) {
    if (error.name === 'AbortError') closePanel();
    else body.replaceChildren(el('p', { class: 'error', role: 'alert' }, explain(error).message));
  }
}

function list(app, bottles, details) {
  const items = el('ul', { class: 'bottles' });
  const more = el('button', { type: 'button', onclick: () => grow() }, t('list.more'));
  const grow = () => {
    const shown = items.children.length;
    items.append(...bottles.slice(shown, shown + STEP).map((bottle) => item(app, bottle, details(bottle))));
    more.hidden = items.children.length >= bottles.length;
  };
  grow();
  return el('div', {}, el('p', { class: 'hint' }, t('list.count', { n: bottles.length })), items, more);
}

function item(app, bottle, details) {
  const { latitude, longitude } = bottle.location;
  const read = () => {
    readBottle(app, bottle);
    showPlace(app.map, latitude, longitude, Math.max(app.map.getZoom(), 5));
  };
  return el('li', {}, bottleIcon(bottle.style, { opened: true, mine: !bottle.owner }),
    el('div', {}, el('button', { type: 'button', class: 'excerpt', onclick: read }, bottle.content), details));
}
