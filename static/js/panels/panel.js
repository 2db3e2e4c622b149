// The one panel beside the map (a sheet from below on a phone): a bottle, a list, the form of a throw. Not modal: the map stays
// in use while it is open.

import { el, needStyle } from '../lib/dom.js';
import { t } from '../lib/i18n.js';

let atClose = null;
let opener = null;

const panel = () => document.getElementById('panel');

/** Shows the panel with new contents and moves the reader to its heading. `onClose` runs when anything else takes its place. */
export async function showPanel(title, contents, { kind = '', onClose = null } = {}) {
  await needStyle('panel');
  leave();
  if (panel().hidden) opener = document.activeElement;
  atClose = onClose;
  const heading = el('h2', { id: 'panel-title', tabindex: '-1' }, title);
  const close = el('button', { type: 'button', class: 'close', 'aria-label': t('panel.close'), onclick: closePanel }, '×');
  panel().className = `panel ${kind}`;
  panel().replaceChildren(el('header', {}, heading, close), el('div', { class: 'panel-body' }, contents));
  panel().hidden = false;
  document.body.classList.add('has-panel');
  heading.focus({ preventScroll: true });
}

export function closePanel() {
  if (panel().hidden) return;
  leave();
  panel().hidden = true;
  panel().replaceChildren();
  document.body.classList.remove('has-panel');
  opener?.focus({ preventScroll: true });
}

function leave() {
  atClose?.();
  atClose = null;
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !document.querySelector('dialog[open]')) closePanel();
});

/** Grey lines where the words will be. */
export function skeleton(lines = 3) {
  return el('div', { class: 'skeleton' }, el('p', { class: 'unseen' }, t('loading')),
    Array.from({ length: lines }, () => el('div', { class: 'skeleton-line' })));
}

/** Moves the map so that a place is in the middle of what the panel leaves free. */
export function showPlace(map, latitude, longitude, zoom = map.getZoom()) {
  const { width, height } = panel().getBoundingClientRect();
  const below = innerWidth < 720;
  const shift = panel().hidden ? [0, 0] : [below ? 0 : -width / 2, below ? height / 2 : 0];
  // The nearest copy of the place: not once round the world.
  const near = longitude + 360 * Math.round((map.getCenter().lng - longitude) / 360);
  const centre = map.unproject(map.project([latitude, near], zoom).add(shift), zoom);
  map.flyTo(centre, zoom, { duration: 0.8, animate: map.options.zoomAnimation });
}
