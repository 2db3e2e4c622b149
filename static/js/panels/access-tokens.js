// The personal access tokens in the account dialog: their list, a form that makes one, its secret.

/** @import { AccessToken, App } from '../lib/types.js' */

import { ApiError, request, t } from '../lib/core.js';
import { USER_TEXT, bdi, el } from '../lib/dom.js';
import { field, form, input, select } from '../lib/forms.js';
import { time } from '../lib/format.js';
import { toast } from '../lib/notices.js';
import { missing, withSession } from './account.js';
import { attempt, confirmButton, errorLine, loadUnfolded } from './controls.js';

const MAX_NAME_LENGTH = 64;
const DEFAULT_DAYS = 90;
const MAX_DAYS = 365;

/**
 * Creates the folded section, which loads its list when it is unfolded.
 * @param {App} app
 */
export function accessTokens(app) {
  const error = errorLine();
  const list = el('ul', { class: 'threads' });
  const made = el('div', {});
  const summary = el('summary', {}, t('token.title'));
  const node = el('details', {}, summary,
    el('p', { class: 'hint' }, t('token.about')), list, error, made, newTokenForm());
  loadUnfolded(app, node, error, load);
  return node;

  async function load() {
    /** @type {{ tokens: AccessToken[] }} */
    const { tokens } = await request('GET', 'tokens');
    list.replaceChildren(...tokens.map(item));
  }

  /** @param {AccessToken} token */
  function item(token) {
    const use = token.last_used_at ? [t('token.used'), ' ', time(token.last_used_at)] : [t('token.unused')];
    const row = el('li', {},
      el('p', {}, bdi(token.name)),
      el('p', { class: 'hint' }, t(`token.${token.access}`), ' · ', ...use, ' · ',
        t('token.expires'), ' ', time(token.expires_at)),
      confirmButton({
        label: t('token.end'),
        accessibleLabel: t('token.endNamed', { name: token.name }),
        question: t('token.sure'),
        yes: t('token.yes'),
        no: t('token.no'),
        run: async (failure) => {
          if (!await attempt(app, failure, () => end(token.token_id))) return;
          row.remove();
          summary.focus();
          toast(t('token.ended'));
        },
      }));
    return row;
  }

  function newTokenForm() {
    const name = input({ autocomplete: 'off', maxlength: MAX_NAME_LENGTH, ...USER_TEXT });
    const access = select([['read', t('token.read')], ['full', t('token.full')]], 'read');
    const days = input({ type: 'number', min: 1, max: MAX_DAYS, value: DEFAULT_DAYS });
    return form(t('token.make'), [
      field('name', t('token.name'), name, t('token.nameHint')),
      field('access', t('token.access'), access),
      field('expires_in_days', t('token.days'), days),
    ], {
      validate: () => ({ ...missing({ name }), ...(!isDays(days.value) && { expires_in_days: t('error.days') }) }),
      submit: async () => {
        const body = { name: name.value.trim(), access: access.value, expires_in_days: Number(days.value) };
        /** @type {AccessToken & { token: string }} */
        const token = await withSession(app, () => request('POST', 'tokens', { body }));
        list.prepend(item(token));
        name.value = '';
        showSecret(token.token);
      },
    });
  }

  /** @param {string} secret */
  function showSecret(secret) {
    const shown = input({ readonly: true, value: secret, autocomplete: 'off', spellcheck: 'false' });
    const copy = async () => {
      try {
        await navigator.clipboard.writeText(secret);
      } catch {
        // Without https a page has no access to the clipboard, so the reader copies the selected text.
        shown.select();
        toast(t('token.selected'));
        return;
      }
      toast(t('token.copied'));
    };
    made.replaceChildren(
      field('secret', t('token.secret'), shown, t('token.once')),
      el('div', { class: 'row' }, el('button', { type: 'button', onclick: copy }, t('token.copy'))));
    shown.select();
    shown.focus();
  }
}

/** @param {number} id */
async function end(id) {
  try {
    await request('DELETE', `tokens/${id}`);
  } catch (error) {
    // A token that has already ended needs no end.
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
  }
}

/** @param {string} text */
const isDays = (text) => /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_DAYS;
