// The base map that needs no internet: Natural Earth land, read from TopoJSON and drawn on canvas tiles with a graticule.
// Everything is kept in "world units": Web Mercator with the world from 0 to 1 in both directions.

const { L } = globalThis;

const TILE = 256;
const BUFFER = 0.1;            // of a tile: land is clipped this far outside it, so that strokes meet at the seams
const FRAME = 8;               // milliseconds of drawing in one frame
const GRATICULE = [45, 30, 30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1];   // degrees between two lines, by zoom

// --- reading ---

const mercator = (latitude) => {
  const angle = (Math.max(-88, Math.min(88, latitude)) * Math.PI) / 180;
  return (1 - Math.asinh(Math.tan(angle)) / Math.PI) / 2;
};

/** The rings of a TopoJSON land file, each a flat list x, y, x, y ... in world units. */
async function readRings(topology) {
  const { scale, translate } = topology.transform;
  const arcs = [];
  const breathe = breather();
  for (const arc of topology.arcs) {
    let x = 0;
    let y = 0;
    arcs.push(arc.map(([dx, dy]) => [
      ((x += dx) * scale[0] + translate[0] + 180) / 360,
      mercator((y += dy) * scale[1] + translate[1]),
    ]));
    await breathe();
  }
  const rings = [];
  for (const geometry of topology.objects.land.geometries) {
    for (const polygon of geometry.type === 'Polygon' ? [geometry.arcs] : geometry.arcs) {
      for (const ring of polygon) {
        rings.push(...copies(join(ring.map((index) => (index < 0 ? arcs[~index].toReversed() : arcs[index])))));
        await breathe();
      }
    }
  }
  return rings;
}

/** The 10m file has 400,000 points: lets the page answer the reader between two slices of the work. */
function breather() {
  let start = performance.now();
  return async () => {
    if (performance.now() - start < 12) return;
    await new Promise((resolve) => setTimeout(resolve));
    start = performance.now();
  };
}

/** Arcs share their end points. A ring that crosses the antimeridian goes on past the edge of the world; one that goes
    round it (Antarctica) is closed below the map. */
function join(arcs) {
  const ring = [];
  let shift = 0;
  let last = null;
  for (const [x, y] of arcs.flatMap((arc, index) => (index ? arc.slice(1) : arc))) {
    if (last !== null && x - last > 0.5) shift -= 1;
    if (last !== null && last - x > 0.5) shift += 1;
    ring.push(x + shift, y);
    last = x;
  }
  if (Math.abs(ring.at(-2) - ring[0]) > 0.5) ring.push(ring.at(-2), 1.2, ring[0], 1.2);
  return ring;
}

/** A ring that leaves the world on one side comes in again on the other. */
function copies(ring) {
  let west = Infinity;
  let east = -Infinity;
  for (let i = 0; i < ring.length; i += 2) {
    west = Math.min(west, ring[i]);
    east = Math.max(east, ring[i]);
  }
  const moved = (by) => ring.map((value, index) => (index % 2 ? value : value + by));
  return [ring, ...(west < 0 ? [moved(1)] : []), ...(east > 1 ? [moved(-1)] : [])];
}

// --- clipping ---

/** Keeps the part of a ring on one side of a line (Sutherland and Hodgman): `axis` 0 is x, 1 is y. */
function cut(ring, axis, limit, sign) {
  const out = [];
  const inside = (index) => (ring[index + axis] - limit) * sign >= 0;
  for (let i = 0, before = ring.length - 2; i < ring.length; before = i, i += 2) {
    if (inside(i) !== inside(before)) {
      const share = (limit - ring[before + axis]) / (ring[i + axis] - ring[before + axis]);
      const other = ring[before + 1 - axis] + share * (ring[i + 1 - axis] - ring[before + 1 - axis]);
      out.push(...(axis ? [other, limit] : [limit, other]));
    }
    if (inside(i)) out.push(ring[i], ring[i + 1]);
  }
  return out;
}

function clip(rings, west, north, east, south) {
  return rings
    .map((ring) => cut(ring, 0, west, 1))
    .map((ring) => cut(ring, 0, east, -1))
    .map((ring) => cut(ring, 1, north, 1))
    .map((ring) => cut(ring, 1, south, -1))
    .filter((ring) => ring.length);
}

/** One resolution of the land. A tile is clipped from the tile above it, so each step has little to do. */
class Land {
  constructor(rings) {
    this.rings = rings;
    this.tiles = new Map();
  }

