// Positions: longitudes around the antimeridian, rectangles, and the views and bottles that a location hash names.

/** @import { Rectangle } from './types.js' */

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
