// The entry of the map page. It loads only what the first view needs; all other modules are imported on demand.

/** @import { App, Cell, CountedCell, MapBottle, Settings, VisibleBottles } from './lib/types.js' */

import {
  ApiError, byId, connection, isAbort, readStored, reconnect, request, server, session, t, translatePage, writeStored,
} from './lib/core.js';
import {
  FINER_CELLS, MAX_MAP_LATITUDE, formatView, nearestCopy, parseView, placeCells, visibleRectangle, wrapLongitude,
} from './lib/geo.js';
import { BottleLayer } from './map/bottles.js';
import { LandLayer } from './map/land.js';

/** The files of the second stage, except startup.js. */
const SECOND_STAGE = [
  'css/panel.css', 'js/lib/coordinates.js', 'js/lib/dialog.js', 'js/lib/dom.js', 'js/lib/errors.js',
  'js/lib/format.js', 'js/lib/forms.js', 'js/lib/my-bottles.js', 'js/lib/notices.js', 'js/lib/notifications.js',
  'js/map/cities.js', 'js/map/credits.js', 'js/map/events.js', 'js/map/graticule.js', 'js/map/label-layout.js',
  'js/map/labels.js', 'js/map/overlays.js', 'js/map/piles.js', 'js/map/place-search.js', 'js/map/places.js',
  'js/map/surroundings.js', 'js/map/text-overlay.js', 'js/panels/account.js', 'js/panels/banners.js',
  'js/panels/bell.js', 'js/panels/panel.js', 'js/panels/welcome.js',
];

const MIN_ZOOM_MAX_BOTTLES = 6;            // at lower zooms bottles overlap: each needs MIN_PIXELS_PER_BOTTLE
const MIN_PIXELS_PER_BOTTLE = 96 ** 2;     // square pixels; the limit of a request follows from it
const MAX_BOTTLES = 2000;                  // one by one
const DEBOUNCE_MS = 180;                   // from the last movement of the map to the request
const MAX_ZOOM_VISITOR_CELLS = 11;         // a visitor's cells do not get smaller beyond this zoom
const PRELOADS_PER_TASK = 4;
const VIEW_KEY = 'bottle.place';

// --- the map ---

function createMap() {
  const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const map = L.map('map', {
    zoomControl: false,
    attributionControl: false,
    fadeAnimation: false,
    zoomAnimation: !isStill,
    inertia: !isStill,
    // That of a street map: a link may name it. map/overlays.js lowers it if there is none.
    maxZoom: 18,
    maxBounds: [[-MAX_MAP_LATITUDE, -Infinity], [MAX_MAP_LATITUDE, Infinity]],
    maxBoundsViscosity: 1,
  });
  // A world that is lower than the window would leave an empty stripe.
  map.setMinZoom(Math.max(1, Math.ceil(Math.log2(map.getSize().y / 256))));
  L.control.zoom({ position: 'bottomright', zoomInTitle: t('map.zoomIn'), zoomOutTitle: t('map.zoomOut') }).addTo(map);
  const { zoom, latitude, longitude } = firstView(map.getMinZoom());
  return map.setView([latitude, longitude], zoom, { animate: false });
}

/**
 * Returns the view of the link, else the last one, else the longitude that the time zone suggests.
 * @param {number} zoom
 */
function firstView(zoom) {
  return parseView(location.hash) ?? parseView(readStored(VIEW_KEY) ?? '')
    ?? { zoom, latitude: 25, longitude: -new Date().getTimezoneOffset() / 4 };
}

