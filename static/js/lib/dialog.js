// A modal dialog: the browser's own <dialog>, which keeps the focus inside and gives it back.

import { el, needStyle } from './dom.js';
import { t } from './i18n.js';

/** Opens an empty dialog; `fill(title, contents)` puts something in, `close()` ends it without calling `onClose`. */
export function openDialog({ onClose = null } = {}) {
  const heading = el('h2', { id: 'dialog-title' });
  const body = el('div', { class: 'dialog-body' });
  const cross = el('button', { type: 'button', class: 'close', 'aria-label': t('panel.close'), onclick: () => node.close() }, '×');
  const node = el('dialog', { 'aria-labelledby': 'dialog-title' }, el('header', {}, heading, cross), body);
  let quiet = false;
  node.addEventListener('close', () => {
    node.remove();
    if (!quiet) onClose?.();
  });
  document.body.append(node);
  const ready = needStyle('panel').then(() => node.showModal());
  return {
    fill(title, contents) {
      heading.textContent = title;
      body.replaceChildren(...contents.filter(Boolean));
      ready.then(() => body.querySelector('input, select, textarea, button')?.focus());
    },
    close() {
      quiet = true;
      node.close();
    },
  };
}
