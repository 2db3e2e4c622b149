// The table of large cities: labels on the map, and the name of the city nearest to a position.

import { language } from '../lib/core.js';
import { ViewCanvas } from './bottles.js';

const EARTH_DIAMETER_KM = 12742;

/**
 * @typedef {object} City a row of data/cities.json
 * @property {string} english name in English
 * @property {string} chinese name in Chinese
 * @property {string} local name in the city's own language
 * @property {number} latitude
 * @property {number} longitude
 * @property {number} zoom lowest zoom with its label
 */

/** @typedef {{ left: number, right: number, top: number, bottom: number }} Box */

/** @type {Promise<void> | null} */
let loading = null;
/** @type {City[]} */
let cities = [];

/** Loads the table once. Without it the map has no labels and an address no suggestion; the next call tries again. */
export function loadCities() {
  loading ??= fetchCities();
  return loading;
}

async function fetchCities() {
  let rows;
  try {
    const response = await fetch('data/cities.json?v=e5072ee7ae43');
    rows = await response.json();
  } catch {
    loading = null;
    return;
  }
  cities = rows.map((/** @type {[string, string, string, number, number, number]} */ row) => {
    const [english, local, chinese, latitude, longitude, zoom] = row;
    return { english, local: local || english, chinese: chinese || english, latitude, longitude, zoom };
  });
}

/** @param {City} city */
export const cityName = (city) => (language === 'zh' ? city.chinese : city.english);

/** @param {number} degrees */
const toRadians = (degrees) => (degrees * Math.PI) / 180;

/**
 * Returns the nearest city and its distance (haversine formula), or null if the table is not loaded.
 * @param {number} latitude
 * @param {number} longitude
 */
export function nearestCity(latitude, longitude) {
  let nearest = null;
  let least = Infinity;
  for (const city of cities) {
    const haversine = Math.sin(toRadians(city.latitude - latitude) / 2) ** 2
      + Math.cos(toRadians(latitude)) * Math.cos(toRadians(city.latitude))
      * Math.sin(toRadians(city.longitude - longitude) / 2) ** 2;
    if (haversine < least) {
      least = haversine;
      nearest = city;
    }
  }
  return nearest && { city: nearest, kilometres: EARTH_DIAMETER_KM * Math.asin(Math.sqrt(least)) };
}

// --- labels ---

const MAX_CITY_ZOOM = 7;          // the highest in the table: from here on every city has its label
const MIN_ZOOM_LOCAL_NAMES = 6;

export class CityLayer extends ViewCanvas {
  constructor() {
    // Below the bottles.
    super({ pane: 'tilePane' });
    this.textColour = '';
    this.haloColour = '';
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    this.textColour = style.getPropertyValue('--label');
    this.haloColour = style.getPropertyValue('--label-halo');
  }

  /** @param {CanvasRenderingContext2D} context */
  draw(context) {
    /** @type {Box[]} */
    const taken = [];
    const bounds = this._map.getBounds().pad(0.3);
    context.lineJoin = 'round';
    context.textBaseline = 'middle';
    for (const city of cities) {
      if (city.zoom > Math.min(this.zoom, MAX_CITY_ZOOM)) continue;
      if (city.latitude < bounds.getSouth() || city.latitude > bounds.getNorth()) continue;
      for (const point of this.pointsOf(city.latitude, city.longitude)) this.drawLabel(context, city, point, taken);
    }
  }

  /**
   * Draws a label unless it would overlap another one. The table lists important cities first.
   * @param {CanvasRenderingContext2D} context
   * @param {City} city
   * @param {{ x: number, y: number }} point
   * @param {Box[]} taken boxes of the labels so far
   */
  drawLabel(context, city, { x, y }, taken) {
    const isLarge = city.zoom <= this.zoom - 2;
    context.font = `${isLarge ? '600 13px' : '500 12px'} system-ui, sans-serif`;
    const name = cityName(city);
    // At high zooms the name on the city's own signs follows the reader's.
    const text = this.zoom >= MIN_ZOOM_LOCAL_NAMES && city.local !== name ? `${name}  ${city.local}` : name;
    const box = { left: x - 14, right: x + 20 + context.measureText(text).width, top: y - 14, bottom: y + 14 };
    if (taken.some((other) => overlaps(box, other))) return;
    taken.push(box);
    context.strokeStyle = this.haloColour;
    context.fillStyle = this.textColour;
    context.lineWidth = 3;
    context.strokeText(text, x + 6, y);
    context.fillText(text, x + 6, y);
    context.beginPath();
    context.arc(x, y, 2.2, 0, Math.PI * 2);
    context.fill();
  }
}

/**
 * @param {Box} a
 * @param {Box} b
 */
const overlaps = (a, b) => a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;
