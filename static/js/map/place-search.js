// The search for a place by its name or coordinates: the server has the names of all built-in places.

import { ApiError, isAbort, language, locale, reconnect, t } from '../lib/core.js';
import { parsePosition } from '../lib/coordinates.js';
import { el, svg } from '../lib/dom.js';

const DEBOUNCE_MS = 150;          // from the last key to the request
const ZOOM_COORDINATES = 12;

/**
 * A place that the search found. `zoom` shows it as a whole, `local` is its name in its own language if that differs.
 * @typedef {{ name: string, local?: string, country: string, latitude: number, longitude: number, zoom: number }}
 *   FoundPlace
 */

const countries = new Intl.DisplayNames([locale], { type: 'region', fallback: 'code' });

/**
 * Finds places whose name begins with a text, in the reader's language, in English or in their own; case and accents
 * do not matter. The most important come first. Throws `ApiError`, or `AbortError` when `signal` aborts the request.
 * @param {string} text
 * @param {AbortSignal} [signal]
 * @returns {Promise<FoundPlace[]>}
 */
export async function findPlaces(text, signal) {
  const response = await fetch(`places?${new URLSearchParams({ q: text, language })}`, { signal }).catch((error) => {
    if (isAbort(error)) throw error;
    reconnect();
    throw new ApiError(0);
  });
  if (!response.ok) throw new ApiError(response.status);
  return (await response.json()).places;
}

/**
 * Returns the country of a place, with its position if another place of that country has the same name.
 * @param {FoundPlace} place
 * @param {FoundPlace[]} places among which it is
 */
export function describePlace(place, places) {
  const country = countries.of(place.country) ?? place.country;
  const isAmbiguous = places.some((other) =>
    other !== place && other.name === place.name && other.country === place.country);
  return isAmbiguous ? `${country}, ${formatPosition(place)}` : country;
}

/** @param {FoundPlace} place */
function formatPosition({ latitude, longitude }) {
  const [north, east] = [Math.abs(latitude).toFixed(1), Math.abs(longitude).toFixed(1)];
  return `${north}° ${latitude < 0 ? 'S' : 'N'} ${east}° ${longitude < 0 ? 'W' : 'E'}`;
}

let searches = 0;

/**
 * Creates a field that finds places while the reader types (the pattern "combobox" of ARIA). Coordinates are chosen at
 * once.
 * @param {(place: Pick<FoundPlace, 'latitude' | 'longitude' | 'zoom'>) => void} onChoose
 * @param {{ label?: string, hint?: string }} [strings]
 */
export function createPlaceSearch(onChoose, { label = t('search.label'), hint = label } = {}) {
  searches += 1;
  const id = `place-search-${searches}`;
  const list = el('ul', { id, role: 'listbox', 'aria-label': label, hidden: true });
  const status = el('p', { class: 'search-status', role: 'status' });
  const input = el('input', {
    type: 'search',
    role: 'combobox',
    placeholder: hint,
    'aria-label': label,
    'aria-autocomplete': 'list',
    'aria-expanded': 'false',
    'aria-controls': id,
    autocomplete: 'off',
    spellcheck: 'false',
    enterkeyhint: 'search',
  });
  /** @type {FoundPlace[]} */
  let places = [];
  let active = -1;
  /** Whether the reader has pressed Enter before there were places: the first one that comes is chosen. */
  let isEntered = false;
  /** @type {AbortController | null} */
  let pending = null;
  /** @type {number | undefined} */
  let timer;

  const activate = (/** @type {number} */ index) => {
    active = index;
    for (const [at, option] of [...list.children].entries()) option.setAttribute('aria-selected', String(at === index));
    if (index < 0) input.removeAttribute('aria-activedescendant');
    else input.setAttribute('aria-activedescendant', `${id}-${index}`);
    list.children[index]?.scrollIntoView({ block: 'nearest' });
  };
  const show = (/** @type {FoundPlace[]} */ found) => {
    places = found;
    list.replaceChildren(...found.map((place, index) => el('li', {
      role: 'option', id: `${id}-${index}`, 'aria-selected': 'false', onclick: () => choose(place),
    }, el('b', {}, place.name), place.local && el('span', { lang: '' }, ` ${place.local}`),
    el('small', {}, describePlace(place, found)))));
    list.hidden = !found.length;
    input.setAttribute('aria-expanded', String(!list.hidden));
    activate(-1);
  };
  const stop = () => {
    window.clearTimeout(timer);
    pending?.abort();
    show([]);
    status.textContent = '';
  };
  const choose = (/** @type {FoundPlace} */ place) => {
    input.value = place.name;
    stop();
    onChoose(place);
  };
  const search = async () => {
    pending?.abort();
    const controller = pending = new AbortController();
    const text = input.value.trim();
    const position = parsePosition(text);
    if (position || !text) {
      stop();
      if (position) onChoose({ ...position, zoom: ZOOM_COORDINATES });
      return;
    }
    try {
      show(await findPlaces(text, controller.signal));
      if (isEntered && places.length) {
        choose(places[0]);
        return;
      }
      status.textContent = places.length ? t('search.count', { n: places.length }) : t('search.none');
    } catch (error) {
      if (isAbort(error)) return;
      if (!(error instanceof ApiError)) throw error;
      show([]);
      status.textContent = t('search.failed');
    }
  };
  const move = (/** @type {number} */ by) => {
    if (!places.length) search();
    else activate((active + by + places.length + (active < 0 && by < 0 ? 1 : 0)) % places.length);
  };
  /** @type {Record<string, () => boolean | void>} each returns false if the key was not for the list */
  const keys = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => {
      if (places.length) {
        choose(places[Math.max(0, active)]);
        return;
      }
      isEntered = true;
      search();
    },
    Escape: () => {
      if (list.hidden && !input.value) return false;
      if (list.hidden) input.value = '';
      stop();
    },
  };
  input.addEventListener('keydown', (event) => {
    if (event.isComposing || keys[event.key]?.() === false || !(event.key in keys)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  input.addEventListener('input', () => {
    isEntered = false;
    window.clearTimeout(timer);
    timer = window.setTimeout(search, DEBOUNCE_MS);
  });
  input.addEventListener('blur', stop);
  // A click on a place must not take the focus, which would close the list.
  list.addEventListener('pointerdown', (event) => event.preventDefault());
  list.addEventListener('mousedown', (event) => event.preventDefault());
  const glass = svg('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true' },
    svg('path', { d: 'M16.5 10.5a6 6 0 1 1-12 0 6 6 0 0 1 12 0z M15 15l5 5' }));
  return el('div', { class: 'place-search' }, input, glass, list, status);
}