function saveView() {
  const view = formatView(app.map);
  writeStored(VIEW_KEY, view);
  // The link of a bottle stays in the address bar while the bottle is in the panel, and that of an invitation or a
  // class until the second stage has read it.
  if (!/^#(bottle|class|invite)\//.test(location.hash)) history.replaceState(history.state, '', view);
}

// --- the visible bottles ---

/** @type {AbortController | null} */
let pending = null;
/** @type {number | undefined} */
let refreshTimer;

/** Fetches and shows the bottles of the visible rectangle. A new refresh aborts the previous one. */
async function refresh() {
  window.clearTimeout(refreshTimer);
  pending?.abort();
  const controller = pending = new AbortController();
  document.body.classList.add('is-refreshing');
  try {
    // Only failures of the request are handled here: an error of `show` must reach the console.
    const visible = await fetchVisible(controller.signal).catch(handleRefreshFailure);
    if (visible) show(visible);
  } finally {
    if (controller === pending) document.body.classList.remove('is-refreshing');
  }
}

/** @param {number} delayMs */
function scheduleRefresh(delayMs) {
  window.clearTimeout(refreshTimer);
  refreshTimer = window.setTimeout(refresh, delayMs);
}

/** @param {unknown} error */
function handleRefreshFailure(error) {
  if (isAbort(error)) return;
  if (!(error instanceof ApiError)) throw error;
  // A lost connection and an ended session have their own banners.
  if (error.status === 429) {
    showError(error);
    scheduleRefresh(error.retryAfter * 1000);
  }
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<VisibleBottles>}
 */
async function fetchVisible(signal) {
  const rectangle = visibleRectangle(app.map);
  // During a flight the map's zoom is a fraction, which the server rejects.
  const zoom = Math.round(app.map.getZoom());
  if (session.user) {
    const { x, y } = app.map.getSize();
    const limit = zoom < MIN_ZOOM_MAX_BOTTLES ? Math.ceil((x * y) / MIN_PIXELS_PER_BOTTLE) : MAX_BOTTLES;
    /** @type {{ bottles: MapBottle[], total: number, truncated: boolean }} */
    const nearby = await request('GET', 'bottles/nearby', { query: { ...rectangle, limit }, signal });
    if (!nearby.truncated) return { bottles: nearby.bottles, cells: [], total: nearby.total };
  } else if (!app.settings.public_counts) {
    return { bottles: [], cells: [], total: 0, isClosed: true };
  }
  /** @type {{ cells: CountedCell[], total: number }} */
  const { cells, total } = await request('GET', 'bottles/counts', {
    query: { ...rectangle, zoom: zoom + FINER_CELLS }, signal,
  });
  return { bottles: [], cells: placeCells(cells), total };
}

/** @param {VisibleBottles} visible */
function show(visible) {
  app.visible = visible;
  if (visible.cells.length) app.bottles.showCells(visible.cells);
  else app.bottles.showBottles(visible.bottles);
  performance.mark('bottles');
  byId('in-view').textContent = describe(visible);
  app.events.dispatchEvent(new Event('refreshed'));
}

/**
 * Returns the label of the list: "12 bottles in view".
 * @param {VisibleBottles} visible
 */
function describe({ isClosed, total }) {
  if (isClosed) return t('view.closed');
  return total ? t('view.count', { n: total }) : t('view.none');
}

// --- input ---

/** @param {L.LeafletMouseEvent} event */
function handleMapClick({ latlng, containerPoint }) {
  if (app.onPick) {
    app.onPick(latlng.lat, wrapLongitude(latlng.lng));
    return;
  }
  const { bottles, cell } = app.bottles.hitTest(containerPoint);
  if (bottles.length === 1) load(import('./panels/bottle.js'), (module) => module.showBottle(app, bottles[0]));
  if (bottles.length > 1) load(import('./map/fan.js'), (module) => module.fanOut(app, bottles));
  if (cell) zoomToCell(cell);
}

/**
 * Zooms in on a cell. A visitor must log in when its bottles would not become visible.
 * @param {Omit<Cell, 'count'>} cell
 */
function zoomToCell(cell) {
  const zoom = app.map.getZoom();
  if (!session.user && zoom >= MAX_ZOOM_VISITOR_CELLS) {
    load(import('./panels/account.js'), (module) => module.withSession(app, refresh, 'login.toSee'));
    return;
  }
  const longitude = nearestCopy(cell.longitude, app.map.getCenter().lng);
  app.map.flyTo([cell.latitude, longitude], Math.min(zoom + 2, app.map.getMaxZoom()), {
    duration: 0.6,
    animate: app.map.options.zoomAnimation,
  });
}

/**
 * Imports a module and uses it. Shows the errors of its requests as a toast.
 * @template T
 * @param {Promise<T>} loading
 * @param {(module: T) => unknown} use
 */
async function load(loading, use) {
  document.body.classList.add('is-loading');
  try {
    await use(await reconnectIfFailed(loading));
  } catch (error) {
    if (isAbort(error)) return;
    if (!(error instanceof ApiError)) throw error;
    await showError(error);
  } finally {
    document.body.classList.remove('is-loading');
  }
}

/**
 * Tests the connection if an import fails: most likely the server does not respond, and the banner says so.
 * @template T
 * @param {Promise<T>} loading
 */
async function reconnectIfFailed(loading) {
  try {
    return await loading;
  } catch (error) {
    reconnect();
    throw error;
  }
}

/** @param {ApiError} error */
async function showError(error) {
  const [{ toast }, { explain }] = await Promise.all([import('./lib/notices.js'), import('./lib/errors.js')]);
  toast(explain(error).message);
}

function bindButtons() {
  /** @type {Record<string, () => void>} */
  const actions = {
    login: () => load(import('./panels/account.js'), (module) => module.openAccount(app, 'login')),
    register: () => load(import('./panels/account.js'), (module) => module.openAccount(app, 'register')),
    account: () => load(import('./panels/profile.js'), (module) => module.openProfile(app)),
    mine: () => load(import('./panels/lists.js'), (module) => module.openMine(app)),
    opened: () => load(import('./panels/lists.js'), (module) => module.openOpened(app)),
    inbox: () => load(import('./panels/inbox.js'), (module) => module.openInbox(app)),
    catch: () => load(import('./panels/catch.js'), (module) => module.catchBottle(app)),
    throw: () => load(import('./panels/throw.js'), (module) => module.openThrow(app)),
    'in-view': () => load(import('./panels/in-view.js'), (module) => module.openInView(app)),
  };
  for (const [id, action] of Object.entries(actions)) byId(id).addEventListener('click', action);
}

function showSession() {
  const focused = document.activeElement;
  for (const node of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-for]'))) {
    node.hidden = node.dataset.for !== (session.user ? 'user' : 'visitor');
  }
  // The focused button may have disappeared: its counterpart gets the focus.
  if (focused?.closest('.actions [hidden]')) byId(session.user ? 'account' : 'login').focus();
  if (!session.user) return;
  const name = session.user.nickname || session.user.username;
  byId('account-name').textContent = name;
  byId('account').setAttribute('aria-label', t('bar.account', { name }));
}

