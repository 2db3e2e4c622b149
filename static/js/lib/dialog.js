// Modal dialogs: the browser's <dialog>, which keeps the focus inside and returns it.

/** @import { Child } from './dom.js' */

import { t } from './core.js';
import { el, loadStyle, present } from './dom.js';
import { liveRegion } from './notices.js';

/**
 * Opens an empty dialog. `fill` sets its contents, `close` closes it without a call of `onCancel`.
 * @param {object} [options]
 * @param {(() => void) | null} [options.onCancel] runs when the reader closes the dialog
 * @param {string | null} [options.omits] kind of the banner that stays behind the dialog
 */
export function openDialog({ onCancel = null, omits = null } = {}) {
  const heading = el('h2', { id: 'dialog-title' });
  const body = el('div', { class: 'dialog-body' });
  const closeButton = el('button', { type: 'button', class: 'close', 'aria-label': t('panel.close') }, '×');
  const notices = el('div', { class: 'notices', role: 'status' });
  const header = el('header', {}, heading, closeButton);
  const node = el('dialog', { 'aria-labelledby': 'dialog-title', 'data-omits': omits }, header, notices, body);
  closeButton.addEventListener('click', () => node.close());
  let isCancelled = true;
  node.addEventListener('close', () => {
    liveRegion().append(...notices.childNodes);
    node.remove();
    if (isCancelled) onCancel?.();
  }, { once: true });
  document.body.append(node);
  const opened = loadStyle('panel').then(() => {
    const shown = /** @type {HTMLElement[]} */ ([...liveRegion().children])
      .filter(({ dataset }) => !omits || dataset.kind !== omits);
    if (!node.isConnected) return;
    node.showModal();
    notices.append(...shown);
  });
  return {
    /**
     * @param {string} title
     * @param {Child[]} contents
     */
    fill(title, contents) {
      heading.textContent = title;
      body.replaceChildren(...present(contents));
      opened.then(() => {
        /** @type {HTMLElement | null} */
        const first = body.querySelector('input:not([hidden]), select, textarea, button');
        first?.focus();
      });
    },
    close() {
      isCancelled = false;
      closeNode(node);
    },
  };
}

/** Closes the dialog, if there is one, as its reader would. */
export function dismissDialog() {
  const node = document.querySelector('dialog');
  if (node) closeNode(node);
}

/**
 * Closes and removes a dialog. The browser's event would come later, and never for a dialog that is not shown yet.
 * @param {HTMLDialogElement} node
 */
function closeNode(node) {
  node.close();
  node.dispatchEvent(new Event('close'));
}
