// Start here. Makes the map, asks the server what is in the visible rectangle, and loads everything else when it is wanted:
// before the first bottle is drawn a phone has to fetch twelve small files, not thirty.

import { ApiError, call, server, session, tryServer } from './lib/api.js';
import { BottleLayer } from './map/bottles.js';
import { LandLayer } from './map/land.js';
import { switchLanguage, t, translate } from './lib/i18n.js';

const { L } = globalThis;
const FAR = 6;                 // below this zoom bottles lie on top of each other: what does not find ROOM becomes counts
const ROOM = 96 ** 2;          // square pixels for one bottle
const MANY = 2000;             // never more than this one by one
const DEBOUNCE = 180;          // milliseconds the map must stand still before the server is asked
const ENOUGH = 11;             // a visitor's counts do not split any further from here
const PLACE = 'bottle.place';

// --- the map ---

function makeMap() {
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const made = L.map('map', {
    zoomControl: false,
    attributionControl: false,
    fadeAnimation: false,
    zoomAnimation: !still,
    inertia: !still,
    maxZoom: 14,
    maxBounds: [[-85, -Infinity], [85, Infinity]],
    maxBoundsViscosity: 1,
  });
  // A world lower than the window would leave a stripe of nothing.
  made.setMinZoom(Math.max(1, Math.ceil(Math.log2(made.getSize().y / 256))));
  L.control.zoom({ position: 'bottomright', zoomInTitle: t('map.zoomIn'), zoomOutTitle: t('map.zoomOut') }).addTo(made);
  const { zoom, latitude, longitude } = firstPlace(made.getMinZoom());
  return made.setView([latitude, longitude], zoom, { animate: false });
}

/** "#5/23.05/113.39" -> zoom, latitude, longitude. */
function readPlace(hash) {
  const [zoom, latitude, longitude] = hash.slice(1).split('/').map(Number);
  return Number.isFinite(longitude) && Math.abs(latitude) <= 90 ? { zoom, latitude, longitude } : null;
}

/** The link, else where the reader left, else the reader's own side of the world, told by the clock. */
function firstPlace(zoom) {
  return readPlace(location.hash) ?? readPlace(localStorage.getItem(PLACE) ?? '')
    ?? { zoom, latitude: 25, longitude: -new Date().getTimezoneOffset() / 4 };
}

const wrap = (longitude) => ((((longitude + 180) % 360) + 360) % 360) - 180;

function writePlace() {
  const { lat, lng } = app.map.getCenter();
  const place = `#${app.map.getZoom()}/${lat.toFixed(4)}/${wrap(lng).toFixed(4)}`;
  localStorage.setItem(PLACE, place);
  // A bottle's own link stays in the address bar while the bottle is on the table.
  if (!location.hash.startsWith('#bottle/')) history.replaceState(null, '', place);
}

/** The visible rectangle as the API wants it: its centre and half of its spans. */
function rectangle() {
  const bounds = app.map.getBounds();
  const south = Math.max(-90, bounds.getSouth());
  const north = Math.min(90, bounds.getNorth());
  return {
    latitude: (south + north) / 2,
    longitude: wrap(bounds.getCenter().lng),
    latitude_span: (north - south) / 2,
    longitude_span: Math.min(180, (bounds.getEast() - bounds.getWest()) / 2),
  };
}

// --- what is in view ---

let asking = null;
let later = 0;

/** Asks what is in view and shows it. A newer question takes the place of an older one. */
async function look() {
  clearTimeout(later);
  asking?.abort();
  const mine = asking = new AbortController();
  document.body.classList.add('is-looking');
  try {
    show(await ask(mine.signal));
  } catch (error) {
    if (error.name === 'AbortError') return;
    if (error.status === 429) {
      complain(error);
      lookSoon(error.retryAfter * 1000);
    }
  }
  if (mine === asking) document.body.classList.remove('is-looking');
}

function lookSoon(pause) {
  clearTimeout(later);
  later = setTimeout(look, pause);
}

async function ask(signal) {
  const query = rectangle();
  if (session.user) {
    const { x, y } = app.map.getSize();
    const limit = app.map.getZoom() < FAR ? Math.ceil((x * y) / ROOM) : MANY;
    const seen = await call('GET', 'bottles/nearby', { query: { ...query, limit }, signal });
    if (!seen.truncated) return { bottles: seen.bottles, cells: [], total: seen.total };
  } else if (!app.settings.public_counts) {
    return { bottles: [], cells: [], total: 0, closed: true };
  }
  const seen = await call('GET', 'bottles/counts', { query: { ...query, zoom: app.map.getZoom() }, signal });
  return { bottles: [], cells: seen.cells, total: seen.total };
}

