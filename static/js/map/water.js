// Lakes and large rivers. tools/make_water.py describes the file.

/** @import { Ring } from './land.js' */

const URL = 'data/water.bin?v=bbbd16c66d8b';
const CELLS = 2 ** 18;             // the coordinates are cells of zoom 18
const TILE_PX = 256;
const MARGIN_PX = 8;               // a line this far outside of a tile does not show in it
const MIN_POINT_PX = 0.75;         // points closer to the previous one do not change the picture
const MAX_ZOOM_RIVERS = 9;         // the rivers are too coarse for higher zooms
const MIN_LAKE_PX = 2;

/** @typedef {{ points: Ring, west: number, east: number, north: number, south: number }} Line in world units */

/** @typedef {{ x: number, y: number, z: number }} Tile */

/** Fetches the file. Throws if the server does not respond. */
export async function fetchWater() {
  const response = await fetch(URL);
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return readWater(new Uint8Array(await response.arrayBuffer()));
}

/** @param {Uint8Array} bytes */
function readWater(bytes) {
  let at = 0;
  const next = () => {
    let number = 0;
    let shift = 1;
    while (bytes[at] > 127) {
      number += (bytes[at] & 127) * shift;
      shift *= 128;
      at += 1;
    }
    number += bytes[at] * shift;
    at += 1;
    return number;
  };
  const lakes = next();
  const rivers = next();
  const lengths = Array.from({ length: lakes + rivers }, next);
  const [xs, ys] = [readColumn(lengths, next), readColumn(lengths, next)];
  const lines = lengths.map((_, index) => createLine(xs[index], ys[index]));
  return new Water(lines.slice(0, lakes), lines.slice(lakes));
}

/**
 * Reads one coordinate of all lines: differences, in zigzag code.
 * @param {number[]} lengths
 * @param {() => number} next
 */
function readColumn(lengths, next) {
  let start = 0;
  return lengths.map((length) => {
    let last = start;
    const column = Array.from({ length }, () => {
      const code = next();
      last += code % 2 ? -(code + 1) / 2 : code / 2;
      return last / CELLS;
    });
    start = column[0] * CELLS;
    return column;
  });
}

/**
 * @param {number[]} xs
 * @param {number[]} ys
 * @returns {Line}
 */
function createLine(xs, ys) {
  return {
    points: xs.flatMap((x, index) => [x, ys[index]]),
    west: Math.min(...xs),
    east: Math.max(...xs),
    north: Math.min(...ys),
    south: Math.max(...ys),
  };
}

export class Water {
  /**
   * @param {Line[]} lakes
   * @param {Line[]} rivers
   */
  constructor(lakes, rivers) {
    this.lakes = lakes;
    this.rivers = rivers;
  }

  /**
   * Draws what a tile shows.
   * @param {CanvasRenderingContext2D} context
   * @param {Tile} tile
   * @param {{ shore: string, lake: string }} colours
   */
  draw(context, tile, { shore, lake }) {
    const world = TILE_PX * 2 ** tile.z;
    if (tile.z <= MAX_ZOOM_RIVERS) {
      const path = new Path2D();
      for (const line of this.rivers.filter((river) => isIn(river, tile))) addCurve(path, line.points, tile);
      context.strokeStyle = lake;
      context.lineWidth = Math.min(2.6, 0.7 + (tile.z - 4) * 0.35);
      context.stroke(path);
    }
    const path = new Path2D();
    for (const line of this.lakes) {
      const isSmall = Math.max(line.east - line.west, line.south - line.north) * world < MIN_LAKE_PX;
      if (!isSmall && isIn(line, tile)) addRing(path, line.points, tile);
    }
    context.fillStyle = lake;
    // Islands run the other way round. Lakes may overlap.
    context.fill(path, 'nonzero');
    context.strokeStyle = shore;
    context.lineWidth = tile.z < 7 ? 0.7 : 1.1;
    context.stroke(path);
  }
}

/**
 * @param {Line} line
 * @param {Tile} tile
 */
function isIn({ west, east, north, south }, { x, y, z }) {
  const size = 2 ** -z;
  const margin = (MARGIN_PX / TILE_PX) * size;
  return west < (x + 1) * size + margin && east > x * size - margin
    && north < (y + 1) * size + margin && south > y * size - margin;
}

/**
 * Returns the points of a line in pixels of a tile, without those that are too close to the one before.
 * @param {Ring} points
 * @param {Tile} tile
 */
function pixels(points, { x, y, z }) {
  const world = TILE_PX * 2 ** z;
  /** @type {[number, number][]} */
  const found = [];
  for (let i = 0; i < points.length; i += 2) {
    const pointX = points[i] * world - x * TILE_PX;
    const pointY = points[i + 1] * world - y * TILE_PX;
    const last = found.at(-1);
    const isEnd = i + 2 === points.length;
    if (!last || isEnd || Math.hypot(pointX - last[0], pointY - last[1]) >= MIN_POINT_PX) found.push([pointX, pointY]);
  }
  return found;
}

/**
 * @param {Path2D} path
 * @param {Ring} ring
 * @param {Tile} tile
 */
function addRing(path, ring, tile) {
  for (const [index, [x, y]] of pixels(ring, tile).entries()) path[index ? 'lineTo' : 'moveTo'](x, y);
  path.closePath();
}

/**
 * Adds a line that bends at each point instead of breaking.
 * @param {Path2D} path
 * @param {Ring} points
 * @param {Tile} tile
 */
function addCurve(path, points, tile) {
  const [start, ...rest] = pixels(points, tile);
  path.moveTo(...start);
  for (const [index, [x, y]] of rest.entries()) {
    const [nextX, nextY] = rest[index + 1] ?? [x, y];
    path.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
  }
}
