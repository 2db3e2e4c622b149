// The section of backups: taking one, their list, the schedule, and how to restore.

import { request, t } from '../lib/core.js';
import { el, phrase } from '../lib/dom.js';
import { field, form, input, select } from '../lib/forms.js';
import { absoluteTime, time } from '../lib/format.js';
import { toast } from '../lib/notices.js';
import { refreshPeriodically, sizeText, startButton } from './monitor.js';
import { table } from './section.js';

const RUNNING_MS = 1000;
const IDLE_MS = 15000;
const MAX_KEEP = 1000;

/** @import { Child } from '../lib/dom.js' */

/** @typedef {{ name: string, bytes: number, made_at: string, verdict: 'sound' | 'unknown' }} Backup */
/** @typedef {{ kind: 'backup' | 'check', pages: number, all_pages: number }} Progress */
/**
 * @typedef {object} Backups
 * @property {Backup[]} backups the newest first
 * @property {string} [unreadable] why the folder cannot be read
 * @property {Progress} [running]
 * @property {{ failed_at: string, reason: string }} [failure]
 * @property {{ hour: number, keep: number, next_at?: string }} schedule
 * @property {string} folder
 * @property {string} database
 */

/** @typedef {{ name: string, can_change: boolean }} Setting */

/**
 * @param {HTMLElement} container
 * @param {AbortSignal} signal
 */
export async function show(container, signal) {
  /** @type {[Backups, { settings: Setting[] }]} */
  const [first, { settings }] = await Promise.all([
    load(signal), request('GET', 'admin/settings', { signal }),
  ]);
  let shown = first;
  const failure = el('div', {});
  const progress = el('div', { role: 'status' });
  const list = el('div', {});
  const next = el('p', { class: 'hint' });
  const restore = el('div', {});
  const take = startButton(t('backups.take'), 'admin/backups', async () => {
    await refresh();
    schedule();
  });

  container.replaceChildren(
    el('p', {}, t('backups.about')), failure,
    take, progress, list,
    el('h3', {}, t('backups.schedule')), next, scheduleForm(first, settings, refresh),
    el('h3', {}, t('backups.restore')), restore);
  update(first, true);
  const schedule = refreshPeriodically(signal, refresh, () => (shown.running ? RUNNING_MS : IDLE_MS));

  async function refresh() {
    update(await load(signal));
  }

  /**
   * Replaces only what has changed, so that a screen reader reads it once and the focus stays.
   * @param {Backups} backups
   * @param {boolean} [isFirst]
   */
  function update(backups, isFirst = false) {
    const before = shown;
    shown = backups;
    if (isFirst || differs(problems(before), problems(backups))) failure.replaceChildren(...failureNotices(backups));
    if (isFirst || differs(before.running, backups.running)) showProgress(progress, backups.running);
    if (isFirst || differs(before.backups, backups.backups)) list.replaceChildren(backupTable(backups.backups));
    if (isFirst || differs(before.schedule, backups.schedule)) next.replaceChildren(nextText(backups));
    restore.replaceChildren(...restoreText(backups));
    // A short backup may begin and end between two refreshes.
    const [newest] = backups.backups;
    if (!isFirst && newest && newest.name !== before.backups[0]?.name) toast(t('backups.done'));
  }
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<Backups>}
 */
const load = (signal) => request('GET', 'admin/backups', { signal });

/**
 * @param {unknown} one
 * @param {unknown} other
 */
const differs = (one, other) => JSON.stringify(one) !== JSON.stringify(other);

/** @param {Backups} backups */
const problems = ({ failure, unreadable }) => [failure, unreadable];

/** @param {Backups} backups */
function failureNotices({ failure, unreadable }) {
  return [
    failure && warning(failure.reason, t('backups.failed'), ' ', time(failure.failed_at)),
    unreadable && warning(unreadable, t('backups.unreadable')),
  ].filter((notice) => notice instanceof HTMLElement);
}

/**
 * @param {string} reason in the server's English
 * @param {string} title
 * @param {...Child} rest
 */
const warning = (reason, title, ...rest) => el('div', { class: 'warning', role: 'alert' },
  el('p', {}, el('strong', {}, title), rest), el('p', { lang: 'en' }, reason));

