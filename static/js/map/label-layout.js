// The positions and styles of the names of places on the map.

/** @import { Place } from './places.js' */

import { cityName } from './cities.js';

/** A city of the table weighs more than any other place. */
export const CITY_WEIGHT = 100;
/** The highest zoom in the table of cities: from here on every one has its label. */
export const MAX_CITY_ZOOM = 7;
/** Below it, the table of cities fills the map. */
export const MIN_ZOOM_PLACES = 8;
const MIN_ZOOM_LOCAL_NAMES = 6;
const BUCKET_PX = 128;

/** @typedef {{ left: number, right: number, top: number, bottom: number }} Box in pixels of the world */

/**
 * @typedef {object} Label a place with its text
 * @property {Place} place
 * @property {string} text
 * @property {Style} style
 * @property {boolean} isLeft whether the text is to the left of the dot
 * @property {Box} box
 */

/**
 * How a kind of place looks: `dotPx` is the radius of its dot, `textPx` the distance of its name from the middle of the
 * dot. The name of a quarter has no dot.
 * @typedef {{ font: string, emPx: number, dotPx: number, textPx: number, colour: 'text' | 'faint', hasRing?: boolean }}
 *   Style
 */

/** @type {Record<'capital' | 'large' | 'medium' | 'small' | 'quarter', Style>} */
const STYLES = {
  capital: { font: '600 14px', emPx: 14, dotPx: 3, textPx: 9, colour: 'text', hasRing: true },
  large: { font: '600 13px', emPx: 13, dotPx: 2.6, textPx: 6, colour: 'text' },
  medium: { font: '500 12px', emPx: 12, dotPx: 2.2, textPx: 6, colour: 'text' },
  small: { font: '400 11.5px', emPx: 11.5, dotPx: 1.7, textPx: 6, colour: 'text' },
  quarter: { font: 'italic 400 11.5px', emPx: 11.5, dotPx: 0, textPx: 0, colour: 'faint' },
};
const MEDIUM_SIZE = 6;            // 17,000 people
/** The size from which a city is large: 2,000,000 people on the first map, and 180,000 from zoom 8 on. */
const largeSize = (/** @type {number} */ zoom) => Math.max(11, 16 - Math.max(0, zoom - 3));

/**
 * @param {Place} place
 * @param {number} zoom
 */
function styleOf({ isCapital, isQuarter, size }, zoom) {
  if (isCapital) return STYLES.capital;
  if (isQuarter) return STYLES.quarter;
  if (size >= largeSize(zoom)) return STYLES.large;
  return size >= MEDIUM_SIZE ? STYLES.medium : STYLES.small;
}

/**
 * Returns about how wide a text is. Unlike measuring, this is the same in every browser and costs nothing.
 * @param {string} text
 * @param {number} emPx
 */
function estimateWidth(text, emPx) {
  let ems = 0;
  for (const letter of text) ems += letter >= '\u2e80' ? 1.04 : 0.57;
  return ems * emPx;
}

/** Gives room to labels. The first to ask gets it, so those of most weight come first. */
export class LabelChooser {
  constructor() {
    /** @type {Map<string, Box[]>} */
    this.buckets = new Map();
  }

  /**
   * Takes the room of a box if it is free.
   * @param {Box} box
   */
  take(box) {
    const keys = bucketsOf(box);
    if (keys.some((key) => this.buckets.get(key)?.some((other) => overlaps(box, other)))) return false;
    for (const key of keys) this.buckets.set(key, [...this.buckets.get(key) ?? [], box]);
    return true;
  }
}

/** @param {Box} box */
function bucketsOf({ left, right, top, bottom }) {
  const keys = [];
  for (let x = Math.floor(left / BUCKET_PX); x <= right / BUCKET_PX; x += 1) {
    for (let y = Math.floor(top / BUCKET_PX); y <= bottom / BUCKET_PX; y += 1) keys.push(`${x}/${y}`);
  }
  return keys;
}

/**
 * @param {Box} a
 * @param {Box} b
 */
const overlaps = (a, b) => a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;

/**
 * Returns the room around a label, which shrinks with the zoom: a far view is calm, a near one has all there is.
 * @param {number} zoom
 */
const gapPx = (zoom) => Math.max(3, 22 - 1.5 * zoom);

/**
 * @param {Place} place
 * @param {number} zoom
 * @param {boolean} isLeft
 * @returns {Label}
 */
export function createLabel(place, zoom, isLeft) {
  const style = styleOf(place, zoom);
  const name = cityName(place);
  // At high zooms the name on the place's own signs follows the reader's.
  const text = zoom >= MIN_ZOOM_LOCAL_NAMES && place.local !== name ? `${name}  ${place.local}` : name;
  const world = 256 * 2 ** zoom;
  const x = place.x * world;
  const y = place.y * world;
  const gap = gapPx(zoom);
  const width = estimateWidth(text, style.emPx) + style.textPx;
  const box = {
    left: x - gap - (isLeft ? width : style.dotPx),
    right: x + gap + (isLeft ? style.dotPx : width),
    top: y - style.emPx * 0.6 - gap / 2,
    bottom: y + style.emPx * 0.6 + gap / 2,
  };
  return { place, text, style, isLeft, box };
}
