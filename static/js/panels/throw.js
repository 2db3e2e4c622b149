// The form that throws a bottle. The draft is stored on this device until it is thrown.

/** @import { App } from '../lib/types.js' */
/** @import { Draft, DraftStore } from '../lib/drafts.js' */
/** @import { Control, Controls } from '../lib/forms.js' */

import { ApiError, OTHER_ACCOUNT, request, t } from '../lib/core.js';
import { USER_TEXT, el } from '../lib/dom.js';
import { openDraft } from '../lib/drafts.js';
import { field, form, input, select } from '../lib/forms.js';
import { characterCount, distanceText, parseNumber } from '../lib/format.js';
import { invalidateList } from '../lib/my-bottles.js';
import { toast } from '../lib/notices.js';
import { styleName } from '../map/bottles.js';
import { createPlacePicker } from '../map/place-picker.js';
import { withSession } from './account.js';
import { bottleIcon } from './bottle-icon.js';
import { closePanel, flyTo, showPanel } from './panel.js';

const MAX_CONTENT_LENGTH = 4000;
const MAX_ADDRESS_LENGTH = 256;
const MIN_ZOOM_THROWN = 6;
const STYLES = [0, 1, 2];
const DURATIONS_DAYS = [1, 7, 30];
const DISTANCES_M = [100, 1000, 10000];

/** @param {App} app */
export async function openThrow(app) {
  const draft = openDraft();
  const stored = draft.read();
  const message = el('textarea', { rows: 4, required: true, ...USER_TEXT });
  message.value = stored.content ?? '';
  const address = input({
    maxlength: MAX_ADDRESS_LENGTH, autocomplete: 'off', value: stored.address ?? '', ...USER_TEXT,
  });
  const latitude = input({ inputmode: 'decimal', autocomplete: 'off', value: stored.latitude ?? '' });
  const longitude = input({ inputmode: 'decimal', autocomplete: 'off', value: stored.longitude ?? '' });
  const counter = el('p', { class: 'counter' });
  const updateCounter = () => {
    const count = characterCount(message.value);
    counter.textContent = t('throw.count', { n: count, most: MAX_CONTENT_LENGTH });
    counter.classList.toggle('over', count > MAX_CONTENT_LENGTH);
  };
  const shown = el('p', { class: 'hint' });
  const picker = createPlacePicker(app, { address, latitude, longitude }, stored.suggestedAddress);
  const limits = limitChoice(stored);
  const node = form(t('throw.button'), [
    picker.node,
    el('div', { class: 'columns' },
      field('latitude', t('field.latitude'), latitude),
      field('longitude', t('field.longitude'), longitude)),
    field('formatted_address', t('field.address'), address, t('throw.addressHint')),
    styleChoice(Number(stored.style ?? 0)),
    field('content', t('field.message'), message),
    counter,
    shown,
    limits.node,
  ], { context: 'throw', validate, submit: (controls) => throwBottle(app, node, draft, controls) });
  node.addEventListener('input', () => {
    updateCounter();
    // The names of the cities may have arrived after the throw.
    if (!node.isConnected) return;
    draft.write({
      style: chosenStyle(node).value,
      content: message.value,
      address: address.value,
      suggestedAddress: picker.suggestedAddress(),
      latitude: latitude.value,
      longitude: longitude.value,
      ...limits.values(),
    });
  });
  updateCounter();
  // Beside the button, which stays visible while the reader scrolls.
  const notice = el('p', { class: 'reason' });
  node.querySelector('.form-end')?.prepend(el('div', { role: 'status' }, notice));
  const updateFreeze = () => {
    showFreeze(app, node, notice);
    shown.textContent = app.settings.shows_messages ? t('throw.shown') : '';
  };
  await showPanel('throw', t('throw.open'), [node], {
    kind: 'panel-throw',
    onShow() {
      picker.start();
      updateFreeze();
      app.loadSettings();
      app.events.addEventListener('settings', updateFreeze);
    },
    onClose() {
      picker.end();
      app.events.removeEventListener('settings', updateFreeze);
    },
  });
}

/**
 * Creates the controls that say when the bottle ends, and how near others must be to open it. They are folded unless
 * the draft has chosen one.
 * @param {Draft} draft
 */
