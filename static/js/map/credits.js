// The credits in the corner of the map. The operator's map brings an attribution of its own, written by others.

import { el } from '../lib/dom.js';

const { L } = globalThis;

/** Reads an attribution, which map makers write as HTML. Keeps text and links to http(s) addresses; every other element
    becomes its text. */
export function readAttribution(markup) {
  // A document without a window: it loads nothing and runs nothing.
  return textAndLinks(new DOMParser().parseFromString(markup, 'text/html').body);
}

function textAndLinks(parent) {
  return [...parent.childNodes].flatMap((node) => {
    if (node.nodeType === Node.TEXT_NODE) return [node.data];
    const href = node.nodeName === 'A' ? webAddress(node.getAttribute('href')) : null;
    return href ? [link(href, node.textContent)] : textAndLinks(node);
  });
}

/** The absolute http(s) address, or null for any other. */
function webAddress(text) {
  try {
    const url = new URL(text);
    return ['http:', 'https:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

const link = (href, text) => el('a', { href, rel: 'noopener noreferrer' }, text);

/** A control that lists credits, each an array of strings and elements. Leaflet's own would insert them as HTML. */
export const CreditsControl = L.Control.extend({
  options: { position: 'bottomleft' },

  initialize(credits) {
    this.credits = credits;
  },

  onAdd() {
    const separator = (index) => index === 1 ? [' ', el('span', { 'aria-hidden': 'true' }, '|'), ' '] : [', '];
    const node = el('div', { class: 'leaflet-control-attribution' },
      this.credits.flatMap((credit, index) => [...(index ? separator(index) : []), ...credit]));
    L.DomEvent.disableClickPropagation(node);
    return node;
  },
});

/** Whom the map that comes with the page is by. */
export const OWN_CREDITS = [
  [el('a', { href: 'https://leafletjs.com' }, 'Leaflet')],
  ['Natural Earth'],
  [el('a', { href: 'https://www.geonames.org' }, 'GeoNames'), ' CC BY'],
];
