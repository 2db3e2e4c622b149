// Chooses the position of a new bottle: by a click on the map, its centre (for the keyboard), or the device's position.

/** @import { App, Position } from '../lib/types.js' */

import { byId, t } from '../lib/core.js';
import { el } from '../lib/dom.js';
import { parsePosition } from '../lib/coordinates.js';
import { parseNumber } from '../lib/format.js';
import { mapLatitude, nearestCopy } from '../lib/geo.js';
import { toast } from '../lib/notices.js';
import { flyTo, freeCentre } from '../panels/panel.js';
import { cityName, loadCities, nearestCity } from './cities.js';
import { createPlaceSearch } from './place-search.js';

const MAX_KM_IN_CITY = 60;             // up to this distance the suggested address is the city alone
const DECIMALS = 5;                    // about a metre
const GEOLOCATION_TIMEOUT_MS = 15000;
const GEOLOCATION_MAX_AGE_MS = 60000;
const MIN_ZOOM_POSITION = 9;

/** Whether the browser gives a page the position of the device. Over plain HTTP it does not. */
const hasDevicePosition = () => isSecureContext && 'geolocation' in navigator;

/**
 * Returns the position of the device, or null if it is not available.
 * @param {number} [maximumAge] of a position that the browser remembers, in milliseconds
 * @returns {Promise<GeolocationCoordinates | null>}
 */
export function devicePosition(maximumAge = GEOLOCATION_MAX_AGE_MS) {
  if (!hasDevicePosition()) return Promise.resolve(null);
  const options = { timeout: GEOLOCATION_TIMEOUT_MS, maximumAge };
  return new Promise((resolve) => {
    navigator.geolocation.getCurrentPosition(({ coords }) => resolve(coords), () => resolve(null), options);
  });
}

/**
 * The strings of the picker, by their keys. `isOnDemand`: only the click on the map that follows the map's button
 * chooses a place.
 * @typedef {{ title?: string, hint?: string, mapLabel?: string, isOnDemand?: boolean }} PickerOptions
 */

/**
 * Creates the controls that fill in the fields of a place. `start` and `end` begin and end the clicks on the map.
 * @param {App} app
 * @param {{ address: HTMLInputElement, latitude: HTMLInputElement, longitude: HTMLInputElement }} fields
 * @param {string} [suggestedBefore] the address that the page suggested for the restored place
 * @param {PickerOptions} [options]
 */
