// The R*-tree over the map, and the steps of a search: the nodes it reads, the rows that the boxes propose, and the
// rows that the exact coordinates reject.

import { ApiError, byId, request, server, t, translatePage } from '../lib/core.js';
import { el } from '../lib/dom.js';
import { controlsOf } from '../lib/forms.js';
import { coordinates } from '../lib/format.js';
import { WORLD, mapLatitude } from '../lib/geo.js';
import { LandLayer } from '../map/land.js';
import { showFailure, showProblem } from './access.js';

const LEVEL_COLOURS = ['#1d6f8f', '#b4472e', '#6b4fa0', '#8f5f08', '#1d6a45', '#803060'];   // from the leaves up
const SEARCH_COLOUR = '#d8492f';
const MAX_REJECTED_NAMES = 20;

/** @typedef {{ south: number, north: number, west: number, east: number }} Box in degrees */
/** @typedef {Box & { level: number }} TreeNode level 0 is a leaf */
/** @typedef {{ bottle_id: number, latitude: number, longitude: number }} Row */

/**
 * @typedef {object} SearchResult
 * @property {TreeNode[]} visited
 * @property {number} proposed number of rows that the boxes propose
 * @property {Row[]} refused the first rows that the exact coordinates reject
 * @property {number} refused_count
 * @property {number} found
 * @property {string} sql
 * @property {number} microseconds
 */

await translatePage('xray.title');

const form = /** @type {HTMLFormElement} */ (byId('rectangle'));
const controls = controlsOf(form);
const dragButton = byId('drag');
const map = L.map('map', { attributionControl: false, maxZoom: 14, minZoom: 1 }).setView([25, 10], 2);
new LandLayer().addTo(map);
/** @type {Map<number, L.LayerGroup>} */
const levels = new Map();
const searchLayer = L.layerGroup().addTo(map);
let treeCount = 0;

/** @param {number} level */
const levelColour = (level) => LEVEL_COLOURS[level % LEVEL_COLOURS.length];

/**
 * @param {Box} box
 * @param {L.PathOptions} options
 */
const drawBox = ({ south, north, west, east }, options) =>
  L.rectangle([[south, west], [north, east]], { interactive: false, ...options });

async function showTree() {
  /** @type {{ nodes: TreeNode[], complete: boolean }} */
  let tree;
  const count = (treeCount += 1);
  try {
    tree = await request('GET', 'xray/tree', { query: { ...WORLD } });
  } catch (error) {
    if (count !== treeCount) return;
    withdraw();
    showFailure(error, 'teacher.logIn');
    return;
  }
  // The session changed during the request, so another request follows.
  if (count !== treeCount) return;
  withdraw();
  showProblem('');
  for (const node of tree.nodes) {
    const layer = levels.get(node.level) ?? L.layerGroup().addTo(map);
    levels.set(node.level, layer);
    layer.addLayer(drawBox(node, { color: levelColour(node.level), weight: 1 + node.level, fill: false }));
  }
  byId('levels').replaceChildren(...[...levels].map(([level, layer]) => levelSwitch(level, layer)),
    tree.complete ? '' : el('span', { class: 'secondary' }, t('xray.notAll', { n: tree.nodes.length })));
}

/** Removes the tree and the search: the account that may see them may have logged out. */
function withdraw() {
  for (const layer of levels.values()) layer.remove();
  levels.clear();
  searchLayer.clearLayers();
  byId('levels').replaceChildren();
  byId('found').replaceChildren();
}

/**
 * @param {number} level
 * @param {L.LayerGroup} layer
 */
function levelSwitch(level, layer) {
  const checkbox = el('input', { type: 'checkbox', checked: true });
  checkbox.addEventListener('change', () => {
    if (checkbox.checked) layer.addTo(map);
    else layer.remove();
  });
  const swatch = el('span', { class: 'swatch', 'aria-hidden': 'true' });
  swatch.style.color = levelColour(level);
  const name = level === 0 ? t('xray.leaves') : t('xray.level', { n: level });
  const label = t('xray.count', { name, n: layer.getLayers().length });
  return el('label', {}, checkbox, el('span', {}, swatch, ` ${label}`));
}

