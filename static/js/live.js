// What happens in the visible rectangle, as it happens: bottles appear and go without a question.

import { server, session } from './api.js';

const BUNCH = 1000;   // milliseconds within which changes of mere counts are asked for together

/** Opens the server's stream of a rectangle; `on` has a listener for each event. */
export function listen(rectangle, on) {
  const url = new URL('api/bottles/live', document.baseURI);
  for (const [name, value] of Object.entries(rectangle)) url.searchParams.set(name, value);
  const stream = new EventSource(url);
  for (const name of ['thrown', 'opened', 'hidden', 'reset']) {
    stream.addEventListener(name, ({ data }) => on[name]?.(data ? JSON.parse(data) : null));
  }
  stream.addEventListener('open', () => on.open?.());
  return stream;
}

/** Follows the map of `app` for as long as someone is logged in. */
export function follow(app) {
  let stream = null;
  let where = '';
  let timer = 0;

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(app.look, BUNCH);
  };
  const on = {
    // Between the last answer and this stream something may have happened.
    open: () => app.look(),
    reset: () => app.look(),
    thrown(bottle) {
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
    const rectangle = session.user ? app.rectangle() : null;
    const now = JSON.stringify(rectangle);
    if (now === where && stream?.readyState !== EventSource.CLOSED) return;
    where = now;
    stream?.close();
    stream = rectangle && listen(rectangle, on);
  };
  app.events.addEventListener('seen', renew);
  server.addEventListener('session', renew);
  renew();
}
