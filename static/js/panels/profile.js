// The account of who is logged in: name, password, leaving.

import { asUser } from './account.js';
import { call, session, setUser } from '../lib/api.js';
import { openDialog } from '../lib/dialog.js';
import { el } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { field, form, genders, input, select } from '../lib/forms.js';
import { t } from '../lib/i18n.js';
import { toast } from '../lib/notices.js';
import { closePanel } from './panel.js';

export async function openProfile(app) {
  // Asked anew: another device may have changed it, and a session that has ended shows now.
  const user = await asUser(app, () => call('GET', 'users/self'));
  const dialog = openDialog();
  const gone = (words) => {
    dialog.close();
    closePanel();
    app.opened.clear();
    setUser(null);
    toast(t(words));
  };
  dialog.fill(t('profile.title'), [
    el('p', { class: 'hint' }, t('profile.as', { name: user.username })),
    user.is_teacher && el('p', {}, el('a', { href: 'teacher' }, t('profile.teacher'))),
    profileForm(app, user),
    folded(t('profile.password'), passwordForm(app, user)),
    el('div', { class: 'row leave' },
      leaveButton(app, 'profile.logout', 'sessions/self', gone),
      leaveButton(app, 'profile.logoutAll', 'sessions', gone)),
    folded(t('profile.delete'), deleteForm(app, gone)),
  ]);
}

const folded = (title, contents) => el('details', {}, el('summary', {}, title), contents);

function profileForm(app, user) {
  const nickname = input({ autocomplete: 'nickname', maxlength: 64, value: user.nickname });
  return form(t('profile.save'), [
    field('nickname', t('field.nickname'), nickname),
    field('gender', t('field.gender'), select(genders(), user.gender)),
  ], {
    send: async (elements) => {
      const body = { nickname: elements.nickname.value.trim(), gender: elements.gender.value };
      const saved = await asUser(app, () => call('PUT', 'users/self', { body }));
      setUser({ ...session.user, ...saved });
      toast(t('profile.saved'));
    },
  });
}

function passwordForm(app, user) {
  const least = app.settings.min_password_length;
  return form(t('profile.changePassword'), [
    // Lets a password manager know whose password changes.
    el('input', { type: 'text', autocomplete: 'username', value: user.username, hidden: true, readonly: true }),
    field('current_password', t('field.current'), input({ type: 'password', autocomplete: 'current-password' })),
    field('password', t('field.new'), input({ type: 'password', autocomplete: 'new-password' }), t('register.passwordHint', { n: least })),
  ], {
    context: 'password',
    check: ({ current_password: current, password }) => ({
      ...(!current.value && { current_password: t('error.required') }),
      ...([...password.value].length < least && { password: t('error.short', { n: least }) }),
    }),
    send: async (elements) => {
      const body = { current_password: elements.current_password.value, password: elements.password.value };
      await asUser(app, () => call('PUT', 'users/self', { body }));
      elements.current_password.value = elements.password.value = '';
      toast(t('profile.passwordSaved'));
    },
  });
}

function deleteForm(app, gone) {
  return form(t('profile.deleteButton'), [
    el('p', {}, t('profile.deleteWarning')),
    field('password', t('field.password'), input({ type: 'password', autocomplete: 'current-password' })),
  ], {
    danger: true,
    context: 'delete',
    check: ({ password }) => (password.value ? {} : { password: t('error.required') }),
    send: async ({ password }) => {
      await asUser(app, () => call('DELETE', 'users/self', { body: { password: password.value } }));
      gone('profile.deleted');
      app.look();
    },
  });
}

function leaveButton(app, words, path, gone) {
  return el('button', {
    type: 'button',
    async onclick() {
      try {
        await call('DELETE', path);
      } catch (error) {
        // A session that has already ended is what was asked for.
        if (error.status !== 401) {
          toast(explain(error).message);
          return;
        }
      }
      gone('profile.loggedOut');
    },
  }, t(words));
}
