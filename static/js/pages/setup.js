// The page behind the setup link, which the server prints while it has no operator: makes the operator's account and
// asks how people get in.

/** @import { Settings } from '../lib/types.js' */

import { byId, request, setUser, t, translatePage } from '../lib/core.js';
import { USER_TEXT, el } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { field, form, input, select } from '../lib/forms.js';
import { MAX_NAME_LENGTH, logIn, missing, tooShort } from '../panels/account.js';
import { showProblem } from './access.js';

const MODES = ['open', 'invite', 'closed'];

await translatePage('setup.title');
// A token in the address of the open page is another link.
addEventListener('hashchange', show);
await show();

/** Shows the form, or why there is none. */
async function show() {
  const token = location.hash.slice(1);
  byId('setup').replaceChildren();
  showProblem(token ? '' : t('setup.noLink'));
  if (!token) return;
  try {
    /** @type {Settings} */
    const settings = await request('GET', 'settings');
    byId('setup').replaceChildren(el('p', {}, t('setup.about')), setupForm(token, settings));
  } catch (error) {
    showProblem(explain(error).message);
  }
}

/**
 * @param {string} token
 * @param {Settings} settings
 */
function setupForm(token, { min_password_length: minLength, registration: mode }) {
  const username = input({
    autocomplete: 'username', autocapitalize: 'none', spellcheck: 'false', maxlength: MAX_NAME_LENGTH,
  });
  const password = input({ type: 'password', autocomplete: 'new-password' });
  const nickname = input({ autocomplete: 'nickname', maxlength: MAX_NAME_LENGTH, ...USER_TEXT });
  const registration = select(MODES.map((each) => [each, t(`setup.${each}`)]), mode ?? 'open');
  return form(t('setup.button'), [
    field('username', t('field.username'), username, t('register.usernameHint')),
    field('password', t('field.password'), password, t('register.passwordHint', { n: minLength })),
    field('nickname', t('field.nickname'), nickname, t('register.nicknameHint')),
    field('registration', t('setup.registration'), registration, t('setup.registrationHint')),
  ], {
    context: 'register',
    validate: () => ({ ...tooShort(password, minLength), ...missing({ username, password }) }),
    submit: async () => {
      const name = username.value.trim();
      const chosen = nickname.value.trim();
      const body = {
        token, username: name, password: password.value, registration: registration.value,
        ...(chosen && { nickname: chosen }),
      };
      await request('POST', 'setup', { body });
      setUser(await logIn(name, password.value));
      location.assign('./');
    },
  });
}
