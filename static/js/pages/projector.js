// The sea in full screen, for a projector: every bottle as it arrives, their number, and how to join.

/** @import { CountedCell, MapBottle, Position, Settings } from '../lib/types.js' */

import { ApiError, byId, connection, request, server, session, t, translatePage } from '../lib/core.js';
import { FINER_CELLS, MAX_MAP_LATITUDE, WORLD, mapLatitude, nearestCopy, placeCells } from '../lib/geo.js';
import { BottleLayer } from '../map/bottles.js';
import { RETRY_MS, openEventStream } from '../map/events.js';
import { Follower } from '../map/follow.js';
import { LandLayer } from '../map/land.js';
import { addOverlays } from '../map/overlays.js';
import { PileLayer } from '../map/piles.js';
import { offerLogin, showFailure, showProblem } from './access.js';
import { scheduleWords, showWords } from './projector-words.js';

const MAX_BOTTLES = 2000;      // one by one; above that, counts
const ARRIVAL_MS = 9000;       // how long a new bottle is marked
const BATCH_MS = 1000;         // events within this time cause one request
const ARRIVAL_PX = 64;
const MIN_LATITUDE = -58;      // of the view: south of the inhabited land

await translatePage('projector.title');

const map = L.map('map', {
  zoomControl: false,
  attributionControl: false,
  maxZoom: 14,
  zoomAnimation: !matchMedia('(prefers-reduced-motion: reduce)').matches,
}).setView([25, 10], 2);
map.setMinZoom(Math.max(1, Math.ceil(Math.log2(map.getSize().y / 256))));
map.fitBounds([[MIN_LATITUDE, -170], [74, 178]]);
// A bottle near the north pole is at the edge of the map. A low window shows the inhabited south instead.
for (const latitude of [MAX_MAP_LATITUDE, MIN_LATITUDE]) map.panInside([latitude, 4], { animate: false });
const land = new LandLayer().addTo(map);
const layer = new BottleLayer(() => false).addTo(map);
const piles = new PileLayer().addTo(map);
/** @type {Map<number, MapBottle>} */
const bottles = new Map();
let showsCells = false;
/** @type {number | undefined} */
let timer;
/** @type {number | undefined} */
let retryTimer;
/** @type {EventSource | null} */
let stream = null;
const follower = new Follower(map, positions, readCovered, () => {
  byId('follow').hidden = follower.isFollowing;
});

/** @returns {Position[]} */
function positions() {
  return showsCells ? layer.cells : [...bottles.values()].map(({ location }) => location);
}

/** Returns how far the notes at the sides reach into the window. */
function readCovered() {
  const [bar, words, join] = ['bar', 'words', 'join'].map((id) => byId(id).getBoundingClientRect());
  const bottoms = [words, join].filter(({ height }) => height).map(({ top }) => innerHeight - top);
  // In a narrow window the notes are below the middle of the map, else beside it.
  return innerWidth < innerHeight
    ? { left: 0, top: bar.bottom, right: 0, bottom: Math.max(0, ...bottoms) }
    : { left: words.right, top: bar.bottom, right: join.width ? innerWidth - join.left : 0, bottom: 0 };
}

async function refresh() {
  let sea;
  try {
    sea = await fetchSea();
  } catch (error) {
    showFailure(error, 'projector.logIn');
    return;
  }
  // The account may have logged out in the meantime.
  if (!session.user) return;
  showProblem('');
  bottles.clear();
  for (const bottle of sea.bottles) bottles.set(bottle.bottle_id, bottle);
  showsCells = sea.counts !== null;
  follower.schedule();
  if (sea.counts) {
    layer.showCells(placeCells(sea.counts.cells));
    piles.showBottles([]);
    showCount(sea.counts.total);
  } else {
    showBottles();
  }
}

/** @returns {Promise<{ bottles: MapBottle[], counts: { cells: CountedCell[], total: number } | null }>} */
async function fetchSea() {
  /** @type {{ bottles: MapBottle[], truncated: boolean }} */
  const nearby = await request('GET', 'bottles/nearby', { query: { ...WORLD, limit: MAX_BOTTLES } });
  if (!nearby.truncated) return { bottles: nearby.bottles, counts: null };
  const zoom = Math.round(map.getZoom()) + FINER_CELLS;
  return { bottles: [], counts: await request('GET', 'bottles/counts', { query: { ...WORLD, zoom } }) };
}

