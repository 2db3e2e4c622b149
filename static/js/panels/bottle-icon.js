// The drawing of a bottle as an element of the page (the map draws the same paths on its canvas).

import { parts } from '../map/bottles.js';
import { svg } from '../lib/dom.js';

/** It says nothing to a screen reader: the words beside it do. */
export function bottleIcon(style, state = {}) {
  return svg('svg', { viewBox: '-2 -3 36 44', class: state.opened ? 'bottle is-open' : 'bottle', 'aria-hidden': 'true' },
    ...parts(style, state).map(([d, kind]) => svg('path', { d, class: `part-${kind}` })));
}
