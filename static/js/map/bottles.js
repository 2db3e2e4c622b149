// The drawings of the bottles, and the map layer that shows bottles, or bubbles with counts if there are too many.
// ViewCanvas, which cities.js uses too, is here because each file is a request before the first bottle.

/** @import { Cell, MapBottle } from '../lib/types.js' */

import { locale } from '../lib/core.js';
import { mapLatitude } from '../lib/geo.js';

// --- drawings ---

// Paths in a box of 32 by 40: a slender bottle, a round flask, a square jar.
const SHAPES = [
  {
    name: 'blue',
    glass: 'M13 7v6c0 4-5 5-5 10v12.5a2.5 2.5 0 0 0 2.5 2.5h11a2.5 2.5 0 0 0 2.5-2.5V23c0-5-5-6-5-10V7z',
    shine: 'M11 24v10',
    neck: 'M11.9 6.6h8.2v2.8h-8.2z',
    cork: 'M13.2 1.5h5.6l-.5 5.2h-4.6z',
  },
  {
    name: 'green',
    glass: 'M13.2 7v7.6A11.9 11.9 0 1 0 18.8 14.6V7z',
    shine: 'M7.6 27.5a8.6 8.6 0 0 0 3.4 6',
    neck: 'M12 6.6h8v2.8h-8z',
    cork: 'M13.4 1.5h5.2l-.5 5.2h-4.2z',
  },
  {
    name: 'yellow',
    glass: 'M10.5 9v3L6 16.5V35a3 3 0 0 0 3 3h14a3 3 0 0 0 3-3V16.5L21.5 12V9z',
    shine: 'M9.3 20v13',
    neck: 'M9 7.6h14v3H9z',
    cork: 'M11.4 3h9.2l-.6 4.8h-8z',
  },
];
const ROLLED_LETTER = 'M12.2 22.2l7.6-1.2 1.6 10-7.6 1.2z';
const PULLED_LETTER = 'M12.8-.5l6.2 1-1.6 10.5-6-.9z';
const LETTER_LINES = 'M14 25l5-.8M14.4 27.6l5-.8';
const OWNER_STAR = 'M26 1l1.9 3.9 4.3.6-3.1 3 .7 4.3-3.8-2-3.8 2 .7-4.3-3.1-3 4.3-.6z';

/** @typedef {{ isOpened?: boolean, isOwn?: boolean }} BottleState */

/** @param {number} style */
export const styleName = (style) => SHAPES[style]?.name ?? SHAPES[0].name;

/**
 * Returns the parts of a drawing from back to front: a path and the name of its colour.
 * @param {number} style
 * @param {BottleState} [state]
 * @returns {[path: string, colour: string][]}
 */
export function drawingParts(style, { isOpened = false, isOwn = false } = {}) {
  const shape = SHAPES[style] ?? SHAPES[0];
  /** @type {([string, string] | false)[]} */
  const parts = [
    isOpened && [PULLED_LETTER, 'paper'],
    [shape.glass, shape.name],
    !isOpened && [ROLLED_LETTER, 'paper'],
    !isOpened && [LETTER_LINES, 'ink'],
    [shape.shine, 'shine'],
    [shape.neck, shape.name],
    !isOpened && [shape.cork, 'cork'],
    isOwn && [OWNER_STAR, 'mine'],
  ];
  return parts.filter((part) => part !== false);
}

// --- a canvas over the map ---

const MARGIN_SHARE = 0.25;      // of the visible map, on each side
const REDRAW_SHARE = 0.8;       // of the margin: a longer drag redraws the canvas
const WRAP_MARGIN_PX = 60;      // a drawing this far outside the canvas may still be seen in it

/**
 * A map layer that is one canvas over the visible map and a margin around it: 2,000 bottles cost 2,000 calls of
 * drawImage, not 2,000 elements. A drag moves the canvas; the end of a movement redraws it.
 */
