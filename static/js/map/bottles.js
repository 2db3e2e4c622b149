// The bottles: how they are drawn (three styles told apart by shape and colour, closed and opened), and the map layer that
// shows them, or bubbles with counts where they are too many.
// (Two layers share ViewCanvas; it lives here because each file more is a request more before the first bottle.)

import { locale } from '../lib/i18n.js';

const { L } = globalThis;

// Drawn in a box of 32 by 40. A slender bottle, a round flask, a square jar.
const SHAPES = [
  { name: 'blue', glass: 'M13 7v6c0 4-5 5-5 10v12.5a2.5 2.5 0 0 0 2.5 2.5h11a2.5 2.5 0 0 0 2.5-2.5V23c0-5-5-6-5-10V7z',
    shine: 'M11 24v10', neck: 'M11.9 6.6h8.2v2.8h-8.2z', cork: 'M13.2 1.5h5.6l-.5 5.2h-4.6z' },
  { name: 'green', glass: 'M13.2 7v7.6A11.9 11.9 0 1 0 18.8 14.6V7z',
    shine: 'M7.6 27.5a8.6 8.6 0 0 0 3.4 6', neck: 'M12 6.6h8v2.8h-8z', cork: 'M13.4 1.5h5.2l-.5 5.2h-4.2z' },
  { name: 'yellow', glass: 'M10.5 9v3L6 16.5V35a3 3 0 0 0 3 3h14a3 3 0 0 0 3-3V16.5L21.5 12V9z',
    shine: 'M9.3 20v13', neck: 'M9 7.6h14v3H9z', cork: 'M11.4 3h9.2l-.6 4.8h-8z' },
];
const LETTER = 'M12.2 22.2l7.6-1.2 1.6 10-7.6 1.2z';      // rolled up inside
const LETTER_OUT = 'M12.8-.5l6.2 1-1.6 10.5-6-.9z';        // half pulled out of an opened bottle
const LINES = 'M14 25l5-.8M14.4 27.6l5-.8';
const STAR = 'M26 1l1.9 3.9 4.3.6-3.1 3 .7 4.3-3.8-2-3.8 2 .7-4.3-3.1-3 4.3-.6z';   // mine

export const styleName = (style) => SHAPES[style]?.name ?? SHAPES[0].name;

/** The parts of a drawing, from back to front: [path, kind of colour]. */
export function parts(style, { opened = false, mine = false } = {}) {
  const shape = SHAPES[style] ?? SHAPES[0];
  return [
    opened && [LETTER_OUT, 'paper'],
    [shape.glass, shape.name],
    !opened && [LETTER, 'paper'],
    !opened && [LINES, 'ink'],
    [shape.shine, 'shine'],
    [shape.neck, shape.name],
    !opened && [shape.cork, 'cork'],
    mine && [STAR, 'mine'],
  ].filter(Boolean);
}

// --- a canvas over the map ---

const MARGIN = 0.25;   // of the visible map, on each side

/** A map layer that is one canvas over the visible map and a margin around it: 2,000 bottles cost 2,000 drawImage calls,
    not 2,000 elements. It moves with the map while one drags, and is drawn anew when the map stands still. */
