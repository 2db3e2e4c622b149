// Joining a guest class with a code and a nickname.

/** @import { Account } from '../lib/types.js' */

import { loadStrings, request, session, setUser, t } from '../lib/core.js';
import { openDialog } from '../lib/dialog.js';
import { USER_TEXT, el, phrase } from '../lib/dom.js';
import { field, form, input } from '../lib/forms.js';
import { displayName } from '../lib/format.js';
import { toast } from '../lib/notices.js';
import { missing } from './account.js';

const MAX_NICKNAME_LENGTH = 40;

/**
 * Opens the dialog. Resolves once the reader has joined, and rejects with `AbortError` if the reader closes it.
 * @param {string} [code] of the link
 * @returns {Promise<void>}
 */
export async function joinClass(code = '') {
  await loadStrings('classes');
  if (session.user) {
    toast(phrase('class.loggedIn', { name: displayName(session.user) }));
    return;
  }
  await new Promise((resolve, reject) => {
    const cancel = () => reject(new DOMException('joining cancelled', 'AbortError'));
    // The banner of an ended session offers this dialog.
    const dialog = openDialog({ onCancel: cancel, omits: 'ended' });
    const codeInput = input({
      autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false', value: code, class: 'class-code-input',
    });
    const nickname = input({ autocomplete: 'nickname', maxlength: MAX_NICKNAME_LENGTH, ...USER_TEXT });
    const fields = [
      field('code', t('class.code'), codeInput, t('class.codeHint')),
      field('nickname', t('field.nickname'), nickname, t('class.nicknameHint')),
    ];
    dialog.fill(t('class.join'), [
      el('p', { class: 'reason' }, t('class.joinAbout')),
      // The dialog focuses its first field.
      form(t('class.joinButton'), code ? fields.toReversed() : fields, {
        validate: () => missing({ code: codeInput, nickname }),
        submit: async () => {
          const body = { code: codeInput.value.trim(), nickname: nickname.value.trim() };
          /** @type {Account} */
          const user = await request('POST', 'guests', { body });
          dialog.close();
          setUser(user);
          toast(phrase('login.done', { name: displayName(user) }));
          resolve(null);
        },
      }),
    ]);
  });
}
