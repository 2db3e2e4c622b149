// Logging in and registering in one dialog, and actions that continue after the login they need.

/** @import { Account, App } from '../lib/types.js' */
/** @import { Control, Controls } from '../lib/forms.js' */

import { ApiError, isLostConnection, readStored, request, session, setUser, t, writeStored } from '../lib/core.js';
import { openDialog } from '../lib/dialog.js';
import { USER_TEXT, el, phrase } from '../lib/dom.js';
import { field, form, genders, input, select } from '../lib/forms.js';
import { characterCount, displayName } from '../lib/format.js';
import { toast } from '../lib/notices.js';

export const MAX_NAME_LENGTH = 64;
/** The key under which a tab keeps the invitation of its link. */
export const INVITATION_KEY = 'bottle.invitation';

/** @typedef {'login' | 'register'} Side */

/**
 * Opens the dialog on one side. Resolves after the login. When the reader closes the dialog, rejects with `AbortError`
 * if there is a reason for the login, and resolves otherwise.
 * @param {Pick<App, 'settings'>} app
 * @param {Side} side
 * @param {string | null} [reason] key of the string that explains why the login is needed
 * @returns {Promise<void>}
 */
export function openAccount(app, side, reason = null) {
  return new Promise((resolve, reject) => {
    const finish = (/** @type {Account} */ user) => {
      // The focus returns to the bar before the bar changes.
      dialog.close();
      setUser(user);
      toast(phrase('login.done', { name: displayName(user) }));
      resolve();
    };
    const handleLogin = (/** @type {Account} */ user, /** @type {string} */ password) => {
      if (!user.password_is_one_time) {
        finish(user);
        return;
      }
      dialog.fill(t('own.title'), [
        el('p', { class: 'reason' }, t('own.reason')),
        newPasswordForm(app, user, password, finish),
      ]);
    };
    const showSide = (/** @type {Side} */ shown) => {
      const other = shown === 'login' ? 'register' : 'login';
      const otherButton = el('button', { type: 'button', class: 'link', onclick: () => showSide(other) },
        t(`${shown}.otherButton`));
      dialog.fill(t(`${shown}.title`), [
        reason && el('p', { class: 'reason' }, t(reason)),
        shown === 'login' ? loginForm(handleLogin) : registration(app, finish),
        (shown === 'register' || app.settings.registration !== 'closed')
          && el('p', { class: 'other-side' }, t(`${shown}.other`), ' ', otherButton),
        'map' in app && shown === 'login'
          && el('p', { class: 'other-side' },
            el('button', { type: 'button', class: 'link', onclick: joinInstead }, t('class.joinLink'))),
      ]);
    };
    const joinInstead = async () => {
      const { joinClass } = await import('./join-class.js');
      dialog.close();
      joinClass().then(resolve, cancel);
    };
    const cancel = () => (reason ? reject(new DOMException('login cancelled', 'AbortError')) : resolve());
    // The banner of an ended session offers this dialog.
    const dialog = openDialog({ onCancel: cancel, omits: 'ended' });
    showSide(side);
  });
}

