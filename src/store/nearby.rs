//! Which bottles lie in a rectangle: the R*-tree proposes, the stored coordinates decide.

use std::ops::ControlFlow;

use rusqlite::types::FromSqlError;
use rusqlite::{Connection, Row, params};

use super::bottles::position;
use crate::model::error::Result;
use crate::model::fields::Style;
use crate::model::geo::{Position, Rectangle};

/// A bottle as it is seen on the map, closed. The text is still SQLite's own.
#[derive(Clone, Debug, PartialEq)]
pub struct MapBottleRef<'a> {
    /// The bottle's id.
    pub id: i64,
    /// The account that threw it.
    pub owner: i64,
    /// How it looks.
    pub style: Style,
    /// Where it is.
    pub position: Position,
    /// Where it is, in words.
    pub formatted_address: &'a str,
}

macro_rules! sighting {
    () => {
        "bottles.id, owner_id, style, latitude, longitude, formatted_address"
    };
}

/// What the R*-tree proposes for a rectangle.
macro_rules! proposed {
    () => {
        "
FROM bottles_rtree
WHERE max_latitude >= ?1 - 1e-40 AND min_latitude <= ?2 + 1e-40
  AND max_longitude >= ?3 - 1e-40 AND min_longitude <= ?4 + 1e-40"
    };
}

/// `CROSS JOIN` keeps the R*-tree outermost, whatever the planner thinks of the rest.
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

/// The question for the bottles in a rectangle: from the south (1) to the north (2), the west (3) to the
/// east (4), at most so many (5).
pub const SEARCH: &str = concat!("SELECT ", sighting!(), inside!(), "\nLIMIT 0 + ?5");

/// Shows `visit` any bottles inside the rectangle, in no order, at most `limit` of them, until it breaks off.
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

/// The ids after `after` that the R*-tree proposes for the rectangle, in their order. All of the rectangle's
/// are among them; the stored coordinates decide which of them are.
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
    // Where two areas of a rectangle nearly meet, one box may touch both.
    ids.dedup();
    Ok(ids)
}

/// Shows `visit` the bottles after the id `after` by id, wherever they are, until it breaks off; nothing
/// in place of a hidden one. Whether it saw all.
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

/// Id and place of any bottles inside the rectangle, at most `limit`.
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

/// Shows `visit` the bottles with these ids, in their order, until it breaks off; whether it saw all.
pub fn by_id(
    db: &Connection,
    ids: impl IntoIterator<Item = i64>,
    mut visit: impl FnMut(&MapBottleRef<'_>) -> Result<ControlFlow<()>>,
) -> Result<bool> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {SIGHTING} FROM bottles WHERE id = ?1"))?;
    for id in ids {
        let mut rows = statement.query([id])?;
        // It may have been deleted since its id was read.
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