export class ViewCanvas extends L.Layer {
  /** @param {L.LayerOptions} [options] */
  constructor(options) {
    super();
    // Leaflet's base class reads no options.
    L.Util.setOptions(this, options ?? {});
    this.canvas = L.DomUtil.create('canvas', 'leaflet-zoom-animated');
    // The list of visible bottles says in words what a canvas shows.
    this.canvas.setAttribute('aria-hidden', 'true');
    this.corner = L.point(0, 0);
    this.size = L.point(0, 0);
    this.anchor = L.latLng(0, 0);
    this.zoom = 0;
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.readColours();
      this.repaint();
    });
  }

  onAdd() {
    this.getPane()?.append(this.canvas);
    this.readColours();
    this.reset();
    return this;
  }

  onRemove() {
    this.canvas.remove();
    return this;
  }

  /** @returns {Record<string, (event: any) => void>} */
  getEvents() {
    return {
      moveend: this.reset, resize: this.reset, viewreset: this.reset, move: this.handleMove, zoomanim: this.handleZoom,
    };
  }

  /** Reads the colours of the page. They change with the colour scheme. */
  readColours() {}

  /**
   * Draws the layer.
   * @param {CanvasRenderingContext2D} _context
   */
  draw(_context) {}

  /** Moves the canvas to the visible map and redraws it. */
  reset() {
    const size = this._map.getSize();
    const margin = size.multiplyBy(MARGIN_SHARE).round();
    this.corner = this._map.containerPointToLayerPoint(margin.multiplyBy(-1));
    this.size = size.add(margin.multiplyBy(2));
    this.anchor = this._map.layerPointToLatLng(this.corner);
    this.zoom = this._map.getZoom();
    L.DomUtil.setPosition(this.canvas, this.corner);
    const { x: width, y: height } = this.size.multiplyBy(devicePixelRatio).round();
    // Setting a size clears the canvas, even if the size is the same.
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.canvas.style.width = `${this.size.x}px`;
      this.canvas.style.height = `${this.size.y}px`;
    }
    this.repaint();
  }

  repaint() {
    if (!this._map) return;
    const context = contextOf(this.canvas);
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, this.size.x, this.size.y);
    this.draw(context);
  }

  /** Redraws before a long drag shows the end of the canvas. Pinching scales the old drawing. */
  handleMove() {
    if (this._map.getZoom() !== this.zoom) {
      this.handleZoom({ zoom: this._map.getZoom(), center: this._map.getCenter() });
      return;
    }
    const moved = this._map.containerPointToLayerPoint([0, 0]).subtract(this.corner);
    const margin = this._map.getSize().multiplyBy(MARGIN_SHARE);
    const isFar = (/** @type {'x' | 'y'} */ axis) =>
      Math.abs(moved[axis] - margin[axis]) > margin[axis] * REDRAW_SHARE;
    if (isFar('x') || isFar('y')) this.reset();
  }

  /** @param {{ zoom: number, center: L.LatLng }} event */
  handleZoom({ zoom, center }) {
    // A private method of Leaflet: its own image layer positions itself with it, and no public one does the same.
    const corner = /** @type {any} */ (this._map)._latLngToNewLayerPoint(this.anchor, zoom, center);
    L.DomUtil.setTransform(this.canvas, corner, this._map.getZoomScale(zoom, this.zoom));
  }

  /**
   * Returns the points of a position on this canvas: one for each copy of the world in it.
   * @param {number} latitude
   * @param {number} longitude
   */
  pointsOf(latitude, longitude) {
    const world = 256 * 2 ** this.zoom;
    const shown = L.latLng(mapLatitude(this._map, latitude), longitude);
    const { x, y } = this._map.latLngToLayerPoint(shown).subtract(this.corner);
    const first = (((x + WRAP_MARGIN_PX) % world) + world) % world - WRAP_MARGIN_PX;
    const points = [];
    for (let at = first; at < this.size.x + WRAP_MARGIN_PX; at += world) points.push({ x: at, y });
    return points;
  }
}

/** @param {HTMLCanvasElement} canvas */
const contextOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));

