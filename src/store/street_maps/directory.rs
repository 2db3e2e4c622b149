//! The directories of a PMTiles file, and the order of its tiles.
//!
//! Source: the PMTiles specification, version 3, sections 3.3 (tile ids) and 4 (directories).

use std::io::Read;

use flate2::read::GzDecoder;

/// The maximum size of a directory without compression, in bytes. Those that `pmtiles` writes for the whole planet
/// have less than a fourth of it.
const MAX_DIRECTORY_BYTES: u64 = 2 * 1024 * 1024;

/// An entry takes a byte or more in each of four columns.
const MIN_ENTRY_BYTES: usize = 4;

/// The highest zoom level whose tile ids fit into 64 bits.
const MAX_ZOOM: u8 = 31;

/// Tiles that follow each other and have the same content, or another directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The id of the first tile.
    pub(super) tile_id: u64,
    /// The number of tiles; 0 for a directory.
    pub(super) run_length: u64,
    /// The position in the section of tiles, or of directories.
    pub(super) offset: u64,
    /// The size in bytes.
    pub(super) length: u64,
}

/// A directory, sorted by tile id.
#[derive(Debug)]
pub(super) struct Directory(Vec<Entry>);

impl Directory {
    /// Reads a directory from its bytes in the file. Returns `None` if they are damaged.
    pub(super) fn parse(bytes: &[u8], is_gzip: bool) -> Option<Self> {
        if is_gzip {
            Self::parse_plain(&inflate(bytes, MAX_DIRECTORY_BYTES)?)
        } else {
            Self::parse_plain(bytes)
        }
    }

    fn parse_plain(mut bytes: &[u8]) -> Option<Self> {
        let bytes = &mut bytes;
        let count = usize::try_from(varint(bytes)?).ok()?;
        if count > bytes.len() / MIN_ENTRY_BYTES {
            return None;
        }
        let mut entries = Vec::with_capacity(count);
        let mut tile_id = 0_u64;
        for _ in 0..count {
            tile_id = tile_id.checked_add(varint(bytes)?)?;
            entries.push(Entry { tile_id, run_length: 0, offset: 0, length: 0 });
        }
        for entry in &mut entries {
            entry.run_length = varint(bytes)?;
        }
        for entry in &mut entries {
            entry.length = varint(bytes)?;
        }
        let mut end = None;
        for entry in &mut entries {
            // 0 is the end of the entry before, any other number an offset plus one.
            entry.offset = match varint(bytes)? {
                0 => end?,
                number => number - 1,
            };
            end = Some(entry.offset.checked_add(entry.length)?);
        }
        Some(Self(entries))
    }

    /// Returns the entry with this tile, or with the directory that may have it.
    pub(super) fn find(&self, tile_id: u64) -> Option<Entry> {
        let after = self.0.partition_point(|entry| entry.tile_id <= tile_id);
        let entry = *self.0.get(after.checked_sub(1)?)?;
        let is_within = entry.run_length == 0 || tile_id - entry.tile_id < entry.run_length;
        is_within.then_some(entry)
    }
}

/// Returns what the bytes of a gzip stream contain, or `None` if they are damaged or contain more than `max` bytes.
pub(super) fn inflate(bytes: &[u8], max: u64) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).take(max + 1).read_to_end(&mut plain).ok()?;
    (plain.len() as u64 <= max).then_some(plain)
}

/// Takes a number in the encoding LEB128 from the front of `bytes`.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..u64::BITS).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let digits = u64::from(byte & 0x7f);
        if digits << shift >> shift != digits {
            return None;
        }
        number |= digits << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Returns the id of a tile: the number of all tiles of lower zooms, plus its distance along the Hilbert curve of its
