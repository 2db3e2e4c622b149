// Notices at the edge of the map or in the open dialog: toasts disappear by themselves, banners stay until they are
// removed.

/** @import { Child } from './dom.js' */

import { byId } from './core.js';
import { el, loadStyle } from './dom.js';

const TOAST_MS = 6000;
const MAX_TOASTS = 3;            // more of them would cover the map of a phone, or its panel

/**
 * Returns the live region that a reader perceives: a modal dialog makes everything behind it inert.
 * @param {string} [kind] of a banner, which no dialog shows that omits it
 * @returns {Element}
 */
export function liveRegion(kind = 'any') {
  const regions = document.querySelectorAll(`dialog[open]:not([data-omits="${kind}"]) .notices`);
  return [...regions].at(-1) ?? byId('notices');
}

/**
 * Shows a toast, in the place of one with the same text or, if there are too many, of the oldest. Returns the function
 * that removes it before its time.
 * @param {string | Child[]} contents
 */
export async function toast(contents) {
  await loadStyle('panel');
  const node = el('p', { class: 'toast' }, el('span', {}, contents));
  const others = [...document.querySelectorAll('.toast')];
  const isOver = (/** @type {Element} */ each, /** @type {number} */ at) =>
    each.textContent === node.textContent || at <= others.length - MAX_TOASTS;
  for (const each of others.filter(isOver)) each.remove();
  liveRegion().append(node);
  const remove = () => node.remove();
  setTimeout(remove, TOAST_MS);
  return remove;
}

/**
 * Shows a banner. It replaces the banner of the same kind.
 * @param {string} kind
 * @param {...Child} contents
 */
export function showBanner(kind, ...contents) {
  removeBanner(kind);
  liveRegion(kind).append(el('div', { class: `banner banner-${kind}`, 'data-kind': kind }, contents));
}

/** @param {string} kind */
export function removeBanner(kind) {
  document.querySelector(`.banner[data-kind="${kind}"]`)?.remove();
}
