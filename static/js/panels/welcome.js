// The welcome card of the first visit, and the flight to the nearest bottles.

/** @import { App, Cell, CountedCell, DemoAccount } from '../lib/types.js' */

import { byId, readStored, request, session, setUser, t, writeStored } from '../lib/core.js';
import { el, loadStyle, phrase } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { displayName } from '../lib/format.js';
import { WORLD, placeCells } from '../lib/geo.js';
import { toast } from '../lib/notices.js';
import { logIn, openAccount } from './account.js';
import { flyTo } from './panel.js';

export const WELCOMED_KEY = 'bottle.welcomed';
const SEARCH_ZOOM = 3;      // of the cells in which the nearest bottles are found
const MAX_DEMO_STUDENTS = 2;
const MAX_DEMO_TEACHERS = 1;
const MAX_ZOOM_FOUND = 4;   // a cell of that size fits into the window

/**
 * Shows the card to a visitor. It does not return after it was closed, except in the demo, which offers its accounts.
 * @param {App} app
 */
export async function showWelcome(app) {
  const accounts = app.settings.demo_accounts;
  if (session.user || (readStored(WELCOMED_KEY) && accounts.length === 0)) return;
  await loadStyle('panel');
  const close = () => {
    writeStored(WELCOMED_KEY, 'yes');
    const hadFocus = card.contains(document.activeElement);
    card.remove();
    if (hadFocus) byId(session.user ? 'account' : 'in-view').focus();
  };
  const students = accounts.filter((account) => !account.is_teacher).slice(0, MAX_DEMO_STUDENTS);
  const teachers = accounts.filter((account) => account.is_teacher).slice(0, MAX_DEMO_TEACHERS);
  const buttons = [...students, ...teachers].map((account) => el('button', {
    type: 'button', onclick: () => logInToDemo(account),
  }, phrase(account.is_teacher ? 'welcome.demoTeacher' : 'welcome.demo', { name: displayName(account) })));
  const beginButton = el('button', {
    type: 'button', class: 'primary', onclick: () => openAccount(app, 'register'),
  }, t('welcome.begin'));
  const card = el('section', { class: 'welcome', 'aria-label': t('welcome.title') },
    el('header', {}, el('h2', {}, t('welcome.title')),
      el('button', { type: 'button', class: 'close', 'aria-label': t('welcome.close'), onclick: close }, '×')),
    el('div', { class: 'welcome-body' }, el('p', {}, t('welcome.about')),
      el('div', { class: 'row' }, buttons.length ? buttons : beginButton)));
  document.querySelector('main')?.append(card);
  app.events.addEventListener('login', close, { once: true });
}

/**
 * Logs in. A teacher continues on the teacher page.
 * @param {DemoAccount} account
 */
async function logInToDemo({ username, password, is_teacher: isTeacher }) {
  try {
    const user = await logIn(username, password);
    setUser(user);
    if (isTeacher) location.assign('teacher');
    else toast(phrase('login.done', { name: displayName(user) }));
  } catch (error) {
    toast(explain(error).message);
  }
}

/**
 * Moves the map to the bottles nearest to its centre. Shows a toast if the sea has no bottles.
 * @param {App} app
 */
export async function flyToBottles({ map }) {
  try {
    /** @type {{ cells: CountedCell[] }} */
    const { cells } = await request('GET', 'bottles/counts', { query: { ...WORLD, zoom: SEARCH_ZOOM } });
    const centre = map.getCenter();
    const distance = (/** @type {Cell} */ cell) => centre.distanceTo([cell.latitude, cell.longitude]);
    const [nearest] = placeCells(cells).toSorted((a, b) => distance(a) - distance(b));
    if (nearest) flyTo(map, nearest.latitude, nearest.longitude, Math.min(map.getZoom(), MAX_ZOOM_FOUND));
    else toast(t('view.emptySea'));
  } catch (error) {
    toast(explain(error).message);
  }
}