// --- the bottles on the map ---

const SCALE = 0.82;              // of a drawing on the map
const SPRITE_WIDTH = 38;
const SPRITE_HEIGHT = 42;
const FOOT_X = 19;               // the middle of a sprite's foot, which floats at the bottle's position
const FOOT_Y = 33;
const HIT_RADIUS_PX = 22;        // around the centre of a bottle
const CENTRE_HEIGHT_PX = 14;     // of a drawing above its position
const MERGE_DISTANCE_PX = 46;    // bubbles that are nearer to each other become one
const BUBBLE_HIT_MARGIN_PX = 6;
export const countFormat = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });

/** @typedef {{ x: number, y: number, count: number }} Bubble */

export class BottleLayer extends ViewCanvas {
  /** @param {(id: number) => boolean} isOpened */
  constructor(isOpened) {
    super();
    this.isOpened = isOpened;
    /** @type {MapBottle[]} */
    this.bottles = [];
    /** @type {Cell[]} */
    this.cells = [];
    /** @type {number | null} */
    this.selectedId = null;
    /** @type {Map<string, HTMLCanvasElement>} */
    this.sprites = new Map();
    this.colours = getComputedStyle(document.documentElement);
  }

  /** Drops the sprites, which have the old colours. The computed style itself follows the colour scheme. */
  readColours() {
    this.sprites.clear();
  }

  /** @param {string} name */
  colour(name) {
    return this.colours.getPropertyValue(`--${name}`);
  }

  /** @param {MapBottle[]} bottles */
  showBottles(bottles) {
    this.bottles = bottles;
    this.cells = [];
    this.repaint();
  }

  /** @param {Cell[]} cells */
  showCells(cells) {
    this.cells = cells;
    this.bottles = [];
    this.repaint();
  }

  /**
   * Marks a bottle, or none with null.
   * @param {number | null} id
   */
  select(id) {
    this.selectedId = id;
    this.repaint();
  }

  /** @param {CanvasRenderingContext2D} context */
  draw(context) {
    for (const bubble of this.bubbles()) this.drawBubble(context, bubble);
    const isSelected = (/** @type {MapBottle} */ bottle) => Number(bottle.bottle_id === this.selectedId);
    for (const bottle of this.bottles.toSorted((a, b) => isSelected(a) - isSelected(b))) {
      const state = { isOpened: this.isOpened(bottle.bottle_id), isOwn: bottle.is_owner };
      const sprite = this.sprite(bottle.style, state);
      for (const { x, y } of this.pointsOf(bottle.location.latitude, bottle.location.longitude)) {
        if (bottle.bottle_id === this.selectedId) this.drawHalo(context, x, y);
        context.drawImage(sprite, x - FOOT_X, y - FOOT_Y, SPRITE_WIDTH, SPRITE_HEIGHT);
      }
    }
  }

  /**
   * Returns the picture of a kind of bottle. Each kind is drawn once and then copied.
   * @param {number} style
   * @param {BottleState} state
   */
  sprite(style, state) {
    const key = `${style}${state.isOpened}${state.isOwn}`;
    const sprite = this.sprites.get(key) ?? this.drawSprite(style, state);
    this.sprites.set(key, sprite);
    return sprite;
  }

