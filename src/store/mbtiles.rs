//! MBTiles files: SQLite databases of map tiles, for a street map without internet access.

use std::path::Path;

use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::files;
use crate::model::error::{Error, Result};

/// An open MBTiles file of raster tiles.
pub struct Tiles {
    pool: r2d2::Pool<SqliteConnectionManager>,
    /// The file's metadata.
    pub about: About,
}

/// The content of an MBTiles file at a tile's coordinates.
pub enum Tile {
    /// An encoded picture.
    Picture(Vec<u8>),
    /// No row: the map does not cover this tile.
    Hole,
    /// A value other than a BLOB, such as text or NULL, in a broken file.
    Unreadable,
}

/// The metadata of an MBTiles file.
#[derive(Clone, Debug)]
pub struct About {
    /// `png`, `jpg` or `webp`.
    pub format: String,
    /// The smallest zoom level with tiles.
    pub min_zoom: u8,
    /// The largest zoom level with tiles.
    pub max_zoom: u8,
    /// The attribution to show on the map.
    pub attribution: String,
}

impl Tiles {
    /// Opens the file at `path`. Returns a message for the operator if it is not a file of raster
    /// tiles.
    pub fn open(path: &Path) -> Result<Self, String> {
        let error = |reason: String| format!("cannot use the map {}: {reason}", path.display());
        let path = &files::resolve(path).map_err(|e| e.to_string())?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let manager = SqliteConnectionManager::file(path).with_flags(flags);
        let db = Connection::open_with_flags(path, flags).map_err(|e| error(e.to_string()))?;
        let about = about(&db).map_err(|e| error(format!("it is not an MBTiles file ({e})")))?;
        if !["png", "jpg", "jpeg", "webp"].contains(&about.format.as_str()) {
            return Err(error(format!(
                "its tiles have the format {}. Use a file of pictures (png, jpg, webp)",
                about.format
            )));
        }
        let pool = r2d2::Pool::builder()
            .max_size(4)
            .test_on_check_out(false)
            .build(manager)
            .map_err(|e| error(e.to_string()))?;
        Ok(Self { pool, about })
    }

    /// Reads the tile. `y` counts from the north, as in web addresses; the file counts from the
    /// south (TMS).
    pub fn tile(&self, zoom: u8, x: u32, y: u32) -> Result<Tile> {
        let rows = 1_u32.checked_shl(zoom.into());
        let Some(row) = rows.and_then(|rows| rows.checked_sub(y)?.checked_sub(1)) else {
            return Ok(Tile::Hole);
        };
        let db = self.pool.get().map_err(|e| Error::Unavailable(e.to_string()))?;
        let mut statement = db.prepare_cached(
            "SELECT tile_data FROM tiles
             WHERE zoom_level = ?1 AND tile_column = ?2 AND tile_row = ?3",
        )?;
        let mut tiles = statement.query(params![zoom, x, row])?;
        Ok(match tiles.next()? {
            None => Tile::Hole,
            Some(tile) => match tile.get_ref(0)? {
                ValueRef::Blob(picture) => Tile::Picture(picture.to_vec()),
                _ => Tile::Unreadable,
            },
        })
    }
}

fn about(db: &Connection) -> rusqlite::Result<About> {
    let mut statement = db.prepare("SELECT value FROM metadata WHERE name = ?1")?;
    let mut value =
        |name: &str| statement.query_row([name], |row| row.get::<_, String>(0)).optional();
    let zoom_range =
        db.query_row("SELECT min(zoom_level), max(zoom_level) FROM tiles", [], |row| {
            Ok((row.get::<_, Option<u8>>(0)?, row.get::<_, Option<u8>>(1)?))
        })?;
    Ok(About {
        format: value("format")?.unwrap_or_else(|| "png".into()).to_lowercase(),
        min_zoom: zoom_range.0.unwrap_or(0),
        max_zoom: zoom_range.1.unwrap_or(0),
        attribution: value("attribution")?.unwrap_or_default(),
    })
}
