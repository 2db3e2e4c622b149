// The overlays of the map: scale, credits, search, names of places, and the operator's street maps.

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

const MAX_ZOOM = 14;
const MAX_ZOOM_STREETS = 18;
const MAX_NATIVE_ZOOM_TILES = 19;   // of tiles from the internet

/** @param {Pick<App, 'map' | 'settings'>} app */
export async function addOverlays({ map, settings }) {
  const { maps = [], tile_url: url } = settings;
  await loadStyle('ground');
  L.control.scale({ position: 'bottomright', imperial: navigator.language === 'en-US' }).addTo(map);
  new CreditsControl([...BASE_CREDITS, ...attributions(settings).map(readAttribution)]).addTo(map);
  map.setMaxZoom(maps.length || url ? MAX_ZOOM_STREETS : MAX_ZOOM);
  if (url && !maps.length) {
    const options = { maxNativeZoom: MAX_NATIVE_ZOOM_TILES, maxZoom: MAX_ZOOM_STREETS, className: 'streets' };
    L.tileLayer(url, options).addTo(map);
    return;
  }
  await loadCities();
  const labels = new LabelLayer(new Places()).addTo(map);
  if (maps.length) {
    await (await import('./streets.js')).addStreetMaps(map, maps);
    return;
  }
  new GraticuleLabels().addTo(map);
  new Surroundings(labels).addTo(map);
  addStreetMapHint(map);
}

/**
 * Adds the search for places below the bar.
 * @param {L.Map} map
 */
export function addPlaceSearch(map) {
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
 * Returns the attributions of the maps of the server, or else of the tiles from the internet, each once.
 * @param {Settings} settings
 */
function attributions({ maps = [], tile_url: url, tile_attribution: attribution = '' }) {
  const all = maps.length || !url ? maps.map((map) => map.attribution) : [attribution];
  return [...new Set(all)].filter((text) => text);
}
