// The first words of new bottles on the projector, for a teacher who has turned them on.

import { ApiError, byId, request, session, t } from '../lib/core.js';
import { USER_TEXT, bdi, el, phrase } from '../lib/dom.js';
import { toast } from '../lib/notices.js';
import { explain } from '../lib/errors.js';

const SETTLE_MS = 500;     // bottles that come within this time cause one request
const POLL_MS = 10_000;    // a report of a bottle is no event

/** @typedef {{ bottle_id: number, words: string, nickname: string }} FirstWords */

let isShown = false;
/** @type {number | undefined} */
let timer;

/** Shows what the session's account may see: a teacher the button, and the words if they are on. */
export async function showWords() {
  isShown = false;
  if (session.user?.is_teacher) {
    const sea = await ask('GET', 'teacher/sea');
    isShown = sea?.shows_messages ?? false;
    byId('messages').hidden = !sea;
  } else {
    byId('messages').hidden = true;
  }
  await update();
}

/** Fetches the words soon. */
export function scheduleWords() {
  if (!isShown) return;
  window.clearTimeout(timer);
  timer = window.setTimeout(update, SETTLE_MS);
}

async function update() {
  window.clearTimeout(timer);
  byId('messages').textContent = t(isShown ? 'projector.hideMessages' : 'projector.showMessages');
  /** @type {{ bottles: FirstWords[] } | null} */
  const newest = isShown ? await ask('GET', 'teacher/newest') : null;
  // The teacher may have turned them off meanwhile.
  const bottles = isShown && newest ? newest.bottles : [];
  byId('words').hidden = bottles.length === 0;
  byId('words').replaceChildren(...bottles.map(({ words, nickname }) => el('li', {},
    el('span', USER_TEXT, words), ' ', el('small', {}, phrase('projector.from', { name: bdi(nickname) })))));
  window.clearTimeout(timer);
  if (isShown) timer = window.setTimeout(update, POLL_MS);
}

/**
 * Sends a request; null if it fails, which the page itself notices too.
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
async function ask(method, path, body) {
  try {
    return await request(method, path, { body });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (body) toast(explain(error).message);
    return null;
  }
}

byId('messages').addEventListener('click', async () => {
  const changed = await ask('PUT', 'teacher/sea', { shows_messages: !isShown });
  if (!changed) return;
  isShown = !isShown;
  await update();
});
