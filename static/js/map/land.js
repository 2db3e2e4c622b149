// The base map without internet: Natural Earth's land, read from TopoJSON, drawn with lakes, rivers and a graticule on
// canvas tiles.
// Coordinates are "world units": Web Mercator with the world from 0 to 1 in both directions.

import { TILE_PX, graticulePath, mercator } from '../lib/geo.js';

const CLIP_MARGIN = 0.1;          // of a tile: land is clipped outside it, so that strokes meet at the seams
const MIN_POINT_PX = 0.75;        // points closer to the previous one do not change the picture
const READ_MS_PER_TASK = 8;
const MAX_TILES = 2000;           // in memory, per resolution
const MIN_ZOOM_WATER = 4;

/** @import { Water } from './water.js' */

/** @typedef {number[]} Ring a closed line, as x, y, x, y … in world units */

/**
 * @typedef {object} Topology the parts of a TopoJSON file of land
 * @property {{ scale: [number, number], translate: [number, number] }} transform
 * @property {[number, number][][]} arcs
 * @property {{ land: { geometries: ({ type: 'Polygon', arcs: number[][] } | { type: 'MultiPolygon',
 *   arcs: number[][][] })[] } }} objects
 */

// --- reading ---

/** @param {Topology} topology */
async function readRings(topology) {
  const { scale, translate } = topology.transform;
  const yieldToPage = createYielder();
  /** @type {[number, number][][]} */
  const arcs = [];
  for (const arc of topology.arcs) {
    let x = 0;
    let y = 0;
    arcs.push(arc.map(([dx, dy]) => [
      ((x += dx) * scale[0] + translate[0] + 180) / 360,
      mercator((y += dy) * scale[1] + translate[1]),
    ]));
    await yieldToPage();
  }
  /** @type {Ring[]} */
  const rings = [];
  for (const geometry of topology.objects.land.geometries) {
    for (const polygon of geometry.type === 'Polygon' ? [geometry.arcs] : geometry.arcs) {
      for (const indices of polygon) {
        // A negative index is the complement of an arc that is read backwards.
        const ring = joinArcs(indices.map((index) => (index < 0 ? arcs[~index].toReversed() : arcs[index])));
        rings.push(...withCopies(ring));
        await yieldToPage();
      }
    }
  }
  return rings;
}

/** Creates a function that interrupts long work, so that the page can respond: the 10m file has 400,000 points. */
function createYielder() {
  let start = performance.now();
  return async () => {
    if (performance.now() - start < READ_MS_PER_TASK) return;
    await new Promise((resolve) => {
      setTimeout(resolve);
    });
    start = performance.now();
  };
}

/**
 * Joins arcs that share their end points. A ring that crosses the antimeridian goes on past the edge of the world; one
 * that goes round the world (Antarctica) is closed below the map.
 * @param {[number, number][][]} arcs
 */
function joinArcs(arcs) {
  /** @type {Ring} */
  const ring = [];
  let shift = 0;
  let last = null;
  for (const [x, y] of arcs.flatMap((arc, index) => (index ? arc.slice(1) : arc))) {
    if (last !== null && x - last > 0.5) shift -= 1;
    if (last !== null && last - x > 0.5) shift += 1;
    ring.push(x + shift, y);
    last = x;
  }
  const end = ring[ring.length - 2];
  if (Math.abs(end - ring[0]) > 0.5) ring.push(end, 1.2, ring[0], 1.2);
  return ring;
}

/**
 * Returns a ring with its copies: a ring that leaves the world on one side enters it on the other.
 * @param {Ring} ring
 */
function withCopies(ring) {
  let west = Infinity;
  let east = -Infinity;
  for (let i = 0; i < ring.length; i += 2) {
    west = Math.min(west, ring[i]);
    east = Math.max(east, ring[i]);
  }
  const shifted = (/** @type {number} */ by) => ring.map((value, index) => (index % 2 ? value : value + by));
  return [ring, ...(west < 0 ? [shifted(1)] : []), ...(east > 1 ? [shifted(-1)] : [])];
}

// --- clipping ---

/**
 * Returns the part of a ring on one side of a line (algorithm of Sutherland and Hodgman).
 * @param {Ring} ring
 * @param {0 | 1} axis 0 is x, 1 is y
 * @param {number} limit position of the line on that axis
 * @param {1 | -1} sign 1 keeps what is above the limit, −1 what is below
 */
