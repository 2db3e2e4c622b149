// The blocked accounts in the account dialog, each with the button that ends the block.

/** @import { App } from '../lib/types.js' */

import { byId, request, t } from '../lib/core.js';
import { removeBlock, storedBlocks } from '../lib/blocks.js';
import { bdi, el } from '../lib/dom.js';
import { attempt, errorLine } from './controls.js';

/**
 * Creates the list, or returns null if no account is blocked.
 * @param {App} app
 */
export function blockedAccounts(app) {
  const blocks = storedBlocks();
  if (!blocks.length) return null;
  const error = errorLine();
  const list = el('ul', { class: 'threads' }, blocks.map(({ id, name }) => el('li', { class: 'row', 'data-id': id },
    bdi(name), el('button', { type: 'button', onclick: () => unblock(id) }, t('block.end', { name })))));
  const node = el('details', {}, el('summary', {}, t('block.list')), list, error);
  return node;

  /** @param {number} id */
  async function unblock(id) {
    if (!await attempt(app, error, () => request('PUT', `users/${id}/block`, { body: { blocked: false } }))) return;
    removeBlock(id);
    list.querySelector(`[data-id="${id}"]`)?.remove();
    /** @type {HTMLElement | null} */
    const next = list.querySelector('button') ?? node.querySelector('summary');
    (next ?? byId('dialog-title')).focus();
  }
}
