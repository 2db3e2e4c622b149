// The sea in full screen, for a projector: every bottle as it arrives, their number, and how to join.

/** @import { Cell, MapBottle } from '../lib/types.js' */

import { byId, connection, request, server, session, t, translatePage } from '../lib/core.js';
import { MAX_MAP_LATITUDE, WORLD, mapLatitude } from '../lib/geo.js';
import { BottleLayer } from '../map/bottles.js';
import { RETRY_MS, openEventStream } from '../map/events.js';
import { LandLayer } from '../map/land.js';
import { PileLayer } from '../map/piles.js';
import { offerLogin, showFailure, showProblem } from './access.js';

const MAX_BOTTLES = 2000;      // one by one; above that, counts
const ARRIVAL_MS = 5000;       // how long a new bottle is marked
const BATCH_MS = 1000;         // events within this time cause one request
const ARRIVAL_PX = 64;
const MIN_LATITUDE = -58;      // of the view: south of the inhabited land

translatePage('projector.title');

const map = L.map('map', { zoomControl: false, attributionControl: false, maxZoom: 14 }).setView([25, 10], 2);
map.fitBounds([[MIN_LATITUDE, -170], [74, 178]]);
// A bottle near the north pole is at the edge of the map. A low window shows the inhabited south instead.
for (const latitude of [MAX_MAP_LATITUDE, MIN_LATITUDE]) map.panInside([latitude, 4], { animate: false });
new LandLayer().addTo(map);
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
  if (sea.counts) {
    layer.showCells(sea.counts.cells);
    piles.showBottles([]);
    showCount(sea.counts.total);
  } else {
    showBottles();
  }
}

/** @returns {Promise<{ bottles: MapBottle[], counts: { cells: Cell[], total: number } | null }>} */
async function fetchSea() {
  /** @type {{ bottles: MapBottle[], truncated: boolean }} */
  const nearby = await request('GET', 'bottles/nearby', { query: { ...WORLD, limit: MAX_BOTTLES } });
  if (!nearby.truncated) return { bottles: nearby.bottles, counts: null };
  const zoom = Math.round(map.getZoom());
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
  const shown = L.latLng(mapLatitude(map, latitude), longitude);
  const marker = L.marker(shown, { interactive: false, keyboard: false, icon }).addTo(map);
  // Leaflet positions the marker by a transform; the animation of another one needs an element of its own.
  marker.getElement()?.append(document.createElement('span'));
  setTimeout(() => marker.remove(), ARRIVAL_MS);
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
      bottles.set(bottle.bottle_id, bottle);
      update();
    },
    hidden({ bottle_id: id }) {
      bottles.delete(id);
      update();
    },
  });
}

/** Follows the sea for the session's account. A visitor's page sends no request that must fail. */
function showSession() {
  window.clearTimeout(retryTimer);
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

map.on('zoomend', () => {
  if (showsCells) scheduleRefresh();
});
server.addEventListener('offline', () => {
  stream?.close();
  showProblem(t('offline.gone'));
});
server.addEventListener('online', showSession);
server.addEventListener('session', showSession);
showSession();
await showInvitation();
