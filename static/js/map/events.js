// The event stream of the visible rectangle: bottles appear and disappear without a request.

/** @import { App, MapBottle, Openers, Place, Rectangle } from '../lib/types.js' */

import { connection, reconnect, server, session } from '../lib/core.js';
import { longitudeDistance } from '../lib/geo.js';

const BATCH_MS = 1000;               // events within this time cause one request of counts
export const RETRY_MS = 5000;        // from the rejection of a stream to the next attempt
const POLL_MS = 4000;                // between the requests of a page without a stream
const STREAM_SCALE = 2;              // of the visible rectangle, so that few movements need a new stream
const MAX_STREAM_SCALE = STREAM_SCALE ** 3;   // after zooming in, a larger stream would send too many events

/**
 * The listeners of a stream. `open`: it begins; `reset`: events were lost; `closed`: the server rejected it.
 * @typedef {object} EventListeners
 * @property {() => void} open
 * @property {() => void} reset
 * @property {() => void} closed
 * @property {(bottle: MapBottle) => void} thrown
 * @property {(bottle: { bottle_id: number }) => void} hidden
 * @property {(bottle: Openers) => void} [opened]
 * @property {(sea: { frozen: boolean }) => void} [frozen]
 */

/**
 * Opens the event stream of a rectangle. The server rejects it without a session, or if it has too many streams.
 * @param {Rectangle} rectangle
 * @param {EventListeners} listeners
 */
export function openEventStream(rectangle, listeners) {
  const url = new URL('api/bottles/live', document.baseURI);
  for (const [name, value] of Object.entries(rectangle)) url.searchParams.set(name, String(value));
  const stream = new EventSource(url);
  stream.addEventListener('thrown', ({ data }) => listeners.thrown(JSON.parse(data)));
  stream.addEventListener('hidden', ({ data }) => listeners.hidden(JSON.parse(data)));
  stream.addEventListener('opened', ({ data }) => listeners.opened?.(JSON.parse(data)));
  stream.addEventListener('frozen', ({ data }) => listeners.frozen?.(JSON.parse(data)));
  stream.addEventListener('reset', () => listeners.reset());
  stream.addEventListener('open', () => listeners.open());
  stream.addEventListener('error', () => {
    if (stream.readyState === EventSource.CLOSED) listeners.closed();
    // The browser opens a broken stream again and reports no failure to do so.
    else reconnect();
  });
  return stream;
}

/**
 * Keeps an event stream for the visible rectangle while the page has a session.
 * @param {App} app
 */
export function subscribeToMap(app) {
  /** @type {EventSource | null} */
  let stream = null;
  /** @type {Rectangle | null} */
  let streamRectangle = null;
  /** @type {number | undefined} */
  let timer;

  const scheduleRefresh = (delayMs = BATCH_MS) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(app.refresh, delayMs);
  };
  const reload = () => {
    app.refresh();
    app.loadSettings();
  };
  const without = (/** @type {number} */ id) => app.visible.bottles.filter((bottle) => bottle.bottle_id !== id);
  /** @type {EventListeners} */
  const listeners = {
    // Bottles and settings may have changed between the last responses and this stream.
    open: reload,
    reset: reload,
    closed: () => scheduleRefresh(RETRY_MS),
    thrown(bottle) {
      if (!contains(app.rectangle(), bottle.location)) return;
      if (app.visible.cells.length) scheduleRefresh();
      else app.showBottles([...without(bottle.bottle_id), bottle]);
    },
    hidden({ bottle_id: id }) {
      if (app.visible.cells.length) scheduleRefresh();
      else app.showBottles(without(id));
    },
    opened: (detail) => app.events.dispatchEvent(new CustomEvent('opened', { detail })),
    frozen: ({ frozen }) => app.setFrozen(frozen),
  };

  const close = () => {
    stream?.close();
    stream = null;
    streamRectangle = null;
  };
  const update = () => {
    // Browsers allow six connections to a server. A hidden tab keeps only the stream of the inbox.
    if (document.hidden) {
      close();
      return;
    }
    const visible = app.rectangle();
    const isOpen = stream !== null && stream.readyState !== EventSource.CLOSED;
    if (session.user && streamRectangle && isOpen && covers(streamRectangle, visible)) return;
    stream?.close();
    streamRectangle = session.user ? enlarge(visible) : null;
    stream = streamRectangle && openEventStream(streamRectangle, listeners);
  };
  // While the connection is lost, the page reconnects by itself; the next refresh opens a stream again.
  server.addEventListener('offline', close);
  // Without a stream only a request shows that the server does not respond, or that throwing is frozen.
  const poll = () => {
    if (stream?.readyState !== EventSource.OPEN && !connection.isLost && !document.hidden) app.loadSettings();
  };
  window.setInterval(poll, POLL_MS);
  document.addEventListener('visibilitychange', () => {
    poll();
    update();
  });
  app.events.addEventListener('refreshed', update);
  server.addEventListener('session', update);
  update();
}

/**
 * @param {Rectangle} rectangle
 * @returns {Rectangle}
 */
const enlarge = ({ latitude, longitude, latitude_span: height, longitude_span: width }) => ({
  latitude,
  longitude,
  latitude_span: Math.min(180, height * STREAM_SCALE),
  longitude_span: Math.min(180, width * STREAM_SCALE),
});

/**
 * @param {Rectangle} rectangle
 * @param {Place} place
 */
function contains({ latitude, longitude, latitude_span: height, longitude_span: width }, place) {
  return Math.abs(place.latitude - latitude) <= height && longitudeDistance(place.longitude, longitude) <= width;
}

/**
 * Tells whether a stream's rectangle covers the visible one and is not too large for it.
 * @param {Rectangle} outer
 * @param {Rectangle} inner
 */
function covers(outer, inner) {
  const distance = longitudeDistance(inner.longitude, outer.longitude);
  return Math.abs(inner.latitude - outer.latitude) + inner.latitude_span <= outer.latitude_span
    && (outer.longitude_span >= 180 || distance + inner.longitude_span <= outer.longitude_span)
    && inner.longitude_span * MAX_STREAM_SCALE >= outer.longitude_span;
}
