// The blocked accounts in the account dialog, each with the button that ends the block.

/** @import { App, Person } from '../lib/types.js' */

import { byId, request, t } from '../lib/core.js';
import { bdi, el } from '../lib/dom.js';
import { displayName } from '../lib/format.js';
import { attempt, errorLine } from './controls.js';

const PAGE_SIZE = 500;

/**
 * Creates the list, which stays hidden if no account is blocked.
 * @param {App} app
 */
export function blockedAccounts(app) {
  const error = errorLine();
  const list = el('ul', { class: 'threads' });
  const node = el('details', { hidden: true }, el('summary', {}, t('block.list')), list, error);
  attempt(app, error, load).then((isLoaded) => {
    node.hidden = isLoaded && !list.children.length;
  });
  return node;

  async function load() {
    /** @type {number | null | undefined} */
    let after = 0;
    while (after !== null && after !== undefined) {
      const query = { limit: PAGE_SIZE, ...(after && { after }) };
      /** @type {{ blocked: Person[], next?: number | null }} */
      const page = await request('GET', 'users/self/blocks', { query });
      list.append(...page.blocked.map(blockedAccount));
      after = page.next;
    }
  }

  /** @param {Person} person */
  function blockedAccount(person) {
    const { user_id: id } = person;
    const name = displayName(person);
    return el('li', { class: 'row', 'data-id': id },
      bdi(name), el('button', { type: 'button', onclick: () => unblock(id) }, t('block.end', { name })));
  }

  /** @param {number} id */
  async function unblock(id) {
    if (!await attempt(app, error, () => request('PUT', `users/${id}/block`, { body: { blocked: false } }))) return;
    list.querySelector(`[data-id="${id}"]`)?.remove();
    const next = list.querySelector('button');
    node.hidden = !next;
    const title = byId('dialog-title');
    title.tabIndex = -1;
    (next ?? title).focus();
  }
}
