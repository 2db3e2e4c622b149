// The section of who gets in: the mode of registration, and invitations.

import { request, t } from '../lib/core.js';
import { openDialog } from '../lib/dialog.js';
import { bdi, el } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { field, form, input, select } from '../lib/forms.js';
import { absoluteTime } from '../lib/format.js';
import { toast } from '../lib/notices.js';
import { confirmButton } from '../panels/controls.js';
import { attempt, secretField, table } from './section.js';

const MODES = ['open', 'invite', 'closed'];
const ROLES = ['user', 'teacher'];
const MAX_USES = 10_000;
const MAX_HOURS = 24 * 366;

/** @typedef {{ registration: string, source: 'default' | 'page' | 'settings' }} Registration */

/**
 * @typedef {object} Invitation
 * @property {number} invitation_id identifies it
 * @property {string} role of the accounts that it lets in
 * @property {number} uses the number of accounts that it lets in
 * @property {number} used the number of accounts that it has let in
 * @property {string | null} created_by the username of its maker
 * @property {string} expires_at RFC 3339
 */

/** @typedef {Invitation & { invitation: string, link: string, qr_code?: string }} NewInvitation */

/**
 * @param {HTMLElement} container
 * @param {AbortSignal} signal
 */
export async function show(container, signal) {
  /** @type {[Registration, { invitations: Invitation[] }]} */
  const [registration, { invitations }] = await Promise.all([
    request('GET', 'admin/registration', { signal }), request('GET', 'admin/invitations', { signal }),
  ]);
  const showAgain = async () => {
    await attempt(() => show(container, signal));
    /** @type {HTMLElement | null} */
    const button = container.querySelector('.new-invitation');
    button?.focus();
  };
  container.replaceChildren(registrationView(registration),
    el('h3', {}, t('invitation.title')),
    el('div', {}, el('button', { type: 'button', class: 'send new-invitation', onclick: () => openNew(showAgain) },
      t('invitation.new'))),
    invitationsView(invitations, showAgain));
}

/** @param {Registration} registration */
function registrationView({ registration: mode, source }) {
  if (source === 'settings') {
    return el('div', {}, el('h3', {}, t('setup.registration')),
      el('p', {}, t('registration.fixed', { mode: t(`setup.${mode}`) })));
  }
  const control = select(MODES.map((each) => [each, t(`setup.${each}`)]), mode);
  return form(t('registration.save'), [field('registration', t('setup.registration'), control)], {
    submit: async () => {
      await request('PUT', 'admin/registration', { body: { registration: control.value } });
      toast(t('registration.saved'));
    },
  });
}

/**
 * @param {Invitation[]} invitations
 * @param {() => Promise<void>} onRevoked
 */
function invitationsView(invitations, onRevoked) {
  if (!invitations.length) return el('p', { class: 'secondary' }, t('invitation.none'));
  const columns = ['number', 'role', 'uses', 'ends', 'by', 'action'].map((key) => t(`invitation.${key}`));
  return table(t('invitation.title'), columns, invitations.map((invitation) => {
    const { invitation_id: id, role, uses, used, created_by: maker, expires_at: end } = invitation;
    return [
      String(id),
      t(`role.${role}`),
      t('invitation.used', { used, uses }),
      absoluteTime(end),
      maker ? bdi(maker) : t('log.commandLine'),
      confirmButton({
        label: t('invitation.revoke'),
        accessibleLabel: t('invitation.revokeNumber', { id: String(id) }),
        question: t('invitation.sure'),
        yes: t('invitation.yes'),
        no: t('invitation.no'),
        run: async (error) => {
          try {
            await request('DELETE', `admin/invitations/${id}`);
          } catch (reason) {
            error.textContent = explain(reason).message;
            return;
          }
          toast(t('invitation.revoked'));
          await onRevoked();
        },
      }),
    ];
  }));
}

/** @param {() => Promise<void>} onMade runs when the reader has closed the dialog after it made an invitation */
function openNew(onMade) {
  let isMade = false;
  const dialog = openDialog({ onCancel: () => isMade && onMade() });
  const uses = input({ type: 'number', min: 1, max: MAX_USES, value: 30 });
  const hours = input({ type: 'number', min: 1, max: MAX_HOURS, value: 2 });
  const role = select(ROLES.map((each) => [each, t(`role.${each}`)]), 'user');
  dialog.fill(t('invitation.new'), [form(t('invitation.make'), [
    field('uses', t('invitation.usesField'), uses),
    field('hours', t('invitation.hoursField'), hours),
    field('role', t('invitation.roleField'), role),
  ], {
    validate: () => ({
      ...range('uses', uses, MAX_USES), ...range('hours', hours, MAX_HOURS),
    }),
    submit: async () => {
      const body = { uses: Number(uses.value), hours: Number(hours.value), role: role.value };
      /** @type {NewInvitation} */
      const made = await request('POST', 'admin/invitations', { body });
      isMade = true;
      dialog.fill(t('invitation.made'), newInvitationView(made));
    },
  })]);
}

/**
 * @param {string} name
 * @param {HTMLInputElement} control
 * @param {number} max
 * @returns {Record<string, string>}
 */
function range(name, control, max) {
  const value = Number(control.value);
  return /^\d+$/.test(control.value) && value >= 1 && value <= max ? {} : { [name]: t('invitation.range', { n: max }) };
}

/** @param {NewInvitation} invitation */
function newInvitationView({ invitation: code, link, qr_code: qr, uses, expires_at: end }) {
  const about = t('invitation.about', { n: uses, time: absoluteTime(end) });
  return [
    secretField(t('invitation.link'), link),
    el('p', { class: 'hint' }, about, ' ', t('invitation.once')),
    ...(qr ? codeView(qr, [el('span', {}, link), el('strong', {}, code), el('span', {}, about)]) : []),
  ];
}

/**
 * @param {string} qr SVG
 * @param {HTMLElement[]} caption
 */
function codeView(qr, caption) {
  const figure = el('figure', { class: 'invitation-code' },
    el('img', { src: `data:image/svg+xml;utf8,${encodeURIComponent(qr)}`, alt: t('invitation.qr') }),
    el('figcaption', {}, caption));
  figure.append(el('button', { type: 'button', class: 'leave', onclick: () => project(figure, false) },
    t('invitation.leave')));
  return [figure, el('button', { type: 'button', onclick: () => project(figure, true) }, t('invitation.project'))];
}

/**
 * Shows the code on the whole screen or, where the browser has no such mode, in the whole window.
 * @param {HTMLElement} figure
 * @param {boolean} isOn
 */
async function project(figure, isOn) {
  const dialog = figure.closest('dialog');
  try {
    if (isOn) await figure.requestFullscreen();
    else if (document.fullscreenElement) await document.exitFullscreen();
    dialog?.classList.remove('is-projected');
  } catch {
    dialog?.classList.toggle('is-projected', isOn);
  }
}
