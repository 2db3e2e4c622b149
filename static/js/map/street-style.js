// The look of vector street maps in the schemas of Protomaps and OpenMapTiles: which features are drawn, in Bottle's
// colours, and which names.

/**
 * A feature of a tile, as protomaps-leaflet reads it.
 * @typedef {{ props: Record<string, any>, geomType: number }} Feature
 */
/** @typedef {(zoom: number, feature: Feature) => boolean} Filter */
/** @typedef {Record<keyof typeof LIGHT, string>} Colours */

const LIGHT = {
  land: '#f4efe2', water: '#c9e1e8', shore: '#9fc4cf', grass: '#dde8c6', wood: '#c9dcb2', sand: '#f0e3bd',
  site: '#ece4d3', building: '#e3d8c3', buildingLine: '#cfc2a8', casing: '#d3c7b0', road: '#ffffff', major: '#fdf0c8',
  majorCasing: '#d9c084', highway: '#f7cf8c', highwayCasing: '#cf9f52', path: '#b39c78', rail: '#a99f90',
  border: '#a08fa6', label: '#33454b', quarter: '#6b7a7c', street: '#5b5446', place: '#7a5f3c', waterLabel: '#3f7a91',
  halo: 'rgb(250 248 240 / .9)',
};

/** @type {Colours} */
const DARK = {
  land: '#1d3a44', water: '#0b2534', shore: '#2c5a6b', grass: '#21483f', wood: '#1b4237', sand: '#3c4a45',
  site: '#213f49', building: '#2a4a54', buildingLine: '#375964', casing: '#152e37', road: '#3b5c66', major: '#4d6c70',
  majorCasing: '#152e37', highway: '#7d7350', highwayCasing: '#152e37', path: '#5d7a80', rail: '#56727a',
  border: '#8a7f96', label: '#dbe8ea', quarter: '#9db6bb', street: '#b4c7ca', place: '#d9c398', waterLabel: '#79b4cb',
  halo: 'rgb(14 36 46 / .92)',
};

export const colours = () => (matchMedia('(prefers-color-scheme: dark)').matches ? DARK : LIGHT);

// --- what a feature is ---

const [LINE, POLYGON] = [2, 3];

/** @param {Feature} feature */
const kindOf = ({ props }) => props.class ?? props.kind ?? props['pmap:kind'];

/** @param {Feature} feature */
const detailOf = ({ props }) => props.kind_detail ?? props['pmap:kind_detail'];

/** @param {Feature} feature */
const isTunnel = ({ props }) => props.brunnel === 'tunnel' || props.is_tunnel === true || props['pmap:level'] < 0;

/** The colour of an area by its kind. @type {Record<string, keyof Colours>} */
const AREAS = {
  park: 'grass', grass: 'grass', grassland: 'grass', meadow: 'grass', garden: 'grass', recreation_ground: 'grass',
  village_green: 'grass', golf_course: 'grass', pitch: 'grass', playground: 'grass', cemetery: 'grass', zoo: 'grass',
  allotments: 'grass', scrub: 'grass', stadium: 'grass', nature_reserve: 'grass', national_park: 'grass',
  public_park: 'grass', wetland: 'grass', dog_park: 'grass', track: 'grass', wood: 'wood', forest: 'wood',
  sand: 'sand', beach: 'sand', school: 'site', university: 'site', college: 'site', kindergarten: 'site',
  hospital: 'site', industrial: 'site', commercial: 'site', retail: 'site', railway: 'site', military: 'site',
  aerodrome: 'site', library: 'site', quarry: 'site', pedestrian: 'site', pier: 'land', apron: 'site', runway: 'road',
  taxiway: 'road',
};

