// The dialog that adds an account.

import { request, t } from '../lib/core.js';
import { openDialog } from '../lib/dialog.js';
import { USER_TEXT, el, phrase } from '../lib/dom.js';
import { field, form, input, select } from '../lib/forms.js';
import { MAX_NAME_LENGTH, missing } from '../panels/account.js';
import { ROLES } from './person.js';
import { secretField } from './section.js';

/** @param {(id: number) => void} onAdded runs when the reader has closed the dialog after it added an account */
export function openAdd(onAdded) {
  let added = 0;
  const dialog = openDialog({ onCancel: () => added && onAdded(added) });
  const username = input({
    autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', maxlength: MAX_NAME_LENGTH,
  });
  const nickname = input({ autocomplete: 'off', maxlength: MAX_NAME_LENGTH, ...USER_TEXT });
  const role = select(ROLES.map((each) => [each, t(`role.${each}`)]), 'user');
  const password = input({ type: 'password', autocomplete: 'new-password' });
  dialog.fill(t('people.add'), [form(t('people.addButton'), [
    field('username', t('field.username'), username, t('register.usernameHint')),
    field('nickname', t('field.nickname'), nickname, t('register.nicknameHint')),
    field('role', t('people.role'), role),
    field('password', t('field.password'), password, t('people.passwordHint')),
  ], {
    validate: () => missing({ username }),
    submit: async () => {
      const body = {
        username: username.value.trim(), role: role.value,
        ...(nickname.value.trim() && { nickname: nickname.value.trim() }),
        ...(password.value && { password: password.value }),
      };
      /** @type {{ user_id: number, username: string, one_time_password?: string }} */
      const account = await request('POST', 'admin/people', { body });
      added = account.user_id;
      const { one_time_password: given } = account;
      dialog.fill(t('people.added'), [
        el('p', {}, phrase('people.addedName', { name: account.username })),
        given && secretField(t('people.password'), given),
        given && el('p', { class: 'hint' }, t('people.passwordOnce')),
      ]);
    },
  })]);
}
