//! MBTiles files: SQLite databases of map tiles.
//!
//! Source: the MBTiles specification, version 1.3.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use serde_json::Value;

use super::about::{About, Bounds, Format};
use super::tile::Content;
use crate::model::error::Result;

/// An open MBTiles file. Reads take turns: each is short.
pub(super) struct Mbtiles(Mutex<Connection>);

impl Mbtiles {
    /// Opens the file at `path`. Returns the reason if it cannot be used.
    pub(super) fn open(path: &Path) -> Result<(Self, About), String> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(|e| e.to_string())?;
        let about = about(&db).map_err(|e| format!("it is not an MBTiles file ({e})"))??;
        Ok((Self(Mutex::new(db)), about))
    }

    /// Reads the tile. `y` counts from the north, as in web addresses; the file counts from the
    /// south (TMS).
    pub(super) fn read(&self, zoom: u8, x: u32, y: u32) -> Result<Content> {
        let rows = 1_u32.checked_shl(zoom.into());
        let Some(row) = rows.and_then(|rows| rows.checked_sub(y)?.checked_sub(1)) else {
            return Ok(Content::Hole);
        };
        let db = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = db.prepare_cached(
            "SELECT tile_data FROM tiles
             WHERE zoom_level = ?1 AND tile_column = ?2 AND tile_row = ?3",
        )?;
        let mut tiles = statement.query(params![zoom, x, row])?;
        Ok(match tiles.next()? {
            None => Content::Hole,
            Some(tile) => match tile.get_ref(0)? {
                ValueRef::Blob(bytes) => Content::Bytes(bytes.to_vec()),
                _ => Content::Unreadable,
            },
        })
    }
}

/// Reads the metadata. The inner error is the reason why a file with readable metadata is rejected.
fn about(db: &Connection) -> rusqlite::Result<Result<About, String>> {
    let mut statement = db.prepare("SELECT CAST(value AS TEXT) FROM metadata WHERE name = ?1")?;
    let mut value = |name: &str| {
        let value = statement.query_row([name], |row| row.get::<_, Option<String>>(0)).optional();
        value.map(|value| value.flatten().unwrap_or_default())
    };
    // Two queries, because SQLite finds one extreme in an index, and reads all rows for both.
    let [min_zoom, max_zoom] =
        ["SELECT min(zoom_level) FROM tiles", "SELECT max(zoom_level) FROM tiles"]
            .map(|query| db.query_row(query, [], |row| row.get::<_, Option<u8>>(0)));
    let format = match value("format")?.to_lowercase() {
        none if none.is_empty() => "png".to_owned(),
        format => format,
    };
    let json: Value = serde_json::from_str(&value("json")?).unwrap_or_default();
    let (min_zoom, max_zoom) = (min_zoom?.unwrap_or(0), max_zoom?.unwrap_or(0));
    let (attribution, bounds) = (value("attribution")?, parse_bounds(&value("bounds")?));
    Ok(Format::parse(&format, &json).map(|format| About {
        format,
        min_zoom,
        max_zoom,
        attribution,
        bounds,
    }))
}

/// Reads four numbers separated by commas. Returns an empty area for any other text.
fn parse_bounds(text: &str) -> Bounds {
    let numbers: Result<Vec<f64>, _> =
        text.split(',').map(|number| number.trim().parse()).collect();
    numbers.ok().and_then(|numbers| numbers.try_into().ok()).unwrap_or_default()
}