  /**
   * @param {number} style
   * @param {BottleState} state
   */
  drawSprite(style, state) {
    const scale = Math.max(2, devicePixelRatio);
    const canvas = document.createElement('canvas');
    canvas.width = SPRITE_WIDTH * scale;
    canvas.height = SPRITE_HEIGHT * scale;
    const context = contextOf(canvas);
    context.scale(scale, scale);
    context.translate(FOOT_X, FOOT_Y);
    context.fillStyle = this.colour('ripple');
    context.beginPath();
    context.ellipse(0, 0, 14, 4.2, 0, 0, Math.PI * 2);
    context.fill();
    context.rotate(state.isOpened ? -0.3 : 0.17);
    context.scale(SCALE, SCALE);
    context.translate(-16, -37);
    context.lineCap = context.lineJoin = 'round';
    for (const [path, colour] of drawingParts(style, state)) {
      this.drawPart(context, new Path2D(path), colour, state.isOpened ?? false);
    }
    return canvas;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Path2D} path
   * @param {string} colour
   * @param {boolean} isOpened
   */
  drawPart(context, path, colour, isOpened) {
    const isLine = colour === 'shine' || colour === 'ink';
    context.strokeStyle = this.colour(isLine ? colour : `${colour}-line`);
    context.lineWidth = colour === 'shine' ? 1.8 : 1.2;
    context.fillStyle = this.colour(colour);
    if (!isLine) {
      context.globalAlpha = isOpened && SHAPES.some(({ name }) => name === colour) ? 0.45 : 1;
      context.fill(path);
      context.globalAlpha = 1;
    }
    context.stroke(path);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} x
   * @param {number} y
   */
  drawHalo(context, x, y) {
    context.strokeStyle = this.colour('mine');
    context.lineWidth = 3;
    context.beginPath();
    context.arc(x, y - CENTRE_HEIGHT_PX, 25, 0, Math.PI * 2);
    context.stroke();
  }

  /** Merges cells that would touch into one bubble at the mean position of their bottles, which hides the grid. */
  bubbles() {
    /** @type {Bubble[]} */
    const bubbles = [];
    for (const cell of this.cells.toSorted((a, b) => b.count - a.count)) {
      for (const point of this.pointsOf(cell.latitude, cell.longitude)) {
        const near = bubbles.find(({ x, y }) => Math.hypot(x - point.x, y - point.y) < MERGE_DISTANCE_PX);
        if (near) {
          near.x += ((point.x - near.x) * cell.count) / (near.count + cell.count);
          near.y += ((point.y - near.y) * cell.count) / (near.count + cell.count);
          near.count += cell.count;
        } else {
          bubbles.push({ ...point, count: cell.count });
        }
      }
    }
    return bubbles;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Bubble} bubble
   */
  drawBubble(context, { x, y, count }) {
    const radius = bubbleRadius(count);
    for (const { extra, name } of [{ extra: 5, name: 'bubble-foam' }, { extra: 0, name: 'bubble' }]) {
      context.fillStyle = this.colour(name);
      context.beginPath();
      context.arc(x, y, radius + extra, 0, Math.PI * 2);
      context.fill();
    }
    context.fillStyle = this.colour('bubble-text');
    context.font = `600 ${radius > 18 ? 14 : 12}px system-ui, sans-serif`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(countFormat.format(count), x, y + 0.5);
  }

  /**
   * Returns the bottles at a point of the map, the last one drawn first, or the position of a bubble.
   * @param {L.Point} containerPoint
   * @returns {{ bottles: MapBottle[], cell?: { latitude: number, longitude: number } }}
   */
  hitTest(containerPoint) {
    const point = this._map.containerPointToLayerPoint(containerPoint).subtract(this.corner);
    const isHit = (/** @type {{ x: number, y: number }} */ { x, y }) =>
      Math.hypot(point.x - x, point.y - (y - CENTRE_HEIGHT_PX)) <= HIT_RADIUS_PX;
    const bottles = this.bottles.toReversed()
      .filter(({ location }) => this.pointsOf(location.latitude, location.longitude).some(isHit));
    if (bottles.length) return { bottles };
    const bubble = this.bubbles().findLast(({ x, y, count }) =>
      Math.hypot(point.x - x, point.y - y) <= bubbleRadius(count) + BUBBLE_HIT_MARGIN_PX);
    if (!bubble) return { bottles };
    const { lat, lng } = this._map.layerPointToLatLng(this.corner.add([bubble.x, bubble.y]));
    return { bottles, cell: { latitude: lat, longitude: lng } };
  }
}

/** @param {number} count */
const bubbleRadius = (count) => 13 + Math.min(4, Math.log10(count)) * 5;
