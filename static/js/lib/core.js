// The basis of every page: stored values, language and strings, requests to the server, the connection, the session.
// They share a module because each file is a request, and the first view has 12 (tests/browser).

/** @import { Account } from './types.js' */

// --- stored values ---

// Damaged or denied storage must not break the page: a browser throws on access when its user blocks site data.

/** @typedef {'localStorage' | 'sessionStorage'} Store the latter keeps its values for one tab */

/**
 * Returns a stored text, or null if there is none or the browser denies access.
 * @param {string} key
 * @param {Store} [store]
 */
export function readStored(key, store = 'localStorage') {
  try {
    return window[store].getItem(key);
  } catch {
    return null;
  }
}

/**
 * Returns a stored object, or null if there is none, it is damaged or the browser denies access.
 * @param {string} key
 * @param {Store} [store]
 * @returns {Record<string, any> | null}
 */
export function readStoredObject(key, store) {
  try {
    const value = JSON.parse(readStored(key, store) ?? 'null');
    return typeof value === 'object' && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * Stores a text, or removes it with null. Does nothing if the browser denies access or the storage is full.
 * @param {string} key
 * @param {string | null} value
 * @param {Store} [store]
 */
export function writeStored(key, value, store = 'localStorage') {
  try {
    if (value === null) window[store].removeItem(key);
    else window[store].setItem(key, value);
  } catch {
    // The page works without stored values.
  }
}

/**
 * Removes all texts whose keys begin with `prefix`.
 * @param {string} prefix
 */
export function removeStored(prefix) {
  try {
    for (const key of Object.keys(window.localStorage)) {
      if (key.startsWith(prefix)) window.localStorage.removeItem(key);
    }
  } catch {
    // The page works without stored values.
  }
}

// --- language ---

const LANGUAGES = ['en', 'zh'];
const LANGUAGE_KEY = 'bottle.language';

function detectLanguage() {
  const tags = [readStored(LANGUAGE_KEY), ...navigator.languages];
  const known = tags.map((tag) => tag?.toLowerCase().split('-')[0] ?? '').find((tag) => LANGUAGES.includes(tag));
  return known ?? 'en';
}

export const language = detectLanguage();

// Formats follow the reader's region if it fits the language: an Irish reader gets Irish dates.
export const locale = navigator.languages.find((tag) => tag.toLowerCase().startsWith(language)) ?? language;

/** @type {Record<string, string | Record<string, string>>} */
const strings = {};
// No module that others import awaits anything at its top level: of two imports at once that share such a module,
// WebKit evaluates one before what it imports (https://bugs.webkit.org/show_bug.cgi?id=242740).
const loading = addStrings('');
const pluralRules = new Intl.PluralRules(locale);
const numberFormat = new Intl.NumberFormat(locale);

/**
 * Loads strings that the other pages do not need.
 * @param {string} folder below lang/
 */
export const loadStrings = (folder) => addStrings(`${folder}/`);

/** @param {string} folder */
async function addStrings(folder) {
  Object.assign(strings, (await import(`../../lang/${folder}${language}.js`)).default);
}

/**
 * Returns the string of `key`. Replaces each `{name}` by a value; `n` selects the plural form.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const string = strings[key];
  const text = typeof string === 'object' ? string[pluralRules.select(Number(values.n))] ?? string.other : string;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === 'number' ? numberFormat.format(value) : value;
  });
}

/**
 * Waits for the strings, fills in those of the page and shows it: `data-t` names a text, `data-t-label` an accessible
 * name. Each page does this first.
 */
export async function translatePage(title = 'app.title') {
  await loading;
  document.documentElement.lang = language === 'zh' ? 'zh-Hans' : 'en';
  document.title = t(title);
  for (const node of document.querySelectorAll('[data-t]')) node.textContent = t(dataOf(node).t);
  for (const node of document.querySelectorAll('[data-t-label]')) {
    node.setAttribute('aria-label', t(dataOf(node).tLabel));
  }
  document.getElementById('language')?.addEventListener('click', switchLanguage);
  document.documentElement.classList.remove('is-untranslated');
}

/** @param {Element} node */
const dataOf = (node) => /** @type {Record<string, string>} */ (/** @type {HTMLElement} */ (node).dataset);

/** Stores the other language and reloads the page. Drafts, session and view survive, because they are stored too. */
function switchLanguage() {
  writeStored(LANGUAGE_KEY, LANGUAGES.find((tag) => tag !== language) ?? null);
  location.reload();
}

/**
 * Returns the element of an id that the page's HTML contains.
 * @param {string} id
 */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

// --- requests ---

/** The status of a write that the page did not send: the browser's session belongs to another account. */
export const OTHER_ACCOUNT = 412;

/** A failed request. `status` 0: the server did not respond. `retryAfter` is in seconds. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {{ status?: string, msg?: string, data?: Record<string, any> | null }} [envelope]
   * @param {number} [retryAfter]
   */
  constructor(status, envelope = {}, retryAfter = 0) {
    super(envelope.msg ?? `HTTP ${status}`);
    this.status = status;
    this.code = envelope.status ?? '';
    this.data = envelope.data ?? {};
    /** @type {string | null} */
    this.field = envelope.data?.field ?? null;
    this.retryAfter = retryAfter;
  }
}

/**
 * Tells whether an error is a cancellation: of a request by a newer one, or of a login by the reader.
 * @param {unknown} error
 */
export const isAbort = (error) => error instanceof DOMException && error.name === 'AbortError';

/**
 * Events of the server: "offline", "online", and "session" after a login or logout. Its detail: `isExpired` if the
 * server ended the session, `isElsewhere` if another tab changed it.
 */
export const server = new EventTarget();

/**
 * Sends a request and returns the `data` of the envelope. Throws `ApiError`, or `AbortError` when `signal` aborts it.
 * @template T the caller knows the type of the data
 * @param {string} method
 * @param {string} path below api/
 * @param {object} [options]
 * @param {Record<string, string | number>} [options.query]
 * @param {object} [options.body] sent as JSON
 * @param {AbortSignal} [options.signal]
 * @param {string} [options.key] the server does a request with the same key once
 * @returns {Promise<T>}
 */
export async function request(method, path, { query, body, signal, key } = {}) {
  const isLogin = method === 'POST' && ['sessions', 'users', 'setup'].includes(path);
  if (method !== 'GET' && !isLogin && session.user) await checkAccount(session.user);
  const url = new URL(`api/${path}`, document.baseURI);
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, String(value));
  const response = await fetchResponse(url, {
    method,
    signal,
    headers: { ...(body && { 'Content-Type': 'application/json' }), ...(key && { 'Idempotency-Key': key }) },
    body: body && JSON.stringify(body),
  });
  const envelope = await readEnvelope(response);
  if (response.ok) return envelope.data;
  if (response.status === 401 && session.user) setUser(null, true);
  throw new ApiError(response.status, envelope, Number(response.headers.get('Retry-After')));
}

