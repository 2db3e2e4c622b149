// The names of places on the map.

/** @import { Label, Style } from './label-layout.js' */
/** @import { Place, Places, Square } from './places.js' */

import { mercator } from '../lib/geo.js';
import { ViewCanvas } from './bottles.js';
import { allCities } from './cities.js';
import { CITY_WEIGHT, LabelChooser, MAX_CITY_ZOOM, MIN_ZOOM_PLACES, createLabel } from './label-layout.js';

const MIN_ZOOM_QUARTERS = 11;
const BLOCK_PX = 512;             // labels are chosen for whole blocks of the world, also for their hidden parts
const AROUND = 0.002;             // of the world: 80 km at the equator, in which places are known beside the view
const EDGE_PX = 40;                // a label this far above or below the canvas does not show

export class LabelLayer extends ViewCanvas {
  /** @param {Places} places */
  constructor(places) {
    // Below the bottles.
    super({ pane: 'tilePane' });
    this.places = places;
    this.colours = { text: '', faint: '', halo: '' };
    /** @type {Place[]} */
    this.cities = [];
    /**
     * The chosen labels of the blocks around the view, until it leaves them or places arrive.
     * @type {{ key: string, labels: Label[] } | null}
     */
    this.chosen = null;
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    const read = (/** @type {string} */ name) => style.getPropertyValue(`--${name}`);
    this.colours = { text: read('label'), faint: read('label-faint'), halo: read('label-halo') };
  }

  reset() {
    super.reset();
    this.loadPlaces();
  }

  /** Loads the places of the canvas, which is larger than the view, and draws again when they are there. */
  async loadPlaces() {
    if (this.zoom < MIN_ZOOM_PLACES) return;
    const wide = this.squares().map(({ west, east, north, south }) => ({
      west: west - AROUND, east: east + AROUND, north: north - AROUND, south: south + AROUND,
    }));
    const isNew = (await Promise.all(wide.map((square) => this.places.load(square)))).some(Boolean);
    if (!isNew) return;
    this.chosen = null;
    this.repaint();
    this.fire('places');
  }

  /** Returns the corner of the canvas in pixels of the world. Beyond the poles there is no latitude for it. */
  worldCorner() {
    return this._map.getPixelOrigin().add(this.corner);
  }

  /**
   * Returns the part of the world below the canvas: two squares if it crosses the antimeridian.
   * @returns {Square[]}
   */
  squares() {
    const world = 256 * 2 ** this.zoom;
    const { x, y } = this.worldCorner();
    const width = Math.min(1, this.size.x / world);
    const west = (((x / world) % 1) + 1) % 1;
    const square = { west, east: west + width, north: y / world, south: (y + this.size.y) / world };
    return west + width > 1 ? [square, { ...square, west: west - 1, east: west + width - 1 }] : [square];
  }

  /** Returns the labels in the visible part of the map. */
  visible() {
    const margin = this._map.containerPointToLayerPoint([0, 0]).subtract(this.corner);
    const { x: width, y: height } = this._map.getSize();
    return this.choose().filter(({ place }) => this.pointsOn(place).some(({ x, y }) =>
      x >= margin.x && y >= margin.y && x < margin.x + width && y < margin.y + height));
  }

  /** Returns the places in and around the view. */
  nearby() {
    return [...this.cities, ...this.places.loaded.flatMap(({ places }) => places ?? [])]
      .filter(({ isQuarter }) => !isQuarter);
  }

  /** @param {CanvasRenderingContext2D} context */
  draw(context) {
    if (!this.cities.length) this.cities = readCities();
    context.lineJoin = 'round';
    context.textBaseline = 'middle';
    // A label of less weight never covers one of more.
    for (const label of this.choose().toReversed()) {
      for (const point of this.pointsOn(label.place)) this.drawLabel(context, label, point);
    }
  }

  /** Returns the labels in the blocks that the canvas touches: the places of most weight, if there is room. */
  choose() {
    const blocks = this.blocks();
    const key = [this.zoom, ...Object.values(blocks)].join();
    if (this.chosen?.key !== key) this.chosen = { key, labels: this.chooseLabels(blocks) };
    return this.chosen.labels;
  }

