// The section of the accounts: their list, which is searched, and the dialogs that add and import some.

/** @import { Sheet } from './import.js' */
/** @import { AdminPerson } from './person.js' */

import { request, server, t } from '../lib/core.js';
import { bdi, el } from '../lib/dom.js';
import { input, select } from '../lib/forms.js';
import { time } from '../lib/format.js';
import { openAdd } from './add-person.js';
import { openImport, sheetView } from './import.js';
import { ROLES, openPerson } from './person.js';
import { attempt, table } from './section.js';

const PAGE_SIZE = 50;
const DEBOUNCE_MS = 250;

/** @typedef {{ people: AdminPerson[], next: number | null }} Page */

/** The search, which outlives a visit to another section. */
const search = { q: '', role: '' };
/** The sheet with one-time passwords, which stays until the reader puts it away. @type {Sheet | null} */
let sheet = null;

server.addEventListener('session', () => {
  sheet = null;
});

/**
 * @param {HTMLElement} container
 * @param {AbortSignal} signal
 */
export async function show(container, signal) {
  if (sheet) {
    container.replaceChildren(sheetView(sheet, () => {
      sheet = null;
      attempt(() => show(container, signal));
    }));
    return;
  }
  const list = new PeopleList(signal);
  await list.load();
  const openNew = () => openAdd((id) => list.showAgain(id));
  const openFile = () => openImport((created) => {
    sheet = created;
    attempt(() => show(container, signal));
  });
  container.replaceChildren(searchForm(list),
    el('div', { class: 'row' },
      el('button', { type: 'button', onclick: openNew }, t('people.add')),
      el('button', { type: 'button', onclick: openFile }, t('people.import'))),
    list.node);
}

/** @param {PeopleList} list */
function searchForm(list) {
  const text = input({
    type: 'search', value: search.q, autocomplete: 'off', spellcheck: 'false', id: 'people-search',
  });
  const role = select([['', t('people.allRoles')], ...ROLES.map(roleOption)], search.role);
  role.id = 'people-role';
  /** @type {number | undefined} */
  let timer;
  const start = () => {
    window.clearTimeout(timer);
    search.q = text.value.trim();
    search.role = role.value;
    attempt(() => list.load());
  };
  text.addEventListener('input', () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(start, DEBOUNCE_MS);
  });
  role.addEventListener('change', start);
  return el('form', { class: 'filters', role: 'search', onsubmit: (/** @type {Event} */ event) => {
    event.preventDefault();
    start();
  } },
    el('div', { class: 'field' }, el('label', { for: text.id }, t('people.search')), text),
    el('div', { class: 'field' }, el('label', { for: role.id }, t('people.role')), role));
}

/**
 * @param {string} role
 * @returns {[string, string]}
 */
const roleOption = (role) => [role, t(`role.${role}`)];

/** The list of the accounts that fit the search. */
class PeopleList {
  /** @param {AbortSignal} signal */
  constructor(signal) {
    this.signal = signal;
    signal.addEventListener('abort', () => this.pending.abort());
    this.rows = el('div', {});
    this.count = el('p', { class: 'secondary', role: 'status' });
    this.moreButton = el('button', { type: 'button', onclick: () => attempt(() => this.loadMore()) }, t('people.more'));
    this.node = el('div', { class: 'admin-section' }, this.count, this.rows, this.moreButton);
    /** @type {AdminPerson[]} */
    this.people = [];
    /** @type {number | null} */
    this.next = null;
    this.pending = new AbortController();
  }

  /** Fetches the first page. A new search aborts the one before. */
  async load() {
    this.pending.abort();
    this.pending = new AbortController();
    const page = await this.fetch(null);
    this.people = page.people;
    this.render(page);
  }

  async loadMore() {
    const page = await this.fetch(this.next);
    const first = page.people[0];
    this.people = [...this.people, ...page.people];
    this.render(page);
    if (first) this.focus(first.user_id);
  }

  /**
   * @param {number | null} after
   * @returns {Promise<Page>}
   */
  fetch(after) {
    const query = {
      limit: PAGE_SIZE, ...(search.q && { q: search.q }), ...(search.role && { role: search.role }),
      ...(after !== null && { after }),
    };
    return request('GET', 'admin/people', { query, signal: this.pending.signal });
  }

  /** @param {Page} page the last one that was fetched */
  render({ next }) {
    this.next = next;
    this.moreButton.hidden = next === null;
    const isPart = next !== null;
    this.count.textContent = this.people.length
      ? t(isPart ? 'people.first' : 'people.count', { n: this.people.length }) : t('people.none');
    const columns = ['name', 'role', 'lastSeen', 'bottles', 'sessions', 'actions'].map((key) => t(`people.${key}`));
    this.rows.replaceChildren(this.people.length
      ? table(t('admin.people'), columns, this.people.map((person) => this.row(person))) : '');
  }

  /** @param {AdminPerson} person */
  row(person) {
    const { user_id: id, username, nickname, role, last_seen: lastSeen, bottles, sessions } = person;
    const open = () => openPerson(person, (changed) => this.showAgain(changed));
    return [
      el('span', {}, el('strong', {}, bdi(username)), nickname !== username && el('br', {}),
        nickname !== username && bdi(nickname),
        person.muted_until !== undefined && el('span', { class: 'mark' }, t('people.muted')),
        person.is_guest && el('span', { class: 'mark' }, t('people.guest')),
        person.password_is_one_time && el('span', { class: 'mark' }, t('people.oneTime'))),
      t(`role.${role}`),
      lastSeen ? time(lastSeen) : t('people.never'),
      String(bottles),
      String(sessions),
      el('button', {
        type: 'button', 'data-person': id, onclick: open, 'aria-label': t('people.manageNamed', { name: username }),
      }, t('people.manage')),
    ];
  }

  /**
   * Fetches the list again after a change, and focuses the account or, if it is gone, the search.
   * @param {number} id
   */
  async showAgain(id) {
    await attempt(() => this.load());
    if (!this.signal.aborted) this.focus(id);
  }

  /** @param {number} id */
  focus(id) {
    /** @type {HTMLElement | null} */
    const button = this.rows.querySelector(`[data-person="${id}"]`);
    (button ?? document.getElementById('people-search'))?.focus();
  }
}
