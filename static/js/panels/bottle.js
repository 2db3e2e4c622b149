// One bottle in the panel: closed, with the button that opens it, or opened.

/** @import { App, MapBottle, OpenedBottle, Place } from '../lib/types.js' */
/** @import { Child } from '../lib/dom.js' */
/** @import { PositionChoice } from './open-near.js' */

import { ApiError, byId, isAbort, request, session, t } from '../lib/core.js';
import { USER_TEXT, bdi, el, phrase, whileBusy } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { absoluteTime, coordinates, displayName, distanceText, placeNode, time } from '../lib/format.js';
import { parseBottleLink } from '../lib/geo.js';
import { fetchList, invalidateList } from '../lib/my-bottles.js';
import { toast } from '../lib/notices.js';
import { styleName } from '../map/bottles.js';
import { withSession } from './account.js';
import { bottleActions } from './bottle-actions.js';
import { noteSeen } from './bell.js';
import { bottleIcon } from './bottle-icon.js';
import { createConversation } from './conversation.js';
import { openersButton } from './openers.js';
import { createPositionChoice } from './open-near.js';
import { flyTo, showPanel } from './panel.js';
import { createThreads } from './threads.js';

const MIN_ZOOM_OPENED = 6;
const MIN_ZOOM_ON_MAP = 8;

/**
 * Shows the bottle of a link: opened if the session's account threw it or has opened it, else closed.
 * @param {App} app
 * @param {number} id
 * @param {() => boolean} isWaiting tells whether the reader has opened nothing else meanwhile
 */
export async function showLinkedBottle(app, id, isWaiting) {
  const bottle = session.user && await findInLists(id);
  // Meanwhile the reader may have followed another link, or opened something else.
  if (parseBottleLink(location.hash) !== id || !isWaiting()) return undefined;
  if (!bottle) return showBottle(app, app.visible.bottles.find((each) => each.bottle_id === id) ?? { bottle_id: id });
  await showOpenedBottle(app, bottle);
  const { latitude, longitude } = bottle.location;
  return flyTo(app.map, latitude, longitude, Math.max(app.map.getZoom(), MIN_ZOOM_OPENED));
}

/**
 * Returns the bottle if the session's account threw it or has opened it.
 * @param {number} id
 */
export async function findInLists(id) {
  try {
    const [created, opened] = await Promise.all([fetchList('created'), fetchList('opened')]);
    return [...created, ...opened].find((bottle) => bottle.bottle_id === id) ?? null;
  } catch (error) {
    // The button "Open" sends its request to the same server and shows the failure.
    if (error instanceof ApiError) return null;
    throw error;
  }
}

/**
 * Shows a closed bottle. A link names only its id.
 * @param {App} app
 * @param {Pick<MapBottle, 'bottle_id'> & Partial<MapBottle>} bottle
 */
export function showBottle(app, bottle) {
  const { bottle_id: id, style = 0, is_owner: isOwn = false, location, open_within_m: openWithin } = bottle;
  const state = { isOpened: app.openedIds.has(id), isOwn };
  const note = isOwn ? 'bottle.mine' : state.isOpened ? 'bottle.openedBefore' : 'bottle.closed';
  const title = location ? t(`bottle.${styleName(style)}`) : t('bottle.numbered', { id: String(id) });
  const error = el('p', { class: 'error', role: 'alert' });
  const button = el('button', { type: 'button', class: 'primary' }, t('bottle.open'));
  // Only the first opening needs a position, and not that of a teacher.
  const isNear = isOwn || state.isOpened || session.user?.is_teacher;
  const choice = openWithin && !isNear ? createPositionChoice(app, openWithin) : null;
  button.addEventListener('click', () => whileBusy(button, () => open(app, bottle, button, error, choice)));
  return showInPanel(app, id, title, [
    el('div', { class: 'bottle-summary' }, location && bottleIcon(style, state), el('div', {},
      location && el('p', { class: 'place' }, placeNode(location)),
      location?.formatted_address && el('p', { class: 'hint' }, coordinatesOf(location)),
      el('p', {}, t(location ? note : 'bottle.linked')))),
    choice?.node,
    // Beside the button, which covers what is behind it on a small screen.
    el('div', { class: 'form-end' }, error, button),
  ], choice);
}

/** @param {Place} place */
const coordinatesOf = ({ latitude, longitude }) => coordinates(latitude, longitude);

/**
 * @param {App} app
 * @param {Pick<MapBottle, 'bottle_id'> & Partial<MapBottle>} closed
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} error
 * @param {PositionChoice | null} choice
 */
async function open(app, closed, button, error, choice) {
  const { bottle_id: id } = closed;
  error.textContent = '';
  try {
    const body = await choice?.position() ?? undefined;
    if (choice && !body) {
      error.textContent = t('near.needed');
      return;
    }
    /** @type {OpenedBottle} */
    const bottle = await withSession(app, () => request('POST', `bottles/${id}/open`, { body }));
    noteOpening(app, bottle);
    // The reader did not wait. The opening counts all the same.
    if (!button.isConnected) return;
    await showFoundBottle(app, bottle);
  } catch (reason) {
    const within = reason instanceof ApiError && reason.code === 'TOO_FAR' && reason.data.open_within_m;
    // A link did not say that the bottle can be opened from nearby only.
    if (within && !choice && button.isConnected) {
      await showBottle(app, { ...closed, open_within_m: within });
      return;
    }
    if (!isAbort(reason)) error.textContent = explain(reason, 'open').message;
    if (reason instanceof ApiError && reason.status === 404) removeButton(button);
  }
}

