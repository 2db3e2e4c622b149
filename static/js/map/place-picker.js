// Where a bottle is thrown: a touch of the map, its centre (for the keyboard), or the reader's own position.

import { cityName, loadCities, nearestCity } from './cities.js';
import { el } from '../lib/dom.js';
import { typedNumber } from '../lib/format.js';
import { t } from '../lib/i18n.js';
import { toast } from '../lib/notices.js';
import { showPlace } from '../panels/panel.js';

const { L } = globalThis;
const NEAR = 60;          // kilometres: up to here a place is "in or near" the city
const DIGITS = 5;         // a metre

export function pickPlace(app, { address, latitude, longitude }) {
  const note = el('p', { class: 'hint', role: 'status' });
  // Once the reader has written an address, no suggestion replaces it.
  let suggested = address.value === '' ? '' : null;
  let mark = null;

  const put = (lat, lng) => {
    latitude.value = String(Number(lat.toFixed(DIGITS)));
    longitude.value = String(Number(lng.toFixed(DIGITS)));
    latitude.dispatchEvent(new Event('input', { bubbles: true }));
    document.body.classList.remove('is-picking');
  };
  const show = async () => {
    const lat = typedNumber(latitude.value);
    const lng = typedNumber(longitude.value);
    if (!(Math.abs(lat) <= 90 && Math.abs(lng) <= 180)) return;
    mark?.remove();
    const near = lng + 360 * Math.round((app.map.getCenter().lng - lng) / 360);
    mark = L.circleMarker([lat, near], { radius: 9, className: 'target', interactive: false }).addTo(app.map);
    await loadCities();
    if (suggested === null || (address.value !== suggested && address.value !== '')) return;
    address.value = suggested = suggestion(lat, lng);
    address.dispatchEvent(new Event('input', { bubbles: true }));
  };
  for (const control of [latitude, longitude]) control.addEventListener('input', show);

  // On a phone the sheet steps aside until the map is touched.
  const choose = () => {
    document.body.classList.add('is-picking');
    toast(t('place.tapNow'));
  };
  const centre = () => {
    const { lat, lng } = app.map.getCenter().wrap();
    put(lat, lng);
  };
  const here = () => {
    note.textContent = t('place.asking');
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      note.textContent = '';
      put(coords.latitude, coords.longitude);
      showPlace(app.map, coords.latitude, coords.longitude, Math.max(app.map.getZoom(), 9));
    }, () => {
      note.textContent = t('place.refused');
    }, { timeout: 15000, maximumAge: 60000 });
  };

  return {
    node: el('fieldset', { class: 'places' }, el('legend', {}, t('place.title')),
      el('p', { class: 'hint' }, t(isSecureContext ? 'place.tap' : 'place.tapOnly')),
      el('div', { class: 'row' },
        el('button', { type: 'button', class: 'small-screen', onclick: choose }, t('place.map')),
        el('button', { type: 'button', onclick: centre }, t('place.centre')),
        isSecureContext && 'geolocation' in navigator && el('button', { type: 'button', onclick: here }, t('place.here'))),
      note),
    start() {
      app.pick = put;
      app.map.getContainer().classList.add('leaflet-crosshair');
      show();
    },
    end() {
      app.pick = null;
      app.map.getContainer().classList.remove('leaflet-crosshair');
      document.body.classList.remove('is-picking');
      mark?.remove();
    },
  };
}

/** "Guangzhou", or "Open sea, 310 km from Manila". */
function suggestion(latitude, longitude) {
  const found = nearestCity(latitude, longitude);
  if (!found) return '';
  const city = cityName(found.city);
  return found.kilometres <= NEAR ? city : t('place.from', { n: Math.round(found.kilometres), city });
}