function show(seen) {
  app.seen = seen;
  if (seen.cells.length) app.bottles.showCounts(seen.cells);
  else app.bottles.showBottles(seen.bottles);
  performance.mark('bottles');
  document.getElementById('in-view').textContent = inWords(seen);
  app.events.dispatchEvent(new Event('seen'));
}

/** "12 bottles in view", for the button under the map and the list behind it. */
const inWords = ({ closed, total }) => t(closed ? 'view.closed' : total ? 'view.count' : 'view.none', { n: total });

// --- hands on the map ---

function touch({ latlng, containerPoint }) {
  if (app.pick) {
    app.pick(latlng.lat, wrap(latlng.lng));
    return;
  }
  const { bottle, cell } = app.bottles.under(containerPoint) ?? {};
  if (bottle) load('panels/bottle', (module) => module.showBottle(app, bottle));
  if (cell) enter(cell);
}

/** A bubble opens by going nearer. What a visitor cannot go nearer to, someone who logged in can. */
function enter(cell) {
  const zoom = app.map.getZoom();
  if (!session.user && zoom >= ENOUGH) load('panels/account', (module) => module.asUser(app, look, 'login.toSee').catch(() => {}));
  else app.map.flyTo([cell.latitude, cell.longitude], Math.min(zoom + 2, app.map.getMaxZoom()),
    { duration: 0.6, animate: app.map.options.zoomAnimation });
}

/** Fetches a part of the page when it is first wanted. */
async function load(name, use) {
  document.body.classList.add('is-loading');
  try {
    await use(await import(`./${name}.js`));
  } catch (error) {
    if (error.name !== 'AbortError') await complain(error);
  } finally {
    document.body.classList.remove('is-loading');
  }
}

/** Says what went wrong where no form or panel is there to say it. */
async function complain(error) {
  if (!(error instanceof ApiError)) {
    // A part that cannot be fetched: most likely the server is gone, and the banner says so.
    tryServer();
    throw error;
  }
  const [{ toast }, { explain }] = await Promise.all([import('./lib/notices.js'), import('./lib/errors.js')]);
  toast(explain(error).message);
}

function wireButtons() {
  const actions = {
    login: () => load('panels/account', (module) => module.openAccount(app, 'login')),
    register: () => load('panels/account', (module) => module.openAccount(app, 'register')),
    account: () => load('panels/profile', (module) => module.openProfile(app)),
    mine: () => load('panels/lists', (module) => module.openMine(app)),
    opened: () => load('panels/lists', (module) => module.openOpened(app)),
    throw: () => load('panels/throw', (module) => module.openThrow(app)),
    'in-view': () => load('panels/in-view', (module) => module.openInView(app)),
    language: switchLanguage,
  };
  for (const [id, action] of Object.entries(actions)) document.getElementById(id).addEventListener('click', action);
}

function showSession() {
  for (const node of document.querySelectorAll('[data-for]')) {
    node.hidden = node.dataset.for !== (session.user ? 'user' : 'visitor');
  }
  if (!session.user) return;
  const name = session.user.nickname || session.user.username;
  document.getElementById('account-name').textContent = name;
  document.getElementById('account').setAttribute('aria-label', t('bar.account', { name }));
}

// --- start ---

translate(document);
showSession();

/** What the lazily loaded parts share. `pick(latitude, longitude)`, when set, takes the next touches of the map. */
const app = {
  map: makeMap(),
  bottles: null,
  settings: { public_counts: true, demo_accounts: [], min_password_length: 4, tile_url: null, mbtiles: null },
  seen: { bottles: [], cells: [], total: 0 },
  opened: new Set(),
  pick: null,
  events: new EventTarget(),
  linked: location.hash !== '',   // someone was sent to this very place
  inWords,
  look,
  rectangle,
  /** Shows these bottles instead of those that were in view. */
  update: (bottles) => show({ bottles, cells: [], total: bottles.length }),
};
app.land = new LandLayer().addTo(app.map);
app.bottles = new BottleLayer((id) => app.opened.has(id)).addTo(app.map);
wireButtons();
writePlace();
app.map.on('click', touch);
app.map.on('moveend', () => {
  writePlace();
  lookSoon(DEBOUNCE);
});
server.addEventListener('session', () => {
  showSession();
  look();
});
server.addEventListener('online', open);

/** Only a visitor's first question depends on the settings: who is logged in need not wait for them. */
async function open() {
  try {
    if (session.user) await look();
    app.settings = await call('GET', 'settings');
    if (!session.user) await look();
  } catch {
    // The shell tells the reader, and "online" calls again.
  }
}

await open();
load('map/startup', (module) => module.start(app));
