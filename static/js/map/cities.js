// The table of large cities, and the name of the city nearest to a position.

import { language } from '../lib/core.js';

const EARTH_DIAMETER_KM = 12742;
const CAPITAL = 64;               // in the kind of a city, beside its size

/**
 * @typedef {object} City a row of data/cities.json
 * @property {string} english name in English
 * @property {string} chinese name in Chinese
 * @property {string} local name in the city's own language
 * @property {number} latitude
 * @property {number} longitude
 * @property {number} zoom lowest zoom with its label
 * @property {number} size logarithm of the population to the base 1.6, counted from 1,000 people
 * @property {boolean} isCapital
 */

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
    const response = await fetch('data/cities.json?v=f8bafa46863c');
    rows = await response.json();
  } catch {
    loading = null;
    return;
  }
  cities = rows.map((/** @type {[string, string, string, number, number, number, string, number]} */ row) => {
    const [english, local, chinese, latitude, longitude, zoom, , kind] = row;
    return {
      english,
      local: local || english,
      chinese: chinese || english,
      latitude,
      longitude,
      zoom,
      size: kind % CAPITAL,
      isCapital: kind >= CAPITAL,
    };
  });
}

/** Returns the loaded cities, the most important first. */
export const allCities = () => cities;

/** @param {{ english: string, chinese: string }} place */
export const cityName = (place) => (language === 'zh' ? place.chinese : place.english);

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
