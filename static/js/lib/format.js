// Times, places and numbers in the reader's language.

/** @import { Person, Place } from './types.js' */

import { locale, t } from './core.js';
import { bdi, el } from './dom.js';

const relativeFormat = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
const absoluteFormat = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
const degreeFormat = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 4 });

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNIT_SECONDS = [
  ['year', 31557600], ['month', 2629800], ['week', 604800], ['day', 86400], ['hour', 3600], ['minute', 60],
];

/** How often the relative times of the page are updated. */
const TIMES_MS = 10_000;

/** @param {string} iso */
function relativeTime(iso) {
  const seconds = (new Date(iso).getTime() - Date.now()) / 1000;
  const [unit, size] = UNIT_SECONDS.find((each) => Math.abs(seconds) >= each[1]) ?? ['second', 1];
  // The server's clock may be ahead: no time under a minute is shown as future.
  return Math.abs(seconds) < 60 ? t('time.now') : relativeFormat.format(Math.round(seconds / size), unit);
}

/**
 * Creates an element such as "3 hours ago", with the exact time as its tooltip. It stays true while it is shown.
 * @param {string} iso
 */
export function time(iso) {
  clock ??= window.setInterval(updateTimes, TIMES_MS);
  return el('time', { datetime: iso, title: absoluteTime(iso) }, relativeTime(iso));
}

/** The timer that keeps the times true, from the first one on. @type {number | undefined} */
let clock;

function updateTimes() {
  for (const node of document.querySelectorAll('time')) {
    const text = relativeTime(node.dateTime);
    if (node.textContent !== text) node.textContent = text;
  }
}

const metreFormat = new Intl.NumberFormat(locale, { style: 'unit', unit: 'meter' });
const kilometreFormat = new Intl.NumberFormat(locale, { style: 'unit', unit: 'kilometer', maximumFractionDigits: 1 });

/**
 * Returns a distance, such as "350 m" or "1.2 km".
 * @param {number} metres
 */
export const distanceText = (metres) =>
  (metres < 1000 ? metreFormat.format(metres) : kilometreFormat.format(metres / 1000));

/**
 * Returns a date with its time, such as "24 Nov 2026, 14:30".
 * @param {string} iso
 */
export const absoluteTime = (iso) => absoluteFormat.format(new Date(iso));

/**
 * @param {number} latitude
 * @param {number} longitude
 */
export function coordinates(latitude, longitude) {
  return t('coordinates', {
    latitude: degreeFormat.format(Math.abs(latitude)),
    ns: t(latitude < 0 ? 'south' : 'north'),
    longitude: degreeFormat.format(Math.abs(longitude)),
    ew: t(longitude < 0 ? 'west' : 'east'),
  });
}

/**
 * Returns the address of a place, or its coordinates if it has none.
 * @param {Place} place
 */
export const placeText = ({ formatted_address: address, latitude, longitude }) =>
  address || coordinates(latitude, longitude);

/**
 * Returns the address of a place as a text of people, or its coordinates as a text of the page.
 * @param {Place} place
 */
export const placeNode = (place) => (place.formatted_address ? bdi(place.formatted_address) : placeText(place));

/**
 * Returns the nickname of an account, or its username if it has none.
 * @param {Pick<Person, 'username'> & { nickname?: string }} person
 */
export const displayName = ({ nickname, username }) => nickname || username;

/**
 * Parses a number with a decimal point or comma. Returns NaN if the text is no number.
 * @param {string} text
 */
export const parseNumber = (text) => (text.trim() ? Number(text.trim().replace(',', '.').replace('−', '-')) : NaN);

/**
 * Counts characters as the server does: code points, not UTF-16 units.
 * @param {string} text
 */
export const characterCount = (text) => [...text].length;
