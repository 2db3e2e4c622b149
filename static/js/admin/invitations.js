// The section of who gets in: the mode of registration.

import { request, t } from '../lib/core.js';
import { el } from '../lib/dom.js';
import { field, form, select } from '../lib/forms.js';
import { toast } from '../lib/notices.js';

const MODES = ['open', 'invite', 'closed'];

/** @typedef {{ registration: string, source: 'default' | 'page' | 'settings' }} Registration */

/**
 * @param {HTMLElement} container
 * @param {AbortSignal} signal
 */
export async function show(container, signal) {
  /** @type {Registration} */
  const registration = await request('GET', 'admin/registration', { signal });
  container.replaceChildren(registrationView(registration));
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
