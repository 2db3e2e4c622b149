// Notices at the edge of the map: toasts disappear by themselves, banners stay until they are removed.

/** @import { Child } from './dom.js' */

import { byId } from './core.js';
import { el, loadStyle } from './dom.js';

const TOAST_MS = 6000;

/** @param {string} text */
export async function toast(text) {
  await loadStyle('panel');
  const node = el('p', { class: 'toast' }, text);
  byId('notices').append(node);
  setTimeout(() => node.remove(), TOAST_MS);
}

/**
 * Shows a banner. It replaces the banner of the same kind.
 * @param {string} kind
 * @param {...Child} contents
 */
export function showBanner(kind, ...contents) {
  removeBanner(kind);
  byId('notices').append(el('div', { class: `banner banner-${kind}`, 'data-kind': kind }, contents));
}

/** @param {string} kind */
export function removeBanner(kind) {
  byId('notices').querySelector(`[data-kind="${kind}"]`)?.remove();
}