/// zoom. `None` if there is no such tile.
pub(super) fn tile_id(zoom: u8, x: u32, y: u32) -> Option<u64> {
    if zoom > MAX_ZOOM || u64::from(x.max(y)) >= 1 << zoom {
        return None;
    }
    let (mut x, mut y) = (u64::from(x), u64::from(y));
    let mut id = ((1_u64 << (2 * zoom)) - 1) / 3;
    for level in (0..zoom).rev() {
        let half = 1_u64 << level;
        let (right, lower) = (x >> level & 1, y >> level & 1);
        id += half * half * ((3 * right) ^ lower);
        (x, y) = (x & (half - 1), y & (half - 1));
        if lower == 0 {
            if right == 1 {
                (x, y) = (half - 1 - x, half - 1 - y);
            }
            (x, y) = (y, x);
        }
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn written(entries: &[Entry]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut put = |mut number: u64| {
            while number >= 0x80 {
                bytes.push((number & 0x7f | 0x80) as u8);
                number >>= 7;
            }
            bytes.push(number as u8);
        };
        put(entries.len() as u64);
        let mut last = 0;
        for entry in entries {
            put(entry.tile_id - last);
            last = entry.tile_id;
        }
        entries.iter().for_each(|entry| put(entry.run_length));
        entries.iter().for_each(|entry| put(entry.length));
        let mut end = None;
        for entry in entries {
            put(if end == Some(entry.offset) { 0 } else { entry.offset + 1 });
            end = Some(entry.offset + entry.length);
        }
        bytes
    }

    /// The examples of the specification.
    #[test]
    fn tiles_are_numbered_along_the_hilbert_curve() {
        let corners = [(0, 0, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0), (2, 0, 0)];
        for (id, (zoom, x, y)) in (0..).zip(corners) {
            assert_eq!(tile_id(zoom, x, y), Some(id));
        }
        assert_eq!(tile_id(12, 3423, 1763), Some(19_078_479));
        let ids: BTreeSet<_> = (0..64).map(|i| tile_id(3, i / 8, i % 8).unwrap()).collect();
        assert_eq!(ids.into_iter().collect::<Vec<_>>(), (21..85).collect::<Vec<_>>());
        for (zoom, x, y) in [(0, 1, 0), (3, 0, 8), (32, 0, 0), (255, 0, 0), (5, u32::MAX, 0)] {
            assert_eq!(tile_id(zoom, x, y), None);
        }
        assert!(tile_id(31, (1 << 31) - 1, 0).is_some());
    }

    #[test]
    fn an_entry_is_found_by_its_run() {
        let entry = |tile_id, run_length, offset| Entry { tile_id, run_length, offset, length: 10 };
        let entries = [entry(5, 3, 0), entry(9, 1, 10), entry(20, 0, 0)];
        let directory = Directory::parse(&written(&entries), false).unwrap();
        for (id, found) in [(4, None), (5, Some(0)), (7, Some(0)), (8, None), (9, Some(1))] {
            assert_eq!(directory.find(id), found.map(|i: usize| entries[i]), "{id}");
        }
        // A directory may have any tile from its first on.
        assert_eq!(directory.find(19), None);
        assert_eq!(directory.find(1000), Some(entries[2]));
        assert!(Directory::parse(&[0], false).unwrap().find(0).is_none());
    }

    #[test]
    fn a_directory_that_claims_too_much_is_refused() {
        let huge = [0xff, 0xff, 0xff, 0xff, 0x0f, 1, 1, 1, 1];
        assert!(Directory::parse(&huge, false).is_none());
        // An offset that continues from nothing.
        assert!(Directory::parse(&[1, 5, 1, 10, 0], false).is_none());
        assert!(Directory::parse(&[], false).is_none());
        assert!(varint(&mut &[0xff; 10][..]).is_none());
        assert_eq!(
            varint(&mut &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1][..]),
            Some(u64::MAX)
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200), id in any::<u64>()) {
            for is_gzip in [false, true] {
                if let Some(directory) = Directory::parse(&bytes, is_gzip) {
                    prop_assert!(directory.0.capacity() * MIN_ENTRY_BYTES <= bytes.len());
                    directory.find(id);
                }
            }
        }

        #[test]
        fn a_directory_reads_as_it_was_written(
            rows in proptest::collection::vec((1_u64..1000, 0_u64..9, 0_u64..1 << 40, 1_u64..1 << 24), 0..50),
        ) {
            let mut tile_id = 0;
            let entries: Vec<Entry> = rows
                .into_iter()
                .map(|(step, run_length, offset, length)| {
                    tile_id += step;
                    Entry { tile_id, run_length, offset, length }
                })
                .collect();
            prop_assert_eq!(Directory::parse(&written(&entries), false).unwrap().0, entries);
        }
    }
}
