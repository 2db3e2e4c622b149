//! Street maps: files of map tiles, for a map without internet access.
//!
//! Several files may cover the same place. The first that has a tile answers.

mod about;
mod directory;
mod mbtiles;
mod pmtiles;
mod tile;

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use self::about::bounds_of_tiles;
pub use self::about::{About, Bounds, Format};
use self::mbtiles::Mbtiles;
use self::pmtiles::Pmtiles;
use self::tile::Content;
pub use self::tile::{MapTile, Tile};
use super::files;
use super::queue::AdmissionQueue;
use crate::model::error::{Error, Result};

/// The first bytes of a SQLite database.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// The number of tiles that are read at one time.
const MAX_READS: usize = 4;
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The street maps of a server, in the order of their precedence.
pub struct StreetMaps {
    maps: Arc<[StreetMap]>,
    queue: AdmissionQueue,
}

/// An open file of map tiles.
pub struct StreetMap {
    source: Source,
    /// The file's metadata.
    pub about: About,
    /// Eight digits that change with the file.
    pub version: String,
}

enum Source {
    Mbtiles(Mbtiles),
    Pmtiles(Pmtiles),
}

impl Source {
    fn read(&self, zoom: u8, x: u32, y: u32) -> Result<Content> {
        match self {
            Self::Mbtiles(file) => file.read(zoom, x, y),
            Self::Pmtiles(file) => file.read(zoom, x, y),
        }
    }
}

impl StreetMap {
    /// Opens the file at `path`. Returns a message for the operator if it is not a file of tiles
    /// that Bottle can show.
    pub fn open(path: &Path) -> Result<Self, String> {
        let error = |reason: String| format!("cannot use the map {}: {reason}", path.display());
        let path = &files::resolve(path).map_err(|e| e.to_string())?;
        let mut file = File::open(path).map_err(|e| error(e.to_string()))?;
        let mut signature = [0; SQLITE.len()];
        match file.read_exact(&mut signature) {
            Err(e) if e.kind() != ErrorKind::UnexpectedEof => return Err(error(e.to_string())),
            _ => {}
        }
        let version = version(&file).map_err(|e| error(e.to_string()))?;
        let (source, mut about) = if signature == SQLITE {
            let (file, about) = Mbtiles::open(path).map_err(error)?;
            (Source::Mbtiles(file), about)
        } else if signature.starts_with(pmtiles::SIGNATURE) {
            let (file, about) = Pmtiles::open(file).map_err(error)?;
            (Source::Pmtiles(file), about)
        } else {
            return Err(error("it is neither a PMTiles nor an MBTiles file".into()));
        };
        if !about.has_bounds() {
            about.bounds = bounds_of_tiles(about.min_zoom, about.max_zoom, |zoom, x, y| {
                matches!(source.read(zoom, x, y), Ok(Content::Bytes(_)))
            });
        }
        Ok(Self { source, about: about.with_attribution(), version })
    }
}

/// Returns digits that change when the file is replaced.
fn version(file: &File) -> std::io::Result<String> {
    let about = file.metadata()?;
    let state = [about.size(), about.mtime() as u64, about.mtime_nsec() as u64, about.ino()];
    let digest = Sha256::digest(state.map(u64::to_le_bytes).concat());
    Ok(digest[..4].iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Default for StreetMaps {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl StreetMaps {
    /// Takes the maps in the order of their precedence.
    pub fn new(maps: Vec<StreetMap>) -> Self {
        Self { maps: maps.into(), queue: AdmissionQueue::new(MAX_READS, MAX_WAIT) }
    }

    /// Returns the maps in the order of their precedence.
    pub fn iter(&self) -> impl Iterator<Item = &StreetMap> {
        self.maps.iter()
    }

    /// Reads the tile from the first map of this kind that has it, on a thread that may wait for
    /// the disk.
    pub async fn tile(&self, is_vector: bool, zoom: u8, x: u32, y: u32) -> Result<MapTile> {
        if !self.iter().any(|map| map.about.format.is_vector() == is_vector) {
            return Ok(MapTile::NoMap);
        }
        let admission = self.queue.enter().await?;
        let maps = Arc::clone(&self.maps);
        let read = spawn_blocking(move || {
            let _admission = admission;
            read(&maps, is_vector, zoom, x, y)
        });
        read.await.map_err(|e| Error::Internal(e.to_string()))?
    }
}

fn read(maps: &[StreetMap], is_vector: bool, zoom: u8, x: u32, y: u32) -> Result<MapTile> {
    for StreetMap { source, about, .. } in maps {
        if about.format.is_vector() != is_vector {
            continue;
        }
        match source.read(zoom, x, y)? {
            Content::Bytes(bytes) => {
                return Ok(MapTile::Found(Tile { format: about.format, bytes }));
            }
            Content::Unreadable => return Ok(MapTile::Unreadable),
            Content::Hole => {}
        }
    }
    Ok(MapTile::Hole)
}
