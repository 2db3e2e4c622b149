// The account's two lists, created and opened, fetched page by page and cached until a change.

/** @import { OpenedBottle } from './types.js' */

import { request, server } from './core.js';

const PAGE_SIZE = 500;

/** @typedef {'created' | 'opened'} ListName */

/** @type {Map<ListName, OpenedBottle[]>} */
const cache = new Map();
/** Numbers that grow with each change: a list that was requested before a change is not cached after it. */
const changeCounts = { created: 0, opened: 0 };

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
  const countBefore = changeCounts[name];
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
  if (countBefore === changeCounts[name]) cache.set(name, bottles);
  return bottles;
}

/** @param {ListName} name */
export function invalidateList(name) {
  changeCounts[name] += 1;
  cache.delete(name);
}

server.addEventListener('session', () => {
  invalidateList('created');
  invalidateList('opened');
});
