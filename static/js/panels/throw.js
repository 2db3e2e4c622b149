// Throwing a bottle: the form beside the map. What is written is kept on this device until it is thrown.

import { asUser } from './account.js';
import { call } from '../lib/api.js';
import { bottleIcon } from './bottle-icon.js';
import { styleName } from '../map/bottles.js';
import { el } from '../lib/dom.js';
import { typedNumber } from '../lib/format.js';
import { field, form, input } from '../lib/forms.js';
import { t } from '../lib/i18n.js';
import { toast } from '../lib/notices.js';
import { closePanel, showPanel, showPlace } from './panel.js';
import { pickPlace } from '../map/place-picker.js';
import { forget } from '../lib/my-bottles.js';

const KEY = 'bottle.draft';
const LONGEST = 4000;
const count = (text) => [...text].length;   // characters as the server counts them, not UTF-16 units

const readDraft = () => JSON.parse(localStorage.getItem(KEY)) ?? {};

export async function openThrow(app) {
  const draft = readDraft();
  const message = el('textarea', { rows: 4, required: true });
  message.value = draft.content ?? '';
  const controls = {
    message,
    address: input({ maxlength: 256, autocomplete: 'off', value: draft.address ?? '' }),
    latitude: input({ inputmode: 'decimal', autocomplete: 'off', value: draft.latitude ?? '' }),
    longitude: input({ inputmode: 'decimal', autocomplete: 'off', value: draft.longitude ?? '' }),
  };
  const counter = el('p', { class: 'counter' });
  const recount = () => {
    const left = LONGEST - count(message.value);
    counter.textContent = t('throw.count', { n: count(message.value), most: LONGEST });
    counter.classList.toggle('over', left < 0);
  };
  const picker = pickPlace(app, controls);
  const contents = [
    styles(draft.style ?? 0),
    field('content', t('field.message'), message),
    counter,
    picker.node,
    field('formatted_address', t('field.address'), controls.address, t('throw.addressHint')),
    el('div', { class: 'pair' }, field('latitude', t('field.latitude'), controls.latitude),
      field('longitude', t('field.longitude'), controls.longitude)),
  ];
  const node = form(t('throw.button'), contents, { context: 'throw', check, send: (elements) => send(app, elements) });
  node.addEventListener('input', () => {
    recount();
    keep(node);
  });
  recount();
  await showPanel(t('throw.open'), [node], { kind: 'panel-throw', onClose: picker.end });
  picker.start();
}

/** Three pictures to choose from. */
function styles(chosen) {
  return el('fieldset', { class: 'styles' }, el('legend', {}, t('throw.style')),
    [0, 1, 2].map((style) => el('label', {},
      el('input', { type: 'radio', name: 'style', value: style, checked: style === Number(chosen) }),
      bottleIcon(style), el('span', {}, t(`style.${styleName(style)}`)))));
}

const keep = ({ elements: { style, content, formatted_address: address, latitude, longitude } }) => localStorage.setItem(KEY, JSON.stringify({
  style: style.value, content: content.value, address: address.value, latitude: latitude.value, longitude: longitude.value,
}));

function check({ content, latitude, longitude }) {
  const within = (control, most) => Math.abs(typedNumber(control.value)) <= most;
  return {
    ...(!content.value.trim() && { content: t('error.required') }),
    ...(count(content.value) > LONGEST && { content: t('error.field.content') }),
    ...(!within(longitude, 180) && { longitude: t(longitude.value ? 'error.field.longitude' : 'throw.noPlace') }),
    ...(!within(latitude, 90) && { latitude: t(latitude.value ? 'error.field.latitude' : 'throw.noPlace') }),
  };
}

async function send(app, { style, content, formatted_address: address, latitude, longitude }) {
  const location = {
    formatted_address: address.value.trim(),
    latitude: typedNumber(latitude.value),
    longitude: typedNumber(longitude.value),
  };
  const body = { content: content.value, style: Number(style.value), location };
  await asUser(app, () => call('POST', 'bottles', { body }), 'login.toThrow');
  localStorage.removeItem(KEY);
  forget('created');
  closePanel();
  toast(t('throw.done'));
  showPlace(app.map, location.latitude, location.longitude, Math.max(app.map.getZoom(), 6));
  app.look();
}
