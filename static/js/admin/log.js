// The section of the log: what teachers and operators did.

import { request, t } from '../lib/core.js';
import { bdi, el } from '../lib/dom.js';
import { input, select } from '../lib/forms.js';
import { absoluteTime } from '../lib/format.js';
import { attempt, table } from './section.js';

const PAGE_SIZE = 50;

/** The words of the actions that have a string `did.<word>`. */
const ACTIONS = [
  'hide', 'show', 'mute', 'unmute', 'freeze', 'unfreeze', 'show_messages', 'hide_messages', 'set_up', 'add_account',
  'rename_account', 'set_password',
  'set_role', 'end_sessions', 'delete_account', 'set_registration', 'make_invitation', 'revoke_invitation',
  'open_class', 'end_class', 'delete_class', 'import_bottles', 'set_webhook', 'test_webhook', 'back_up',
  'download_backup', 'check', 'set_setting',
];

/**
 * @typedef {object} Entry
 * @property {string} done_at RFC 3339
 * @property {string | null} actor the username of the teacher or operator
 * @property {string} action what was done
 * @property {number | null} bottle_id the bottle that it concerns
 * @property {number | null} reply_id the reply that it concerns
 * @property {string | null} username the account that it concerns
 * @property {string | null} until the end of a mute
 * @property {string | null} detail the new value
 */

/** The filter, which outlives a visit to another section. @type {Record<string, string>} */
const filter = { actor: '', username: '', action: '', from: '', to: '' };

/**
 * @param {HTMLElement} container
 * @param {AbortSignal} signal
 */
export async function show(container, signal) {
  /** @type {Entry[]} */
  let entries = [];
  /** @type {number | null} */
  let next = null;
  const list = el('div', {});
  const status = el('p', { class: 'secondary', role: 'status' });
  const moreButton = el('button', { type: 'button', onclick: () => attempt(() => load(true)) }, t('log.more'));
  const links = el('p', { class: 'row' });

  const load = async (/** @type {boolean} */ isMore) => {
    const query = { ...activeFilter(), limit: PAGE_SIZE, ...(isMore && next !== null && { after: next }) };
    /** @type {{ entries: Entry[], next: number | null }} */
    const page = await request('GET', 'admin/log', { query, signal });
    entries = isMore ? [...entries, ...page.entries] : page.entries;
    next = page.next;
    moreButton.hidden = next === null;
    status.textContent = entries.length ? t('log.count', { n: entries.length }) : t('log.none');
    const columns = ['time', 'actor', 'action', 'about'].map((key) => t(`teacher.log.${key}`));
    list.replaceChildren(entries.length ? table(t('admin.log'), columns, entries.map(row)) : '');
    links.replaceChildren(exportLink('csv'), exportLink('ndjson'));
  };
  await load(false);
  container.replaceChildren(filterForm(() => attempt(() => load(false))), links, status, list, moreButton);
}

/** Returns the parts of the filter that are set, as the server's parameters. */
function activeFilter() {
  /** @type {Record<string, string>} */
  const query = {};
  for (const [name, value] of Object.entries(filter)) if (value) query[name] = value;
  if (query.from) query.from = startOfDay(query.from, 0);
  if (query.to) query.to = startOfDay(query.to, 1);
  return query;
}

/**
 * Returns the time at which a day begins for the reader.
 * @param {string} date such as 2026-11-30
 * @param {number} days after it
 */
function startOfDay(date, days) {
  const start = new Date(`${date}T00:00`);
  start.setDate(start.getDate() + days);
  return start.toISOString();
}

/** @param {string} format */
function exportLink(format) {
  const url = new URL('api/admin/log', document.baseURI);
  for (const [name, value] of Object.entries({ ...activeFilter(), format })) url.searchParams.set(name, value);
  return el('a', { href: url.href, download: true }, t(`log.${format}`));
}

/** @param {() => void} onChange */
function filterForm(onChange) {
  /** @type {[string, string][]} */
  const actions = ACTIONS.map((word) => [word, actionText(word)]);
  /** @type {Record<string, HTMLInputElement | HTMLSelectElement>} */
  const controls = {
    actor: input({ type: 'search', autocomplete: 'off', spellcheck: 'false', value: filter.actor }),
    username: input({ type: 'search', autocomplete: 'off', spellcheck: 'false', value: filter.username }),
    action: select([['', t('log.allActions')], ...actions], filter.action),
    from: input({ type: 'date', value: filter.from }),
    to: input({ type: 'date', value: filter.to }),
  };
  const fields = Object.entries(controls).map(([name, control]) => {
    control.id = `log-${name}`;
    return el('div', { class: 'field' }, el('label', { for: control.id }, t(`log.by.${name}`)), control);
  });
  const node = el('form', { class: 'filters', role: 'search' }, fields,
    el('button', { class: 'send' }, t('log.filter')));
  node.addEventListener('submit', (event) => {
    event.preventDefault();
    for (const [name, control] of Object.entries(controls)) filter[name] = control.value.trim();
    onChange();
  });
  return node;
}

/** @param {string} word */
const actionText = (word) => (ACTIONS.includes(word) ? t(`did.${word}`) : word);

/** @param {Entry} entry */
function row({ done_at: time, actor, action, bottle_id: bottle, reply_id: reply, username, until, detail }) {
  const about = [
    username !== null && bdi(username),
    bottle !== null && t('bottle.numbered', { id: String(bottle) }),
    reply !== null && t('teacher.log.reply', { id: String(reply) }),
    until !== null && t('people.until', { time: absoluteTime(until) }),
    detail !== null && bdi(detail),
  ].filter((part) => part !== false);
  const separated = about.flatMap((part, at) => (at ? [' · ', part] : [part]));
  return [
    absoluteTime(time),
    actor === null ? t(action === 'hide' ? 'log.reportsOrCommandLine' : 'log.commandLine') : bdi(actor),
    actionText(action),
    el('span', {}, separated),
  ];
}
