// Short messages at the edge of the map: what was done (they go by themselves) and what is wrong (they stay).

import { el, needStyle } from './dom.js';

const place = () => document.getElementById('notices');
const SECONDS = 6;

export async function toast(text) {
  await needStyle('panel');
  const node = el('p', { class: 'toast' }, text);
  place().append(node);
  setTimeout(() => node.remove(), SECONDS * 1000);
}

/** A notice that stays until it is taken away; one of each kind at a time. */
export function banner(kind, ...contents) {
  removeBanner(kind);
  place().append(el('div', { class: `banner banner-${kind}`, 'data-kind': kind }, contents));
}

export function removeBanner(kind) {
  place().querySelector(`[data-kind="${kind}"]`)?.remove();
}
