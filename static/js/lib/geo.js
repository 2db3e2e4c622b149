// Positions: longitudes around the antimeridian, the graticule, rectangles, the views and bottles that a location hash
// names, and a canvas that draws at positions. It is here because each file is a request before the first bottle.

/** @import { Cell, CountedCell, Rectangle } from './types.js' */

/**
 * The rectangle of the whole world.
 * @type {Rectangle}
 */
export const WORLD = { latitude: 0, longitude: 0, latitude_span: 90, longitude_span: 180 };

/**
 * Wraps a longitude into −180 to 180, 180 excluded.
 * @param {number} longitude in degrees
 */
export const wrapLongitude = (longitude) => ((((longitude + 180) % 360) + 360) % 360) - 180;

/**
 * Returns the degrees between two longitudes, from 0 to 180.
 * @param {number} a in degrees
 * @param {number} b in degrees
 */
export const longitudeDistance = (a, b) => Math.abs(wrapLongitude(a - b));

/**
 * Returns the copy of a longitude that is nearest to another: the map repeats every 360°.
 * @param {number} longitude in degrees
 * @param {number} reference in degrees
 */
export const nearestCopy = (longitude, reference) => longitude + 360 * Math.round((reference - longitude) / 360);

/** The zooms by which cells are finer than those of the map's zoom: bubbles that overlap become one. */
export const FINER_CELLS = 2;

/**
 * Places the bottles of each cell at their mean position. (An answer that the browser kept may have none.)
 * @param {CountedCell[]} cells
 * @returns {Cell[]}
 */
export const placeCells = (cells) => cells.map(({ centroid, ...middle }) => ({ ...middle, ...centroid }));

/**
 * Returns the distance of a latitude from the northern edge of the world, in world units.
 * @param {number} latitude
 */
export function mercator(latitude) {
  const angle = (Math.max(-88, Math.min(88, latitude)) * Math.PI) / 180;
  return (1 - Math.asinh(Math.tan(angle)) / Math.PI) / 2;
}

/**
 * Returns the multiples of a step between two numbers.
 * @param {number} from
 * @param {number} to
 * @param {number} step
 */
export function multiples(from, to, step) {
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.max(0, Math.floor(to / step) - first + 1) }, (_, index) => (first + index) * step);
}

// --- the graticule ---

export const TILE_PX = 256;
const GRATICULE_DEGREES = [45, 30, 30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.1, 0.05, 0.02, 0.01];   // by zoom

/**
 * Returns the degrees between two lines of the graticule.
 * @param {number} zoom
 */
export const graticuleStep = (zoom) => GRATICULE_DEGREES[Math.min(zoom, GRATICULE_DEGREES.length - 1)];

/**
 * Returns the lines of the graticule that cross a tile.
 * @param {number} x
 * @param {number} y
 * @param {number} z
 */
export function graticulePath(x, y, z) {
  const path = new Path2D();
  const step = graticuleStep(z);
  const world = TILE_PX * 2 ** z;
  const longitudeAt = (/** @type {number} */ tile) => (tile / 2 ** z) * 360 - 180;
  for (const longitude of multiples(longitudeAt(x), longitudeAt(x + 1), step)) {
    const at = ((longitude + 180) / 360) * world - x * TILE_PX;
    // The line on the edge of two tiles belongs to one of them.
    if (at >= TILE_PX) continue;
    path.moveTo(at, 0);
    path.lineTo(at, TILE_PX);
  }
  for (const latitude of multiples(-MAX_MAP_LATITUDE, MAX_MAP_LATITUDE, step)) {
    const at = mercator(latitude) * world - y * TILE_PX;
    if (at < 0 || at >= TILE_PX) continue;
    path.moveTo(0, at);
    path.lineTo(TILE_PX, at);
  }
  return path;
}

// --- the edge of the map ---

/** The latitude at which the map ends. Web Mercator has no poles: its square ends at 85.05°. */
export const MAX_MAP_LATITUDE = 85;
const EDGE_PX = 40;               // a drawing this far from the edge of the map is whole
const MIN_EDGE_LATITUDE = 75;     // the edge is narrower than this at every zoom

/**
 * Returns the latitude at which the map shows a position: that of the edge of the map for a position beyond it.
 * @param {L.Map} map
 * @param {number} latitude in degrees
 * @param {number} [zoom]
 */
export function mapLatitude(map, latitude, zoom = map.getZoom()) {
  if (Math.abs(latitude) < MIN_EDGE_LATITUDE) return latitude;
  const edge = map.unproject(map.project([MAX_MAP_LATITUDE, 0], zoom).add([0, EDGE_PX]), zoom).lat;
  return Math.max(-edge, Math.min(edge, latitude));
}

/**
 * Returns the part of the world that a map shows, as the API expects it. The edge of the map stands for all beyond it.
 * @param {L.Map} map
 * @returns {Rectangle}
 */
export function visibleRectangle(map) {
  const bounds = map.getBounds();
  const south = bounds.getSouth() <= mapLatitude(map, -90) ? -90 : bounds.getSouth();
  const north = bounds.getNorth() >= mapLatitude(map, 90) ? 90 : bounds.getNorth();
  return {
    latitude: (south + north) / 2,
    longitude: wrapLongitude(bounds.getCenter().lng),
    latitude_span: (north - south) / 2,
    longitude_span: Math.min(180, (bounds.getEast() - bounds.getWest()) / 2),
  };
}

/**
 * Reads a view, such as "#5/23.05/113.39". Returns null for any other text.
 * @param {string} hash
 */