/**
 * Rejects if the browser's session belongs to another account than the one shown. Tabs share the session cookie, and
 * a login by another client of this browser, such as the page of the routes, stores no account.
 * @param {Account} shown
 */
export async function checkAccount(shown) {
  /** @type {Account} */
  const user = await request('GET', 'users/self');
  if (user.user_id === shown.user_id) return;
  writeStored(USER_KEY, JSON.stringify(user));
  followAccount(user);
  throw new ApiError(OTHER_ACCOUNT);
}

/**
 * @param {URL} url
 * @param {RequestInit} options
 */
async function fetchResponse(url, options) {
  let response = null;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (isAbort(error)) throw error;
  }
  if (!response || isUnreachable(response)) throw lostConnection();
  // An answer of the service worker.
  if (response.headers.has('Bottle-Last-Seen')) lostConnection();
  else foundConnection();
  return response;
}

/** @param {Response} response */
async function readEnvelope(response) {
  try {
    return await response.json();
  } catch (error) {
    if (isAbort(error)) throw error;
    if (!(error instanceof SyntaxError)) throw lostConnection();
    // A proxy's own page instead of the server's JSON.
    if (response.ok) throw new ApiError(response.status);
    return {};
  }
}

/**
 * Tells whether a proxy reports that the server behind it does not respond, as it does while the server restarts.
 * @param {Response} response
 */
