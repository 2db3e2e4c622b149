// The drawings of the bottles, and the map layer that shows bottles, or bubbles with counts if there are too many.

/** @import { Cell, MapBottle } from '../lib/types.js' */

import { locale } from '../lib/core.js';
import { ViewCanvas, contextOf, mapLatitude, wrapLongitude } from '../lib/geo.js';

export { ViewCanvas };

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

// --- the bottles on the map ---

const SCALE = 0.82;              // of a drawing on the map
const SPRITE_WIDTH = 38;
const SPRITE_HEIGHT = 42;
const FOOT_X = 19;               // the middle of a sprite's foot, which floats at the bottle's position
const FOOT_Y = 33;
const HIT_RADIUS_PX = 22;        // around the centre of a bottle
const CENTRE_HEIGHT_PX = 14;     // of a drawing above its position
const BUBBLE_GAP_PX = 4;         // bubbles that are nearer to each other become one
const BUBBLE_HIT_MARGIN_PX = 6;
const SPLIT_MS = 260;            // in which bubbles move from where the last ones were
const MAX_SPLIT_PX = 300;
export const countFormat = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });

/** @typedef {{ x: number, y: number, count: number }} Bubble */

/** @param {number} count */
const bubbleRadius = (count) => 13 + Math.min(4, Math.log10(count)) * 5;

/**
 * Returns the pixels from one x to another, the shorter way around.
 * @param {number} from
 * @param {number} to
 * @param {number} world the width of the world in pixels
 */
const across = (from, to, world) => to - from - world * Math.round((to - from) / world);

/**
 * Merges bubbles that overlap into one at the mean position of their bottles, until none overlap.
 * @param {Bubble[]} points
 * @param {number} world the width of the world in pixels
 */
export function mergeBubbles(points, world) {
  /** @type {Bubble[]} */
  const bubbles = [];
  for (const point of points.toSorted((a, b) => b.count - a.count)) {
    let bubble = point;
    const isNear = (/** @type {Bubble} */ { x, y, count }) => Math.hypot(across(x, bubble.x, world), y - bubble.y)
      < bubbleRadius(count) + bubbleRadius(bubble.count) + BUBBLE_GAP_PX;
    // A merged bubble is larger and elsewhere, so it may touch others.
    for (let at = bubbles.findIndex(isNear); at >= 0; at = bubbles.findIndex(isNear)) {
      const [other] = bubbles.splice(at, 1);
      const count = other.count + bubble.count;
      const share = bubble.count / count;
      bubble = {
        x: other.x + across(other.x, bubble.x, world) * share, y: other.y + (bubble.y - other.y) * share, count,
      };
    }
    bubbles.push(bubble);
  }
  return bubbles;
}

/**
 * A bubble: the count of its bottles, their mean position, and the position from which the bubble comes.
 * @typedef {Cell & { from: Cell }} ShownBubble
 */

export class BottleLayer extends ViewCanvas {
  /** @param {(id: number) => boolean} isOpened */
  constructor(isOpened) {
    super();
    this.isOpened = isOpened;
    /** @type {MapBottle[]} */
    this.bottles = [];
    /** @type {Cell[]} */
    this.cells = [];
    /** The bubbles of some cells at some zoom. @type {{ cells: Cell[], zoom: number, bubbles: ShownBubble[] }} */
    this.merged = { cells: [], zoom: 0, bubbles: [] };
    this.splitStart = -Infinity;
    /** @type {Set<number>} */
    this.hiddenIds = new Set();
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
    this.fire('select');
  }

  /**
   * Leaves out some bottles, which the reader sees elsewhere.
   * @param {number[]} ids
   */
  hide(ids) {
    this.hiddenIds = new Set(ids);
    this.repaint();
    this.fire('hide');
  }

  /** @param {CanvasRenderingContext2D} context */
  draw(context) {
    this.drawBubbles(context);
    for (const bottle of this.inOrder()) {
      if (this.hiddenIds.has(bottle.bottle_id)) continue;
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

  /** Returns the bottles in the order of drawing: those that the reader knows, the others, the selected one. */
  inOrder() {
    const rank = (/** @type {MapBottle} */ { bottle_id: id, is_owner: isOwn }) => {
      if (id === this.selectedId) return 2;
      return isOwn || this.isOpened(id) ? 0 : 1;
    };
    const ranked = this.bottles.map((bottle) => ({ bottle, rank: rank(bottle) }));
    return ranked.toSorted((a, b) => a.rank - b.rank).map(({ bottle }) => bottle);
  }

  /** Returns the bubbles of the cells at this zoom. New ones come from where the nearest one was before. */
  bubbles() {
    const { cells, zoom, merged: before } = this;
    if (before.cells === cells && before.zoom === zoom) return before.bubbles;
    const world = 256 * 2 ** zoom;
    const pixels = (/** @type {Cell} */ { latitude, longitude, count }) => {
      const { x, y } = this._map.project([mapLatitude(this._map, latitude, zoom), longitude], zoom);
      return { x, y, count };
    };
    const old = before.bubbles.map((bubble) => ({ ...pixels(bubble), bubble }));
    const bubbles = mergeBubbles(cells.map(pixels), world).map(({ x, y, count }) => {
      const { lat, lng } = this._map.unproject([x, y], zoom);
      const shown = { latitude: lat, longitude: wrapLongitude(lng), count };
      let [from, least] = [shown, MAX_SPLIT_PX];
      for (const each of old) {
        const distance = Math.hypot(across(each.x, x, world), each.y - y);
        if (distance < least) [from, least] = [each.bubble, distance];
      }
      return { ...shown, from };
    });
    this.merged = { cells, zoom, bubbles };
    this.splitStart = this._map.options.zoomAnimation && old.length ? performance.now() : -Infinity;
    return bubbles;
  }

  /** @param {CanvasRenderingContext2D} context */
  drawBubbles(context) {
    const bubbles = this.bubbles();
    const progress = Math.min(1, (performance.now() - this.splitStart) / SPLIT_MS);
    const rest = (1 - progress) ** 3;
    for (const { latitude, longitude, count, from } of bubbles) {
      const shownLatitude = latitude + (from.latitude - latitude) * rest;
      const shownLongitude = longitude + across(longitude, from.longitude, 360) * rest;
      for (const { x, y } of this.pointsOf(shownLatitude, shownLongitude)) this.drawBubble(context, { x, y, count });
    }
    if (progress < 1 && bubbles.length) requestAnimationFrame(() => this.repaint());
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
    const bottles = this.inOrder().toReversed()
      .filter(({ location }) => this.pointsOf(location.latitude, location.longitude).some(isHit));
    if (bottles.length) return { bottles };
    const cell = this.bubbles().findLast(({ latitude, longitude, count }) =>
      this.pointsOf(latitude, longitude).some(({ x, y }) =>
        Math.hypot(point.x - x, point.y - y) <= bubbleRadius(count) + BUBBLE_HIT_MARGIN_PX));
    return { bottles, cell };
  }
}