/** The rank of a road by the class of OpenMapTiles, or the detail of Protomaps. @type {Record<string, string>} */
const RANKS = {
  motorway: 'highway', trunk: 'highway', primary: 'major', secondary: 'major', tertiary: 'tertiary', minor: 'minor',
  residential: 'minor', unclassified: 'minor', living_street: 'minor', road: 'minor', busway: 'minor',
  raceway: 'minor', service: 'service', track: 'path', path: 'path', pedestrian: 'path', footway: 'path',
  cycleway: 'path', steps: 'path', bridleway: 'path',
};
/** The rank of a road by the kind of Protomaps, if its detail is unknown. @type {Record<string, string>} */
const RANKS_BY_KIND = { highway: 'highway', major_road: 'major', minor_road: 'minor', path: 'path', other: 'service' };

/** @param {Feature} feature */
const rankOf = (feature) =>
  RANKS[detailOf(feature)] ?? RANKS[kindOf(feature)] ?? RANKS_BY_KIND[kindOf(feature)] ?? null;

// --- lines and areas ---

/** The width of a road in pixels, by zoom. @type {Record<string, number[][]>} */
const WIDTHS = {
  highway: [[6, 0.8], [12, 3], [15, 8], [18, 24]],
  major: [[8, 0.5], [12, 2.2], [15, 6.5], [18, 20]],
  tertiary: [[10, 0.4], [13, 2], [15, 5], [18, 17]],
  minor: [[12, 0.4], [14, 2], [16, 6], [18, 14]],
  service: [[14, 0.7], [16, 2.5], [18, 7]],
};
/** From the least important, which is drawn first. */
const RANK_NAMES = ['service', 'minor', 'tertiary', 'major', 'highway'];
/** The lowest zoom at which a rank is drawn. @type {Record<string, number>} */
const MIN_ZOOMS = { service: 14, minor: 12, tertiary: 10, major: 8, highway: 6 };
/** @type {Record<string, [fill: keyof Colours, casing: keyof Colours]>} */
const ROAD_COLOURS = {
  highway: ['highway', 'highwayCasing'], major: ['major', 'majorCasing'], tertiary: ['road', 'casing'],
  minor: ['road', 'casing'], service: ['road', 'casing'],
};

/**
 * Returns the rules of lines and areas, from the lowest to the highest.
 * @param {any} lib protomaps-leaflet
 * @param {Colours} colour
 */
export function paintRules(lib, colour) {
  return [...areaRules(lib, colour), ...['transportation', 'roads'].flatMap((layer) => roadRules(lib, colour, layer))];
}

/**
 * @param {any} lib
 * @param {Colours} colour
 */
function areaRules({ PolygonSymbolizer, LineSymbolizer, exp }, colour) {
  const areas = new PolygonSymbolizer({
    fill: (/** @type {number} */ _, /** @type {Feature} */ feature) => colour[AREAS[kindOf(feature)]],
  });
  const isArea = (/** @type {number} */ _, /** @type {Feature} */ feature) =>
    feature.geomType === POLYGON && kindOf(feature) in AREAS;
  const water = new PolygonSymbolizer({ fill: colour.water, stroke: colour.shore, width: 1 });
  const stream = new LineSymbolizer({ color: colour.water, width: exp(1.6, [[8, 0.5], [13, 1.5], [18, 8]]) });
  const buildings = new PolygonSymbolizer({
    fill: colour.building,
    stroke: colour.buildingLine,
    width: (/** @type {number} */ zoom) => (zoom >= 15 ? 0.7 : 0),
  });
  return [
    ...['landcover', 'landuse', 'park', 'aeroway'].map((dataLayer) => ({
      dataLayer, symbolizer: areas, filter: isArea,
    })),
    { dataLayer: 'water', symbolizer: water, filter: ofType(POLYGON) },
    { dataLayer: 'water', symbolizer: stream, filter: ofType(LINE) },
    { dataLayer: 'waterway', symbolizer: stream, filter: ofType(LINE) },
    ...['building', 'buildings'].map((dataLayer) => ({ dataLayer, symbolizer: buildings, minzoom: 14 })),
    ...['boundary', 'boundaries'].map((dataLayer) => ({
      dataLayer,
      symbolizer: new LineSymbolizer({ color: colour.border, width: 1, dash: [6, 4], opacity: 0.7 }),
      filter: (/** @type {number} */ _, /** @type {Feature} */ feature) =>
        (feature.props.admin_level ?? detailOf(feature)) <= 4 && !feature.props.maritime,
    })),
  ];
}