/**
 * Shows how far the backup is. The bar stays while it grows.
 * @param {HTMLElement} container
 * @param {Progress | undefined} running
 */
function showProgress(container, running) {
  if (!running) {
    container.replaceChildren();
    return;
  }
  const { kind, pages, all_pages: all } = running;
  const text = kind === 'check' || (all > 0 && pages === all) ? t('backups.checking') : t('backups.copying');
  const bar = container.querySelector('progress') ?? el('progress', { 'aria-label': t('backups.copying') });
  // Without a value, the bar shows that something goes on.
  if (text === t('backups.copying') && all > 0) bar.value = pages / all;
  else bar.removeAttribute('value');
  const label = container.querySelector('p') ?? el('p', {});
  if (label.textContent !== text) label.textContent = text;
  if (!bar.isConnected) container.replaceChildren(label, bar);
}

/** @param {Backup[]} backups */
function backupTable(backups) {
  if (backups.length === 0) return el('p', {}, t('backups.none'));
  const columns = ['made', 'size', 'verdict', 'file'].map((key) => t(`backups.${key}`));
  return table(t('admin.backups'), columns, backups.map(backupCells));
}

/** @param {Backup} backup */
function backupCells({ name, bytes, made_at: madeAt, verdict }) {
  const link = el('a', { href: `api/admin/backups/${encodeURIComponent(name)}`, download: name },
    t('backups.download'), ' ', el('code', {}, name));
  const made = el('span', {}, time(madeAt), el('span', { class: 'secondary' }, absoluteTime(madeAt)));
  return [made, sizeText(bytes), t(`backups.${verdict}`), link];
}

/** @param {Backups} backups */
function nextText({ schedule: { next_at: at } }) {
  return at ? t('backups.next', { time: absoluteTime(at) }) : t('backups.off');
}

/**
 * @param {Backups} backups
 * @param {Setting[]} settings
 * @param {() => Promise<void>} refresh
 */
function scheduleForm({ schedule: { hour, keep } }, settings, refresh) {
  const canChange = ['backup_hour', 'backup_keep']
    .every((name) => settings.find((setting) => setting.name === name)?.can_change);
  if (!canChange) return el('p', {}, t('backups.fixed', { hour: hourText(hour), n: keep }));
  const hours = Array.from({ length: 24 }, (_, each) => /** @type {[string, string]} */ ([`${each}`, hourText(each)]));
  const hourControl = select(hours, `${hour}`);
  const keepControl = input({ type: 'number', min: 0, max: MAX_KEEP, value: keep, inputmode: 'numeric' });
  return form(t('backups.save'), [
    field('backup_hour', t('backups.hour'), hourControl, t('backups.hourHint')),
    field('backup_keep', t('backups.keep'), keepControl, t('backups.keepHint')),
  ], {
    /** @returns {Record<string, string>} */
    validate: () => (isCount(keepControl.value) ? {} : { backup_keep: t('settings.range', { max: MAX_KEEP }) }),
    submit: async () => {
      await set('backup_hour', hourControl.value);
      await set('backup_keep', keepControl.value);
      await refresh();
      toast(t('settings.saved'));
    },
  });
}

/**
 * @param {string} name
 * @param {string} value
 */
const set = (name, value) => request('PUT', `admin/settings/${name}`, { body: { value: Number(value) } });

/** @param {string} text */
const isCount = (text) => /^\d+$/.test(text) && Number(text) <= MAX_KEEP;

/** @param {number} hour */
const hourText = (hour) => `${String(hour).padStart(2, '0')}:00`;

/** @param {Backups} backups */
function restoreText({ backups: [newest], folder, database }) {
  const file = `${folder}/${newest?.name ?? 'bottle-….db'}`;
  return [
    el('p', {}, t('backups.restoreAbout')),
    el('pre', { tabindex: 0 }, `bottle restore ${quoted(file)} --db ${quoted(database)}`),
    el('p', { class: 'hint' }, phrase('backups.folder', { folder })),
  ];
}

/**
 * Quotes a path for a shell where it needs that.
 * @param {string} path
 */
const quoted = (path) => (/^[\w./…-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
