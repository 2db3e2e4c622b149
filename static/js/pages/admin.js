// The operator's page. Each of its sections is a module of js/admin/, which is loaded when the section is shown.

/** @import { Account, AdminSection } from '../lib/types.js' */

import {
  ApiError, byId, isAbort, loadStrings, reconnect, request, server, session, t, translatePage,
} from '../lib/core.js';
import { el } from '../lib/dom.js';
import { offerLogin, showFailure, showProblem } from './access.js';

/**
 * The sections in the order of the navigation. Each name is the fragment of an address, such as `/admin#people`, of a
 * module in js/admin/ and of a string, such as `admin.people`.
 */
const SECTIONS = ['people', 'invitations', 'backups', 'health', 'settings', 'webhook', 'points', 'log'];

await loadStrings('admin');
await translatePage('admin.title');
byId('sections').append(...SECTIONS.map((name) => el('li', {}, el('a', { href: `#${name}` }, t(`admin.${name}`)))));

let pending = new AbortController();
/** The name of the section that the page shows, if any. */
let shown = '';

/** Shows what the session's account may see: only the page of an operator goes on to show a section. */
async function showSession() {
  const signal = restart();
  if (!session.user) {
    withdraw();
    offerLogin('admin.logIn');
    return;
  }
  try {
    /** @type {Account} */
    const account = await request('GET', 'users/self', { signal });
    if (!account.is_operator) throw new ApiError(403);
  } catch (error) {
    // After a 401 the session's event has called this function again, for a visitor.
    if (isAbort(error) || signal.aborted) return;
    if (error instanceof ApiError && error.status === 403) withdraw();
    showFailure(error, 'admin.logIn', 'admin.forbidden');
    return;
  }
  await showSection(signal);
}

/** Ends what the page is doing. Returns the signal for what it does next. */
function restart() {
  pending.abort();
  pending = new AbortController();
  return pending.signal;
}

/** Removes what only operators may see. */
function withdraw() {
  shown = '';
  byId('contents').hidden = true;
  byId('section').replaceChildren();
}

/** Follows the address to its section. */
async function navigate() {
  if (shown) await showSection(restart());
}

/**
 * Shows the section of the address. One that is shown already keeps its contents until the new ones are there.
 * @param {AbortSignal} signal
 */
async function showSection(signal) {
  const hash = location.hash.slice(1);
  const name = SECTIONS.includes(hash) ? hash : SECTIONS[0];
  if (name !== shown) enter(name);
  const container = /** @type {HTMLElement} */ (byId('section').firstElementChild);
  try {
    const section = await load(name);
    if (signal.aborted) return;
    await section.show(container, signal);
    if (!signal.aborted) showProblem('');
  } catch (error) {
    if (isAbort(error) || signal.aborted) return;
    showFailure(error, 'admin.logIn', 'admin.forbidden');
  }
}

/**
 * Makes an empty section of this name the current one.
 * @param {string} name
 */
function enter(name) {
  const hadFocus = byId('section').contains(document.activeElement);
  const title = t(`admin.${name}`);
  shown = name;
  document.title = t('admin.sectionTitle', { name: title });
  for (const link of byId('sections').querySelectorAll('a')) {
    if (link.hash === `#${name}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  byId('section-title').textContent = title;
  // What a section still does after its end happens in a container that is no longer shown.
  byId('section').replaceChildren(el('div', { class: 'admin-section' }, el('p', {}, t('loading'))));
  byId('contents').hidden = false;
  if (hadFocus) byId('section-title').focus();
}

/**
 * Loads the module of a section.
 * @param {string} name
 * @returns {Promise<AdminSection>}
 */
async function load(name) {
  try {
    return await import(`../admin/${name}.js`);
  } catch {
    // The page shows its session again once it is connected.
    reconnect();
    throw new ApiError(0);
  }
}

server.addEventListener('session', showSession);
server.addEventListener('online', showSession);
addEventListener('hashchange', navigate);
await showSession();
