// Times and coordinates as the reader writes them.

import { el } from './dom.js';
import { locale, t } from './i18n.js';

const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
const absolute = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
const degrees = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 4 });
const UNITS = [['year', 31557600], ['month', 2629800], ['week', 604800], ['day', 86400], ['hour', 3600], ['minute', 60]];

/** "3 hours ago", with the exact time for who points at it. */
export function time(iso) {
  const date = new Date(iso);
  const seconds = (date - Date.now()) / 1000;
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ['second', 1];
  // A server's clock a moment ahead of ours must not tell of the future.
  const text = Math.abs(seconds) < 60 ? t('time.now') : relative.format(Math.round(seconds / size), unit);
  return el('time', { datetime: iso, title: absolute.format(date) }, text);
}

export function coordinates(latitude, longitude) {
  return t('coordinates', {
    latitude: degrees.format(Math.abs(latitude)),
    ns: t(latitude < 0 ? 'south' : 'north'),
    longitude: degrees.format(Math.abs(longitude)),
    ew: t(longitude < 0 ? 'west' : 'east'),
  });
}

/** A place in words: its address, else its coordinates. */
export const place = ({ formatted_address: address, latitude, longitude }) => address || coordinates(latitude, longitude);

/** A typed number, with the decimal sign the reader's keyboard has; NaN if it is none. */
export const typedNumber = (text) => (text.trim() ? Number(text.trim().replace(',', '.').replace('−', '-')) : NaN);