async function search() {
  const [south, north, west, east] = ['south', 'north', 'west', 'east'].map((name) => Number(controls[name].value));
  /** @type {SearchResult} */
  let result;
  try {
    result = await request('GET', 'xray/search', { query: {
      latitude: (south + north) / 2,
      longitude: (west + east) / 2,
      latitude_span: Math.abs(north - south) / 2,
      longitude_span: Math.abs(east - west) / 2,
    } });
  } catch (error) {
    const isInvalid = error instanceof ApiError && error.status === 422;
    if (isInvalid) showProblem(t('error.field.other'));
    else showFailure(error, 'teacher.logIn');
    return;
  }
  showProblem('');
  showSearch({ south, north, west, east }, result);
}

/**
 * @param {Box} rectangle
 * @param {SearchResult} result
 */
function showSearch(rectangle, result) {
  searchLayer.clearLayers();
  for (const node of result.visited) {
    searchLayer.addLayer(drawBox(node, { color: levelColour(node.level), weight: 0, fillOpacity: 0.12 }));
  }
  searchLayer.addLayer(drawBox(rectangle, { color: SEARCH_COLOUR, weight: 3, fill: false }));
  for (const { latitude, longitude } of result.refused) {
    const options = { radius: 6, color: SEARCH_COLOUR, interactive: false };
    searchLayer.addLayer(L.circleMarker([mapLatitude(map, latitude), longitude], options));
  }
  byId('found').replaceChildren(
    el('table', {}, el('tbody', {}, resultRows(result))),
    el('pre', { tabindex: '0', 'aria-label': 'SQL' }, result.sql),
  );
}

/** @param {SearchResult} result */
function resultRows({ visited, proposed, refused, refused_count: rejectedCount, found, microseconds }) {
  const row = (/** @type {string} */ key, /** @type {string} */ value) =>
    el('tr', {}, el('th', { scope: 'row' }, t(key)), el('td', {}, value));
  const names = refused.slice(0, MAX_REJECTED_NAMES).map(({ bottle_id: id, latitude, longitude }) =>
    `${t('bottle.numbered', { id: String(id) })} (${coordinates(latitude, longitude)})`);
  return [
    row('xray.visited', String(visited.length)),
    row('xray.proposed', String(proposed)),
    row('xray.rejected', [String(rejectedCount), ...names].join(' · ')),
    row('xray.found', String(found)),
    row('xray.time', t('xray.microseconds', { n: microseconds })),
  ];
}

// --- dragging a rectangle ---

/** @type {L.LatLng | null} */
let dragStart = null;

const isDragMode = () => dragButton.getAttribute('aria-pressed') === 'true';

/** @param {Box} bounds */
function fillForm(bounds) {
  for (const [name, value] of Object.entries(bounds)) controls[name].value = value.toFixed(4);
}

dragButton.addEventListener('click', () => {
  const isOn = !isDragMode();
  dragButton.setAttribute('aria-pressed', String(isOn));
  if (isOn) map.dragging.disable();
  else map.dragging.enable();
});
map.on('mousedown', ({ latlng }) => {
  if (isDragMode()) dragStart = latlng;
});
map.on('mousemove', ({ latlng }) => {
  if (!dragStart) return;
  const bounds = L.latLngBounds(dragStart, latlng);
  fillForm({
    south: bounds.getSouth(), north: bounds.getNorth(), west: bounds.getWest(), east: bounds.getEast(),
  });
});
map.on('mouseup', () => {
  if (dragStart) search();
  dragStart = null;
});
form.addEventListener('submit', (event) => {
  event.preventDefault();
  search();
});
fillForm({ south: 20, north: 50, west: 70, east: 140 });
server.addEventListener('session', showTree);
server.addEventListener('online', showTree);
await showTree();
