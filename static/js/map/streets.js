// The street maps of the server: files of pictures, or of vectors, which protomaps-leaflet draws.

/** @import { StreetMap } from '../lib/types.js' */

import { language, t } from '../lib/core.js';
import { el } from '../lib/dom.js';

/** Below this zoom the built-in ground shows more than a map of streets. */
const MIN_ZOOM_VECTORS = 8;
/** Above the built-in names, which the streets cover. */
const Z_INDEX = 150;
const TILE_PX = 256;
const MIN_HINT_PX = 70;           // of the width of a map, to have a name
const MAX_HINT_PX = 900;

/**
 * Adds the maps, the first of which is on top.
 * @param {L.Map} map
 * @param {StreetMap[]} maps
 */
export async function addStreetMaps(map, maps) {
  const pictures = maps.filter(({ kind }) => kind === 'raster');
  for (const { min_zoom: minZoom, max_zoom: maxNativeZoom, bounds, version } of pictures.toReversed()) {
    const options = { minZoom, maxNativeZoom, maxZoom: map.getMaxZoom(), bounds: toBounds(bounds) };
    L.tileLayer(`tiles/{z}/{x}/{y}?v=${version}`, { ...options, className: 'streets', zIndex: Z_INDEX }).addTo(map);
  }
  for (const { bounds } of maps) addHint(map, toBounds(bounds));
  const vectors = maps.filter(({ kind }) => kind !== 'raster');
  if (vectors.length) await addVectors(map, vectors);
}

/** @param {StreetMap['bounds']} bounds */
function toBounds([west, south, east, north]) {
  return L.latLngBounds([south, west], [north, east]);
}

// --- vectors ---

/** @param {{ z: number, x: number, y: number }} tile */
function tileBounds({ z, x, y }) {
  const latitude = (/** @type {number} */ row) =>
    (Math.atan(Math.sinh(Math.PI * (1 - (2 * row) / 2 ** z))) * 180) / Math.PI;
  const longitude = (/** @type {number} */ column) => (column / 2 ** z) * 360 - 180;
  return L.latLngBounds([latitude(y + 1), longitude(x)], [latitude(y), longitude(x + 1)]);
}

/**
 * @param {L.Map} map
 * @param {StreetMap[]} maps
 */
async function addVectors(map, maps) {
  const [lib, style] = await Promise.all([loadLibrary(), import('./street-style.js')]);
  /** @type {any} */
  let layer = null;
  const draw = () => {
    layer?.remove();
    layer = createLayer(lib, style, map, maps);
    layer.addTo(map);
  };
  draw();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
}

/** Loads the library, which is a script with a global name. */
async function loadLibrary() {
  const src = 'vendor/protomaps-leaflet/protomaps-leaflet.js?v=cad322526996';
  await new Promise((resolve, reject) => {
    document.head.append(el('script', { src, onload: resolve, onerror: reject }));
  });
  return /** @type {any} */ (window).protomapsL;
}

/**
 * @param {any} lib
 * @param {typeof import('./street-style.js')} style
 * @param {L.Map} map
 * @param {StreetMap[]} maps
 */
function createLayer(lib, style, map, maps) {
  const colour = style.colours();
  const bounds = L.latLngBounds([]);
  for (const each of maps) bounds.extend(toBounds(each.bounds));
  const layer = lib.leafletLayer({
    url: new TileFiles(maps),
    maxDataZoom: Math.max(...maps.map((each) => each.max_zoom)),
    minZoom: Math.max(MIN_ZOOM_VECTORS, Math.min(...maps.map((each) => each.min_zoom))),
    maxZoom: map.getMaxZoom(),
    bounds,
    zIndex: Z_INDEX,
    lang: document.documentElement.lang,
    attribution: '',
    backgroundColor: colour.land,
    paintRules: style.paintRules(lib, colour),
    labelRules: style.labelRules(lib, colour, language),
  });
  const { tileCache } = layer.views.get('');
  tileCache.source = new LargestZoom(tileCache.source, maps);
  const { renderTile } = layer;
  layer.renderTile = (
    /** @type {L.Coords} */ coords, /** @type {HTMLCanvasElement} */ tile, /** @type {string} */ key, done = () => {},
  ) => renderTile.call(layer, coords, tile, key, () => {
    clip(tile, coords, maps);
    done();
  });
  return layer;
}

/** The tiles of the server, in the form in which the library reads a file of tiles. */
class TileFiles {
  /** @param {StreetMap[]} maps */
  constructor(maps) {
    this.version = maps.map(({ version }) => version).join('');
  }

