// The R*-tree over the map, and what a search in it reads: the nodes it visits, the rows that the boxes propose, and those that
// the exact coordinates refuse.

import { call } from '../lib/api.js';
import { el } from '../lib/dom.js';
import { coordinates } from '../lib/format.js';
import { switchLanguage, t, translate } from '../lib/i18n.js';
import { LandLayer } from '../map/land.js';

const { L } = globalThis;
const COLOURS = ['#1d6f8f', '#b4472e', '#6b4fa0', '#8f5f08', '#1d6a45', '#803060'];   // of the levels, from the leaves up
const WORLD = { latitude: 0, longitude: 0, latitude_span: 90, longitude_span: 180 };
const LISTED = 20;   // refused rows that are named

translate(document.body);
document.title = t('xray.title');
const at = (id) => document.getElementById(id);
at('language').addEventListener('click', switchLanguage);

const map = L.map('map', { attributionControl: false, maxZoom: 14, minZoom: 1 }).setView([25, 10], 2);
new LandLayer().addTo(map);
const levels = new Map();          // level -> the layer of its boxes
const path = L.layerGroup().addTo(map);
const fields = at('rectangle').elements;

const colour = (level) => COLOURS[level % COLOURS.length];
const box = ({ south, north, west, east }, options) => L.rectangle([[south, west], [north, east]], { interactive: false, ...options });

async function showTree() {
  try {
    const { nodes, complete } = await call('GET', 'xray/tree', { query: WORLD });
    for (const node of nodes) {
      if (!levels.has(node.level)) levels.set(node.level, L.layerGroup().addTo(map));
      levels.get(node.level).addLayer(box(node, { color: colour(node.level), weight: 1 + node.level, fill: false }));
    }
    at('levels').replaceChildren(...[...levels].map(([level, layer]) => levelSwitch(level, layer)),
      complete ? '' : el('span', { class: 'quiet' }, t('xray.notAll', { n: nodes.length })));
  } catch ({ status }) {
    at('problem').textContent = t(status === 401 ? 'teacher.logIn' : status === 403 ? 'teacher.notYou' : 'error.offline');
  }
}

function levelSwitch(level, layer) {
  const toggle = ({ currentTarget }) => (currentTarget.checked ? layer.addTo(map) : layer.remove());
  const swatch = el('span', { class: 'swatch', 'aria-hidden': 'true' });
  swatch.style.color = colour(level);
  return el('label', {}, el('input', { type: 'checkbox', checked: true, onchange: toggle }), el('span', {},
    swatch, ` ${level === 0 ? t('xray.leaves') : t('xray.level', { n: level })}: ${layer.getLayers().length}`));
}

async function search(event) {
  event?.preventDefault();
  const [south, north, west, east] = ['south', 'north', 'west', 'east'].map((name) => Number(fields[name].value));
  const query = { latitude: (south + north) / 2, longitude: (west + east) / 2,
    latitude_span: Math.abs(north - south) / 2, longitude_span: Math.abs(east - west) / 2 };
  try {
    const seen = await call('GET', 'xray/search', { query });
    path.clearLayers();
    for (const node of seen.visited) path.addLayer(box(node, { color: colour(node.level), weight: 0, fillOpacity: 0.12 }));
    path.addLayer(box({ south, north, west, east }, { color: '#d8492f', weight: 3, fill: false }));
    for (const { latitude, longitude } of seen.refused) path.addLayer(L.circleMarker([latitude, longitude], { radius: 6, color: '#d8492f', interactive: false }));
    at('found').replaceChildren(...report(seen));
    at('problem').textContent = '';
  } catch {
    at('problem').textContent = t('error.field.other');
  }
}

function report({ visited, proposed, refused, refused_count: count, found, sql, microseconds }) {
  const row = (key, value) => el('tr', {}, el('th', { scope: 'row' }, t(key)), el('td', {}, value));
  return [
    el('table', {}, el('tbody', {},
      row('xray.visited', String(visited.length)),
      row('xray.proposed', String(proposed)),
      row('xray.refused', [String(count), ...refused.slice(0, LISTED).map((bottle) =>
        `${t('bottle.numbered', { id: String(bottle.bottle_id) })} (${coordinates(bottle.latitude, bottle.longitude)})`)].join(' · ')),
      row('xray.found', String(found)),
      row('xray.time', t('xray.microseconds', { n: microseconds })))),
    el('pre', { tabindex: '0', 'aria-label': 'SQL' }, sql),
  ];
}

// --- a rectangle by hand ---

let corner = null;

at('drag').addEventListener('click', ({ currentTarget }) => {
  const on = currentTarget.getAttribute('aria-pressed') !== 'true';
  currentTarget.setAttribute('aria-pressed', String(on));
  map.dragging[on ? 'disable' : 'enable']();
});
map.on('mousedown', ({ latlng }) => {
  if (at('drag').getAttribute('aria-pressed') === 'true') corner = latlng;
});
map.on('mousemove', ({ latlng }) => {
  if (!corner) return;
  const bounds = L.latLngBounds(corner, latlng);
  fill({ south: bounds.getSouth(), north: bounds.getNorth(), west: bounds.getWest(), east: bounds.getEast() });
});
map.on('mouseup', () => {
  if (corner) search();
  corner = null;
});

function fill(bounds) {
  for (const [name, value] of Object.entries(bounds)) fields[name].value = value.toFixed(4);
}

at('rectangle').addEventListener('submit', search);
fill({ south: 20, north: 50, west: 70, east: 140 });
await showTree();
