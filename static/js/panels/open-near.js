// Where the reader is: a bottle may open only for people near it.

/** @import { App } from '../lib/types.js' */

import { t } from '../lib/core.js';
import { el } from '../lib/dom.js';
import { input } from '../lib/forms.js';
import { distanceText, parseNumber } from '../lib/format.js';
import { createPlacePicker, devicePosition } from '../map/place-picker.js';

/** @typedef {ReturnType<typeof createPositionChoice>} PositionChoice */

/**
 * Creates the controls that say where the reader is. `position` returns that, or asks the device; null if unknown.
 * @param {App} app
 * @param {number} openWithin in metres
 */
export function createPositionChoice(app, openWithin) {
  const latitude = input({});
  const longitude = input({});
  const picker = createPlacePicker(app, { address: input({}), latitude, longitude }, '', {
    title: 'near.where', hint: 'near.hint', mapLabel: 'near.here', isOnDemand: true,
  });
  const chosen = el('p', { class: 'hint', role: 'status' });
  longitude.addEventListener('input', () => chosen.replaceChildren(t('near.chosen')));
  const current = () => (latitude.value
    ? { latitude: parseNumber(latitude.value), longitude: parseNumber(longitude.value) }
    : null);
  return {
    node: el('div', {},
      el('p', { class: 'reason' }, t('near.limit', { distance: distanceText(openWithin) })), picker.node, chosen),
    async position() {
      const position = current() ?? await devicePosition(0);
      return position && { latitude: position.latitude, longitude: position.longitude };
    },
    start: picker.start,
    stop: picker.end,
  };
}