export function createPlacePicker(app, { address, latitude, longitude }, suggestedBefore = '', options = {}) {
  const { title = 'place.title', mapLabel = 'place.map', isOnDemand = false } = options;
  const hint = options.hint ?? (isSecureContext ? 'place.tap' : 'place.tapOnly');
  const note = el('p', { class: 'hint', role: 'status' });
  // No suggestion replaces an address that differs from the last one: the reader has written it.
  let suggested = suggestedBefore;
  /** @type {L.CircleMarker | null} */
  let marker = null;
  let removeNotice = () => {};
  let stopAiming = () => {};

  const fillIn = (/** @type {number} */ lat, /** @type {number} */ lng) => {
    latitude.value = String(Number(lat.toFixed(DECIMALS)));
    longitude.value = String(Number(lng.toFixed(DECIMALS)));
    for (const control of [latitude, longitude]) control.dispatchEvent(new Event('input', { bubbles: true }));
    closeMap();
    if (isCovered(app.map, lat, lng)) flyTo(app.map, lat, lng, app.map.getZoom());
  };
  const startPicking = () => {
    app.onPick = fillIn;
    app.map.getContainer().classList.add('leaflet-crosshair');
  };
  const endPicking = () => {
    app.onPick = null;
    app.map.getContainer().classList.remove('leaflet-crosshair');
  };
  const showPlace = async () => {
    const lat = parseNumber(latitude.value);
    const lng = parseNumber(longitude.value);
    if (!(Math.abs(lat) <= 90 && Math.abs(lng) <= 180)) return;
    marker?.remove();
    marker = L.circleMarker([mapLatitude(app.map, lat), nearestCopy(lng, app.map.getCenter().lng)], {
      radius: 9, className: 'pick-marker', interactive: false,
    }).addTo(app.map);
    await loadCities();
    if (address.value !== suggested && address.value !== '') return;
    address.value = suggested = suggestAddress(lat, lng);
    address.dispatchEvent(new Event('input', { bubbles: true }));
  };
  for (const control of [latitude, longitude]) control.addEventListener('input', showPlace);

  const pickCentre = () => {
    const { lat, lng } = aimed(app.map);
    fillIn(lat, lng);
  };
  const goTo = (/** @type {Position} */ { latitude: lat, longitude: lng }) => {
    fillIn(lat, lng);
    flyTo(app.map, lat, lng, Math.max(app.map.getZoom(), MIN_ZOOM_POSITION));
  };
  const search = createPlaceSearch(goTo, { label: t('place.find'), hint: t('place.findHint') });
  // The draft has no such field.
  search.addEventListener('input', (event) => event.stopPropagation());
  // Both coordinates at once, in either of their fields.
  const readPair = (/** @type {InputEvent} */ event) => {
    const text = event.data ?? '';
    const position = event.inputType === 'insertFromPaste' ? parsePosition(text) : null;
    // "48,85" is one number with a decimal comma.
    if (!position || !Number.isNaN(parseNumber(text))) return;
    event.preventDefault();
    goTo(position);
  };
  for (const control of [latitude, longitude]) control.addEventListener('beforeinput', readPair);
  const handleKey = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Enter') pickCentre();
    else if (event.key === 'Escape') closeMap();
    else return;
    // The panel stays open.
    event.preventDefault();
    event.stopPropagation();
  };
  // On a phone the panel shrinks to its heading until the next click on the map. The keyboard moves the map meanwhile.
  const openMap = async () => {
    startPicking();
    document.body.classList.add('is-picking');
    const container = app.map.getContainer();
    container.addEventListener('keydown', handleKey);
    container.focus({ preventScroll: true });
    removeNotice = await toast(t('place.tapNow'));
  };
  const stopMap = () => {
    removeNotice();
    document.body.classList.remove('is-picking');
    app.map.getContainer().removeEventListener('keydown', handleKey);
    if (isOnDemand) endPicking();
  };
  const closeMap = () => {
    if (!document.body.classList.contains('is-picking')) return;
    stopMap();
    mapButton.focus();
  };
  const pickDevicePosition = async () => {
    note.textContent = t('place.asking');
    const coords = await devicePosition();
    note.textContent = coords ? '' : t('place.refused');
    if (coords) goTo(coords);
  };

  const mapButton = el('button', {
    type: 'button', class: isOnDemand ? '' : 'small-screen', onclick: openMap,
  }, t(mapLabel));

  return {
    node: el('fieldset', { class: 'places' }, el('legend', {}, t(title)),
      el('p', { class: 'hint' }, t(hint)),
      search,
      el('div', { class: 'row' },
        mapButton,
        el('button', { type: 'button', onclick: pickCentre }, t('place.centre')),
        hasDevicePosition()
          && el('button', { type: 'button', onclick: pickDevicePosition }, t('place.here'))),
      note),
    suggestedAddress: () => suggested,
    start() {
      if (!isOnDemand) startPicking();
      stopAiming = aim(app.map);
      showPlace();
    },
    end() {
      stopMap();
      endPicking();
      stopAiming();
      marker?.remove();
    },
  };
}

/**
 * Returns the centre of the map or, if the panel covers it, the middle of the part that the panel leaves free.
 * @param {L.Map} map
 */
function aimed(map) {
  const centre = map.getCenter().wrap();
  return isCovered(map, centre.lat, centre.lng) ? freeCentre(map).wrap() : centre;
}

/**
 * Shows a target at what the button for the centre of the map chooses. Returns the function that removes it.
 * @param {L.Map} map
 */
function aim(map) {
  const target = el('div', { class: 'target', 'aria-hidden': 'true' });
  const place = () => {
    const middle = map.getSize().divideBy(2);
    const centre = map.getCenter();
    const { x, y } = isCovered(map, centre.lat, centre.lng) ? map.latLngToContainerPoint(freeCentre(map)) : middle;
    target.style.translate = `${x}px ${y}px`;
  };
  // The panel shrinks while the reader chooses on the map.
  const observer = new ResizeObserver(place);
  observer.observe(byId('panel'));
  observer.observe(map.getContainer());
  map.getContainer().after(target);
  place();
  return () => {
    observer.disconnect();
    target.remove();
  };
}

/**
 * Tells whether the panel covers a place on the map.
 * @param {L.Map} map
 * @param {number} latitude
 * @param {number} longitude
 */
function isCovered(map, latitude, longitude) {
  const shown = L.latLng(mapLatitude(map, latitude), nearestCopy(longitude, map.getCenter().lng));
  const { x, y } = map.latLngToContainerPoint(shown);
  const { left, right, top, bottom } = byId('panel').getBoundingClientRect();
  return x >= left && x <= right && y >= top && y <= bottom;
}

/**
 * Returns the city ("Guangzhou") or the distance to it ("310 km from Manila").
 * @param {number} latitude
 * @param {number} longitude
 */
function suggestAddress(latitude, longitude) {
  const nearest = nearestCity(latitude, longitude);
  if (!nearest) return '';
  const city = cityName(nearest.city);
  if (nearest.kilometres <= MAX_KM_IN_CITY) return city;
  return t('place.from', { n: Math.round(nearest.kilometres), city });
}
