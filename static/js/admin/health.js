// The section of the server's state, which refreshes itself.

import { request, t } from '../lib/core.js';
import { el } from '../lib/dom.js';
import { time } from '../lib/format.js';
import { durationText, refreshPeriodically, sizeText, startButton } from './monitor.js';

const REFRESH_MS = 5000;

/**
 * @typedef {object} Health
 * @property {string} version
 * @property {number} uptime_seconds
 * @property {{ database_bytes: number, log_bytes: number, backups_bytes: number, free_bytes: number }} sizes
 * @property {Record<'accounts' | 'bottles' | 'openings' | 'replies' | 'sessions', number>} counts
 * @property {{ streams: number, max_streams: number, map_cache_hits: number, map_cache_misses: number,
 *   slow_queries: number, failed_requests: number }} activity
 * @property {{ checked_at: string, is_sound: boolean, finding?: string }} [check]
 * @property {string[]} warnings
 */

/** @typedef {import('../lib/dom.js').Child} Child */

/**
 * @param {HTMLElement} container
 * @param {AbortSignal} signal
 */
export async function show(container, signal) {
  const warnings = el('div', { role: 'status' });
  const groups = el('div', { class: 'groups' });
  let shownWarnings = '';
  const refresh = async () => {
    /** @type {Health} */
    const health = await request('GET', 'admin/health', { signal });
    groups.replaceChildren(...healthGroups(health));
    if (shownWarnings === health.warnings.join()) return;
    shownWarnings = health.warnings.join();
    warnings.replaceChildren(...health.warnings.map((warning) =>
      el('p', { class: 'warning' }, el('strong', {}, t('health.warning')), ' ', t(`health.${warning}`))));
  };
  await refresh();
  container.replaceChildren(warnings, groups, startButton(t('health.check'), 'admin/check', refresh),
    el('p', { class: 'hint' }, t('health.checkAbout')));
  refreshPeriodically(signal, refresh, () => REFRESH_MS);
}

/** @param {Health} health */
function healthGroups(health) {
  const { sizes, counts, activity } = health;
  const searches = activity.map_cache_hits + activity.map_cache_misses;
  const share = searches ? activity.map_cache_hits / searches : 0;
  return [
    group('server', [
      ['version', [health.version]], ['uptime', [durationText(health.uptime_seconds)]],
      ['lastCheck', checkNodes(health)],
    ]),
    group('disk', [
      ['database', [sizeText(sizes.database_bytes)]], ['log', [sizeText(sizes.log_bytes)]],
      ['backups', [sizeText(sizes.backups_bytes)]], ['free', [sizeText(sizes.free_bytes)]],
    ]),
    group('sea', ['accounts', 'bottles', 'openings', 'replies', 'sessions'].map((name) =>
      [name, [number(counts[/** @type {keyof typeof counts} */ (name)])]])),
    group('activity', [
      ['streams', [t('health.of', { n: activity.streams, max: activity.max_streams })]],
      ['cache', [t('health.share', { percent: Math.round(share * 100) })]],
      ['slow', [number(activity.slow_queries)]], ['failed', [number(activity.failed_requests)]],
    ]),
  ];
}

/** @param {number} count */
const number = (count) => t('health.number', { n: count });

/**
 * @param {Health} health
 * @returns {Child[]}
 */
function checkNodes({ check }) {
  if (!check) return [t('health.unchecked')];
  const verdict = check.is_sound ? t('health.sound') : t('health.damaged');
  const finding = check.finding && el('span', { lang: 'en' }, ` ${check.finding}`);
  return [time(check.checked_at), ': ', verdict, finding];
}

/**
 * @param {string} name
 * @param {[string, Child[]][]} facts
 */
function group(name, facts) {
  return el('div', {},
    el('h3', {}, t(`health.${name}`)),
    el('dl', { class: 'facts' }, facts.flatMap(([key, value]) =>
      [el('dt', {}, t(`health.${key}`)), el('dd', {}, value)])));
}
