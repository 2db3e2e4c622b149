// The lists "My bottles" and "Opened", newest first.

/** @import { App, OpenedBottle } from '../lib/types.js' */
/** @import { Child } from '../lib/dom.js' */
/** @import { ListName } from '../lib/my-bottles.js' */

import { connection, isAbort, isLostConnection, server, t } from '../lib/core.js';
import { USER_TEXT, el, phrase } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { displayName, placeNode, time } from '../lib/format.js';
import { fetchList, invalidateList } from '../lib/my-bottles.js';
import { withSession } from './account.js';
import { bottleIcon } from './bottle-icon.js';
import { showOpenedBottle } from './bottle.js';
import { openersButton } from './openers.js';
import { closePanel, flyTo, showPanel, skeleton } from './panel.js';

const ITEMS_PER_STEP = 30;
const MIN_ZOOM_BOTTLE = 5;

/** @typedef {(bottle: OpenedBottle) => Child[]} Details creates the lines below a message */

/** @param {App} app */
export function openMine(app) {
  // The numbers of openers may have grown.
  invalidateList('created');
  return openList(app, 'created', t('mine.title'), t('mine.none'), (bottle) => [
    el('p', { class: 'hint' }, placeNode(bottle.location), ' · ', time(bottle.created_at)),
    bottle.hidden && el('p', { class: 'hint' }, t('read.hidden')),
    openersButton(app, bottle.bottle_id, bottle.openers_count),
  ]);
}

/** @param {App} app */
export function openOpened(app) {
  return openList(app, 'opened', t('opened.title'), t('opened.none'), ({ owner, location, open_at: openedAt }) => [
    el('p', { class: 'hint' },
      owner ? phrase('opened.from', { name: displayName(owner) }) : [], ' · ', placeNode(location),
      openedAt ? [' · ', time(openedAt)] : []),
  ]);
}

/**
 * @param {App} app
 * @param {ListName} name
 * @param {string} title
 * @param {string} emptyText
 * @param {Details} details
 */
async function openList(app, name, title, emptyText, details) {
  let needsReload = false;
  const reload = () => {
    if (needsReload && !connection.isLost) load();
  };
  const body = await showPanel(name, title, [], {
    kind: 'panel-list',
    onShow() {
      reload();
      server.addEventListener('online', reload);
    },
    onClose: () => server.removeEventListener('online', reload),
  });
  await load();

  async function load() {
    needsReload = false;
    const progress = el('p', { class: 'hint' });
    const showProgress = (/** @type {number} */ n) => progress.replaceChildren(t('list.progress', { n }));
    body.replaceChildren(progress, skeleton(6));
    try {
      const bottles = await withSession(app, () => fetchList(name, showProgress));
      const empty = el('p', { class: 'empty' }, emptyText);
      body.replaceChildren(bottles.length ? list(app, bottles.toReversed(), details) : empty);
    } catch (error) {
      if (isAbort(error)) {
        if (body.isConnected) closePanel();
        return;
      }
      needsReload = isLostConnection(error);
      body.replaceChildren(el('p', { class: 'error', role: 'alert' }, explain(error).message));
    }
  }
}

/**
 * @param {App} app
 * @param {OpenedBottle[]} bottles
 * @param {Details} details
 */
function list(app, bottles, details) {
  const items = el('ul', { class: 'bottles' });
  const moreButton = el('button', { type: 'button', onclick: () => showMore() }, t('list.more'));
  const showMore = () => {
    const shown = items.children.length;
    const next = bottles.slice(shown, shown + ITEMS_PER_STEP);
    items.append(...next.map((bottle) => item(app, bottle, details(bottle))));
    moreButton.hidden = items.children.length >= bottles.length;
    // A hidden button loses the focus.
    if (shown) items.children[shown].querySelector('button')?.focus();
  };
  showMore();
  return el('div', {}, el('p', { class: 'hint' }, t('list.count', { n: bottles.length })), items, moreButton);
}

/**
 * @param {App} app
 * @param {OpenedBottle} bottle
 * @param {Child[]} details
 */
function item(app, bottle, details) {
  const { latitude, longitude } = bottle.location;
  const show = () => {
    showOpenedBottle(app, bottle);
    flyTo(app.map, latitude, longitude, Math.max(app.map.getZoom(), MIN_ZOOM_BOTTLE));
  };
  return el('li', {}, bottleIcon(bottle.style, { isOpened: true, isOwn: !bottle.owner }), el('div', {},
    el('button', { type: 'button', class: 'excerpt', onclick: show, ...USER_TEXT }, bottle.content), details));
}
