// The service worker, which shows the page while the server is away. Browsers allow one over HTTPS only; a page over
// plain HTTP works without.

import { server, session } from './core.js';

/** The cache of what the map showed, which sw.js fills. */
const SEA = 'sea';
/** Resources that sw.js does not keep. */
const NOT_KEPT = /\/api\/(?!settings$|bottles\/(nearby|counts)\?)/;

/** Starts the service worker, and deletes what an account has seen when another one, or none, follows it. */
export async function workOffline() {
  if (!('serviceWorker' in navigator)) return;
  let id = session.user?.user_id;
  server.addEventListener('session', () => {
    if (session.user?.user_id === id) return;
    id = session.user?.user_id;
    caches.delete(SEA);
  });
  const isFirst = !navigator.serviceWorker.controller;
  if (isFirst) navigator.serviceWorker.addEventListener('controllerchange', keepPage, { once: true });
  try {
    await navigator.serviceWorker.register(new URL('sw.js', document.baseURI));
  } catch {
    // A browser refuses one that is behind a certificate it does not trust.
  }
}

/** Requests once more what the page consists of: the first time it was loaded before the service worker ran. */
async function keepPage() {
  const root = new URL('.', document.baseURI).href;
  const loaded = performance.getEntriesByType('resource').map((entry) => entry.name);
  for (const url of [root, ...loaded]) {
    if (url.startsWith(root) && !NOT_KEPT.test(url)) await fetch(url).catch(() => null);
  }
}
