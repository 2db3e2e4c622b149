// The lists "My bottles" and "Opened", newest first.

/** @import { App, OpenedBottle } from '../lib/types.js' */
/** @import { Child } from '../lib/dom.js' */
/** @import { ListName } from '../lib/my-bottles.js' */

import { ApiError, connection, isAbort, isLostConnection, server, session, t } from '../lib/core.js';
import { USER_TEXT, el, phrase, present } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { absoluteTime, displayName, distanceText, placeNode, time } from '../lib/format.js';
import { fetchList, invalidateList } from '../lib/my-bottles.js';
import { withSession } from './account.js';
import { bottleIcon } from './bottle-icon.js';
import { showOpenedBottle } from './bottle.js';
import { openersButton } from './openers.js';
import { closePanel, flyTo, showPanel, skeleton } from './panel.js';
import { repliesBadge } from './replies-badge.js';

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
    limitsLine(bottle),
    repliesLine(bottle),
    openersButton(app, bottle.bottle_id, bottle.openers_count),
  ]);
}

/** @param {App} app */
export function openOpened(app) {
  return openList(app, 'opened', t('opened.title'), t('opened.none'), (bottle) => [
    openingLine(bottle),
    repliesLine(bottle),
  ]);
}

/** @param {OpenedBottle} bottle */
const openingLine = ({ owner, location, open_at: openedAt }) => el('p', { class: 'hint' },
  owner ? phrase('opened.from', { name: displayName(owner) }) : [], ' · ', placeNode(location),
  openedAt ? [' · ', time(openedAt)] : []);

/** @param {OpenedBottle} bottle */
const repliesLine = (bottle) => el('p', { class: 'hint', 'data-replies': bottle.bottle_id }, repliesBadge(bottle));

/**
 * Updates the numbers of replies in a list.
 * @param {HTMLElement} body
 * @param {OpenedBottle[]} bottles
 */
function updateReplies(body, bottles) {
  const byBottle = new Map(bottles.map((bottle) => [String(bottle.bottle_id), bottle]));
  for (const line of /** @type {NodeListOf<HTMLElement>} */ (body.querySelectorAll('[data-replies]'))) {
    const bottle = byBottle.get(line.dataset.replies ?? '');
    if (bottle) line.replaceChildren(...present([repliesBadge(bottle)]));
  }
}

/**
 * Says when an own bottle ends, and how near others must be to open it.
 * @param {OpenedBottle} bottle
 */
function limitsLine({ expires_at: endsAt, expired: hasEnded, open_within_m: openWithin }) {
  const parts = present([
    endsAt && t(hasEnded ? 'mine.ended' : 'mine.ends', { time: absoluteTime(endsAt) }),
    openWithin && t('mine.near', { distance: distanceText(openWithin) }),
  ].map((part) => part || null));
  return parts.length > 0 && el('p', { class: 'hint' }, parts.join(' · '));
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
  let isLoaded = false;
  const reload = () => {
    if (needsReload && !connection.isLost) load();
  };
  // A reply was written, or the reader comes back from one.
  const update = async () => {
    if (!isLoaded || !session.user || connection.isLost) return;
    try {
      updateReplies(body, await fetchList(name));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  };
  const body = await showPanel(name, title, [], {
    kind: 'panel-list',
    onShow() {
      reload();
      update();
      server.addEventListener('online', reload);
      app.events.addEventListener('item', update);
    },
    onClose() {
      server.removeEventListener('online', reload);
      app.events.removeEventListener('item', update);
    },
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
      isLoaded = true;
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