export const ViewCanvas = L.Layer.extend({
  onAdd(map) {
    this.canvas = L.DomUtil.create('canvas', 'leaflet-zoom-animated', this.getPane());
    // What a canvas shows, the list of bottles in view says in words.
    this.canvas.setAttribute('aria-hidden', 'true');
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.recolour());
    this.recolour();
    this.reset();
  },

  onRemove() {
    this.canvas.remove();
  },

  getEvents() {
    return { moveend: this.reset, resize: this.reset, viewreset: this.reset, move: this.follow, zoomanim: this.zoomTo };
  },

  /** Layers that draw in the colours of the page read them here. */
  recolour() {},

  /** Puts the canvas where the map is now and draws it. */
  reset() {
    const size = this._map.getSize();
    const margin = size.multiplyBy(MARGIN).round();
    this.corner = this._map.containerPointToLayerPoint(margin.multiplyBy(-1));
    this.size = size.add(margin.multiplyBy(2));
    this.anchor = this._map.layerPointToLatLng(this.corner);
    this.zoom = this._map.getZoom();
    L.DomUtil.setPosition(this.canvas, this.corner);
    const scale = devicePixelRatio;
    if (this.canvas.width !== Math.round(this.size.x * scale) || this.canvas.height !== Math.round(this.size.y * scale)) {
      this.canvas.width = Math.round(this.size.x * scale);
      this.canvas.height = Math.round(this.size.y * scale);
      this.canvas.style.width = `${this.size.x}px`;
      this.canvas.style.height = `${this.size.y}px`;
    }
    this.repaint();
  },

  repaint() {
    if (!this._map) return;
    const pen = this.canvas.getContext('2d');
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    pen.clearRect(0, 0, this.size.x, this.size.y);
    this.draw(pen);
  },

  /** A long drag would show the end of the canvas: draw anew when it comes near. Pinching scales what is there. */
  follow() {
    if (this._map.getZoom() !== this.zoom) {
      this.zoomTo({ zoom: this._map.getZoom(), center: this._map.getCenter() });
      return;
    }
    const moved = this._map.containerPointToLayerPoint([0, 0]).subtract(this.corner);
    const margin = this._map.getSize().multiplyBy(MARGIN);
    if (Math.abs(moved.x - margin.x) > margin.x * 0.8 || Math.abs(moved.y - margin.y) > margin.y * 0.8) this.reset();
  },

  zoomTo({ zoom, center }) {
    // Leaflet keeps this computation to itself, but its own image layer could not do without it either.
    const corner = this._map._latLngToNewLayerPoint(this.anchor, zoom, center);
    L.DomUtil.setTransform(this.canvas, corner, this._map.getZoomScale(zoom, this.zoom));
  },

  /** Where a place is on this canvas: once for each copy of the world that is in it. */
  spots(latitude, longitude) {
    const world = 256 * 2 ** this.zoom;
    const { x, y } = this._map.latLngToLayerPoint([latitude, longitude]).subtract(this.corner);
    const spots = [];
    for (let at = (((x + 60) % world) + world) % world - 60; at < this.size.x + 60; at += world) spots.push({ x: at, y });
    return spots;
  },
});

// --- the bottles on the map ---

const SCALE = 0.82;
const HIT = 22;          // pixels around a bottle that count as a touch on it
const MIDDLE = 14;       // how far above its place the middle of a drawing is
const NEAR = 46;         // bubbles nearer to each other than this become one
const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 });

