// Parts that the sections about the server share: sizes, durations, refreshing, and starting a backup or a check.

import { ApiError, isAbort, locale, request, t } from '../lib/core.js';
import { el, whileBusy } from '../lib/dom.js';
import { explain } from '../lib/errors.js';

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];

/**
 * Returns a size, such as "1.4 MB".
 * @param {number} bytes
 */
export function sizeText(bytes) {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  const format = new Intl.NumberFormat(locale, {
    style: 'unit', unit: UNITS[power], maximumFractionDigits: power > 1 ? 1 : 0,
  });
  return format.format(bytes / 1000 ** power);
}

/**
 * Returns the time since the server's start in its greatest unit, such as "3 days".
 * @param {number} seconds
 */
export function durationText(seconds) {
  if (seconds < 60) return t('health.seconds', { n: seconds });
  if (seconds < 3600) return t('health.minutes', { n: Math.floor(seconds / 60) });
  if (seconds < 86400) return t('health.hours', { n: Math.floor(seconds / 3600) });
  return t('health.days', { n: Math.floor(seconds / 86400) });
}

/**
 * Refreshes a section until `signal` aborts, but not while the page is hidden. A refresh that fails is made again: the
 * page itself tells that the connection is lost. Returns a function that begins a new interval.
 * @param {AbortSignal} signal
 * @param {() => Promise<void>} refresh
 * @param {() => number} interval the milliseconds to the next refresh
 */
export function refreshPeriodically(signal, refresh, interval) {
  /** @type {number | undefined} */
  let timer;
  const schedule = () => {
    clearTimeout(timer);
    if (!signal.aborted) timer = setTimeout(run, interval());
  };
  const run = async () => {
    try {
      if (!document.hidden) await refresh();
    } catch (error) {
      if (isAbort(error)) return;
    }
    schedule();
  };
  signal.addEventListener('abort', () => clearTimeout(timer));
  schedule();
  return schedule;
}

/**
 * Creates a button that starts a backup or a check on the server, with the line of its error.
 * @param {string} label
 * @param {string} path of the POST
 * @param {() => Promise<unknown>} started
 */
export function startButton(label, path, started) {
  const error = el('p', { class: 'error', role: 'alert' });
  /** @type {HTMLButtonElement} */
  const button = el('button', { type: 'button', class: 'primary' }, label);
  button.addEventListener('click', () => whileBusy(button, async () => {
    error.textContent = '';
    try {
      await request('POST', path);
      await started();
    } catch (reason) {
      if (isAbort(reason)) return;
      const isBusy = reason instanceof ApiError && reason.code === 'BUSY';
      error.textContent = isBusy ? t('backups.busy') : explain(reason).message;
    }
  }));
  return el('div', {}, button, error);
}
