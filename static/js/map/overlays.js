// The overlays of the map: scale, credits, search, and the operator's street map or else the names of places.

/** @import { App, Settings } from '../lib/types.js' */

import { session, t } from '../lib/core.js';
import { el, loadStyle } from '../lib/dom.js';
import { nearestCopy } from '../lib/geo.js';
import { loadCities } from './cities.js';
import { BASE_CREDITS, CreditsControl, readAttribution } from './credits.js';
import { GraticuleLabels } from './graticule.js';
import { LabelLayer } from './labels.js';
import { createPlaceSearch } from './place-search.js';
import { Places } from './places.js';
import { Surroundings } from './surroundings.js';

const MAX_ZOOM_STREETS = 18;
const MAX_NATIVE_ZOOM_TILES = 19;   // of tiles from the internet

/** @typedef {{ url: string, attribution?: string, options: L.TileLayerOptions }} StreetMap */

/** @param {App} app */
export async function addOverlays({ map, settings }) {
  await loadStyle('ground');
  const streets = streetMap(settings);
  addPlaceSearch(map);
  L.control.scale({ position: 'bottomright', imperial: navigator.language === 'en-US' }).addTo(map);
  const credits = streets?.attribution ? [...BASE_CREDITS, readAttribution(streets.attribution)] : BASE_CREDITS;
  new CreditsControl(credits).addTo(map);
  if (streets) {
    map.setMaxZoom(MAX_ZOOM_STREETS);
    const options = { ...streets.options, maxZoom: MAX_ZOOM_STREETS, className: 'streets' };
    L.tileLayer(streets.url, options).addTo(map);
    return;
  }
  await loadCities();
  const labels = new LabelLayer(new Places()).addTo(map);
  new GraticuleLabels().addTo(map);
  new Surroundings(labels).addTo(map);
  addStreetMapHint(map);
}

/**
 * Adds the search for places below the bar.
 * @param {L.Map} map
 */
function addPlaceSearch(map) {
  const search = createPlaceSearch(({ latitude, longitude, zoom }) => {
    const shown = Math.min(Math.max(zoom, map.getZoom()), map.getMaxZoom());
    const nearest = nearestCopy(longitude, map.getCenter().lng);
    map.flyTo([latitude, nearest], shown, { duration: 1, animate: map.options.zoomAnimation });
    map.getContainer().focus({ preventScroll: true });
  });
  document.querySelector('main')?.prepend(el('search', { class: 'map-search' }, search));
}

/**
 * Tells a teacher at the greatest zoom that a street map would show more.
 * @param {L.Map} map
 */
function addStreetMapHint(map) {
  const hint = el('p', { class: 'street-map-hint' });
  map.getContainer().append(hint);
  const update = () => {
    const isShown = map.getZoom() === map.getMaxZoom() && session.user?.is_teacher;
    hint.textContent = isShown ? t('map.addStreets', { command: 'bottle serve --map' }) : '';
    hint.hidden = !isShown;
  };
  map.on('zoomend', update);
  update();
}

/**
 * Returns the operator's street map: a file of the server, or tiles from the internet. Null if there is none.
 * @param {Settings} settings
 * @returns {StreetMap | null}
 */
function streetMap({ mbtiles, tile_url: url, tile_attribution: attribution }) {
  if (mbtiles) {
    const options = { minZoom: mbtiles.min_zoom, maxNativeZoom: mbtiles.max_zoom };
    return { url: 'tiles/{z}/{x}/{y}', attribution: mbtiles.attribution, options };
  }
  return url ? { url, attribution, options: { maxNativeZoom: MAX_NATIVE_ZOOM_TILES } } : null;
}
