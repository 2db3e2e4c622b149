// The places of 1,000 people and more, in pieces that are fetched when they come into view. tools/make_places.py
// describes the pieces.

const CELL_ZOOM = 18;             // positions are cells of this zoom
const CELLS = 2 ** CELL_ZOOM;
const SIZES = 31;                 // bits of a kind
const QUARTER = 32;
const CAPITAL = 64;
const MAX_PIECES = 60;            // in memory
const INDEX_URL = 'data/places/index.json?v=7872da7b7d93';

/**
 * A place with its position in world units (Web Mercator, the world from 0 to 1 in both directions).
 * @typedef {object} Place
 * @property {string} english name in English, or in Latin letters
 * @property {string} chinese name in Chinese
 * @property {string} local name in the place's own language
 * @property {number} x
 * @property {number} y
 * @property {number} weight the place with the greater weight gets the label
 * @property {number} size logarithm of the population to the base 1.6, counted from 1,000 people
 * @property {boolean} [isQuarter] whether it is a part of a city
 * @property {boolean} [isCapital]
 */

/** @typedef {{ west: number, north: number, east: number, south: number }} Square edges in world units */

/** @typedef {Square & { key: string, version: string, places: Place[] | null }} Piece null while it is not loaded */

/** @type {Promise<Piece[]> | null} */
let loadingIndex = null;

/** @returns {Promise<Piece[]>} */
async function fetchIndex() {
  const response = await fetch(INDEX_URL);
  /** @type {Record<string, string>} */
  const index = await response.json();
  return Object.entries(index).map(([key, version]) => ({ key, version, places: null, ...squareOf(key) }));
}

/**
 * Returns the square of a quadkey.
 * @param {string} key
 * @returns {Square}
 */
function squareOf(key) {
  let west = 0;
  let north = 0;
  let size = 1;
  for (const digit of key) {
    size /= 2;
    west += (Number(digit) & 1) * size;
    north += (Number(digit) >> 1) * size;
  }
  return { west, north, east: west + size, south: north + size };
}

/** The pieces that have been in view. */
export class Places {
  constructor() {
    /**
     * The most recently used piece last.
     * @type {Piece[]}
     */
    this.loaded = [];
    /** @type {Set<Piece>} */
    this.loading = new Set();
  }

  /**
   * Loads the pieces of a square. Returns whether any was new. A piece that does not come is left out; the next call
   * tries again.
   * @param {Square} square
   */
  async load(square) {
    loadingIndex ??= fetchIndex();
    let pieces;
    try {
      pieces = await loadingIndex;
    } catch {
      loadingIndex = null;
      return false;
    }
    const wanted = pieces.filter((piece) => touches(piece, square));
    const missing = wanted.filter((piece) => !piece.places && !this.loading.has(piece));
    await Promise.all(missing.map((piece) => this.loadPiece(piece)));
    this.loaded = [...this.loaded.filter((piece) => !wanted.includes(piece)), ...wanted.filter(({ places }) => places)];
    for (const old of this.loaded.splice(0, Math.max(0, this.loaded.length - MAX_PIECES - wanted.length))) {
      old.places = null;
    }
    return missing.some(({ places }) => places);
  }

  /** @param {Piece} piece */
  async loadPiece(piece) {
    this.loading.add(piece);
    try {
      const address = new URL(`${piece.key}.bin?v=${piece.version}`, new URL(INDEX_URL, document.baseURI));
      const response = await fetch(address);
      if (response.ok) piece.places = readPiece(new Uint8Array(await response.arrayBuffer()), piece);
    } catch {
      // The server does not respond; the banner says so.
    } finally {
      this.loading.delete(piece);
    }
  }

  /**
   * Returns the loaded places in a square.
   * @param {Square} square
   */
  in(square) {
    return this.loaded.filter((piece) => touches(piece, square))
      .flatMap(({ places }) => places ?? [])
      .filter(({ x, y }) => x >= square.west && x < square.east && y >= square.north && y < square.south);
  }
}

/**
 * @param {Square} a
 * @param {Square} b
 */
const touches = (a, b) => a.west < b.east && a.east > b.west && a.north < b.south && a.south > b.north;

/**
 * @param {Uint8Array} bytes
 * @param {Square} square of the piece
 * @returns {Place[]}
 */
function readPiece(bytes, { west, north }) {
  const count = bytes[0] + bytes[1] * 256;
  const kinds = 2 + 4 * count;
  const decoder = new TextDecoder();
  const countries = decoder.decode(bytes.subarray(kinds + count, kinds + 3 * count));
  const names = decoder.decode(bytes.subarray(kinds + 3 * count)).split('\n');
  const places = [];
  let cell = 0;
  for (let i = 0; i < count; i += 1) {
    for (const plane of [0, 1, 2, 3]) cell += bytes[2 + plane * count + i] * 256 ** plane;
    const kind = bytes[kinds + i];
    const english = names[i];
    const chinese = names[count + i] || english;
    const x = west + (everySecondBit(cell) + 0.5) / CELLS;
    const y = north + (everySecondBit(Math.floor(cell / 2)) + 0.5) / CELLS;
    places.push({
      english,
      chinese,
      local: names[2 * count + i] || (countries.startsWith('CN', 2 * i) ? chinese : english),
      x,
      y,
      weight: weightOf(kind, x, y),
      size: kind & SIZES,
      isQuarter: (kind & QUARTER) > 0,
      isCapital: (kind & CAPITAL) > 0,
    });
  }
  return places;
}

/**
 * Weighs a capital as a city of twice its size, and a quarter as one of half of it. The position decides between
 * places of one size, so that the same one always gets the label.
 * @param {number} kind
 * @param {number} x
 * @param {number} y
 */
function weightOf(kind, x, y) {
  const bonus = (kind & CAPITAL ? 1.5 : 0) - (kind & QUARTER ? 1.5 : 0);
  return (kind & SIZES) + bonus + (((x * 7919 + y * 104729) * 1000) % 1) / 2;
}

/**
 * Returns the number in the even bits of a place on the Morton curve, which has up to 30.
 * @param {number} cell
 */
function everySecondBit(cell) {
  let number = 0;
  for (let bit = 0; bit < 15; bit += 1) number |= ((cell >>> (2 * bit)) & 1) << bit;
  return number;
}