export const BottleLayer = ViewCanvas.extend({
  initialize(isOpened) {
    this.isOpened = isOpened;
    this.bottles = [];
    this.cells = [];
    this.chosen = null;
  },

  recolour() {
    const style = getComputedStyle(document.documentElement);
    this.colour = (name) => style.getPropertyValue(`--${name}`);
    this.sprites = new Map();
    if (this.size) this.repaint();
  },

  showBottles(bottles) {
    this.bottles = bottles;
    this.cells = [];
    this.repaint();
  },

  showCounts(cells) {
    this.cells = cells;
    this.bottles = [];
    this.repaint();
  },

  choose(id) {
    this.chosen = id;
    this.repaint();
  },

  draw(pen) {
    for (const { x, y, count } of this.bubbles()) this.drawBubble(pen, x, y, count);
    for (const bottle of this.bottles) {
      const sprite = this.sprite(bottle.style, { opened: this.isOpened(bottle.bottle_id), mine: bottle.is_owner });
      for (const { x, y } of this.spots(bottle.location.latitude, bottle.location.longitude)) {
        if (bottle.bottle_id === this.chosen) this.drawHalo(pen, x, y);
        // The place is where the bottle floats: the middle of its foot.
        pen.drawImage(sprite, x - 19, y - 33, 38, 42);
      }
    }
  },

  /** One small picture for each kind of bottle, drawn once and copied a thousand times. */
  sprite(style, state) {
    const key = `${style}${state.opened}${state.mine}`;
    if (!this.sprites.has(key)) this.sprites.set(key, this.drawSprite(style, state));
    return this.sprites.get(key);
  },

  drawSprite(style, state) {
    const scale = Math.max(2, devicePixelRatio);
    const canvas = document.createElement('canvas');
    canvas.width = 38 * scale;
    canvas.height = 42 * scale;
    const pen = canvas.getContext('2d');
    pen.scale(scale, scale);
    pen.translate(19, 33);
    pen.fillStyle = this.colour('ripple');
    pen.beginPath();
    pen.ellipse(0, 0, 14, 4.2, 0, 0, Math.PI * 2);
    pen.fill();
    pen.rotate(state.opened ? -0.3 : 0.17);
    pen.scale(SCALE, SCALE);
    pen.translate(-16, -37);
    pen.lineCap = pen.lineJoin = 'round';
    for (const [path, kind] of parts(style, state)) this.drawPart(pen, new Path2D(path), kind, state.opened);
    return canvas;
  },

  drawPart(pen, path, kind, opened) {
    const line = kind === 'shine' || kind === 'ink';
    pen.strokeStyle = this.colour(line ? kind : `${kind}-line`);
    pen.lineWidth = kind === 'shine' ? 1.8 : 1.2;
    pen.fillStyle = this.colour(kind);
    if (!line) {
      pen.globalAlpha = opened && SHAPES.some(({ name }) => name === kind) ? 0.45 : 1;
      pen.fill(path);
      pen.globalAlpha = 1;
    }
    pen.stroke(path);
  },

  drawHalo(pen, x, y) {
    pen.strokeStyle = this.colour('mine');
    pen.lineWidth = 3;
    pen.beginPath();
    pen.arc(x, y - MIDDLE, 25, 0, Math.PI * 2);
    pen.stroke();
  },

  /** Cells whose bubbles would touch become one, at the middle of its bottles: the grid of the cells does not show. */
  bubbles() {
    const bubbles = [];
    for (const cell of this.cells.toSorted((a, b) => b.count - a.count)) {
      for (const spot of this.spots(cell.latitude, cell.longitude)) {
        const near = bubbles.find(({ x, y }) => Math.hypot(x - spot.x, y - spot.y) < NEAR);
        if (near) {
          near.x += ((spot.x - near.x) * cell.count) / (near.count + cell.count);
          near.y += ((spot.y - near.y) * cell.count) / (near.count + cell.count);
          near.count += cell.count;
        } else {
          bubbles.push({ ...spot, count: cell.count });
        }
      }
    }
    return bubbles;
  },

  drawBubble(pen, x, y, count) {
    const radius = bubbleRadius(count);
    for (const [grow, name] of [[5, 'bubble-foam'], [0, 'bubble']]) {
      pen.fillStyle = this.colour(name);
      pen.beginPath();
      pen.arc(x, y, radius + grow, 0, Math.PI * 2);
      pen.fill();
    }
    pen.fillStyle = this.colour('bubble-text');
    pen.font = `600 ${radius > 18 ? 14 : 12}px system-ui, sans-serif`;
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    pen.fillText(compact.format(count), x, y + 0.5);
  },

  /** What is under a point of the map: a bottle, else the place of a bubble, else null. The last drawn is on top. */
  under(containerPoint) {
    const point = this._map.containerPointToLayerPoint(containerPoint).subtract(this.corner);
    const bottle = this.bottles.findLast(({ location }) => this.spots(location.latitude, location.longitude)
      .some(({ x, y }) => Math.hypot(point.x - x, point.y - (y - MIDDLE)) <= HIT));
    if (bottle) return { bottle };
    const bubble = this.bubbles().findLast(({ x, y, count }) => Math.hypot(point.x - x, point.y - y) <= bubbleRadius(count) + 6);
    return bubble ? { cell: this.placeOf(bubble) } : null;
  },

  placeOf({ x, y }) {
    const { lat, lng } = this._map.layerPointToLatLng(this.corner.add([x, y]));
    return { latitude: lat, longitude: lng };
  },
});

const bubbleRadius = (count) => 13 + Math.min(4, Math.log10(count)) * 5;