export function parseView(hash) {
  const [zoom, latitude, longitude] = hash.slice(1).split('/').map(Number);
  if (![zoom, latitude, longitude].every(Number.isFinite) || Math.abs(latitude) > 90) return null;
  return { zoom, latitude, longitude: wrapLongitude(longitude) };
}

/**
 * Writes the view of a map as a hash that `parseView` reads.
 * @param {L.Map} map
 */
export function formatView(map) {
  const { lat, lng } = map.getCenter();
  return `#${Math.round(map.getZoom())}/${lat.toFixed(4)}/${wrapLongitude(lng).toFixed(4)}`;
}

/**
 * Reads the link to a bottle, such as "#bottle/7". Returns its id, or null for any other text.
 * @param {string} hash
 */
export function parseBottleLink(hash) {
  const id = Number(/^#bottle\/(\d+)$/.exec(hash)?.[1]);
  return Number.isSafeInteger(id) ? id : null;
}

// --- a canvas over the map ---

const MARGIN_SHARE = 0.25;      // of the visible map, on each side
const REDRAW_SHARE = 0.8;       // of the margin: a longer drag redraws the canvas
const WRAP_MARGIN_PX = 60;      // a drawing this far outside the canvas may still be seen in it

/**
 * A map layer that is one canvas over the visible map and a margin around it: 2,000 bottles cost 2,000 calls of
 * drawImage, not 2,000 elements. A drag moves the canvas; the end of a movement redraws it.
 */
export class ViewCanvas extends L.Layer {
  /** @param {L.LayerOptions} [options] */
  constructor(options) {
    super();
    // Leaflet's base class reads no options.
    L.Util.setOptions(this, options ?? {});
    this.canvas = L.DomUtil.create('canvas', 'leaflet-zoom-animated');
    // The list of visible bottles says in words what a canvas shows.
    this.canvas.setAttribute('aria-hidden', 'true');
    this.corner = L.point(0, 0);
    this.size = L.point(0, 0);
    this.anchor = L.latLng(0, 0);
    this.zoom = 0;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.readColours();
      this.repaint();
    });
  }

  onAdd() {
    this.getPane()?.append(this.canvas);
    this.readColours();
    this.reset();
    return this;
  }

  onRemove() {
    this.canvas.remove();
    return this;
  }

  /** @returns {Record<string, (event: any) => void>} */
  getEvents() {
    return {
      moveend: this.reset, resize: this.reset, viewreset: this.reset, move: this.handleMove, zoomanim: this.handleZoom,
    };
  }

  /** Reads the colours of the page. They change with the colour scheme. */
  readColours() {}

  /**
   * Draws the layer.
   * @param {CanvasRenderingContext2D} _context
   */
  draw(_context) {}

  /** Moves the canvas to the visible map and redraws it. */
  reset() {
    const size = this._map.getSize();
    const margin = size.multiplyBy(MARGIN_SHARE).round();
    this.corner = this._map.containerPointToLayerPoint(margin.multiplyBy(-1));
    this.size = size.add(margin.multiplyBy(2));
    this.anchor = this._map.layerPointToLatLng(this.corner);
    this.zoom = this._map.getZoom();
    L.DomUtil.setPosition(this.canvas, this.corner);
    const { x: width, y: height } = this.size.multiplyBy(devicePixelRatio).round();
    // Setting a size clears the canvas, even if the size is the same.
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.canvas.style.width = `${this.size.x}px`;
      this.canvas.style.height = `${this.size.y}px`;
    }
    this.repaint();
  }

  repaint() {
    if (!this._map) return;
    const context = contextOf(this.canvas);
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, this.size.x, this.size.y);
    this.draw(context);
  }

  /** Redraws before a long drag shows the end of the canvas. Pinching scales the old drawing. */
  handleMove() {
    if (this._map.getZoom() !== this.zoom) {
      this.handleZoom({ zoom: this._map.getZoom(), center: this._map.getCenter() });
      return;
    }
    const moved = this._map.containerPointToLayerPoint([0, 0]).subtract(this.corner);
    const margin = this._map.getSize().multiplyBy(MARGIN_SHARE);
    const isFar = (/** @type {'x' | 'y'} */ axis) =>
      Math.abs(moved[axis] - margin[axis]) > margin[axis] * REDRAW_SHARE;
    if (isFar('x') || isFar('y')) this.reset();
  }

  /** @param {{ zoom: number, center: L.LatLng }} event */
  handleZoom({ zoom, center }) {
    // A private method of Leaflet: its own image layer positions itself with it, and no public one does the same.
    const corner = /** @type {any} */ (this._map)._latLngToNewLayerPoint(this.anchor, zoom, center);
    L.DomUtil.setTransform(this.canvas, corner, this._map.getZoomScale(zoom, this.zoom));
  }

  /**
   * Returns the points of a position on this canvas: one for each copy of the world in it.
   * @param {number} latitude
   * @param {number} longitude
   */
  pointsOf(latitude, longitude) {
    const world = 256 * 2 ** this.zoom;
    const shown = L.latLng(mapLatitude(this._map, latitude), longitude);
    const { x, y } = this._map.latLngToLayerPoint(shown).subtract(this.corner);
    const first = (((x + WRAP_MARGIN_PX) % world) + world) % world - WRAP_MARGIN_PX;
    const points = [];
    for (let at = first; at < this.size.x + WRAP_MARGIN_PX; at += world) points.push({ x: at, y });
    return points;
  }
}

/** @param {HTMLCanvasElement} canvas */
export const contextOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
