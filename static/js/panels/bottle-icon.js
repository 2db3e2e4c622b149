// The drawing of a bottle as an SVG element. The map draws the same paths on its canvas.

/** @import { BottleState } from '../map/bottles.js' */

import { svg } from '../lib/dom.js';
import { drawingParts } from '../map/bottles.js';

/**
 * Creates the drawing. Screen readers skip it: the text beside it says the same.
 * @param {number} style
 * @param {BottleState} [state]
 */
export function bottleIcon(style, state = {}) {
  const paths = drawingParts(style, state).map(([path, colour]) => svg('path', { d: path, class: `part-${colour}` }));
  const name = state.isOpened ? 'bottle is-open' : 'bottle';
  return svg('svg', { viewBox: '-2 -3 36 44', class: name, 'aria-hidden': 'true' }, paths);
}
