// The numbers of bottles that share a position: the map draws them as one. A layer of its own, after the first bottles.

/** @import { MapBottle } from '../lib/types.js' */

import { ViewCanvas, countFormat } from './bottles.js';

const BADGE_X = -12;             // the middle of a number, from its bottles; the star of an own one is on the right
const BADGE_Y = -28;
const BADGE_HEIGHT_PX = 19;
const FOAM_PX = 3;               // around a number
const PADDING_PX = 9;

/**
 * Returns the bottles of each position that has several of them.
 * @param {MapBottle[]} bottles
 */
export function pilesOf(bottles) {
  /** @type {Map<string, MapBottle[]>} */
  const places = new Map();
  for (const bottle of bottles) {
    const place = `${bottle.location.latitude}/${bottle.location.longitude}`;
    const pile = places.get(place);
    if (pile) pile.push(bottle);
    else places.set(place, [bottle]);
  }
  return [...places.values()].filter((pile) => pile.length > 1);
}

export class PileLayer extends ViewCanvas {
  constructor() {
    super();
    /** @type {MapBottle[][]} */
    this.piles = [];
    this.colours = getComputedStyle(document.documentElement);
  }

  /**
   * Shows the numbers of these bottles.
   * @param {MapBottle[]} bottles
   */
  showBottles(bottles) {
    this.piles = pilesOf(bottles);
    this.repaint();
  }

  /** @param {CanvasRenderingContext2D} context */
  draw(context) {
    context.font = '600 12px system-ui, sans-serif';
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.lineCap = 'round';
    for (const pile of this.piles) {
      const { latitude, longitude } = pile[0].location;
      const text = countFormat.format(pile.length);
      for (const { x, y } of this.pointsOf(latitude, longitude)) {
        this.drawBadge(context, text, x + BADGE_X, y + BADGE_Y);
      }
    }
  }

  /**
   * Draws a number on a thick line with round ends: a disc for one digit, longer for more.
   * @param {CanvasRenderingContext2D} context
   * @param {string} text
   * @param {number} x
   * @param {number} y
   */
  drawBadge(context, text, x, y) {
    // A line without length would have no ends.
    const half = Math.max(0.01, (context.measureText(text).width + PADDING_PX - BADGE_HEIGHT_PX) / 2);
    for (const { extra, name } of [{ extra: FOAM_PX, name: 'bubble-foam' }, { extra: 0, name: 'bubble' }]) {
      context.strokeStyle = this.colours.getPropertyValue(`--${name}`);
      context.lineWidth = BADGE_HEIGHT_PX + extra;
      context.beginPath();
      context.moveTo(x - half, y);
      context.lineTo(x + half, y);
      context.stroke();
    }
    context.fillStyle = this.colours.getPropertyValue('--bubble-text');
    context.fillText(text, x, y + 0.5);
  }
}
