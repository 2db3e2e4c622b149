// The service worker of the map page, over HTTPS only: while the server does not respond, it answers with the files of
// the page and with what the map showed last. Everything else goes to the server as if there were no worker.
//
// While the server responds, each answer comes from the server, so that no reader meets an old page.

const PAGE = 'page';
// js/lib/offline.js deletes this cache when the account changes.
const SEA = 'sea';
/** What the map shows: neither a message nor another person. */
const SEA_PATHS = ['api/settings', 'api/bottles/nearby', 'api/bottles/counts'];
const MAX_SEA_ANSWERS = 60;
/** Paths that are no files of the page. */
const NOT_FILES = /^(api|tiles|places|feeds|healthz|readyz|metrics)(\/|$)/;

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

worker.addEventListener('install', () => worker.skipWaiting());
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  const { pathname: root } = new URL(worker.registration.scope);
  // A page that tests the connection asks for `no-store`.
  if (request.method !== 'GET' || origin !== location.origin || request.cache === 'no-store') return;
  const path = pathname.slice(root.length);
  if (SEA_PATHS.includes(path)) event.respondWith(answer(event, SEA));
  else if (!NOT_FILES.test(path)) event.respondWith(answer(event, PAGE));
});

/**
 * Answers from the server, or from the cache while the server does not respond.
 * @param {FetchEvent} event
 * @param {string} name of the cache
 */
async function answer(event, name) {
  const { request } = event;
  try {
    const response = await fetch(request);
    if (response.status === 200) event.waitUntil(keep(name, request, response.clone()));
    if (response.status !== 502 && response.status !== 504) return response;
    return await lastSeen(name, request) ?? response;
  } catch (error) {
    const response = await lastSeen(name, request);
    if (response) return response;
    throw error;
  }
}

/**
 * Keeps an answer. A file replaces its other versions; of what the map showed, the oldest answers make room.
 * @param {string} name
 * @param {Request} request
 * @param {Response} response
 */
async function keep(name, request, response) {
  const cache = await caches.open(name);
  await cache.delete(request, { ignoreSearch: name === PAGE, ignoreVary: true });
  await cache.put(request, response);
  if (name !== SEA) return;
  const kept = await cache.keys();
  await Promise.all(kept.slice(0, -MAX_SEA_ANSWERS).map((old) => cache.delete(old)));
}

/**
 * Returns the last answer to a request, marked so that the page knows that the server is away.
 * @param {string} name
 * @param {Request} request
 */
async function lastSeen(name, request) {
  const cache = await caches.open(name);
  const found = await cache.match(request, { ignoreSearch: name === PAGE, ignoreVary: true });
  if (!found || name === PAGE) return found;
  const headers = new Headers(found.headers);
  headers.set('Bottle-Last-Seen', headers.get('Date') ?? '');
  return new Response(found.body, { status: found.status, headers });
}