  /**
   * Returns undefined for a hole in the maps.
   * @param {number} z
   * @param {number} x
   * @param {number} y
   * @param {AbortSignal} signal
   */
  async getZxy(z, x, y, signal) {
    const response = await fetch(`tiles/${z}/${x}/${y}.mvt?v=${this.version}`, { signal }).catch(giveUp);
    if (response.status === 200) return { data: await response.arrayBuffer() };
    if (response.status === 204) return undefined;
    return giveUp();
  }
}

/**
 * Fails as an aborted request does: the library does not keep the result, and logs nothing.
 * @returns {never}
 */
function giveUp() {
  throw new DOMException('no tile', 'AbortError');
}

/**
 * Reads each tile at the largest zoom that a map of its place has, and enlarges it: an overview of a country goes on
 * beside the map of a city.
 */
class LargestZoom {
  /**
   * @param {any} source
   * @param {StreetMap[]} maps
   */
  constructor(source, maps) {
    this.source = source;
    this.maps = maps;
  }

  /**
   * @param {{ z: number, x: number, y: number }} tile
   * @param {number} size in pixels
   */
  async get(tile, size) {
    const bounds = tileBounds(tile);
    const zooms = this.maps.filter((map) => toBounds(map.bounds).overlaps(bounds)).map((map) => map.max_zoom);
    if (!zooms.length) return new Map();
    const levels = Math.max(0, tile.z - Math.max(...zooms));
    if (levels === 0) return this.source.get(tile, size);
    const scale = 2 ** levels;
    const [x, y] = [Math.floor(tile.x / scale), Math.floor(tile.y / scale)];
    const above = await this.source.get({ z: tile.z - levels, x, y }, size * scale);
    return cutOut(above, (tile.x - x * scale) * size, (tile.y - y * scale) * size, size);
  }
}

/**
 * Returns the features of a part of a tile, with coordinates from its corner.
 * @param {Map<string, any[]>} layers
 * @param {number} left
 * @param {number} top
 * @param {number} size
 */
function cutOut(layers, left, top, size) {
  return new Map([...layers].map(([name, features]) => [name, features
    .filter(({ bbox }) => bbox.maxX >= left && bbox.minX <= left + size && bbox.maxY >= top && bbox.minY <= top + size)
    .map((feature) => ({
      ...feature,
      geom: feature.geom.map((/** @type {any[]} */ line) =>
        line.map((point) => Object.assign(point.clone(), { x: point.x - left, y: point.y - top }))),
      bbox: {
        minX: feature.bbox.minX - left, maxX: feature.bbox.maxX - left,
        minY: feature.bbox.minY - top, maxY: feature.bbox.maxY - top,
      },
    }))]));
}

/**
 * Clears what of a tile is outside the maps, so that the built-in ground shows there.
 * @param {HTMLCanvasElement} tile
 * @param {L.Coords} coords
 * @param {StreetMap[]} maps
 */
function clip(tile, coords, maps) {
  const bounds = tileBounds(coords);
  const areas = maps.map((map) => toBounds(map.bounds)).filter((area) => area.overlaps(bounds));
  const context = tile.getContext('2d');
  if (!context || areas.some((area) => area.contains(bounds))) return;
  const path = new Path2D();
  const origin = L.point(coords.x, coords.y).multiplyBy(TILE_PX);
  for (const area of areas) {
    const corners = [area.getNorthWest(), area.getSouthEast()];
    const [from, to] = corners.map((corner) => L.CRS.EPSG3857.latLngToPoint(corner, coords.z).subtract(origin));
    path.rect(from.x, from.y, to.x - from.x, to.y - from.y);
  }
  context.globalCompositeOperation = 'destination-in';
  context.fill(path);
}

// --- where the maps are ---

/**
 * Outlines a map. A map of more than half of the world has no outline.
 * @param {L.Map} map
 * @param {L.LatLngBounds} bounds
 */
function addHint(map, bounds) {
  if (bounds.getEast() - bounds.getWest() > 180) return;
  L.rectangle(bounds, { interactive: false, fill: false, className: 'map-outline' }).addTo(map);
  const icon = L.divIcon({ className: 'map-outline-name', iconSize: [0, 0] });
  const name = L.marker(bounds.getNorthWest(), { icon, interactive: false, keyboard: false });
  name.on('add', () => name.getElement()?.append(el('span', {}, t('map.streets'))));
  const update = () => {
    const [west, east] = [bounds.getNorthWest(), bounds.getNorthEast()].map((corner) => map.project(corner).x);
    const isReadable = east - west > MIN_HINT_PX && east - west < MAX_HINT_PX;
    if (isReadable) name.addTo(map);
    else name.remove();
  };
  map.on('zoomend', update);
  update();
}
