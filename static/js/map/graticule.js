// The degrees of the graticule, at the edges of the map.

import { el } from '../lib/dom.js';
import { graticuleStep, multiples, wrapLongitude } from '../lib/geo.js';
import { TextOverlay } from './text-overlay.js';

const MIN_ZOOM = 6;
const MIN_DISTANCE_PX = 64;      // between two labels

export class GraticuleLabels extends TextOverlay {
  name = 'graticule';

  getEvents() {
    return { move: this.update, zoomanim: this.clear, resize: this.update };
  }

  /** Puts the labels where the lines leave the view. */
  update() {
    const zoom = this._map.getZoom();
    if (zoom < MIN_ZOOM || !Number.isInteger(zoom)) {
      this.clear();
      return;
    }
    const step = graticuleStep(zoom);
    const bounds = this._map.getBounds();
    const meridians = multiples(bounds.getWest(), bounds.getEast(), step).map((longitude) => ({
      at: this._map.latLngToContainerPoint([bounds.getCenter().lat, longitude]).x,
      text: formatDegrees(wrapLongitude(longitude), step, 'E', 'W'),
    }));
    const parallels = multiples(bounds.getSouth(), bounds.getNorth(), step).reverse().map((latitude) => ({
      at: this._map.latLngToContainerPoint([latitude, bounds.getCenter().lng]).y,
      text: formatDegrees(latitude, step, 'N', 'S'),
    }));
    this.node?.replaceChildren(
      ...spread(meridians).map(({ at, text }) => label('meridian', `translateX(${at}px)`, text)),
      ...spread(parallels).map(({ at, text }) => label('parallel', `translateY(${at}px)`, text)),
    );
  }
}

/**
 * Leaves labels out that would touch the one before.
 * @param {{ at: number, text: string }[]} labels in the order of their places
 */
function spread(labels) {
  let last = -Infinity;
  return labels.filter(({ at }) => {
    const isFree = at - last >= MIN_DISTANCE_PX;
    if (isFree) last = at;
    return isFree;
  });
}

/**
 * @param {string} kind
 * @param {string} transform
 * @param {string} text
 */
function label(kind, transform, text) {
  const node = el('span', { class: kind }, text);
  node.style.transform = transform;
  return node;
}

/**
 * Formats degrees as "2.35° E".
 * @param {number} degrees
 * @param {number} step which the digits tell apart
 * @param {string} positive
 * @param {string} negative
 */
function formatDegrees(degrees, step, positive, negative) {
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  const number = Math.abs(degrees).toFixed(digits);
  return Number(number) === 0 ? `${number}°` : `${number}° ${degrees > 0 ? positive : negative}`;
}
