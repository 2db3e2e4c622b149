// Catches a random bottle of the sea.

/** @import { App, OpenedBottle } from '../lib/types.js' */

import { byId, isAbort, request } from '../lib/core.js';
import { el, loadStyle, whileBusy } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { toast } from '../lib/notices.js';
import { withSession } from './account.js';
import { bottleIcon } from './bottle-icon.js';
import { noteOpening, showFoundBottle } from './bottle.js';
import { watchPanel } from './panel.js';

const ANIMATION_MS = 900;   // as in panel.css

/** @param {App} app */
export function catchBottle(app) {
  const button = /** @type {HTMLButtonElement} */ (byId('catch'));
  return whileBusy(button, async () => {
    let isWaiting = watchPanel();
    try {
      /** @type {OpenedBottle} */
      const bottle = await withSession(app, () => {
        // The login may have closed what the panel showed.
        isWaiting = watchPanel();
        return request('POST', 'bottles/catch');
      }, 'login.toCatch');
      noteOpening(app, bottle);
      await animate(bottle.style);
      // The reader did not wait. The bottle is in the list of the opened ones.
      if (isWaiting()) await showFoundBottle(app, bottle);
    } catch (error) {
      if (!isAbort(error)) toast(explain(error, 'catch').message);
    }
  });
}

/**
 * Shows a bottle that rises from the sea, unless the reader prefers reduced motion.
 * @param {number} style
 */
async function animate(style) {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  await loadStyle('panel');
  const node = el('div', { class: 'catching', 'aria-hidden': 'true' }, bottleIcon(style));
  document.body.append(node);
  await new Promise((resolve) => { setTimeout(resolve, ANIMATION_MS); });
  node.remove();
}
