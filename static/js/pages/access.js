// What the pages of teachers and operators, the projector and the x-ray say to a reader who may not see their contents:
// the reason, and the login that leads back to the page. And the button that logs out, if the page has one.

/** @import { Settings } from '../lib/types.js' */

import { ApiError, byId, request, server, session, setUser, t } from '../lib/core.js';
import { dismissDialog } from '../lib/dialog.js';
import { el } from '../lib/dom.js';
import { explain } from '../lib/errors.js';

/**
 * Explains why a request of the page failed. Offers the login if that is the reason.
 * @param {unknown} error
 * @param {string} logInKey the string for a visitor
 * @param {string} [forbiddenKey] the string for an account whose role is too low
 */
export function showFailure(error, logInKey, forbiddenKey = 'teacher.forbidden') {
  if (error instanceof ApiError && error.status === 401) offerLogin(logInKey);
  else if (error instanceof ApiError && error.status === 403) showProblem(t(forbiddenKey));
  else showProblem(explain(error).message);
}

/**
 * Shows a problem, or none with an empty text.
 * @param {string} text
 */
export function showProblem(text) {
  byId('problem').classList.remove('is-invitation');
  byId('problem').replaceChildren(text);
}

/**
 * Shows a button that logs in. The page follows the session, so it shows its contents after the login.
 * @param {string} reasonKey the string above the button
 */
export function offerLogin(reasonKey) {
  byId('problem').classList.add('is-invitation');
  byId('problem').replaceChildren(t(reasonKey), ' ',
    el('button', { type: 'button', class: 'send', onclick: () => logIn(reasonKey) }, t('login.title')));
}

/** @param {string} reasonKey */
async function logIn(reasonKey) {
  try {
    /** @type {[typeof import('../panels/account.js'), Settings]} */
    const [{ openAccount }, settings] = await Promise.all([
      import('../panels/account.js'), request('GET', 'settings'),
    ]);
    await openAccount({ settings }, 'login');
  } catch (error) {
    showFailure(error, reasonKey);
  }
}

const logOutButton = document.getElementById('log-out');

function showLogOut() {
  if (logOutButton) logOutButton.hidden = !session.user;
}

async function logOut() {
  try {
    await request('DELETE', 'sessions/self');
  } catch (error) {
    // A session that has already ended needs no logout.
    if (!(error instanceof ApiError) || error.status !== 401) {
      showFailure(error, 'login.needed');
      return;
    }
  }
  setUser(null);
  byId('problem').querySelector('button')?.focus();
}

logOutButton?.addEventListener('click', logOut);
server.addEventListener('session', showLogOut);
showLogOut();

// Another tab has logged in or out.
server.addEventListener('session', (event) => {
  if (/** @type {CustomEvent<{ isElsewhere?: boolean }>} */ (event).detail.isElsewhere) dismissDialog();
});
