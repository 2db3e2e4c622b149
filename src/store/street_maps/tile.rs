//! A tile of a street map.

use super::about::Format;
use super::directory::inflate;

/// The maximum size of a tile without compression, in bytes. A tile of a city at zoom 14 has some 100,000.
pub(super) const MAX_TILE_BYTES: u64 = 8 * 1024 * 1024;

/// The first bytes of a gzip stream.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The content of a file at a tile's coordinates.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// An encoded picture, or vectors.
    Bytes(Vec<u8>),
    /// The map does not cover this tile.
    Hole,
    /// A damaged tile, such as a text or NULL in MBTiles.
    Unreadable,
}

/// The content of the street maps at a tile's coordinates.
pub enum MapTile {
    /// The tile of the first file that has it.
    Found(Tile),
    /// No map covers this tile.
    Hole,
    /// The file has it, damaged.
    Unreadable,
    /// No map has tiles of this kind.
    NoMap,
}

/// An encoded picture, or vectors.
pub struct Tile {
    /// The format of the map.
    pub format: Format,
    /// The bytes in the file.
    pub bytes: Vec<u8>,
}

impl Tile {
    /// Returns true if the bytes of vectors are compressed, as in most files.
    pub fn is_gzip(&self) -> bool {
        self.format.is_vector() && self.bytes.starts_with(&GZIP)
    }

    /// Returns the bytes without compression, or `None` if they are damaged.
    pub fn inflated(self) -> Option<Vec<u8>> {
        if self.is_gzip() { inflate(&self.bytes, MAX_TILE_BYTES) } else { Some(self.bytes) }
    }
}