/**
 * Stores that the session's account has opened a bottle.
 * @param {App} app
 * @param {OpenedBottle} bottle
 */
export function noteOpening(app, { bottle_id: id, owner }) {
  if (owner?.user_id === session.user?.user_id || app.openedIds.has(id)) return;
  app.openedIds.add(id);
  invalidateList('opened');
  app.bottles.repaint();
}

/**
 * Shows an opened bottle, and moves the map to it.
 * @param {App} app
 * @param {OpenedBottle} bottle
 */
export async function showFoundBottle(app, bottle) {
  await showOpenedBottle(app, bottle);
  const { latitude, longitude } = bottle.location;
  flyTo(app.map, latitude, longitude, Math.max(app.map.getZoom(), MIN_ZOOM_OPENED));
}

/**
 * Removes the button that opens a bottle: no such bottle is on the sea. The focus moves to the heading.
 * @param {HTMLButtonElement} button
 */
function removeButton(button) {
  const isShown = button.isConnected;
  button.remove();
  // A disabled button has lost the focus.
  if (isShown && document.activeElement === document.body) byId('panel-title').focus({ preventScroll: true });
}

/**
 * Shows an opened bottle: message, owner, place and times.
 * @param {App} app
 * @param {OpenedBottle} bottle
 */
export async function showOpenedBottle(app, bottle) {
  const { bottle_id: id, style, content, owner, location } = bottle;
  const isOwn = !owner || owner.user_id === session.user?.user_id;
  const name = isOwn ? '' : displayName(owner);
  const talk = isOwn ? createThreads(app, bottle) : createConversation(app, { bottleId: id, other: owner });
  await showInPanel(app, id, isOwn ? t('read.mine') : phrase('read.from', { name }), [
    el('div', { class: 'letter' },
      el('p', { class: 'letter-text', ...USER_TEXT }, content),
      el('p', { class: 'letter-end' },
        !isOwn && el('span', { class: 'owner' }, '— ', bdi(name)),
        bottleIcon(style, { isOpened: true, isOwn }))),
    talk.node,
    facts(bottle, isOwn),
    el('div', { class: 'row' },
      el('button', {
        type: 'button',
        onclick: () => {
          flyTo(app.map, location.latitude, location.longitude, Math.max(app.map.getZoom(), MIN_ZOOM_ON_MAP));
        },
      }, t('read.show')),
      el('button', { type: 'button', onclick: () => copyLink(id) }, t('read.copy'))),
    bottle.hidden && el('p', { class: 'hint' }, t('read.hidden')),
    isOwn && openersButton(app, id, bottle.openers_count),
    bottleActions(app, id, isOwn),
  ], talk);
  noteSeen(app, (item) => item.bottle_id === id && item.kind !== 'replied');
}

/**
 * @param {OpenedBottle} bottle
 * @param {boolean} isOwn
 */
function facts({ location, created_at: thrownAt, open_at: openedAt, ...limits }, isOwn) {
  const { expires_at: endsAt, expired: hasEnded, open_within_m: openWithin } = limits;
  return el('dl', { class: 'facts' },
    el('dt', {}, t('read.where')),
    el('dd', {}, placeNode(location),
      location.formatted_address && el('span', { class: 'hint' }, coordinatesOf(location))),
    el('dt', {}, t('read.thrown')),
    el('dd', {}, time(thrownAt)),
    openedAt && !isOwn ? [el('dt', {}, t('read.opened')), el('dd', {}, time(openedAt))] : [],
    endsAt
      ? [el('dt', {}, t(hasEnded ? 'read.ended' : 'read.ends')), el('dd', {}, absoluteTime(endsAt))]
      : [],
    openWithin
      ? [el('dt', {}, t('read.near')), el('dd', {}, t('read.within', { distance: distanceText(openWithin) }))]
      : []);
}

/**
 * Shows a bottle in the panel. Meanwhile the address bar holds its link, and the map marks it.
 * @param {App} app
 * @param {number} id
 * @param {Child[] | string} title
 * @param {Child[]} contents
 * @param {{ start: () => void, stop: () => void } | null} [part] starts when the contents appear
 */
async function showInPanel(app, id, title, contents, part = null) {
  await showPanel(`bottle/${id}`, title, contents, {
    kind: 'panel-bottle',
    hash: `#bottle/${id}`,
    onShow() {
      app.bottles.select(id);
      part?.start();
    },
    onClose() {
      app.bottles.select(null);
      part?.stop();
    },
  });
}

/** @param {number} id */
async function copyLink(id) {
  const link = new URL(`#bottle/${id}`, document.baseURI).href;
  try {
    await navigator.clipboard.writeText(link);
  } catch {
    // Without https a page has no access to the clipboard, so the reader copies the link from the toast.
    toast(link);
    return;
  }
  toast(t('read.copied'));
}
