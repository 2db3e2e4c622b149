// The dialog that imports a class from a CSV file, and the sheet with its one-time passwords.

import { ApiError, request, t } from '../lib/core.js';
import { openDialog } from '../lib/dialog.js';
import { bdi, el } from '../lib/dom.js';
import { explain } from '../lib/errors.js';
import { field, form, input } from '../lib/forms.js';
import { table } from './section.js';

const MAX_BYTES = 500_000;
const FIELDS = ['username', 'nickname', 'csv'];

/**
 * @typedef {object} Line
 * @property {number} line the number of the line
 * @property {string} username as it is written
 * @property {string} nickname as it is written
 * @property {'new' | 'created' | 'exists' | 'repeated' | 'invalid'} result what becomes of it
 * @property {string} [one_time_password] of the account that was created
 * @property {number} [first_line] the line that has the username first
 * @property {string} [field] the invalid field
 */

/** @typedef {{ address: string, lines: Line[] }} Sheet */

/** @param {(sheet: Sheet) => void} onImported */
export function openImport(onImported) {
  const dialog = openDialog();
  choose('');

  /** @param {string} problem of the file before */
  function choose(problem) {
    const file = input({ type: 'file', accept: '.csv,text/csv,text/plain' });
    dialog.fill(t('import.title'), [
      el('p', { class: 'hint' }, t('import.about')),
      el('pre', {}, 'username,nickname\nada,Ada\nlin,林小舟'),
      el('p', { class: 'error', role: 'alert' }, problem),
      form(t('import.preview'), [field('csv', t('import.file'), file)], {
        validate: () => validateFile(file),
        submit: async () => {
          const csv = await decode(/** @type {FileList} */ (file.files)[0]);
          try {
            preview(csv, await send(csv, true));
          } catch (error) {
            if (!(error instanceof ApiError) || error.status !== 422) throw error;
            choose(t('import.refused'));
          }
        },
      }),
    ]);
  }

  /**
   * @param {string} csv
   * @param {Line[]} lines
   */
  function preview(csv, lines) {
    const n = lines.filter(({ result }) => result === 'new').length;
    const error = el('p', { class: 'error', role: 'alert' });
    const create = async () => {
      error.replaceChildren();
      try {
        const [created, { addresses }] = await Promise.all([send(csv, false), request('GET', 'join')]);
        dialog.close();
        onImported({ address: pageAddress(addresses), lines: created });
      } catch (reason) {
        error.textContent = explain(reason).message;
      }
    };
    const createButton = el('button', { type: 'button', class: 'primary' }, t('import.create', { n }));
    createButton.addEventListener('click', () => {
      if (createButton.getAttribute('aria-disabled') === 'true') return;
      createButton.setAttribute('aria-disabled', 'true');
      create().finally(() => createButton.removeAttribute('aria-disabled'));
    });
    const skipped = lines.length - n;
    dialog.fill(t('import.title'), [
      el('p', { role: 'status' }, t('import.count', { n }), ' ', skipped > 0 && t('import.skipped', { n: skipped })),
      el('div', { class: 'row' }, n > 0 && createButton,
        el('button', { type: 'button', onclick: () => choose('') }, t('import.another'))),
      error,
      table(t('import.title'), ['line', 'name', 'result'].map((key) => t(`import.${key}`)), lines.map(previewRow)),
    ]);
  }
}

/**
 * @param {HTMLInputElement} control
 * @returns {Record<string, string>}
 */
function validateFile(control) {
  const file = control.files?.[0];
  if (!file) return { csv: t('import.noFile') };
  return file.size > MAX_BYTES ? { csv: t('import.tooLarge') } : {};
}

/**
 * Returns the text of a file in UTF-8 or, if it is not, in GB 18030, in which Chinese spreadsheets save.
 * @param {File} file
 */
async function decode(file) {
  const bytes = await file.arrayBuffer();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}

/**
 * @param {string} csv
 * @param {boolean} isDryRun
 * @returns {Promise<Line[]>}
 */
async function send(csv, isDryRun) {
  const { lines } = await request('POST', 'admin/people/import', { body: { csv, dry_run: isDryRun } });
  return lines;
}

/** @param {Line} line */
function previewRow(line) {
  const { line: number, username, nickname, result } = line;
  const name = nickname && nickname !== username ? `${username} (${nickname})` : username;
  return [String(number), bdi(name), el('span', { class: result !== 'new' && 'skipped' }, resultText(line))];
}

/** @param {Line} line */
function resultText({ result, first_line: first, field: name = 'csv' }) {
  if (result === 'invalid') return t(`import.invalid.${FIELDS.includes(name) ? name : 'csv'}`);
  return t(`import.is.${result}`, { n: first ?? 0 });
}

/**
 * Creates the sheet: a card for each new account, to print and cut.
 * @param {Sheet} sheet
 * @param {() => void} onDone runs when the reader puts it away
 */
export function sheetView({ address, lines }, onDone) {
  const created = lines.filter(({ result }) => result === 'created');
  const skipped = lines.length - created.length;
  const heading = el('h3', { tabindex: '-1' }, t('import.done', { n: created.length }));
  requestAnimationFrame(() => heading.focus());
  return el('div', { class: 'admin-section' },
    heading,
    el('p', { class: 'no-print' }, t('import.once'), ' ', skipped > 0 && t('import.skipped', { n: skipped })),
    el('div', { class: 'row no-print' },
      el('button', { type: 'button', class: 'send', onclick: () => window.print() }, t('import.print')),
      el('button', { type: 'button', onclick: onDone }, t('import.putAway'))),
    el('ul', { class: 'sheet' }, created.map((line) => card(address, line))));
}

/**
 * @param {string} address
 * @param {Line} line
 */
function card(address, { username, nickname, one_time_password: password = '' }) {
  const row = (/** @type {string} */ key, /** @type {string} */ value) =>
    [el('dt', {}, t(key)), el('dd', {}, bdi(value))];
  return el('li', {},
    nickname && nickname !== username && el('p', {}, bdi(nickname)),
    el('dl', {}, ...row('import.address', address), ...row('field.username', username),
      ...row('people.password', password)));
}

/**
 * Returns the address under which others reach the page: the one of this page, unless that is of this computer alone
 * and the server has one in a network.
 * @param {string[]} addresses of the server in its network
 */
function pageAddress([first]) {
  const isLocal = /^(localhost|127\..*|\[::1\])$/.test(location.hostname);
  return (isLocal && first) || location.origin;
}