  /** @returns {Square} */
  blocks() {
    const size = BLOCK_PX / (256 * 2 ** this.zoom);
    const squares = this.squares();
    const [{ west, east, north, south }] = squares;
    const isWhole = squares.length > 1;
    return {
      west: isWhole ? 0 : (Math.floor(west / size) - 1) * size,
      east: isWhole ? 1 : (Math.ceil(east / size) + 1) * size,
      north: (Math.floor(north / size) - 1) * size,
      south: (Math.ceil(south / size) + 1) * size,
    };
  }

  /** @param {Square} blocks */
  chooseLabels(blocks) {
    const chooser = new LabelChooser();
    const labels = [];
    for (const place of this.candidates(blocks)) {
      const label = [false, true].map((isLeft) => createLabel(place, this.zoom, isLeft))
        .find(({ box }) => chooser.take(box));
      if (label) labels.push(label);
    }
    return labels;
  }

  /** @param {Square} blocks */
  candidates(blocks) {
    const { zoom } = this;
    const isIn = (/** @type {Place} */ { x, y }) =>
      x >= blocks.west && x < blocks.east && y >= blocks.north && y < blocks.south;
    const isDue = (/** @type {Place} */ { weight }) => weight >= CITY_WEIGHT + MAX_CITY_ZOOM - zoom;
    const cities = this.cities.filter((city) => isDue(city) && isIn(city));
    if (zoom < MIN_ZOOM_PLACES) return cities;
    const others = this.places.in(blocks).filter(({ isQuarter }) => !isQuarter || zoom >= MIN_ZOOM_QUARTERS);
    return [...cities, ...others.sort((a, b) => b.weight - a.weight)];
  }

  /**
   * Returns the points of a place on the canvas.
   * @param {Place} place
   */
  pointsOn({ x, y }) {
    const world = 256 * 2 ** this.zoom;
    const corner = this.worldCorner();
    const first = (((x * world - corner.x + BLOCK_PX) % world) + world) % world - BLOCK_PX;
    const points = [];
    for (let at = first; at < this.size.x + BLOCK_PX; at += world) points.push({ x: at, y: y * world - corner.y });
    return points;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Label} label
   * @param {{ x: number, y: number }} point
   */
  drawLabel(context, { text, style, isLeft }, { x, y }) {
    if (y < -EDGE_PX || y > this.size.y + EDGE_PX) return;
    context.font = `${style.font} system-ui, sans-serif`;
    context.textAlign = isLeft ? 'right' : 'left';
    context.strokeStyle = this.colours.halo;
    context.fillStyle = this.colours[style.colour];
    context.lineWidth = 3;
    const textX = x + style.textPx * (isLeft ? -1 : 1);
    context.strokeText(text, textX, y);
    context.fillText(text, textX, y);
    if (style.dotPx) drawDot(context, style, x, y);
  }
}

/**
 * Draws the dot of a place, and a ring around that of a capital.
 * @param {CanvasRenderingContext2D} context
 * @param {Style} style
 * @param {number} x
 * @param {number} y
 */
function drawDot(context, { dotPx, hasRing }, x, y) {
  context.beginPath();
  context.arc(x, y, dotPx, 0, Math.PI * 2);
  context.lineWidth = 2;
  context.stroke();
  context.fill();
  if (!hasRing) return;
  context.beginPath();
  context.arc(x, y, dotPx + 2.2, 0, Math.PI * 2);
  context.strokeStyle = context.fillStyle;
  context.lineWidth = 1.1;
  context.stroke();
}

/**
 * Returns the cities as places. Their zoom, and then their order, is their weight.
 * @returns {Place[]}
 */
function readCities() {
  return allCities().map(({ latitude, longitude, zoom, ...names }) => ({
    ...names,
    x: (longitude + 180) / 360,
    y: mercator(latitude),
    weight: CITY_WEIGHT + MAX_CITY_ZOOM - zoom,
  })).sort((a, b) => b.weight - a.weight);
}