function limitChoice({ expiresInDays = '', openWithin = '' }) {
  const duration = select([
    ['', t('throw.never')],
    ...DURATIONS_DAYS.map((days) => /** @type {[string, string]} */ ([String(days), t(`throw.days.${days}`)])),
  ], expiresInDays);
  const distance = select([
    ['', t('throw.anywhere')],
    ...DISTANCES_M.map((metres) => /** @type {[string, string]} */ (
      [String(metres), t('read.within', { distance: distanceText(metres) })])),
  ], openWithin);
  return {
    node: el('details', { class: 'more', open: Boolean(expiresInDays || openWithin) },
      el('summary', {}, t('throw.more')),
      field('expires_in_days', t('throw.ends'), duration),
      field('open_within_m', t('throw.near'), distance, t('throw.nearHint'))),
    values: () => ({ expiresInDays: duration.value, openWithin: distance.value }),
  };
}

/**
 * Says in the form whether throwing is frozen. The reader can write the message meanwhile.
 * @param {App} app
 * @param {HTMLFormElement} node
 * @param {HTMLElement} notice
 */
function showFreeze(app, node, notice) {
  const isFrozen = app.settings.frozen ?? false;
  const text = isFrozen ? t('throw.frozenReason') : '';
  // A live region reads every change, even to the same text.
  if (notice.textContent !== text) notice.textContent = text;
  const button = /** @type {HTMLButtonElement} */ (node.querySelector('[type="submit"]'));
  // While the form is being submitted, its button is disabled for that.
  if (!node.hasAttribute('aria-busy')) button.disabled = isFrozen;
}

/** @param {number} chosen */
function styleChoice(chosen) {
  return el('fieldset', { class: 'styles' }, el('legend', {}, t('throw.style')),
    STYLES.map((style) => el('label', {},
      el('input', { type: 'radio', name: 'style', value: style, checked: style === chosen }),
      bottleIcon(style), el('span', {}, t(`style.${styleName(style)}`)))));
}

/** @param {HTMLFormElement} node */
const chosenStyle = (node) => /** @type {HTMLInputElement} */ (node.querySelector('[name="style"]:checked'));

/** @param {Controls} controls */
function validate({ content, latitude, longitude }) {
  /** @type {Record<string, string>} */
  const messages = {};
  if (!isWithin(latitude, 90)) messages.latitude = t(latitude.value ? 'error.field.latitude' : 'throw.noPlace');
  if (!isWithin(longitude, 180)) messages.longitude = t(longitude.value ? 'error.field.longitude' : 'throw.noPlace');
  if (!content.value.trim()) messages.content = t('error.required');
  if (characterCount(content.value) > MAX_CONTENT_LENGTH) messages.content = t('error.field.content');
  return messages;
}

/**
 * @param {Control} control
 * @param {number} limit of the absolute value
 */
const isWithin = (control, limit) => Math.abs(parseNumber(control.value)) <= limit;

/** The last throw without an answer, which may be on the sea: its body and its key. */
let lastThrow = { body: '', key: '' };

/**
 * Returns the key of a throw: that of the last one if the same is thrown again.
 * @param {object} body
 */
function keyOf(body) {
  const text = JSON.stringify(body);
  if (lastThrow.body !== text) {
    const bytes = [...crypto.getRandomValues(new Uint8Array(16))];
    lastThrow = { body: text, key: bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('') };
  }
  return lastThrow.key;
}

/**
 * @param {App} app
 * @param {HTMLFormElement} node
 * @param {DraftStore} draft
 * @param {Controls} controls
 */
async function throwBottle(app, node, draft, controls) {
  const { style, content, formatted_address: address, latitude, longitude } = controls;
  const { expires_in_days: duration, open_within_m: distance } = controls;
  const location = {
    formatted_address: address.value.trim(),
    latitude: parseNumber(latitude.value),
    longitude: parseNumber(longitude.value),
  };
  const body = {
    content: content.value,
    style: Number(style.value),
    location,
    ...(duration.value && { expires_in_days: Number(duration.value) }),
    ...(distance.value && { open_within_m: Number(distance.value) }),
  };
  await withSession(app, async () => {
    // The session had ended, and another account has logged in.
    if (!draft.isOwn()) throw new ApiError(OTHER_ACCOUNT);
    await request('POST', 'bottles', { body, key: keyOf(body) });
  }, 'login.toThrow');
  lastThrow = { body: '', key: '' };
  draft.remove();
  invalidateList('created');
  toast(t('throw.done'));
  app.refresh();
  // The reader may have gone on meanwhile, and may come back to the form.
  content.value = duration.value = distance.value = '';
  if (!node.isConnected) return;
  closePanel();
  flyTo(app.map, location.latitude, location.longitude, Math.max(app.map.getZoom(), MIN_ZOOM_THROWN));
}
