// The account dialog: profile, password, logging out, deletion.

/** @import { Account, App } from '../lib/types.js' */
/** @import { Child } from '../lib/dom.js' */

import { ApiError, request, session, setUser, t } from '../lib/core.js';
import { openDialog } from '../lib/dialog.js';
import { USER_TEXT, el, phrase } from '../lib/dom.js';
import { removeDraft, removeReplyDrafts } from '../lib/drafts.js';
import { explain } from '../lib/errors.js';
import { absoluteTime } from '../lib/format.js';
import { field, form, genders, input, select } from '../lib/forms.js';
import { toast } from '../lib/notices.js';
import { accessTokens } from './access-tokens.js';
import { tooShort, withSession } from './account.js';
import { blockedAccounts } from './blocked.js';
import { feedLinks } from './feed-links.js';
import { inboxSettings } from './inbox-settings.js';
import { discardPanels } from './panel.js';

/** @param {App} app */
export async function openProfile(app) {
  // Another device may have changed the account, and the request shows whether the session has ended.
  /** @type {Account} */
  const user = await withSession(app, () => request('GET', 'users/self'));
  // The reader clicked twice while the response was on its way.
  if (document.querySelector('dialog[open]')) return;
  const dialog = openDialog();
  const endSession = (/** @type {string} */ messageKey) => {
    dialog.close();
    discardPanels();
    app.openedIds.clear();
    setUser(null);
    toast(t(messageKey));
  };
  if (user.guest_until) {
    dialog.fill(t('profile.title'), [
      el('p', {}, t('class.guestUntil', { time: absoluteTime(user.guest_until) })),
      profileForm(app, user),
      collapsible(t('notify.title'), inboxSettings(app, user)),
      blockedAccounts(app),
      el('p', { class: 'hint' }, t('class.leave')),
      el('div', { class: 'row log-out' }, logoutButton('profile.logout', 'sessions/self', endSession)),
    ]);
    return;
  }
  dialog.fill(t('profile.title'), [
    el('p', { class: 'hint' }, phrase('profile.as', { name: user.username })),
    user.is_teacher && el('p', { class: 'links' }, el('a', { href: 'teacher' }, t('profile.teacher')),
      user.is_operator && el('a', { href: 'admin' }, t('profile.admin'))),
    profileForm(app, user),
    collapsible(t('notify.title'), inboxSettings(app, user)),
    blockedAccounts(app),
    collapsible(t('profile.password'), passwordForm(app, user)),
    accessTokens(app),
    feedLinks(app),
    el('div', { class: 'row log-out' },
      logoutButton('profile.logout', 'sessions/self', endSession),
      logoutButton('profile.logoutAll', 'sessions', endSession)),
    collapsible(t('profile.delete'), deleteForm(app, user, endSession)),
  ]);
}

/**
 * @param {string} title
 * @param {Child} contents
 */
const collapsible = (title, contents) => el('details', {}, el('summary', {}, title), contents);

/**
 * @param {App} app
 * @param {Account} user
 */
function profileForm(app, user) {
  const nickname = input({ autocomplete: 'nickname', maxlength: 64, value: user.nickname, ...USER_TEXT });
  const gender = select(genders(), user.gender);
  return form(t('profile.save'), [
    field('nickname', t('field.nickname'), nickname),
    field('gender', t('field.gender'), gender),
  ], {
    submit: async () => {
      const body = { nickname: nickname.value.trim(), gender: gender.value };
      const saved = await withSession(app, () => request('PUT', 'users/self', { body }));
      setUser({ ...session.user, ...saved });
      toast(t('profile.saved'));
    },
  });
}

/**
 * @param {App} app
 * @param {Account} user
 */
function passwordForm(app, user) {
  const minLength = app.settings.min_password_length;
  const current = input({ type: 'password', autocomplete: 'current-password' });
  const password = input({ type: 'password', autocomplete: 'new-password' });
  return form(t('profile.changePassword'), [
    // A password manager learns from it whose password changes.
    el('input', { type: 'text', autocomplete: 'username', value: user.username, hidden: true, readonly: true }),
    field('current_password', t('field.current'), current),
    field('password', t('field.new'), password, t('register.passwordHint', { n: minLength })),
  ], {
    context: 'password',
    validate: () => ({
      ...(!current.value && { current_password: t('error.required') }),
      ...tooShort(password, minLength),
    }),
    submit: async () => {
      const body = { current_password: current.value, password: password.value };
      await withSession(app, () => request('PUT', 'users/self', { body }));
      current.value = password.value = '';
      toast(t('profile.passwordSaved'));
    },
  });
}

/**
 * @param {App} app
 * @param {Account} user
 * @param {(messageKey: string) => void} endSession
 */
function deleteForm(app, user, endSession) {
  const password = input({ type: 'password', autocomplete: 'current-password' });
  return form(t('profile.deleteButton'), [
    el('p', {}, t('profile.deleteWarning')),
    field('password', t('field.password'), password),
  ], {
    isDanger: true,
    context: 'delete',
    /** @returns {Record<string, string>} */
    validate: () => (password.value ? {} : { password: t('error.required') }),
    submit: async () => {
      await withSession(app, () => request('DELETE', 'users/self', { body: { password: password.value } }));
      removeDraft(user.user_id);
      removeReplyDrafts(user.user_id);
      endSession('profile.deleted');
      app.refresh();
    },
  });
}

/**
 * @param {string} labelKey
 * @param {string} path of the sessions that end
 * @param {(messageKey: string) => void} endSession
 */
function logoutButton(labelKey, path, endSession) {
  const logOut = async () => {
    try {
      await request('DELETE', path);
    } catch (error) {
      // A session that has already ended needs no logout.
      if (!(error instanceof ApiError) || error.status !== 401) {
        toast(explain(error).message);
        return;
      }
    }
    endSession('profile.loggedOut');
  };
  return el('button', { type: 'button', onclick: logOut }, t(labelKey));
}
