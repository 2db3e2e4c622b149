// The credits of the map. The operator's street map brings an attribution that others wrote.

import { el } from '../lib/dom.js';

/** @typedef {(string | Node)[]} Credit */

/**
 * Reads an attribution, which map makers write as HTML. Keeps text and links to http(s) addresses; every other element
 * becomes its text.
 * @param {string} markup
 * @returns {Credit}
 */
export function readAttribution(markup) {
  // A document without a window loads nothing and runs nothing.
  return textAndLinks(new DOMParser().parseFromString(markup, 'text/html').body);
}

/**
 * @param {Node} parent
 * @returns {Credit}
 */
function textAndLinks(parent) {
  return [...parent.childNodes].flatMap((node) => {
    if (node instanceof Text) return [node.data];
    const href = node instanceof HTMLAnchorElement ? webAddress(node.getAttribute('href')) : null;
    return href ? [link(href, node.textContent)] : textAndLinks(node);
  });
}

/**
 * Returns an absolute http(s) address, or null for any other text.
 * @param {string | null} text
 */
function webAddress(text) {
  try {
    const url = new URL(text ?? '');
    return ['http:', 'https:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} href
 * @param {string | null} text
 */
const link = (href, text) => el('a', { href, rel: 'noopener noreferrer' }, text);

/** A control that lists credits as text and elements. Leaflet's own control would insert them as HTML. */
export class CreditsControl extends L.Control {
  /** @param {Credit[]} credits */
  constructor(credits) {
    super({ position: 'bottomleft' });
    this.credits = credits;
  }

  onAdd() {
    const node = el('div', { class: 'leaflet-control-attribution' },
      this.credits.flatMap((credit, index) => [...separatorBefore(index), ...credit]));
    L.DomEvent.disableClickPropagation(node);
    return node;
  }
}

/**
 * Returns what stands before a credit: a bar after the name of the library, else a comma.
 * @param {number} index
 * @returns {Credit}
 */
function separatorBefore(index) {
  if (index === 0) return [];
  return index === 1 ? [' ', el('span', { 'aria-hidden': 'true' }, '|'), ' '] : [', '];
}

/**
 * The credits of the base map.
 * @type {Credit[]}
 */
export const BASE_CREDITS = [
  [el('a', { href: 'https://leafletjs.com' }, 'Leaflet')],
  ['Natural Earth'],
  [el('a', { href: 'https://www.geonames.org' }, 'GeoNames'), ' CC BY'],
];