/**
 * @param {number} type
 * @returns {Filter}
 */
const ofType = (type) => (_, { geomType }) => geomType === type;

/**
 * @param {any} lib
 * @param {Colours} colour
 * @param {string} dataLayer
 */
function roadRules({ LineSymbolizer, exp }, colour, dataLayer) {
  /** @type {(options: object) => object} */
  const line = (options) => new LineSymbolizer({ lineJoin: 'round', lineCap: 'round', ...options });
  /** @type {(rank: string, tunnel: boolean) => Filter} */
  const ranked = (rank, tunnel) => (_, feature) => rankOf(feature) === rank && isTunnel(feature) === tunnel
    && feature.geomType === LINE;
  const width = (/** @type {string} */ rank) => exp(1.6, WIDTHS[rank]);
  const path = line({
    color: colour.path, width: exp(1.6, [[14, 0.6], [16, 1], [18, 2]]), dash: [3, 3], lineCap: 'butt', opacity: 0.6,
  });
  const rail = line({ color: colour.rail, width: exp(1.6, [[10, 0.6], [14, 1.2], [18, 3]]) });
  return [
    ...RANK_NAMES.slice(1).map((rank) => ({
      dataLayer, minzoom: MIN_ZOOMS[rank] + 1, filter: ranked(rank, true),
      symbolizer: line({ color: colour[ROAD_COLOURS[rank][1]], width: width(rank), opacity: 0.35, lineCap: 'butt' }),
    })),
    { dataLayer, minzoom: 15, filter: ranked('path', false), symbolizer: path },
    ...RANK_NAMES.map((rank) => ({
      dataLayer, minzoom: MIN_ZOOMS[rank] + 1, filter: ranked(rank, false),
      symbolizer: line({
        color: colour[ROAD_COLOURS[rank][1]],
        width: (/** @type {number} */ zoom) => width(rank)(zoom) + (zoom < 14 ? 1 : 1.6),
      }),
    })),
    ...RANK_NAMES.map((rank) => ({
      dataLayer, minzoom: MIN_ZOOMS[rank], filter: ranked(rank, false),
      symbolizer: line({ color: colour[ROAD_COLOURS[rank][0]], width: width(rank) }),
    })),
    {
      dataLayer, minzoom: 10, symbolizer: rail,
      filter: (/** @type {number} */ _, /** @type {Feature} */ feature) =>
        ['rail', 'transit'].includes(kindOf(feature)) && !isTunnel(feature) && !feature.props.service,
    },
  ];
}

// --- names ---

/** The fields with a feature's name, the best first. @type {Record<string, string[]>} */
const NAMES = {
  en: ['name:en', 'name_en', 'name:latin', 'name'],
  zh: ['name:zh-Hans', 'name:zh', 'name_zh', 'name', 'name:latin', 'name:en'],
};

const FONT = 'system-ui, sans-serif';

/**
 * The kinds of settlements in the order of their importance, each with a font and the zooms of its names.
 * @type {{ kinds: string[], font: string, colour: keyof Colours, minzoom: number, maxzoom: number }[]}
 */
const SETTLEMENTS = [
  { kinds: ['city'], font: '600 17px', colour: 'label', minzoom: 5, maxzoom: 15 },
  { kinds: ['town'], font: '600 14px', colour: 'label', minzoom: 8, maxzoom: 16 },
  { kinds: ['village', 'suburb', 'borough', 'island'], font: '600 13px', colour: 'label', minzoom: 10, maxzoom: 17 },
  {
    kinds: ['hamlet', 'quarter', 'neighbourhood', 'macrohood'], font: '500 12px', colour: 'quarter', minzoom: 13,
    maxzoom: 18,
  },
];

