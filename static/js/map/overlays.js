// The overlays of the map: scale, credits, labels of cities, and the operator's street maps.

/** @import { App, Settings } from '../lib/types.js' */

import { CityLayer, loadCities } from './cities.js';
import { BASE_CREDITS, CreditsControl, readAttribution } from './credits.js';

const MAX_ZOOM = 14;
const MAX_ZOOM_STREETS = 18;
const MAX_NATIVE_ZOOM_TILES = 19;   // of tiles from the internet

/** @param {Pick<App, 'map' | 'settings'>} app */
export async function addOverlays({ map, settings }) {
  const { maps = [], tile_url: url } = settings;
  L.control.scale({ position: 'bottomright', imperial: navigator.language === 'en-US' }).addTo(map);
  new CreditsControl([...BASE_CREDITS, ...attributions(settings).map(readAttribution)]).addTo(map);
  map.setMaxZoom(maps.length || url ? MAX_ZOOM_STREETS : MAX_ZOOM);
  if (url && !maps.length) {
    const options = { maxNativeZoom: MAX_NATIVE_ZOOM_TILES, maxZoom: MAX_ZOOM_STREETS, className: 'streets' };
    L.tileLayer(url, options).addTo(map);
    return;
  }
  await loadCities();
  new CityLayer().addTo(map);
  if (maps.length) await (await import('./streets.js')).addStreetMaps(map, maps);
}

/**
 * Returns the attributions of the maps of the server, or else of the tiles from the internet, each once.
 * @param {Settings} settings
 */
function attributions({ maps = [], tile_url: url, tile_attribution: attribution = '' }) {
  const all = maps.length || !url ? maps.map((map) => map.attribution) : [attribution];
  return [...new Set(all)].filter((text) => text);
}