function clipAtLine(ring, axis, limit, sign) {
  /** @type {Ring} */
  const clipped = [];
  const isInside = (/** @type {number} */ index) => (ring[index + axis] - limit) * sign >= 0;
  for (let i = 0, before = ring.length - 2; i < ring.length; before = i, i += 2) {
    if (isInside(i) !== isInside(before)) {
      const share = (limit - ring[before + axis]) / (ring[i + axis] - ring[before + axis]);
      const other = ring[before + 1 - axis] + share * (ring[i + 1 - axis] - ring[before + 1 - axis]);
      clipped.push(...(axis ? [other, limit] : [limit, other]));
    }
    if (isInside(i)) clipped.push(ring[i], ring[i + 1]);
  }
  return clipped;
}

/**
 * @param {Ring[]} rings
 * @param {number} west
 * @param {number} north
 * @param {number} east
 * @param {number} south
 */
function clip(rings, west, north, east, south) {
  return rings
    .map((ring) => clipAtLine(ring, 0, west, 1))
    .map((ring) => clipAtLine(ring, 0, east, -1))
    .map((ring) => clipAtLine(ring, 1, north, 1))
    .map((ring) => clipAtLine(ring, 1, south, -1))
    .filter((ring) => ring.length);
}

/** One resolution of the land. A tile is clipped from the tile above it, so that each step is short. */
class Land {
  /** @param {Ring[]} rings */
  constructor(rings) {
    this.rings = rings;
    /** @type {Map<string, Ring[]>} */
    this.tiles = new Map();
  }

  /**
   * @param {number} z
   * @param {number} x
   * @param {number} y
   * @returns {Ring[]}
   */
  tile(z, x, y) {
    if (z === 0) return this.rings;
    const key = `${z}/${x}/${y}`;
    const known = this.tiles.get(key);
    if (known) return known;
    if (this.tiles.size > MAX_TILES) this.tiles.clear();
    const size = 2 ** -z;
    const edge = size * CLIP_MARGIN;
    const above = this.tile(z - 1, x >> 1, y >> 1);
    const tile = clip(above, x * size - edge, y * size - edge, (x + 1) * size + edge, (y + 1) * size + edge);
    this.tiles.set(key, tile);
    return tile;
  }
}

// --- drawing ---

const RESOLUTIONS = [
  { url: 'vendor/world-atlas/land-110m.json?v=ead5f68119c4', minZoom: 0 },
  { url: 'vendor/world-atlas/land-50m.json?v=1d6573e78777', minZoom: 4 },
  { url: 'vendor/world-atlas/land-10m.json?v=d86cbb8071d1', minZoom: 7 },
];

