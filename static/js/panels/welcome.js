// The first visit: what this is, in two sentences, with the sea behind it. And the way to where the bottles are.

import { logIn } from './account.js';
import { call, session, setUser } from '../lib/api.js';
import { el, needStyle } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { t } from '../lib/i18n.js';
import { toast } from '../lib/notices.js';
import { showPlace } from './panel.js';

const KEY = 'bottle.welcomed';

/** A card that goes away for good when it is closed; the demo's accounts are offered as long as nobody has logged in. */
export async function welcome(app) {
  const demo = app.settings.demo_accounts;
  if (session.user || (localStorage.getItem(KEY) && demo.length === 0)) return;
  await needStyle('panel');
  const card = el('section', { class: 'welcome', 'aria-label': t('welcome.title') },
    el('h2', {}, t('welcome.title')),
    el('p', {}, t('welcome.what')),
    demo.length > 0 && el('div', { class: 'row' }, demo.map((account) => el('button', {
      type: 'button', onclick: () => enter(account),
    }, t('welcome.demo', { name: account.nickname || account.username })))),
    el('button', { type: 'button', class: 'close', 'aria-label': t('welcome.close'), onclick: () => close() }, '×'));
  const close = () => {
    localStorage.setItem(KEY, 'yes');
    card.remove();
  };
  document.querySelector('main').append(card);
  app.events.addEventListener('came', close, { once: true });
}

async function enter({ username, password }) {
  try {
    setUser(await logIn(username, password));
    toast(t('login.done', { name: session.user.nickname || username }));
  } catch (error) {
    toast(explain(error).message);
  }
}

/** Moves the map to the bottles nearest to its centre; says so when the whole sea is empty. */
export async function goToBottles(app) {
  try {
    const whole = { latitude: 0, longitude: 0, latitude_span: 90, longitude_span: 180, zoom: 3 };
    const { cells } = await call('GET', 'bottles/counts', { query: whole });
    const centre = app.map.getCenter();
    const far = (cell) => centre.distanceTo([cell.latitude, cell.longitude]);
    const [nearest] = cells.toSorted((a, b) => far(a) - far(b));
    if (nearest) showPlace(app.map, nearest.latitude, nearest.longitude, Math.min(app.map.getZoom(), 4));
    else toast(t('view.emptySea'));
  } catch (error) {
    toast(explain(error).message);
  }
}
