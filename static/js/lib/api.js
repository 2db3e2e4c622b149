// Talking to the server: one function for every request, and what the page knows about the session and the connection.
// Others listen to `server`: "session" (someone came or went), "offline", "online".

const KEY = 'bottle.user';

/** What went wrong. `status` 0: the server could not be reached. */
export class ApiError extends Error {
  constructor(status, answer = {}, retryAfter = 0) {
    super(answer.msg ?? `HTTP ${status}`);
    this.status = status;
    this.field = answer.data?.field ?? null;
    this.retryAfter = retryAfter;
  }
}

export const server = new EventTarget();
const tell = (what) => server.dispatchEvent(new Event(what));

/** Sends a request and gives the `data` of the answer. */
export async function call(method, path, { query, body, signal } = {}) {
  const url = new URL(`api/${path}`, document.baseURI);
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
  const response = await reach(url, {
    method,
    signal,
    headers: body ? { 'Content-Type': 'application/json' } : {},
    body: body && JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer.data;
  if (response.status === 401) setUser(null, session.user !== null);
  throw new ApiError(response.status, answer, Number(response.headers.get('Retry-After')));
}

async function reach(url, options) {
  let response = null;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
  }
  // A proxy says 502 or 504 while the binary behind it restarts: for the reader that is the same as no connection.
  if (!response || response.status === 502 || response.status === 504) {
    waitForServer();
    throw new ApiError(0);
  }
  return response;
}

// --- the connection ---

export const connection = { lost: false, nextTry: 0 };
let timer = 0;
let pause = 1;

function waitForServer() {
  if (connection.lost) return;
  connection.lost = true;
  pause = 1;
  schedule();
}

function schedule() {
  connection.nextTry = Date.now() + pause * 1000;
  timer = setTimeout(tryServer, pause * 1000);
  pause = Math.min(pause * 2, 30);
  tell('offline');
}

/** Asks whether the server is back; if not, waits twice as long as the last time, at most half a minute. */
export async function tryServer() {
  clearTimeout(timer);
  try {
    const response = await fetch(new URL('api/settings', document.baseURI), { cache: 'no-store' });
    if (response.status === 502 || response.status === 504) throw new Error('still away');
    connection.lost = false;
    tell('online');
  } catch {
    schedule();
  }
}

// --- the session ---

// The cookie cannot be read by a script, so the page remembers who logged in. A visitor is never asked "who are you" by
// a request that must fail; and a memory that is out of date ends with the first 401.
export const session = { user: JSON.parse(localStorage.getItem(KEY)) };

/** Someone came (a user) or went (null); `ended` when the server ended the session, not the reader. */
export function setUser(user, ended = false) {
  session.user = user;
  if (user) localStorage.setItem(KEY, JSON.stringify(user));
  else localStorage.removeItem(KEY);
  server.dispatchEvent(new CustomEvent('session', { detail: { ended } }));
}
