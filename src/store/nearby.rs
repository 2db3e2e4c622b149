//! Searches for bottles in a rectangle: the R*-tree proposes, the stored coordinates decide.

use std::ops::ControlFlow;

use rusqlite::types::FromSqlError;
use rusqlite::{Connection, Row, params};

use super::bottles::position;
use crate::model::error::Result;
use crate::model::fields::Style;
use crate::model::geo::{Position, Rectangle};

/// A bottle as the map shows it, without its message. The address borrows SQLite's row.
#[derive(Clone, Debug, PartialEq)]
pub struct MapBottleRef<'a> {
    /// The bottle's id.
    pub id: i64,
    /// The account that threw it.
    pub owner: i64,
    /// The look: blue, green or yellow.
    pub style: Style,
    /// The position.
    pub position: Position,
    /// The address: text that describes the position.
    pub formatted_address: &'a str,
}

macro_rules! sighting {
    () => {
        "bottles.id, owner_id, style, latitude, longitude, formatted_address"
    };
}

/// The candidates for a rectangle.
macro_rules! proposed {
    () => {
        "
FROM bottles_rtree
WHERE max_latitude >= ?1 - 1e-40 AND min_latitude <= ?2 + 1e-40
  AND max_longitude >= ?3 - 1e-40 AND min_longitude <= ?4 + 1e-40"
    };
}

/// The bottles in a rectangle. `CROSS JOIN` makes the R*-tree the outer loop of SQLite's query
/// plan.
macro_rules! inside {
    () => {
        "
FROM bottles_rtree CROSS JOIN bottles ON bottles.id = bottles_rtree.id
WHERE max_latitude >= ?1 AND min_latitude <= ?2
  AND max_longitude >= ?3 AND min_longitude <= ?4
  AND latitude BETWEEN ?1 AND ?2 AND longitude BETWEEN ?3 AND ?4"
    };
}

const INSIDE: &str = inside!();
const SIGHTING: &str = sighting!();

/// The query for the bottles in a rectangle: south (1), north (2), west (3), east (4), and the
/// limit (5).
pub const SEARCH: &str = concat!("SELECT ", sighting!(), inside!(), "\nLIMIT 0 + ?5");

/// Passes bottles inside the rectangle to `visit`, in no order and at most `limit`, until it
/// breaks.
pub fn any(
    db: &Connection,
    rectangle: &Rectangle,
    limit: usize,
    mut visit: impl FnMut(&MapBottleRef<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut statement = db.prepare_cached(SEARCH)?;
    let mut left = limit;
    for area in rectangle.areas() {
        let mut rows =
            statement.query(params![area.south, area.north, area.west, area.east, count(left)])?;
        while let Some(row) = rows.next()? {
            if visit(&sighting(row)?)?.is_break() {
                return Ok(());
            }
            left -= 1;
        }
    }
    Ok(())
}

/// Returns the candidates with an id above `after`, in order. They contain all bottles of the
/// rectangle; the stored coordinates decide.
pub fn proposed_after(db: &Connection, rectangle: &Rectangle, after: i64) -> Result<Vec<i64>> {
    let mut statement = db.prepare_cached(concat!("SELECT id", proposed!(), " AND id > ?5"))?;
    let mut ids: Vec<i64> = Vec::new();
    for area in rectangle.areas() {
        let bound = params![area.south, area.north, area.west, area.east, after];
        for id in statement.query_map(bound, |row| row.get(0))? {
            ids.push(id?);
        }
    }
    ids.sort_unstable();
    // One box may touch both areas of a rectangle that nearly meet.
    ids.dedup();
    Ok(ids)
}

/// Passes the bottles with an id above `after` to `visit`, by id and wherever they are, until it
/// breaks; `None` in place of a hidden bottle. Returns false if it broke.
pub fn all_after(
    db: &Connection,
    after: i64,
    mut visit: impl FnMut(i64, Option<&MapBottleRef<'_>>) -> Result<ControlFlow<()>>,
) -> Result<bool> {
    let mut statement = db.prepare_cached(concat!(
        "SELECT ",
        sighting!(),
        ", hidden_at IS NULL FROM bottles WHERE id > ?1 ORDER BY id"
    ))?;
    let mut rows = statement.query([after])?;
    while let Some(row) = rows.next()? {
        let found = sighting(row)?;
        let on_sea: bool = row.get(6)?;
        if visit(found.id, on_sea.then_some(&found))?.is_break() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns the id and position of bottles inside the rectangle, in no order and at most `limit`.
pub fn places(
    db: &Connection,
    rectangle: &Rectangle,
    limit: usize,
) -> Result<Vec<(i64, Position)>> {
    let mut statement = db
        .prepare_cached(&format!("SELECT bottles.id, latitude, longitude {INSIDE} LIMIT 0 + ?5"))?;
    let mut places = Vec::new();
    for area in rectangle.areas() {
        let left = limit - places.len();
        let bound = params![area.south, area.north, area.west, area.east, count(left)];
        for place in statement.query_map(bound, |row| Ok((row.get(0)?, position(row, 1)?)))? {
            places.push(place?);
        }
    }
    Ok(places)
}

/// Passes the bottles with these ids to `visit`, in this order, until it breaks. Returns false if
/// it broke.
pub fn by_id(
    db: &Connection,
    ids: impl IntoIterator<Item = i64>,
    mut visit: impl FnMut(&MapBottleRef<'_>) -> Result<ControlFlow<()>>,
) -> Result<bool> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {SIGHTING} FROM bottles WHERE id = ?1"))?;
    for id in ids {
        let mut rows = statement.query([id])?;
        // The bottle may have been deleted since its id was read.
        if let Some(row) = rows.next()?
            && visit(&sighting(row)?)?.is_break()
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn sighting<'row>(row: &'row Row<'_>) -> rusqlite::Result<MapBottleRef<'row>> {
    Ok(MapBottleRef {
        id: row.get(0)?,
        owner: row.get(1)?,
        style: row.get(2)?,
        position: position(row, 3)?,
        formatted_address: row
            .get_ref(5)?
            .as_str()
            .map_err(|e: FromSqlError| rusqlite::Error::from(e))?,
    })
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
