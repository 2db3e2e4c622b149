// The section of the webhook: its address and events, how the deliveries went, a test.

import { isAbort, request, t } from '../lib/core.js';
import { el, present, whileBusy } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { field, form, input, select } from '../lib/forms.js';
import { time } from '../lib/format.js';
import { toast } from '../lib/notices.js';
import { confirmButton, errorLine } from '../panels/controls.js';
import { secretField } from './section.js';

const EVENTS = [
  'account.registered', 'bottle.thrown', 'bottle.opened', 'reply.written', 'bottle.reported', 'reply.reported',
  'backup.failed', 'disk.low',
];
const MAX_URL_LENGTH = 2048;

/**
 * @typedef {object} Webhook
 * @property {string} url
 * @property {'json' | 'text'} form
 * @property {string[]} events
 * @property {number} waiting messages that wait
 * @property {number} given_up messages that were given up
 * @property {number} dropped messages that were dropped because too many waited
 * @property {string} [last_success_at]
 * @property {string} [last_failure_at]
 * @property {string} [last_failure] the reason
 * @property {string} [gone_at] the time at which the receiver refused all further messages
 */

/**
 * @param {HTMLElement} container
 * @param {AbortSignal} signal
 */
export async function show(container, signal) {
  await render(container, signal);
}

/**
 * @param {HTMLElement} container
 * @param {AbortSignal} signal
 * @param {string} [secret] a new secret, which is shown once
 */
async function render(container, signal, secret) {
  /** @type {{ webhook?: Webhook }} */
  const { webhook } = await request('GET', 'admin/webhook', { signal });
  const shown = secret ? el('div', { class: 'form' },
    secretField(t('webhook.secret'), secret), el('p', { class: 'hint' }, t('webhook.once'))) : null;
  /** @param {string} [made] */
  const refresh = (made) => render(container, signal, made);
  container.replaceChildren(
    el('p', { class: 'hint' }, t('webhook.about')),
    chooser(webhook, refresh),
    ...present([shown]),
    ...(webhook ? deliveries(webhook, refresh) : []));
  shown?.querySelector('input')?.select();
}

/**
 * @param {Webhook | undefined} webhook
 * @param {(secret?: string) => Promise<void>} saved
 */
function chooser(webhook, saved) {
  const url = input({
    type: 'url', inputmode: 'url', autocomplete: 'off', spellcheck: 'false', maxlength: MAX_URL_LENGTH,
    value: webhook?.url ?? '',
  });
  const format = select([['json', t('webhook.json')], ['text', t('webhook.text')]], webhook?.form ?? 'json');
  const boxes = EVENTS.map((event) => ({ event, box: checkbox(!webhook || webhook.events.includes(event)) }));
  const chosen = () => boxes.filter(({ box }) => box.checked).map(({ event }) => event);
  const noEvents = errorLine();
  const events = el('fieldset', {}, el('legend', {}, t('webhook.events')),
    boxes.map(({ event, box }) => el('label', { class: 'check' }, box, t(`webhook.${event}`))), noEvents);
  events.addEventListener('change', () => noEvents.replaceChildren());
  return form(t('webhook.save'), [
    field('url', t('webhook.url'), url, t('webhook.urlHint')),
    field('form', t('webhook.form'), format),
    events,
  ], {
    validate: () => ({ ...(!/^https?:\/\/[^\s/]\S*$/i.test(url.value.trim()) && { url: t('webhook.wrongUrl') }) }),
    submit: async () => {
      const body = { url: url.value.trim(), form: format.value, events: chosen() };
      if (body.events.length === 0) {
        noEvents.textContent = t('webhook.noEvents');
        boxes[0].box.focus();
        return;
      }
      const { secret } = await request('PUT', 'admin/webhook', { body });
      toast(t('webhook.saved'));
      await saved(secret);
    },
  });
}

/** @param {boolean} checked */
const checkbox = (checked) => el('input', { type: 'checkbox', checked });

/**
 * @param {Webhook} webhook
 * @param {(secret?: string) => Promise<void>} refresh
 */
function deliveries(webhook, refresh) {
  const numbers = el('div', {}, ...state(webhook));
  const result = el('p', { role: 'status' });
  const testButton = el('button', { type: 'button' }, t('webhook.test'));
  testButton.addEventListener('click', () => whileBusy(testButton, () => attempt(result, test)));
  return [
    el('h3', {}, t('webhook.state')),
    numbers,
    el('div', { class: 'row' }, testButton),
    result,
    confirmButton({
      label: t('webhook.renew'), question: t('webhook.renewSure'), yes: t('webhook.renewYes'),
      no: t('webhook.cancel'), kind: '',
      run: (error) => attempt(error, async () => {
        const { secret } = await request('POST', 'admin/webhook/secret');
        await refresh(secret);
      }),
    }),
    confirmButton({
      label: t('webhook.off'), question: t('webhook.offSure'), yes: t('webhook.offYes'), no: t('webhook.cancel'),
      run: (error) => attempt(error, async () => {
        await request('DELETE', 'admin/webhook');
        toast(t('webhook.isOff'));
        await refresh();
        document.getElementById('section-title')?.focus();
      }),
    }),
  ];

  async function test() {
    /** @type {{ delivered: boolean, reason?: string }} */
    const { delivered, reason } = await request('POST', 'admin/webhook/test');
    result.textContent = delivered ? t('webhook.tested') : t('webhook.notDelivered', { reason: reason ?? '' });
    result.classList.toggle('problem', !delivered);
    /** @type {{ webhook?: Webhook }} */
    const { webhook: now } = await request('GET', 'admin/webhook');
    if (now) numbers.replaceChildren(...state(now));
  }
}

/** @param {Webhook} webhook */
function state(webhook) {
  const { waiting, last_success_at: delivered, last_failure_at: failed, last_failure: reason } = webhook;
  const lost = webhook.given_up + webhook.dropped;
  return present([
    webhook.gone_at && el('p', { class: 'problem' }, t('webhook.gone')),
    el('p', {}, t('webhook.waiting', { n: waiting })),
    lost > 0 && el('p', { class: 'problem' }, t('webhook.lost', { n: lost })),
    delivered && el('p', {}, t('webhook.lastSuccess'), ' ', time(delivered)),
    failed && el('p', {}, t('webhook.lastFailure'), ' ', time(failed), ' · ', el('bdi', { lang: 'en' }, reason)),
  ]);
}

/**
 * Runs an action and shows its failure.
 * @param {HTMLElement} error
 * @param {() => Promise<void>} action
 */
async function attempt(error, action) {
  error.replaceChildren();
  try {
    await action();
  } catch (reason) {
    if (!isAbort(reason)) error.textContent = explain(reason).message;
  }
}
