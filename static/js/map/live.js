// What happens in the visible rectangle, as it happens: bottles appear and go without a question.

import { server, session } from '../lib/api.js';

const BUNCH = 1000;   // milliseconds within which changes of mere counts are asked for together
export const REST = 5000;   // milliseconds after which a stream that was refused is asked for again
const WIDE = 2;       // a stream is for so many times what is seen, so that a small step needs no new one

/** Opens the server's stream of a rectangle; `on` has a listener for each event, `closed` for a refusal: nobody is logged
    in any more, or too many listen. */
export function listen(rectangle, on) {
  const url = new URL('api/bottles/live', document.baseURI);
  for (const [name, value] of Object.entries(rectangle)) url.searchParams.set(name, value);
  const stream = new EventSource(url);
  for (const name of ['thrown', 'opened', 'hidden', 'reset']) {
    stream.addEventListener(name, ({ data }) => on[name]?.(data ? JSON.parse(data) : null));
  }
  stream.addEventListener('open', () => on.open?.());
  stream.addEventListener('error', () => stream.readyState === EventSource.CLOSED && on.closed?.());
  return stream;
}

/** Follows the map of `app` for as long as someone is logged in. */
export function follow(app) {
  let stream = null;
  let where = null;   // the rectangle of the stream
  let timer = 0;

  const soon = (pause = BUNCH) => {
    clearTimeout(timer);
    timer = setTimeout(app.look, pause);
  };
  const on = {
    // Between the last answer and this stream something may have happened.
    open: () => app.look(),
    reset: () => app.look(),
    closed: () => soon(REST),
    thrown(bottle) {
      if (!within(app.rectangle(), bottle.location)) return;
      if (app.seen.cells.length) soon();
      else app.update([...without(bottle.bottle_id), bottle]);
    },
    hidden({ bottle_id: id }) {
      if (app.seen.cells.length) soon();
      else app.update(without(id));
    },
  };
  const without = (id) => app.seen.bottles.filter((bottle) => bottle.bottle_id !== id);

  const renew = () => {
    const seen = app.rectangle();
    if (session.user && where && covers(where, seen) && stream.readyState !== EventSource.CLOSED) return;
    stream?.close();
    where = session.user ? wide(seen) : null;
    stream = where && listen(where, on);
  };
  // While the server is away, the page asks for it at its own pace.
  server.addEventListener('offline', () => {
    stream?.close();
    where = null;
  });
  app.events.addEventListener('seen', renew);
  server.addEventListener('session', renew);
  renew();
}

const wide = ({ latitude, longitude, latitude_span: high, longitude_span: broad }) =>
  ({ latitude, longitude, latitude_span: Math.min(180, high * WIDE), longitude_span: Math.min(180, broad * WIDE) });

/** How far east or west one longitude is of another. */
const apart = (a, b) => Math.abs(((((a - b) % 360) + 540) % 360) - 180);

function within({ latitude, longitude, latitude_span: high, longitude_span: broad }, place) {
  return Math.abs(place.latitude - latitude) <= high && apart(place.longitude, longitude) <= broad;
}

function covers(outer, inner) {
  return Math.abs(inner.latitude - outer.latitude) + inner.latitude_span <= outer.latitude_span
    && (outer.longitude_span >= 180 || apart(inner.longitude, outer.longitude) + inner.longitude_span <= outer.longitude_span)
    // Nearer by far, a stream of all that is around would tell too much.
    && inner.longitude_span * WIDE ** 3 >= outer.longitude_span;
}