/** Canvas tiles of land and graticule. The coarsest land loads first, finer land when the zoom needs it. */
export class LandLayer extends L.GridLayer {
  constructor() {
    super({ keepBuffer: 1, updateWhenZooming: false });
    /**
     * The loaded resolutions by address; null while one is loading.
     * @type {Record<string, Land | null>}
     */
    this.lands = {};
    /**
     * The tiles to draw. They wait for the first resolution: drawn without land, each would be drawn twice.
     * @type {(() => void)[]}
     */
    this.queue = [];
    /**
     * Draws each tile once more.
     * @type {Map<HTMLElement, () => void>}
     */
    this.drawn = new Map();
    this.on('tileunload', ({ tile }) => this.drawn.delete(tile));
    this.isReady = false;
    /**
     * Null until it is loaded, undefined before.
     * @type {Water | null | undefined}
     */
    this.water = undefined;
    this.colours = readColours();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.colours = readColours();
      this.drawAgain();
    });
  }

  /** @param {L.Map} map */
  onAdd(map) {
    this.load(RESOLUTIONS[0].url);
    return super.onAdd(map);
  }

  /** Loads the resolution for the current zoom. */
  loadDetail() {
    const resolution = RESOLUTIONS.findLast(({ minZoom }) => this._map.getZoom() >= minZoom);
    if (resolution) this.load(resolution.url);
    if (this._map.getZoom() >= MIN_ZOOM_WATER) this.loadWater();
  }

  /** Loads lakes and rivers once. Without them the next zoom tries again. */
  async loadWater() {
    if (this.water !== undefined) return;
    this.water = null;
    try {
      this.water = await (await import('./water.js')).fetchWater();
      this.drawAgain();
    } catch {
      this.water = undefined;
    }
  }

  /** @param {string} url */
  async load(url) {
    if (url in this.lands) return;
    this.lands[url] = null;
    const topology = await fetchTopology(url);
    if (topology) this.lands[url] = new Land(await readRings(topology));
    // The coarser land stays, and the next zoom retries.
    else delete this.lands[url];
    if (!this.isReady) {
      this.isReady = true;
      this.scheduleDrawing();
    } else if (topology) {
      this.drawAgain();
    }
  }

  /** Draws all tiles again, in their places: Leaflet's `redraw` would remove them first, and the land with them. */
  drawAgain() {
    for (const draw of this.drawn.values()) this.enqueue(draw);
  }

  /** @param {() => void} draw */
  enqueue(draw) {
    this.queue.push(draw);
    if (this.isReady && this.queue.length === 1) this.scheduleDrawing();
  }

  /**
   * @param {L.Coords} coords
   * @param {L.DoneCallback} done
   */
  createTile(coords, done) {
    const scale = devicePixelRatio;
    const tile = L.DomUtil.create('canvas', 'leaflet-tile');
    tile.width = tile.height = TILE_PX * scale;
    const draw = () => {
      const context = /** @type {CanvasRenderingContext2D} */ (tile.getContext('2d'));
      context.setTransform(scale, 0, 0, scale, 0, 0);
      context.clearRect(0, 0, TILE_PX, TILE_PX);
      this.draw(context, coords);
    };
    this.enqueue(() => {
      draw();
      this.drawn.set(tile, draw);
      done(undefined, tile);
    });
    return tile;
  }

  /**
   * Draws one queued tile per frame. The browser rasterizes a canvas at the end of the frame, so the time that drawing
   * takes here does not measure the tile's cost.
   */
  scheduleDrawing() {
    requestAnimationFrame(() => {
      this.queue.shift()?.();
      if (this.queue.length) this.scheduleDrawing();
    });
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {L.Coords} coords
   */
  draw(context, { x, y, z }) {
    const path = new Path2D();
    const resolution = RESOLUTIONS.findLast(({ url, minZoom }) => minZoom <= z && this.lands[url]);
    const land = resolution && this.lands[resolution.url];
    for (const ring of land?.tile(z, x, y) ?? []) addRing(path, ring, { x, y, z });
    const { shallows, coast, land: ground, lake, graticule } = this.colours;
    // Old charts draw the shore as lines that fade towards the sea. Without a GPU, round joins are most of their cost.
    context.lineJoin = 'bevel';
    for (const width of [22, 13, 6]) stroke(context, path, shallows, width);
    context.lineJoin = 'round';
    stroke(context, path, coast, 1.6);
    context.fillStyle = ground;
    context.fill(path, 'evenodd');
    if (z >= MIN_ZOOM_WATER) this.water?.draw(context, { x, y, z }, { shore: coast, lake });
    stroke(context, graticulePath(x, y, z), graticule, 1);
  }
}

/**
 * Adds a ring to the path of a tile.
 * @param {Path2D} path
 * @param {Ring} ring
 * @param {{ x: number, y: number, z: number }} coords
 */
function addRing(path, ring, { x, y, z }) {
  const world = TILE_PX * 2 ** z;
  let lastX = Infinity;
  let lastY = Infinity;
  for (let i = 0; i < ring.length; i += 2) {
    const pointX = ring[i] * world - x * TILE_PX;
    const pointY = ring[i + 1] * world - y * TILE_PX;
    if (i && Math.hypot(pointX - lastX, pointY - lastY) < MIN_POINT_PX) continue;
    path[i ? 'lineTo' : 'moveTo'](pointX, pointY);
    lastX = pointX;
    lastY = pointY;
  }
  path.closePath();
}

/**
 * Returns null if the server does not respond.
 * @param {string} url
 * @returns {Promise<Topology | null>}
 */
async function fetchTopology(url) {
  try {
    const response = await fetch(url);
    return await response.json();
  } catch {
    return null;
  }
}

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const read = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`);
  return {
    shallows: read('shallows'),
    coast: read('coast'),
    land: read('land'),
    lake: read('sea'),
    graticule: read('graticule'),
  };
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Path2D} path
 * @param {string} colour
 * @param {number} width
 */
function stroke(context, path, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke(path);
}
