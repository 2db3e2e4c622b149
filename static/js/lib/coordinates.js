// Positions as people write and paste them: "48.85, 2.29", with degree signs or points of the compass, and links to
// maps.

/** @import { Position } from './types.js' */

const NUMBER = '[+-]?\\d+(?:[.,]\\d+)?';
const SECONDS = `(?:(${NUMBER})\\s*(?:"|″|”|''|′′)\\s*)?`;
const ANGLE = `(${NUMBER})\\s*(?:[°º]\\s*(?:(${NUMBER})\\s*['′’]\\s*${SECONDS})?)?([NSEW])?`;
const PAIR = new RegExp(`^\\(?${ANGLE}(?:\\s*[,;/]\\s*|\\s+|(?<=[NSEW°'"″]))${ANGLE}\\)?$`, 'i');

/** A point of the compass before its angle. */
const COMPASS_FIRST = /([NSEW])\s*([^NSEW]+?)\s*([,;/]?)\s*(?=[NSEW]|$)/gi;

/** Links: "…/@48.85,2.29,12z", "#map=12/48.85/2.29", "?mlat=48.85&mlon=2.29", "?q=48.85,2.29", "geo:48.85,2.29". */
const LINKS = [
  /@(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)/,
  /[#=]\d+(?:\.\d+)?\/(-?\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)/,
  /[?&]m?lat(?:itude)?=(-?\d+(?:\.\d+)?)&m?lon(?:gitude|g)?=(-?\d+(?:\.\d+)?)/,
  /(?:geo:|[?&](?:q|ll|query|center)=)(-?\d+(?:\.\d+)?)(?:,|%2C)(-?\d+(?:\.\d+)?)/i,
];

/** @type {[RegExp, string][]} */
const CHINESE = [[/北纬/g, 'N'], [/南纬/g, 'S'], [/东经/g, 'E'], [/西经/g, 'W'], [/度/g, '°'], [/分/g, "'"], [/秒/g, '"']];

/**
 * Reads the position that a text consists of, or that a link to a map names. Returns null for any other text.
 * @param {string} text
 * @returns {Position | null}
 */
export function parsePosition(text) {
  for (const link of LINKS) {
    const [, latitude, longitude] = link.exec(text) ?? [];
    if (latitude) return inRange(Number(latitude), Number(longitude));
  }
  const plain = CHINESE.reduce((read, [word, sign]) => read.replace(word, sign), text)
    .replace(/[−–]/g, '-').replace(/[，、；]/g, ', ').trim();
  const found = PAIR.exec(/^[NSEW]/i.test(plain) ? plain.replace(COMPASS_FIRST, '$2$1$3 ').trim() : plain);
  if (!found) return null;
  const [first, second] = [readAngle(found.slice(1, 5)), readAngle(found.slice(5, 9))];
  if (!first || !second) return null;
  const axes = first.axis + second.axis;
  if (axes === 'EN') return inRange(second.degrees, first.degrees);
  return axes === '' || axes === 'NE' ? inRange(first.degrees, second.degrees) : null;
}

/**
 * Reads an angle with the axis of its point of the compass: "N", "E" or none. Returns null if its parts contradict.
 * @param {(string | undefined)[]} parts
 */
function readAngle([degrees, minutes, seconds, letter]) {
  const compass = (letter ?? '').toUpperCase();
  const [whole, first, second] = [degrees, minutes, seconds].map((part) => Number((part ?? '0').replace(',', '.')));
  if (!(first >= 0 && first < 60 && second >= 0 && second < 60)) return null;
  if (compass && whole < 0) return null;
  const size = Math.abs(whole) + first / 60 + second / 3600;
  const isNegative = degrees?.startsWith('-') || compass === 'S' || compass === 'W';
  return { degrees: isNegative ? -size : size, axis: compass.replace('S', 'N').replace('W', 'E') };
}

/**
 * @param {number} latitude
 * @param {number} longitude
 */
const inRange = (latitude, longitude) =>
  (Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : null);
