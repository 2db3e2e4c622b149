// The guest classes on the teacher's page: opening one, its code for the projector, its end, its file, its deletion.

import { ApiError, byId, isAbort, request, t } from '../lib/core.js';
import { el } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { absoluteTime } from '../lib/format.js';
import { field, form, input } from '../lib/forms.js';
import { toast } from '../lib/notices.js';
import { confirmButton } from '../panels/controls.js';

const DEFAULT_MINUTES = 45;
const MAX_MINUTES = 480;
const MINUTE_MS = 60_000;

/**
 * A guest class. `code` and `link` are missing once nobody can join.
 * @typedef {{ class_id: number, code?: string, link?: string, ends_at: string, ended: boolean, guests: number,
 *   bottles: number }} GuestClass
 */

/**
 * A class in the list, with what follows its state.
 * @typedef {{ node: HTMLElement, update: (shown: GuestClass) => void }} Item
 */

/** @type {Map<number, Item>} */
const items = new Map();
const list = el('ul', { class: 'cases' });

/**
 * Shows the classes, the latest first. Changes only what has changed: the teacher may be about to click.
 * @param {GuestClass[]} classes
 * @param {() => Promise<void>} refresh fetches and shows the state of the page
 */
export function showClasses(classes, refresh) {
  if (!list.isConnected) {
    byId('classes').replaceChildren(el('p', { class: 'secondary' }, t('class.about')), openForm(refresh), list);
  }
  const ids = new Set(classes.map(({ class_id: id }) => id));
  for (const [id, { node }] of items) {
    if (ids.has(id)) continue;
    node.remove();
    items.delete(id);
  }
  for (const shown of classes.toReversed()) {
    let item = items.get(shown.class_id);
    if (!item) {
      item = createItem(shown, refresh);
      items.set(shown.class_id, item);
      list.prepend(item.node);
    }
    item.update(shown);
  }
}

/** Removes what only teachers may see. */
export function withdrawClasses() {
  items.clear();
  list.replaceChildren();
  byId('classes').replaceChildren();
}

/** @param {() => Promise<void>} refresh */
function openForm(refresh) {
  const minutes = input({ type: 'number', min: 1, max: MAX_MINUTES, value: DEFAULT_MINUTES });
  return form(t('class.open'), [field('minutes', t('class.minutes'), minutes)], {
    /** @returns {Record<string, string>} */
    validate: () => (isDuration(minutes.value) ? {} : { minutes: t('error.minutes') }),
    submit: async () => {
      /** @type {GuestClass} */
      const { class_id: id } = await request('POST', 'teacher/classes', { body: { minutes: Number(minutes.value) } });
      await refresh();
      const node = items.get(id)?.node;
      node?.scrollIntoView({ block: 'nearest' });
      node?.focus();
    },
  });
}

/** @param {string} text */
const isDuration = (text) => /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_MINUTES;

/**
 * @param {GuestClass} first
 * @param {() => Promise<void>} refresh
 * @returns {Item}
 */
function createItem({ class_id: id, code, link }, refresh) {
  const facts = el('p', {});
  const invitation = code && link ? invitationView(id, code, link) : null;
  const endButton = confirmButton({
    label: t('class.end'),
    question: t('class.endSure'),
    yes: t('class.endYes'),
    no: t('class.endNo'),
    run: (error) => change('PUT', `teacher/classes/${id}/end`, 'class.ended', error, refresh),
  });
  const deleteButton = confirmButton({
    label: t('class.delete'),
    question: t('class.deleteSure'),
    yes: t('class.deleteYes'),
    no: t('class.deleteNo'),
    run: (error) => change('DELETE', `teacher/classes/${id}`, 'class.deleted', error, refresh),
  });
  const download = el('a', { href: `api/teacher/classes/${id}/sea`, download: `class-${id}.geojson` },
    t('class.download'));
  const node = el('li', { tabindex: '-1' }, invitation, facts,
    el('div', { class: 'row' }, endButton, download, deleteButton));
  const update = (/** @type {GuestClass} */ shown) => {
    if (!shown.code) invitation?.remove();
    if (shown.ended) endButton.remove();
    const text = describe(shown);
    if (facts.textContent !== text) facts.textContent = text;
  };
  return { node, update };
}

/**
 * @param {number} id
 * @param {string} code
 * @param {string} link
 */
function invitationView(id, code, link) {
  return el('div', { class: 'class-invitation' },
    el('div', {},
      el('p', { class: 'secondary' }, t('class.code')),
      el('p', { class: 'class-code' }, code),
      el('p', {}, el('a', { href: link }, link))),
    el('img', { src: `api/teacher/classes/${id}/join.svg`, alt: t('class.qr') }));
}

/** @param {GuestClass} shown */
function describe({ ended, ends_at: endsAt, guests, bottles }) {
  const left = Math.max(0, Math.ceil((Date.parse(endsAt) - Date.now()) / MINUTE_MS));
  return [
    t('class.guests', { n: guests }),
    t('class.bottles', { n: bottles }),
    t(ended ? 'class.endedAt' : 'class.endsAt', { time: absoluteTime(endsAt) }),
    !ended && t('class.left', { n: left }),
  ].filter(Boolean).join(' · ');
}

/**
 * Sends a change and says that it is done, or shows in `error` why not.
 * @param {string} method
 * @param {string} path
 * @param {string} doneKey
 * @param {HTMLElement} error
 * @param {() => Promise<void>} refresh
 */
async function change(method, path, doneKey, error, refresh) {
  error.replaceChildren();
  try {
    await request(method, path);
  } catch (reason) {
    if (isAbort(reason)) return;
    // A class that another tab has deleted needs no end.
    if (!(reason instanceof ApiError) || reason.status !== 404) {
      error.textContent = explain(reason).message;
      return;
    }
  }
  toast(t(doneKey));
  await refresh();
  byId('classes-title').focus();
}