/** @param {(user: Account, password: string) => void} handleLogin */
function loginForm(handleLogin) {
  const username = input({ autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false' });
  const password = input({ type: 'password', autocomplete: 'current-password' });
  return form(t('login.button'), [
    field('username', t('field.username'), username),
    field('password', t('field.password'), password),
  ], {
    context: 'login',
    validate: () => missing({ username, password }),
    submit: async () => handleLogin(await logIn(username.value, password.value), password.value),
  });
}

/**
 * Creates the form that replaces a one-time password at the first login.
 * @param {Pick<App, 'settings'>} app
 * @param {Account} user
 * @param {string} oneTimePassword
 * @param {(user: Account) => void} finish
 */
function newPasswordForm(app, user, oneTimePassword, finish) {
  const minLength = app.settings.min_password_length;
  const password = input({ type: 'password', autocomplete: 'new-password' });
  return form(t('own.button'), [
    // A password manager learns from it whose password changes.
    el('input', { type: 'text', autocomplete: 'username', value: user.username, hidden: true, readonly: true }),
    field('password', t('field.new'), password, t('register.passwordHint', { n: minLength })),
  ], {
    context: 'password',
    validate: () => tooShort(password, minLength),
    submit: async () => {
      const body = { current_password: oneTimePassword, password: password.value };
      finish(await request('PUT', 'users/self', { body }));
    },
  });
}

/**
 * Returns the form that registers, or the reason why nobody can.
 * @param {Pick<App, 'settings'>} app
 * @param {(user: Account) => void} finish
 */
const registration = (app, finish) => (app.settings.registration === 'closed'
  ? el('p', {}, t('register.closed'))
  : registerForm(app, finish));

/**
 * @param {Pick<App, 'settings'>} app
 * @param {(user: Account) => void} finish
 */
function registerForm(app, finish) {
  const needsInvitation = app.settings.registration === 'invite';
  const code = readStored(INVITATION_KEY, 'sessionStorage') ?? '';
  const invitation = input({ autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', value: code });
  const minLength = app.settings.min_password_length;
  const username = input({
    autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', maxlength: MAX_NAME_LENGTH,
  });
  const password = input({ type: 'password', autocomplete: 'new-password' });
  const nickname = input({ autocomplete: 'nickname', maxlength: MAX_NAME_LENGTH, ...USER_TEXT });
  const gender = select(genders(), 'unknown');
  return form(t('register.button'), [
    (needsInvitation || code) && field('invitation', t('field.invitation'), invitation, t('register.invitationHint')),
    field('username', t('field.username'), username, t('register.usernameHint')),
    field('password', t('field.password'), password, t('register.passwordHint', { n: minLength })),
    field('nickname', t('field.nickname'), nickname, t('register.nicknameHint')),
    field('gender', t('field.gender'), gender),
  ], {
    context: 'register',
    validate: () => ({
      ...tooShort(password, minLength), ...missing({ username, password, ...(needsInvitation && { invitation }) }),
    }),
    submit: async () => {
      const name = username.value.trim();
      const chosen = nickname.value.trim();
      const body = {
        username: name, password: password.value, gender: gender.value, ...(chosen && { nickname: chosen }),
        ...(invitation.value.trim() && { invitation: invitation.value.trim() }),
      };
      const user = await register(body);
      writeStored(INVITATION_KEY, null, 'sessionStorage');
      finish(user);
    },
  });
}

/** The username and the password of the last registration without an answer, which may have been done. */
let unanswered = '';

/**
 * Registers and logs in. After a registration whose answer was lost, the username is taken by the account itself.
 * @param {{ username: string, password: string }} body
 */
async function register(body) {
  const { username, password } = body;
  const credentials = JSON.stringify([username, password]);
  const wasSent = unanswered === credentials;
  unanswered = credentials;
  try {
    await request('POST', 'users', { body });
  } catch (error) {
    if (isLostConnection(error)) throw error;
    unanswered = '';
    if (!wasSent || !(error instanceof ApiError) || error.status !== 409) throw error;
    return logIn(username, password).catch(() => { throw error; });
  }
  const user = await logIn(username, password);
  unanswered = '';
  return user;
}

/**
 * @param {string} username
 * @param {string} password
 * @returns {Promise<Account>}
 */
export const logIn = (username, password) =>
  request('POST', 'sessions', { body: { username: username.trim(), password } });

/**
 * Returns a message for each control that is empty.
 * @param {Controls} controls
 */
export function missing(controls) {
  const empty = Object.entries(controls).filter(([, control]) => !control.value.trim());
  return Object.fromEntries(empty.map(([name]) => [name, t('error.required')]));
}

/**
 * Returns a message if a new password is too short.
 * @param {Control} password
 * @param {number} minLength in characters
 * @returns {Record<string, string>}
 */
export const tooShort = (password, minLength) =>
  (characterCount(password.value) < minLength ? { password: t('error.short', { n: minLength }) } : {});

/**
 * Runs an action that needs a session. A visitor logs in first; if the session has ended, the reader logs in again and
 * the action runs once more. The end of a guest's class ends the action too, with `AbortError`: a banner says so.
 * @template T
 * @param {App} app
 * @param {() => Promise<T>} action
 * @param {string} [reason] key of the string that explains why the login is needed
 * @returns {Promise<T>}
 */
export async function withSession(app, action, reason = 'login.needed') {
  if (!session.user) await openAccount(app, 'login', reason);
  const isGuest = session.user?.is_guest;
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    if (isGuest) throw new DOMException('the class has ended', 'AbortError');
    await openAccount(app, 'login', 'login.ended');
    return action();
  }
}
