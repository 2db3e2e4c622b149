// Log in and register: one dialog with two sides, and the promise that an action goes on once somebody has logged in.

import { call, session, setUser } from '../lib/api.js';
import { openDialog } from '../lib/dialog.js';
import { el } from '../lib/dom.js';
import { field, form, genders, input, select } from '../lib/forms.js';
import { t } from '../lib/i18n.js';
import { toast } from '../lib/notices.js';

/** Opens the dialog on one side; resolves when somebody has logged in, rejects when the reader turns away. */
export function openAccount(app, side, why = null) {
  return new Promise((resolve, reject) => {
    const done = (user) => {
      setUser(user);
      dialog.close();
      toast(t('login.done', { name: user.nickname || user.username }));
      resolve(user);
    };
    const chooseOwn = (user, given) => dialog.fill(t('own.title'), [
      el('p', { class: 'why' }, t('own.why')),
      ownPasswordForm(app, user, given, done),
    ]);
    const loggedIn = (user, given) => (user.password_is_one_time ? chooseOwn(user, given) : done(user));
    const sides = { login: () => loginForm(loggedIn), register: () => registerForm(app, done) };
    const turn = (to) => {
      const other = to === 'login' ? 'register' : 'login';
      dialog.fill(t(`${to}.title`), [
        why && el('p', { class: 'why' }, t(why)),
        sides[to](),
        el('p', { class: 'turn' }, t(`${to}.other`), ' ',
          el('button', { type: 'button', class: 'link', onclick: () => turn(other) }, t(`${to}.otherButton`))),
      ]);
    };
    const dialog = openDialog({ onClose: () => reject(new DOMException('turned away', 'AbortError')) });
    turn(side);
  }).catch((error) => {
    if (why) throw error;
  });
}

function loginForm(loggedIn) {
  return form(t('login.button'), [
    field('username', t('field.username'), input({ autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false' })),
    field('password', t('field.password'), input({ type: 'password', autocomplete: 'current-password' })),
  ], {
    context: 'login',
    check: ({ username, password }) => required({ username, password }),
    send: async ({ username, password }) => loggedIn(await logIn(username.value, password.value), password.value),
  });
}

/** For who came in with a password that was given out: they set their own before they go on. */
function ownPasswordForm(app, user, given, done) {
  const least = app.settings.min_password_length;
  return form(t('own.button'), [
    el('input', { type: 'text', autocomplete: 'username', value: user.username, hidden: true, readonly: true }),
    field('password', t('field.new'), input({ type: 'password', autocomplete: 'new-password' }), t('register.passwordHint', { n: least })),
  ], {
    context: 'password',
    check: ({ password }) => ([...password.value].length < least ? { password: t('error.short', { n: least }) } : {}),
    send: async ({ password }) => {
      done(await call('PUT', 'users/self', { body: { current_password: given, password: password.value } }));
    },
  });
}

function registerForm(app, done) {
  const least = app.settings.min_password_length;
  return form(t('register.button'), [
    field('username', t('field.username'), input({ autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', maxlength: 64 }),
      t('register.usernameHint')),
    field('password', t('field.password'), input({ type: 'password', autocomplete: 'new-password' }), t('register.passwordHint', { n: least })),
    field('nickname', t('field.nickname'), input({ autocomplete: 'nickname', maxlength: 64 }), t('register.nicknameHint')),
    field('gender', t('field.gender'), select(genders(), 'unknown')),
  ], {
    context: 'register',
    check: ({ username, password }) => ({
      ...([...password.value].length < least && { password: t('error.short', { n: least }) }),
      ...required({ username, password }),
    }),
    send: async ({ username, password, nickname, gender }) => {
      const name = username.value.trim();
      const body = { username: name, password: password.value, gender: gender.value };
      if (nickname.value.trim()) body.nickname = nickname.value.trim();
      await call('POST', 'users', { body });
      done(await logIn(name, password.value));
    },
  });
}

export const logIn = (username, password) => call('POST', 'sessions', { body: { username: username.trim(), password } });

function required(controls) {
  const empty = Object.entries(controls).filter(([, control]) => !control.value.trim());
  return Object.fromEntries(empty.map(([name]) => [name, t('error.required')]));
}

/** Runs an action that needs a session. A visitor logs in first; if the session has ended the reader logs in again, and the
    action goes on where it stopped. */
export async function asUser(app, action, why = 'login.needed') {
  if (!session.user) await openAccount(app, 'login', why);
  try {
    return await action();
  } catch (error) {
    if (error.status !== 401) throw error;
    await openAccount(app, 'login', 'login.ended');
    return action();
  }
}
