// My two lists, fetched page by page and kept until something changes them.

import { call, server } from './api.js';

const PAGE = 500;
const kept = new Map();

/** All the bottles of a list ("created" or "opened"), oldest first. `onProgress` hears how many there are so far. */
export async function fetchList(name, onProgress = () => {}) {
  if (kept.has(name)) return kept.get(name);
  const bottles = [];
  let query = { limit: PAGE };
  for (;;) {
    const page = await call('GET', `bottles/${name}`, { query });
    bottles.push(...page.bottles);
    if (!page.next) break;
    onProgress(bottles.length);
    query = { limit: PAGE, after: page.next };
  }
  kept.set(name, bottles);
  return bottles;
}

export const forget = (name) => kept.delete(name);

server.addEventListener('session', () => kept.clear());
