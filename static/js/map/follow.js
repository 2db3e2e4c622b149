// Moves the projector's map so that it shows what there is, and follows what comes.

/** @import { Position } from '../lib/types.js' */

import { mapLatitude } from '../lib/geo.js';

const RECENT_MS = 5 * 60_000;    // the view is that of the bottles of these minutes, if there are some
const SETTLE_MS = 700;           // bottles that come within this time move the map once
const REVIEW_MS = 20_000;        // between two looks at which bottles are recent
const FLIGHT_SECONDS = 1.6;
const MAX_ZOOM_ONE_PLACE = 9;    // the surroundings tell where it is
const MAX_ZOOM = 13;
const MIN_ZOOM_GAIN = 2;         // the map comes nearer only for so many steps of zoom
const MARGIN_PX = 60;            // a bottle and the ring around it
const INPUTS = ['wheel', 'dblclick', 'keydown'];

/**
 * Returns bounds around positions that do not cross the widest gap between their longitudes: Fiji and Samoa are near
 * each other.
 * @param {Position[]} positions at least one
 */
export function boundsAround(positions) {
  const longitudes = positions.map(({ longitude }) => longitude).toSorted((a, b) => a - b);
  let west = longitudes[0];
  let widest = west + 360 - longitudes[longitudes.length - 1];
  longitudes.slice(1).forEach((longitude, at) => {
    const gap = longitude - longitudes[at];
    if (gap > widest) [west, widest] = [longitude, gap];
  });
  const latitudes = positions.map(({ latitude }) => latitude);
  return L.latLngBounds([Math.min(...latitudes), west], [Math.max(...latitudes), west + 360 - widest]);
}

/**
 * The parts of the window at its sides that are covered, in pixels.
 * @typedef {{ left: number, top: number, right: number, bottom: number }} Covered
 */

export class Follower {
  /**
   * @param {L.Map} map
   * @param {() => Position[]} readAll returns the positions of all bottles
   * @param {() => Covered} readCovered
   * @param {() => void} onChange runs when the map begins or ceases to follow
   */
  constructor(map, readAll, readCovered, onChange) {
    this.map = map;
    this.readAll = readAll;
    this.readCovered = readCovered;
    this.onChange = onChange;
    this.isFollowing = true;
    this.isFlying = false;
    /** @type {{ position: Position, at: number }[]} */
    this.recent = [];
    /** @type {number | undefined} */
    this.timer = undefined;
    map.on('moveend', () => {
      this.isFlying = false;
    });
    // The reader's own movements win.
    map.on('dragstart', () => this.setFollowing(false));
    for (const name of INPUTS) map.getContainer().addEventListener(name, () => this.setFollowing(false));
    addEventListener('resize', () => this.schedule());
    window.setInterval(() => this.schedule(), REVIEW_MS);
  }

  /** @param {boolean} isFollowing */
  setFollowing(isFollowing) {
    if (isFollowing === this.isFollowing) return;
    this.isFollowing = isFollowing;
    this.onChange();
    if (isFollowing) this.schedule();
  }

  /** @param {Position} position of a new bottle */
  add(position) {
    this.recent.push({ position, at: Date.now() });
    this.schedule();
  }

  /** Moves the map soon, once for all bottles that come meanwhile. */
  schedule() {
    this.timer ??= window.setTimeout(() => {
      this.timer = undefined;
      // A flight is not interrupted.
      if (this.isFlying) this.schedule();
      else this.move();
    }, SETTLE_MS);
  }

  move() {
    if (!this.isFollowing) return;
    this.recent = this.recent.filter(({ at }) => Date.now() - at < RECENT_MS);
    const positions = this.recent.length ? this.recent.map(({ position }) => position) : this.readAll();
    if (!positions.length) return;
    const { map } = this;
    const shown = positions.map(({ latitude, longitude }) => (
      { latitude: mapLatitude(map, latitude, MAX_ZOOM), longitude }));
    const bounds = boundsAround(shown);
    const { left, top, right, bottom } = this.readCovered();
    const paddingTopLeft = L.point(left + MARGIN_PX, top + MARGIN_PX);
    const paddingBottomRight = L.point(right + MARGIN_PX, bottom + MARGIN_PX);
    const isOnePlace = bounds.getNorthEast().equals(bounds.getSouthWest());
    const maxZoom = Math.min(map.getMaxZoom(), isOnePlace ? MAX_ZOOM_ONE_PLACE : MAX_ZOOM);
    const padding = paddingTopLeft.add(paddingBottomRight);
    const zoom = Math.max(map.getMinZoom(), Math.min(maxZoom, map.getBoundsZoom(bounds, false, padding)));
    const free = L.bounds(paddingTopLeft, map.getSize().subtract(paddingBottomRight));
    const corners = [bounds.getNorthWest(), bounds.getSouthEast()].map((corner) => map.latLngToContainerPoint(corner));
    if (free.contains(L.bounds(corners)) && zoom - map.getZoom() < MIN_ZOOM_GAIN) return;
    const middle = map.project(bounds.getCenter(), zoom).add(paddingBottomRight.subtract(paddingTopLeft).divideBy(2));
    this.isFlying = true;
    map.flyTo(map.unproject(middle, zoom), zoom, { duration: FLIGHT_SECONDS, animate: map.options.zoomAnimation });
  }
}
