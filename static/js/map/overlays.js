// The overlays of the map: scale, credits, and the operator's street map or else the labels of cities.

/** @import { App, Settings } from '../lib/types.js' */

import { CityLayer, loadCities } from './cities.js';
import { BASE_CREDITS, CreditsControl, readAttribution } from './credits.js';

const MAX_ZOOM_STREETS = 18;
const MAX_NATIVE_ZOOM_TILES = 19;   // of tiles from the internet

/** @typedef {{ url: string, attribution?: string, options: L.TileLayerOptions }} StreetMap */

/** @param {Pick<App, 'map' | 'settings'>} app */
export async function addOverlays({ map, settings }) {
  const streets = streetMap(settings);
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
  new CityLayer().addTo(map);
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
