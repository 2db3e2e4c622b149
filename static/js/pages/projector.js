// The sea full-screen, for a projector: every bottle as it arrives, how many there are, and how to come in.

import { call, session } from '../lib/api.js';
import { BottleLayer } from '../map/bottles.js';
import { t, translate } from '../lib/i18n.js';
import { LandLayer } from '../map/land.js';
import { REST, listen } from '../map/live.js';

const { L } = globalThis;
const WORLD = { latitude: 0, longitude: 0, latitude_span: 90, longitude_span: 180 };
const MANY = 2000;      // never more than this one by one
const RING = 5000;      // milliseconds that an arrival is marked
const BUNCH = 1000;     // milliseconds within which changes are asked for together

translate(document.body);
document.title = t('projector.title');

const map = L.map('map', { zoomControl: false, attributionControl: false, maxZoom: 14 }).setView([25, 10], 2);
map.fitBounds([[-58, -170], [74, 178]]);
new LandLayer().addTo(map);
const layer = new BottleLayer(() => false).addTo(map);
const at = (id) => document.getElementById(id);
const bottles = new Map();
let more = false;   // whether there are more than are drawn: then counts are
let timer = 0;

async function look() {
  try {
    const seen = await call('GET', 'bottles/nearby', { query: { ...WORLD, limit: MANY } });
    bottles.clear();
    for (const bottle of seen.bottles) bottles.set(bottle.bottle_id, bottle);
    more = seen.truncated;
    if (more) {
      const { cells, total } = await call('GET', 'bottles/counts', { query: { ...WORLD, zoom: Math.round(map.getZoom()) } });
      layer.showCounts(cells);
      say(total);
    } else draw();
    at('problem').textContent = '';
  } catch ({ status }) {
    at('problem').textContent = t(status === 401 ? 'projector.logIn' : 'error.offline');
  }
}

function draw() {
  layer.showBottles([...bottles.values()]);
  say(bottles.size);
}

const say = (n) => { at('count').textContent = t('projector.count', { n }); };

function soon() {
  clearTimeout(timer);
  timer = setTimeout(look, BUNCH);
}

function arrive({ location: { latitude, longitude } }) {
  const ring = L.marker([latitude, longitude], { interactive: false, keyboard: false, icon: L.divIcon({ className: 'arrival', iconSize: [64, 64] }) });
  ring.addTo(map);
  setTimeout(() => ring.remove(), RING);
}

function start() {
  listen(WORLD, {
    open: look,
    reset: look,
    closed() {
      look();
      setTimeout(start, REST);
    },
    thrown(bottle) {
      arrive(bottle);
      bottles.set(bottle.bottle_id, bottle);
      if (more) soon();
      else draw();
    },
    hidden({ bottle_id: id }) {
      bottles.delete(id);
      if (more) soon();
      else draw();
    },
  });
}

/** How to come in, if the server listens on the network. */
async function invite() {
  const [address] = (await call('GET', 'join')).addresses;
  if (!address) return;
  at('join').querySelector('img').src = 'api/join.svg';
  at('join').querySelector('span').textContent = address.replace(/^https?:\/\//, '');
  at('join').hidden = false;
}

map.on('zoomend', () => more && soon());
if (session.user) start();
else at('problem').textContent = t('projector.logIn');
await invite();