const isUnreachable = (response) => response.status === 502 || response.status === 504;

// --- the connection ---

const MAX_RECONNECT_SECONDS = 30;

/** Whether the connection is lost, and when the page next tries to reconnect (milliseconds since 1970). */
export const connection = { isLost: false, nextAttempt: 0 };
/** @type {number | undefined} */
let reconnectTimer;
let reconnectSeconds = 1;

/** Starts to reconnect, unless the page already does so. Returns the error to throw. */
function lostConnection() {
  if (!connection.isLost) {
    connection.isLost = true;
    reconnectSeconds = 1;
    scheduleReconnect();
  }
  return new ApiError(0);
}

function scheduleReconnect() {
  window.clearTimeout(reconnectTimer);
  connection.nextAttempt = Date.now() + reconnectSeconds * 1000;
  reconnectTimer = window.setTimeout(reconnect, reconnectSeconds * 1000);
  reconnectSeconds = Math.min(reconnectSeconds * 2, MAX_RECONNECT_SECONDS);
  server.dispatchEvent(new Event('offline'));
}

/**
 * Tests the connection now. If the server does not respond, the connection is lost, and the next test follows with
 * exponential backoff.
 */
export async function reconnect() {
  window.clearTimeout(reconnectTimer);
  const response = await fetch(new URL('api/settings', document.baseURI), { cache: 'no-store' }).catch(() => null);
  if (!response || isUnreachable(response)) {
    if (connection.isLost) scheduleReconnect();
    else lostConnection();
    return;
  }
  foundConnection();
}

/** Ends an outage, if there is one: the server has answered. */
function foundConnection() {
  if (!connection.isLost) return;
  window.clearTimeout(reconnectTimer);
  connection.isLost = false;
  server.dispatchEvent(new Event('online'));
}

/**
 * Tells whether a request failed because the server did not respond.
 * @param {unknown} error
 */
export const isLostConnection = (error) => error instanceof ApiError && error.status === 0;

// --- the session ---

const USER_KEY = 'bottle.user';

// Scripts cannot read the cookie, so the page stores the account. Thus a visitor's page sends no request that must
// fail, and the first 401 removes an account that is out of date.

/**
 * The account of the session, and whether the server has ended the session of a guest, whose class is then over.
 * @type {{ user: Account | null, isClassOver: boolean }}
 */
export const session = { user: readStoredUser(), isClassOver: false };

function readStoredUser() {
  const user = readStoredObject(USER_KEY);
  return typeof user?.username === 'string' ? /** @type {Account} */ (user) : null;
}

/**
 * Sets the account of the session, or removes it with null.
 * @param {Account | null} user
 * @param {boolean} [isExpired] whether the server ended the session, not the reader
 */
export function setUser(user, isExpired = false) {
  session.isClassOver = isExpired && (session.user?.is_guest ?? false);
  session.user = user;
  writeStored(USER_KEY, user && JSON.stringify(user));
  server.dispatchEvent(new CustomEvent('session', { detail: { isExpired } }));
}

/**
 * Shows the account of a login or logout elsewhere in this browser.
 * @param {Account | null} user
 */
function followAccount(user) {
  session.user = user;
  server.dispatchEvent(new CustomEvent('session', { detail: { isElsewhere: true } }));
}

// The browser sends this event to all other tabs. The key is null if the whole storage was cleared.
addEventListener('storage', ({ key }) => {
  if (key !== USER_KEY && key !== null) return;
  const user = readStoredUser();
  if (user?.user_id !== session.user?.user_id || user?.nickname !== session.user?.nickname) followAccount(user);
});
