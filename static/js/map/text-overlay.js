// A layer of texts over the map, which a subclass fills in.

import { el } from '../lib/dom.js';

export class TextOverlay extends L.Layer {
  /** The class of its element. */
  name = '';

  /** @param {L.Map} map */
  onAdd(map) {
    // A screen reader reads the list of bottles instead.
    this.node = el('div', { class: this.name, 'aria-hidden': 'true' });
    map.getContainer().append(this.node);
    this.update();
    return this;
  }

  onRemove() {
    this.node?.remove();
    return this;
  }

  clear() {
    this.node?.replaceChildren();
  }

  /** Shows the texts of the view. */
  update() {}
}
