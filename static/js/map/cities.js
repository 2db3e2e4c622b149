// The table of large cities: labels on the map, and the name of a place from its coordinates.

import { ViewCanvas } from './bottles.js';
import { language } from '../lib/i18n.js';

let table = null;

/** Fetches the table once. Each city: { english, local, chinese, latitude, longitude, zoom } (see data/README.md). */
export function loadCities() {
  table ??= fetch('data/cities.json').then((response) => response.json()).then((rows) => {
    cities = rows.map(([english, local, chinese, latitude, longitude, zoom]) => ({
      english, local: local || english, chinese: chinese || english, latitude, longitude, zoom,
    }));
  }).catch(() => {
    // Without the table the map has no labels and an address no suggestion; both still work.
    table = null;
  });
  return table;
}

let cities = [];

export const cityName = (city) => (language === 'zh' ? city.chinese : city.english);

const radians = (degrees) => (degrees * Math.PI) / 180;

/** The nearest city of the table, and how far it is in kilometres. */
export function nearestCity(latitude, longitude) {
  let best = null;
  let least = Infinity;
  for (const city of cities) {
    const a = Math.sin(radians(city.latitude - latitude) / 2) ** 2
      + Math.cos(radians(latitude)) * Math.cos(radians(city.latitude)) * Math.sin(radians(city.longitude - longitude) / 2) ** 2;
    if (a < least) {
      least = a;
      best = city;
    }
  }
  return best && { city: best, kilometres: 12742 * Math.asin(Math.sqrt(least)) };
}

// --- labels ---

const LATER = 7;   // the last zoom in the table: nearer than that every city is labelled

export const CityLayer = ViewCanvas.extend({
  options: { pane: 'tilePane' },   // below the bottles

  recolour() {
    const style = getComputedStyle(document.documentElement);
    this.ink = style.getPropertyValue('--label');
    this.halo = style.getPropertyValue('--label-halo');
    if (this.size) this.repaint();
  },

  draw(pen) {
    const taken = [];
    const bounds = this._map.getBounds().pad(0.3);
    pen.lineJoin = 'round';
    pen.textBaseline = 'middle';
    for (const city of cities) {
      if (city.zoom > Math.min(this.zoom, LATER) || city.latitude < bounds.getSouth() || city.latitude > bounds.getNorth()) continue;
      for (const spot of this.spots(city.latitude, city.longitude)) this.label(pen, city, spot, taken);
    }
  },

  /** Writes a name where it does not lie on one already written: the table has the important ones first. */
  label(pen, city, { x, y }, taken) {
    const great = city.zoom <= this.zoom - 2;
    pen.font = `${great ? '600 13px' : '500 12px'} system-ui, sans-serif`;
    const name = cityName(city);
    // Nearer, the name on the city's own signs stands beside the reader's.
    const text = this.zoom >= 6 && city.local !== name ? `${name}  ${city.local}` : name;
    const box = { left: x - 14, right: x + 20 + pen.measureText(text).width, top: y - 14, bottom: y + 14 };
    if (taken.some((other) => box.left < other.right && box.right > other.left && box.top < other.bottom && box.bottom > other.top)) return;
    taken.push(box);
    pen.strokeStyle = this.halo;
    pen.fillStyle = this.ink;
    pen.lineWidth = 3;
    pen.strokeText(text, x + 6, y);
    pen.fillText(text, x + 6, y);
    pen.beginPath();
    pen.arc(x, y, 2.2, 0, Math.PI * 2);
    pen.fill();
  },
});
