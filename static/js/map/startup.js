// What the page needs once the first bottles are drawn: labels, scale, street map, the greeting, the state of the connection
// and of the session.

import { connection, server, session, tryServer } from '../lib/api.js';
import { CityLayer, loadCities } from './cities.js';
import { CreditsControl, OWN_CREDITS, readAttribution } from './credits.js';
import { el, needStyle } from '../lib/dom.js';
import { t } from '../lib/i18n.js';
import { banner, removeBanner } from '../lib/notices.js';
import { fetchList } from '../lib/my-bottles.js';
import { goToBottles, welcome } from '../panels/welcome.js';

const { L } = globalThis;
const STREETS = 18;   // the nearest zoom when there is a street map

export async function start(app) {
  await needStyle('panel');
  // Not in index.html: it and its icon are wanted by whoever installs the page, and not before the first bottle.
  document.head.append(el('link', { rel: 'manifest', href: 'manifest.webmanifest' }));
  watchConnection(app);
  watchSession(app);
  const streets = streetMap(app.settings);
  L.control.scale({ position: 'bottomright', imperial: navigator.language === 'en-US' }).addTo(app.map);
  new CreditsControl([...OWN_CREDITS, ...(streets?.attribution ? [readAttribution(streets.attribution)] : [])]).addTo(app.map);
  openLink(app);
  addEventListener('hashchange', () => openLink(app));
  app.land.refine();
  app.map.on('zoomend', () => app.land.refine());
  await welcome(app);
  if (streets) addStreets(app.map, streets);
  else {
    await loadCities();
    new CityLayer().addTo(app.map);
  }
  if (app.seen.total === 0 && !app.seen.closed && !app.linked && !localStorage.getItem('bottle.welcomed')) goToBottles(app);
  const { follow } = await import('./live.js');
  follow(app);
  fetchTheRest();
}

/** The parts that are wanted later are fetched now, in peace: should the server go away, one can still write a message. */
async function fetchTheRest() {
  try {
    for (const name of ['throw', 'bottle', 'in-view', 'lists', 'profile']) await import(`../panels/${name}.js`);
  } catch {
    // They are asked for again when they are wanted.
  }
}

/** The operator's street map: a file of the server, or tiles from the internet. Null if there is none. */
function streetMap({ mbtiles, tile_url: url, tile_attribution: attribution }) {
  if (mbtiles) {
    const options = { minZoom: mbtiles.min_zoom, maxNativeZoom: mbtiles.max_zoom };
    return { url: 'tiles/{z}/{x}/{y}', attribution: mbtiles.attribution, options };
  }
  return url ? { url, attribution, options: { maxNativeZoom: 19 } } : null;
}

function addStreets(map, { url, options }) {
  map.setMaxZoom(STREETS);
  L.tileLayer(url, { ...options, maxZoom: STREETS, className: 'streets' }).addTo(map);
}

/** A link to a place or to one bottle, at the start and when the reader changes the address. */
async function openLink(app) {
  const bottle = /^#bottle\/(\d+)$/.exec(location.hash);
  if (bottle) {
    const { showBottle } = await import('../panels/bottle.js');
    await showBottle(app, { bottle_id: Number(bottle[1]) });
    return;
  }
  const [zoom, latitude, longitude] = location.hash.slice(1).split('/').map(Number);
  if (Number.isFinite(longitude)) app.map.setView([latitude, longitude], zoom);
}

// --- the connection ---

function watchConnection() {
  let clock = 0;
  const tick = () => {
    const left = Math.max(0, Math.ceil((connection.nextTry - Date.now()) / 1000));
    const words = document.querySelector('.banner-offline .countdown');
    if (words) words.textContent = t('offline.again', { n: left });
  };
  const offline = () => {
    if (!document.querySelector('.banner-offline')) {
      // The countdown is for the eyes: read out, it would be a metronome.
      banner('offline', el('span', {}, t('offline.gone')), el('span', { class: 'countdown', 'aria-hidden': 'true' }),
        el('button', { type: 'button', onclick: tryServer }, t('offline.now')));
    }
    clearInterval(clock);
    clock = setInterval(tick, 1000);
    tick();
  };
  server.addEventListener('offline', offline);
  server.addEventListener('online', () => {
    clearInterval(clock);
    removeBanner('offline');
  });
  if (connection.lost) offline();
}

// --- the session ---

function watchSession(app) {
  server.addEventListener('session', ({ detail }) => {
    removeBanner('ended');
    app.opened.clear();
    if (detail.ended) {
      banner('ended', el('span', {}, t('session.ended')), el('button', { type: 'button', async onclick() {
        const { openAccount } = await import('../panels/account.js');
        openAccount(app, 'login');
      } }, t('session.again')));
    }
    came(app);
  });
  came(app);
}

/** Someone is logged in: which bottles have they opened? */
async function came(app) {
  if (!session.user) return;
  app.events.dispatchEvent(new Event('came'));
  try {
    for (const bottle of await fetchList('opened')) app.opened.add(bottle.bottle_id);
    app.bottles.repaint();
  } catch {
    // Not needed now: the map asks the same server and tells what is wrong.
  }
}
