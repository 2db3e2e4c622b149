// The places around an almost empty view: at its edge stand their names, with direction and distance.

/** @import { LabelLayer } from './labels.js' */
/** @import { Place } from './places.js' */

import { t } from '../lib/core.js';
import { el } from '../lib/dom.js';
import { cityName } from './cities.js';
import { TextOverlay } from './text-overlay.js';

const MIN_ZOOM = 9;
const MIN_LABELS = 10;           // with fewer in view, the places around are named
const SECTORS = 16;              // of the compass, each with one place
const INSET_PX = { top: 84, bottom: 112, bottomOfPhone: 172, left: 50, right: 8 };
const PHONE_PX = 480;            // wide: the buttons at the bottom are in two rows
const GAP_PX = 6;                // between two names
const CONTROLS = '.leaflet-control, .place-search input';
const EQUATOR_KM = 40075;

/** @typedef {{ place: Place, dx: number, dy: number, kilometres: number, angle: number }} Neighbour */

export class Surroundings extends TextOverlay {
  name = 'surroundings';

  /** @param {LabelLayer} labels */
  constructor(labels) {
    super();
    this.labels = labels;
    labels.on('places', () => this.update());
  }

  getEvents() {
    return { movestart: this.clear, zoomstart: this.clear, moveend: this.update, resize: this.update };
  }

  update() {
    this.clear();
    if (!this._map || this._map.getZoom() < MIN_ZOOM) return;
    const missing = MIN_LABELS - this.labels.visible().length;
    if (missing <= 0) return;
    const taken = [...document.querySelectorAll(CONTROLS)].map((control) => control.getBoundingClientRect());
    const most = taken.length + missing;
    for (const neighbour of this.neighbours()) {
      if (taken.length === most) break;
      const sign = createSign(neighbour);
      this.node?.append(sign);
      this.moveToEdge(sign, neighbour);
      const box = sign.getBoundingClientRect();
      if (taken.some((other) => isNear(box, other))) sign.remove();
      else taken.push(box);
    }
  }

  /** Returns the place outside of the view that matters most in each direction, the nearest first. */
  neighbours() {
    const { lat, lng } = this._map.getCenter();
    const centre = this._map.project([lat, lng], 0).divideBy(256);
    const kilometresPerUnit = EQUATOR_KM * Math.cos((lat * Math.PI) / 180);
    const { x: width, y: height } = this._map.getSize();
    const world = 256 * 2 ** this._map.getZoom();
    /** @type {(Neighbour | undefined)[]} */
    const best = [];
    for (const place of this.labels.nearby()) {
      const dx = place.x - centre.x - Math.round(place.x - centre.x);
      const dy = place.y - centre.y;
      if (Math.abs(dx * world) < width / 2 && Math.abs(dy * world) < height / 2) continue;
      const kilometres = Math.hypot(dx, dy) * kilometresPerUnit;
      const neighbour = { place, dx, dy, kilometres, angle: Math.atan2(dy, dx) };
      const sector = Math.floor(((neighbour.angle / (2 * Math.PI)) * SECTORS + SECTORS) % SECTORS);
      const other = best[sector];
      if (!other || rank(neighbour) < rank(other)) best[sector] = neighbour;
    }
    return best.filter((neighbour) => neighbour !== undefined).sort((a, b) => a.kilometres - b.kilometres);
  }

  /**
   * Moves a sign to where the line to its place leaves the view.
   * @param {HTMLElement} sign
   * @param {Neighbour} neighbour
   */
  moveToEdge(sign, { dx, dy }) {
    const { x: width, y: height } = this._map.getSize();
    const half = sign.offsetWidth / 2;
    const bottom = height - (width < PHONE_PX ? INSET_PX.bottomOfPhone : INSET_PX.bottom);
    const middle = { x: width / 2, y: (INSET_PX.top + bottom) / 2 };
    const share = Math.min(middle.x / Math.abs(dx || 1e-12), (middle.y - INSET_PX.top) / Math.abs(dy || 1e-12));
    const x = Math.max(INSET_PX.left + half, Math.min(width - INSET_PX.right - half, middle.x + dx * share));
    sign.style.transform = `translate(-50%, -50%) translate(${x}px, ${middle.y + dy * share}px)`;
  }
}

/**
 * Creates the sign to a place: an arrow, its name and its distance.
 * @param {Neighbour} neighbour
 */
function createSign({ place, kilometres, angle }) {
  const arrow = el('span', { class: 'arrow' }, '➤');
  arrow.style.transform = `rotate(${angle}rad)`;
  const n = kilometres < 10 ? Math.round(kilometres * 10) / 10 : Math.round(kilometres);
  return el('span', { class: 'sign' }, arrow, el('b', {}, cityName(place)), ' ', t('map.kilometres', { n }));
}

/**
 * @param {DOMRect} a
 * @param {DOMRect} b
 */
const isNear = (a, b) => a.left < b.right + GAP_PX && b.left < a.right + GAP_PX
  && a.top < b.bottom + GAP_PX && b.top < a.bottom + GAP_PX;

/**
 * A place counts as nearer the larger it is: one with ten times the people may be twice as far.
 * @param {Neighbour} neighbour
 */
const rank = ({ kilometres, place }) => kilometres / (1 + place.size / 5);