/** Points of interest that help to find one's way. */
const LANDMARKS = new Set([
  'railway', 'station', 'ferry_terminal', 'harbor', 'airport', 'aerodrome', 'school', 'college', 'university',
  'hospital', 'library', 'museum', 'theatre', 'attraction', 'castle', 'monument', 'place_of_worship', 'stadium', 'zoo',
  'park', 'town_hall', 'townhall', 'marketplace', 'swimming_pool', 'art_gallery', 'cinema', 'playground', 'post_office',
]);

/**
 * Returns the rules of names, the most important first.
 * @param {any} lib protomaps-leaflet
 * @param {Colours} colour
 * @param {string} language 'en' or 'zh'
 */
export function labelRules(lib, colour, language) {
  const { CenteredTextSymbolizer } = lib;
  /** @type {(font: string, name: keyof Colours, more?: object) => object} */
  const text = (font, name, more = {}) => ({
    labelProps: NAMES[language], font: `${font} ${FONT}`, fill: colour[name], stroke: colour.halo, width: 2,
    lineHeight: 1.35, ...more,
  });
  const settlements = ['place', 'places'].flatMap((dataLayer) => SETTLEMENTS.map((rule) => ({
    dataLayer, minzoom: rule.minzoom, maxzoom: rule.maxzoom,
    symbolizer: new CenteredTextSymbolizer(text(rule.font, rule.colour)),
    filter: (/** @type {number} */ _, /** @type {Feature} */ feature) => {
      const kind = kindOf(feature);
      return rule.kinds.includes(kind === 'locality' ? detailOf(feature) : kind);
    },
  })));
  const waters = ['water_name', 'water'].map((dataLayer) => ({
    dataLayer, minzoom: 9, filter: ofType(1),
    symbolizer: new CenteredTextSymbolizer(text('italic 500 12px', 'waterLabel')),
  }));
  const landmarks = ['poi', 'pois'].map((dataLayer) => ({
    dataLayer, minzoom: 15, filter: isLandmark,
    symbolizer: landmark(lib, colour, text('500 11px', 'place')),
  }));
  return [
    ...settlements, ...waters, ...streetNames(lib, text, ['highway', 'major', 'tertiary'], 14),
    ...streetNames(lib, text, ['minor', 'path', 'service'], 16), ...landmarks,
  ];
}

/**
 * @param {any} lib
 * @param {(font: string, name: keyof Colours, more?: object) => object} text
 * @param {string[]} ranks
 * @param {number} minzoom
 */
function streetNames({ LineLabelSymbolizer }, text, ranks, minzoom) {
  const symbolizer = new LineLabelSymbolizer(text('500 11px', 'street', {
    width: 3, position: 2, repeatDistance: 300,
  }));
  return ['transportation_name', 'roads'].map((dataLayer) => ({
    dataLayer, minzoom, symbolizer,
    filter: (/** @type {number} */ _, /** @type {Feature} */ feature) => ranks.includes(rankOf(feature) ?? ''),
  }));
}

/**
 * A dot with a name below it.
 * @param {any} lib
 * @param {Colours} colour
 * @param {object} text
 */
function landmark({ GroupSymbolizer, CircleSymbolizer, OffsetTextSymbolizer }, colour, text) {
  return new GroupSymbolizer([
    new CircleSymbolizer({ radius: 2.2, fill: colour.place, stroke: colour.halo, width: 1.5 }),
    new OffsetTextSymbolizer({ ...text, offsetY: 6, justify: 2, placements: [5] }),
  ]);
}

/** @type {Filter} */
function isLandmark(zoom, feature) {
  const { rank, min_zoom: from = 15 } = feature.props;
  if (!LANDMARKS.has(kindOf(feature)) || feature.props.subclass === 'tram_stop') return false;
  if (rank === undefined) return from <= zoom;
  return zoom >= 17 || rank <= (zoom === 16 ? 20 : 6);
}
