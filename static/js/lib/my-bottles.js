// The account's two lists, created and opened, fetched page by page and cached until a change.

/** @import { OpenedBottle } from './types.js' */

import { request, server } from './core.js';

const PAGE_SIZE = 500;

/** @typedef {'created' | 'opened'} ListName */

/** @type {Map<ListName, OpenedBottle[]>} */
const cache = new Map();

/**
 * Returns all bottles of a list, oldest first.
 * @param {ListName} name
 * @param {(count: number) => void} [onProgress] receives the number of bottles after each page but the last
 * @returns {Promise<OpenedBottle[]>}
 */
export async function fetchList(name, onProgress = () => {}) {
  const cached = cache.get(name);
  // An empty list is fetched again: its text must not hide that the server does not respond.
  if (cached?.length) return cached;
  /** @type {OpenedBottle[]} */
  const bottles = [];
  /** @type {{ limit: number, after?: string | number }} */
  let query = { limit: PAGE_SIZE };
  for (;;) {
    /** @type {{ bottles: OpenedBottle[], next?: string | number | null }} */
    const page = await request('GET', `bottles/${name}`, { query });
    bottles.push(...page.bottles);
    if (!page.next) break;
    onProgress(bottles.length);
    query = { limit: PAGE_SIZE, after: page.next };
  }
  cache.set(name, bottles);
  return bottles;
}

/** @param {ListName} name */
export const invalidateList = (name) => cache.delete(name);

server.addEventListener('session', () => cache.clear());
