// The dialog of one account: what it is, and what an operator does to it.

/** @import { Child } from '../lib/dom.js' */

import { request, session, t } from '../lib/core.js';
import { openDialog } from '../lib/dialog.js';
import { bdi, el, phrase } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { field, form, input, select } from '../lib/forms.js';
import { absoluteTime } from '../lib/format.js';
import { toast } from '../lib/notices.js';
import { MAX_NAME_LENGTH, missing } from '../panels/account.js';
import { confirmButton } from '../panels/controls.js';
import { secretField } from './section.js';

export const ROLES = ['user', 'teacher', 'operator'];
const MUTE_MINUTES = ['10', '60', '1440', '10080'];

/**
 * An account as operators see it.
 * @typedef {object} AdminPerson
 * @property {number} user_id identifies the account
 * @property {string} username the name to log in with
 * @property {string} nickname the name that others see
 * @property {string} role user, teacher or operator
 * @property {string} created_at RFC 3339
 * @property {string | null} last_seen RFC 3339
 * @property {number} bottles number of bottles that it threw
 * @property {number} sessions number of live sessions
 * @property {string} [muted_until] RFC 3339
 * @property {boolean} [password_is_one_time] whether its owner has not replaced a one-time password
 * @property {boolean} [is_guest] whether it is a guest of a class
 * @property {boolean} [is_last_operator] whether it must stay an operator
 */

/**
 * @param {AdminPerson} person
 * @param {(id: number) => void} onChanged runs after the dialog was closed, if something has changed
 */
export function openPerson(person, onChanged) {
  const { user_id: id, username } = person;
  const path = `admin/people/${id}`;
  const isOwn = id === session.user?.user_id;
  const isGuest = person.is_guest ?? false;
  let isChanged = false;
  const dialog = openDialog({ onCancel: () => isChanged && onChanged(id) });
  /**
   * Says what was done, and closes the dialog.
   * @param {string} key
   */
  const finish = (key) => {
    dialog.close();
    toast(phrase(key, { name: username }));
    onChanged(id);
  };
  /**
   * Creates a button that asks before it sends a request.
   * @param {string} key of its strings
   * @param {() => Promise<unknown>} send
   */
  const confirmed = (key, send) => confirmButton({
    label: t(`${key}Button`),
    question: t(`${key}Sure`, { name: username, n: person.bottles }),
    yes: t(`${key}Yes`),
    no: t('person.no'),
    run: async (error) => {
      error.replaceChildren();
      try {
        await send();
      } catch (reason) {
        error.textContent = explain(reason).message;
      }
    },
  });
  const givePassword = async () => {
    /** @type {{ one_time_password: string }} */
    const given = await request('POST', `${path}/password`);
    isChanged = true;
    dialog.fill(t('person.passwordDone'), [
      el('p', {}, phrase('person.passwordFor', { name: username })),
      secretField(t('people.password'), given.one_time_password),
      el('p', { class: 'hint' }, t('people.passwordOnce')),
    ]);
  };
  const remove = async () => {
    await request('DELETE', path);
    finish('person.deleted');
  };
  const logOut = async () => {
    await request('DELETE', `${path}/sessions`);
    finish('person.loggedOut');
  };
  dialog.fill(username, [
    facts(person),
    isOwn && el('p', { class: 'reason' }, t('person.own')),
    person.is_last_operator && el('p', { class: 'reason' }, t('person.lastOperator')),
    section('person.rename', renameForm(person, finish)),
    !person.is_last_operator && !isGuest && section('person.role', roleForm(person, isOwn, finish)),
    !isOwn && !isGuest && section('person.password', confirmed('person.password', givePassword)),
    !person.is_last_operator && section('person.mute', muteForm(person, finish)),
    section('person.logOut', confirmed('person.logOut', logOut)),
    !isOwn && section('person.delete', confirmed('person.delete', remove)),
  ]);
}

/**
 * @param {string} key
 * @param {Child} contents
 */
const section = (key, contents) => el('details', {}, el('summary', {}, t(key)), contents);

/** @param {AdminPerson} person */
function facts(person) {
  const row = (/** @type {string} */ key, /** @type {Child} */ value) => [el('dt', {}, t(key)), el('dd', {}, value)];
  return el('dl', { class: 'facts' },
    ...row('field.nickname', bdi(person.nickname)),
    ...row('people.role', t(`role.${person.role}`)),
    ...row('people.created', absoluteTime(person.created_at)),
    ...row('people.lastSeen', person.last_seen ? absoluteTime(person.last_seen) : t('people.never')),
    ...row('people.bottles', String(person.bottles)),
    ...row('people.sessions', String(person.sessions)),
    ...(person.muted_until ? row('people.muted', t('people.until', { time: absoluteTime(person.muted_until) })) : []));
}

/**
 * @param {AdminPerson} person
 * @param {(key: string) => void} finish
 */
function renameForm({ user_id: id, username }, finish) {
  const name = input({
    autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', maxlength: MAX_NAME_LENGTH, value: username,
  });
  return form(t('person.renameButton'), [field('username', t('person.newName'), name, t('person.renameHint'))], {
    validate: () => missing({ username: name }),
    submit: async () => {
      await request('PUT', `admin/people/${id}`, { body: { username: name.value.trim() } });
      finish('person.renamed');
    },
  });
}

/**
 * @param {AdminPerson} person
 * @param {boolean} isOwn
 * @param {(key: string) => void} finish
 */
function roleForm({ user_id: id, role }, isOwn, finish) {
  const control = select(ROLES.map((each) => [each, t(`role.${each}`)]), role);
  const hint = t(isOwn ? 'person.ownRoleHint' : 'person.roleHint');
  return form(t('person.roleButton'), [field('role', t('person.newRole'), control, hint)], {
    submit: async () => {
      await request('PUT', `admin/people/${id}`, { body: { role: control.value } });
      finish('person.roleChanged');
    },
  });
}

/**
 * @param {AdminPerson} person
 * @param {(key: string) => void} finish
 */
function muteForm({ user_id: id, muted_until: until }, finish) {
  const choices = /** @type {[string, string][]} */ (MUTE_MINUTES.map((each) => [each, t(`person.mute.${each}`)]));
  const control = select(until ? [['0', t('person.mute.0')], ...choices] : choices, until ? '0' : '10');
  return form(t('person.muteButton'), [field('muted_minutes', t('person.muteFor'), control)], {
    submit: async () => {
      const minutes = Number(control.value);
      await request('PUT', `admin/people/${id}/mute`, { body: { muted_minutes: minutes } });
      finish(minutes ? 'person.muted' : 'person.unmuted');
    },
  });
}