/** Shows the bottles after an event, or schedules a refresh if the map shows counts. */
function update() {
  if (showsCells) scheduleRefresh();
  else showBottles();
}

function showBottles() {
  layer.showBottles([...bottles.values()]);
  piles.showBottles([...bottles.values()]);
  showCount(bottles.size);
}

/** @param {number} n */
function showCount(n) {
  byId('count').textContent = t('projector.count', { n });
}

function scheduleRefresh() {
  window.clearTimeout(timer);
  timer = window.setTimeout(refresh, BATCH_MS);
}

/** @param {MapBottle} bottle */
function markArrival({ location: { latitude, longitude } }) {
  const icon = L.divIcon({ className: 'arrival', iconSize: [ARRIVAL_PX, ARRIVAL_PX] });
  // The edge of the map and the nearest copy of a longitude change with the view.
  const shown = () => L.latLng(mapLatitude(map, latitude), nearestCopy(longitude, map.getCenter().lng));
  const marker = L.marker(shown(), { interactive: false, keyboard: false, icon }).addTo(map);
  const move = () => marker.setLatLng(shown());
  map.on('moveend', move);
  // Leaflet positions the marker by a transform; the animation of another one needs an element of its own.
  marker.getElement()?.append(document.createElement('span'));
  setTimeout(() => {
    map.off('moveend', move);
    marker.remove();
  }, ARRIVAL_MS);
}

function subscribe() {
  stream?.close();
  stream = openEventStream(WORLD, {
    open: refresh,
    reset: refresh,
    closed() {
      refresh();
      window.clearTimeout(retryTimer);
      retryTimer = window.setTimeout(() => {
        if (!connection.isLost && session.user) subscribe();
      }, RETRY_MS);
    },
    thrown(bottle) {
      markArrival(bottle);
      follower.add(bottle.location);
      bottles.set(bottle.bottle_id, bottle);
      update();
      scheduleWords();
    },
    hidden({ bottle_id: id }) {
      bottles.delete(id);
      update();
      scheduleWords();
    },
  });
}

/** Follows the sea for the session's account. A visitor's page sends no request that must fail. */
function showSession() {
  window.clearTimeout(retryTimer);
  showWords();
  if (session.user) {
    subscribe();
    return;
  }
  stream?.close();
  window.clearTimeout(timer);
  bottles.clear();
  layer.showBottles([]);
  piles.showBottles([]);
  byId('count').textContent = '';
  offerLogin('projector.logIn');
}

/** Shows address and QR code if the server listens on the network. */
async function showInvitation() {
  /** @type {{ addresses: string[] }} */
  const { addresses: [address] } = await request('GET', 'join');
  if (!address) return;
  const link = byId('join');
  link.querySelector('img')?.setAttribute('src', 'api/join.svg');
  link.querySelector('span')?.replaceChildren(address.replace(/^https?:\/\//, ''));
  link.hidden = false;
}

/** Adds the names of places, or the operator's street map. The page works without them. */
async function showPlaces() {
  try {
    /** @type {Settings} */
    const settings = await request('GET', 'settings');
    await addOverlays({ map, settings });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
}

/** Shows the button for the full screen where the browser has one. */
function offerFullScreen() {
  const button = byId('full-screen');
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener('click', () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen();
  });
  document.addEventListener('fullscreenchange', () => {
    button.setAttribute('aria-pressed', String(document.fullscreenElement !== null));
  });
}

map.on('zoomend', () => {
  land.loadDetail();
  if (showsCells) scheduleRefresh();
});
const observer = new ResizeObserver(() => {
  // The words begin below the tools, which have a line of their own in a narrow window.
  document.body.style.setProperty('--bar-bottom', `${byId('bar').getBoundingClientRect().bottom}px`);
  follower.schedule();
});
for (const id of ['bar', 'words', 'join']) observer.observe(byId(id));
byId('follow').addEventListener('click', () => follower.setFollowing(true));
server.addEventListener('offline', () => {
  stream?.close();
  showProblem(t('offline.gone'));
});
server.addEventListener('online', showSession);
server.addEventListener('session', showSession);
showSession();
offerFullScreen();
await Promise.all([showInvitation(), showPlaces()]);
