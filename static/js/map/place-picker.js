// Chooses the position of a new bottle: by a click on the map, its centre (for the keyboard), or the device's position.

/** @import { App } from '../lib/types.js' */

import { t } from '../lib/core.js';
import { el } from '../lib/dom.js';
import { parseNumber } from '../lib/format.js';
import { mapLatitude, nearestCopy } from '../lib/geo.js';
import { toast } from '../lib/notices.js';
import { flyTo } from '../panels/panel.js';
import { cityName, loadCities, nearestCity } from './cities.js';

const MAX_KM_IN_CITY = 60;             // up to this distance the suggested address is the city alone
const DECIMALS = 5;                    // about a metre
const GEOLOCATION_TIMEOUT_MS = 15000;
const GEOLOCATION_MAX_AGE_MS = 60000;
const MIN_ZOOM_POSITION = 9;

/**
 * Creates the controls that fill in the fields of a place. `start` and `end` begin and end the clicks on the map.
 * @param {App} app
 * @param {{ address: HTMLInputElement, latitude: HTMLInputElement, longitude: HTMLInputElement }} fields
 * @param {string} [suggestedBefore] the address that the page suggested for the restored place
 */
export function createPlacePicker(app, { address, latitude, longitude }, suggestedBefore = '') {
  const note = el('p', { class: 'hint', role: 'status' });
  // No suggestion replaces an address that differs from the last one: the reader has written it.
  let suggested = suggestedBefore;
  /** @type {L.CircleMarker | null} */
  let marker = null;

  const fillIn = (/** @type {number} */ lat, /** @type {number} */ lng) => {
    latitude.value = String(Number(lat.toFixed(DECIMALS)));
    longitude.value = String(Number(lng.toFixed(DECIMALS)));
    for (const control of [latitude, longitude]) control.dispatchEvent(new Event('input', { bubbles: true }));
    document.body.classList.remove('is-picking');
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

  // On a phone the panel shrinks to its heading until the next click on the map.
  const pickOnMap = () => {
    document.body.classList.add('is-picking');
    toast(t('place.tapNow'));
  };
  const pickCentre = () => {
    const { lat, lng } = app.map.getCenter().wrap();
    fillIn(lat, lng);
  };
  const pickDevicePosition = () => {
    note.textContent = t('place.asking');
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      note.textContent = '';
      fillIn(coords.latitude, coords.longitude);
      flyTo(app.map, coords.latitude, coords.longitude, Math.max(app.map.getZoom(), MIN_ZOOM_POSITION));
    }, () => {
      note.textContent = t('place.refused');
    }, { timeout: GEOLOCATION_TIMEOUT_MS, maximumAge: GEOLOCATION_MAX_AGE_MS });
  };

  return {
    node: el('fieldset', { class: 'places' }, el('legend', {}, t('place.title')),
      el('p', { class: 'hint' }, t(isSecureContext ? 'place.tap' : 'place.tapOnly')),
      el('div', { class: 'row' },
        el('button', { type: 'button', class: 'small-screen', onclick: pickOnMap }, t('place.map')),
        el('button', { type: 'button', onclick: pickCentre }, t('place.centre')),
        isSecureContext && 'geolocation' in navigator
          && el('button', { type: 'button', onclick: pickDevicePosition }, t('place.here'))),
      note),
    suggestedAddress: () => suggested,
    start() {
      app.onPick = fillIn;
      app.map.getContainer().classList.add('leaflet-crosshair');
      showPlace();
    },
    end() {
      app.onPick = null;
      app.map.getContainer().classList.remove('leaflet-crosshair');
      document.body.classList.remove('is-picking');
      marker?.remove();
    },
  };
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