  tile(z, x, y) {
    if (z === 0) return this.rings;
    const key = `${z}/${x}/${y}`;
    if (!this.tiles.has(key)) {
      if (this.tiles.size > 2000) this.tiles.clear();
      const size = 2 ** -z;
      const edge = size * BUFFER;
      const above = this.tile(z - 1, x >> 1, y >> 1);
      this.tiles.set(key, clip(above, x * size - edge, y * size - edge, (x + 1) * size + edge, (y + 1) * size + edge));
    }
    return this.tiles.get(key);
  }
}

// --- drawing ---

/** Canvas tiles of land and graticule. The coarse land comes at once, the finer ones when one zooms in to them. */
export const LandLayer = L.GridLayer.extend({
  options: { keepBuffer: 1, updateWhenZooming: false },
  files: [['110m', 0], ['50m', 4], ['10m', 7]],

  onAdd(map) {
    this.lands = {};
    this.queue = [];
    this.colours = readColours();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.colours = readColours();
      this.redraw();
    });
    this.load('110m');
    L.GridLayer.prototype.onAdd.call(this, map);
  },

  /** Fetches the land that the present zoom deserves: called when the bottles are there, and after each zoom. */
  refine() {
    this.load(this.files.findLast(([, from]) => this._map.getZoom() >= from)[0]);
  },

  async load(name) {
    if (name in this.lands) return;
    this.lands[name] = null;
    try {
      const response = await fetch(`vendor/world-atlas/land-${name}.json`);
      this.lands[name] = new Land(await readRings(await response.json()));
      this.redraw();
    } catch {
      // Offline: the coarser land stays, and the next zoom tries again.
      delete this.lands[name];
    }
  },

  createTile(coords, done) {
    const scale = devicePixelRatio;
    const tile = L.DomUtil.create('canvas', 'leaflet-tile');
    tile.width = tile.height = TILE * scale;
    this.queue.push(() => {
      const pen = tile.getContext('2d');
      pen.scale(scale, scale);
      this.draw(pen, coords);
      done(null, tile);
    });
    if (this.queue.length === 1) requestAnimationFrame(() => this.work());
    return tile;
  },

  /** Draws waiting tiles for a part of a frame, so that panning stays smooth. */
  work() {
    const end = performance.now() + FRAME;
    while (this.queue.length && performance.now() < end) this.queue.shift()();
    if (this.queue.length) requestAnimationFrame(() => this.work());
  },

  draw(pen, { x, y, z }) {
    const path = new Path2D();
    const land = this.files.filter(([name, from]) => from <= z && this.lands[name]).at(-1);
    for (const ring of land ? this.lands[land[0]].tile(z, x, y) : []) {
      for (let i = 0; i < ring.length; i += 2) {
        path[i ? 'lineTo' : 'moveTo']((ring[i] * 2 ** z - x) * TILE, (ring[i + 1] * 2 ** z - y) * TILE);
      }
      path.closePath();
    }
    const { shallows, coast, land: ground, graticule } = this.colours;
    pen.lineJoin = 'round';
    // Old charts show the shore as lines that fade out to sea.
    for (const width of [22, 13, 6]) stroke(pen, path, shallows, width);
    stroke(pen, path, coast, 1.6);
    pen.fillStyle = ground;
    pen.fill(path, 'evenodd');
    stroke(pen, meridians(x, y, z), graticule, 1);
  },
});

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`);
  return { shallows: read('shallows'), coast: read('coast'), land: read('land'), graticule: read('graticule') };
}

function stroke(pen, path, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke(path);
}

/** The lines of the graticule that cross a tile. */
function meridians(x, y, z) {
  const path = new Path2D();
  const step = GRATICULE[Math.min(z, GRATICULE.length - 1)];
  const world = TILE * 2 ** z;
  for (let line = Math.ceil(((x / 2 ** z) * 360 - 180) / step) * step; ; line += step) {
    const at = ((line + 180) / 360) * world - x * TILE;
    if (at >= TILE) break;
    path.moveTo(at, 0);
    path.lineTo(at, TILE);
  }
  for (let line = Math.ceil(-85 / step) * step; line <= 85; line += step) {
    const at = mercator(line) * world - y * TILE;
    if (at < 0 || at >= TILE) continue;
    path.moveTo(0, at);
    path.lineTo(TILE, at);
  }
  return path;
}