// --- start ---

await translatePage();
showSession();

/** @type {Set<number>} */
const openedIds = new Set();
let freezeCount = 0;
/** @type {Settings} */
const defaults = { public_counts: true, demo_accounts: [], min_password_length: 4, tile_url: null };
const map = createMap();
// The map's first layout is a long task on a phone.
await nextTask();

/** @type {App} */
const app = {
  map,
  land: new LandLayer().addTo(map),
  bottles: new BottleLayer((id) => openedIds.has(id)).addTo(map),
  settings: defaults,
  visible: { bottles: [], cells: [], total: 0 },
  openedIds,
  onPick: null,
  events: new EventTarget(),
  hasLink: location.hash !== '',
  describe,
  loadSettings,
  setFrozen,
  refresh,
  rectangle: () => visibleRectangle(map),
  showBottles(bottles) {
    show({ bottles, cells: [], total: bottles.length });
    // The response to a request in progress may be older than these bottles, and replaces them.
    if (document.body.classList.contains('is-refreshing')) scheduleRefresh(DEBOUNCE_MS);
  },
};
bindButtons();
saveView();
map.on('click', handleMapClick);
map.on('moveend', () => {
  saveView();
  scheduleRefresh(DEBOUNCE_MS);
});
server.addEventListener('session', () => {
  showSession();
  refresh();
});
server.addEventListener('online', loadFirstView);

/** Loads settings and bottles. Only a visitor's refresh depends on the settings. */
async function loadFirstView() {
  if (session.user) await refresh();
  await loadSettings();
  // The banner says that the connection is lost, and "online" calls this function again.
  if (!session.user && !connection.isLost) await refresh();
}

async function loadSettings() {
  const countBefore = freezeCount;
  const settings = await request('GET', 'settings').catch((error) => {
    if (!(error instanceof ApiError)) throw error;
  });
  if (!settings) return;
  // An event that arrived during the request is later than the response.
  const { frozen } = countBefore === freezeCount ? settings : app.settings;
  app.settings = { ...settings, frozen };
  app.events.dispatchEvent(new Event('settings'));
}

/** @param {boolean} frozen */
function setFrozen(frozen) {
  freezeCount += 1;
  app.settings.frozen = frozen;
  app.events.dispatchEvent(new Event('settings'));
}

/** Lets the page respond between two parts of the start. */
function nextTask() {
  return new Promise((resolve) => {
    setTimeout(resolve);
  });
}

/** Fetches what the second stage imports at once, instead of one level of imports after the other. */
async function preloadSecondStage() {
  for (const [index, path] of SECOND_STAGE.entries()) {
    if (index % PRELOADS_PER_TASK === 0) await nextTask();
    const isStyle = path.endsWith('.css');
    const link = document.createElement('link');
    Object.assign(link, isStyle ? { rel: 'preload', as: 'style' } : { rel: 'modulepreload' }, { href: path });
    document.head.append(link);
  }
}

loadFirstView().finally(async () => {
  await preloadSecondStage();
  load(import('./map/startup.js'), (module) => module.start(app));
});
