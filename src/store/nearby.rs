//! Searches for bottles in a rectangle: the R*-tree proposes, the stored coordinates decide.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use rusqlite::{Connection, params};

use super::bottles::position;
use super::map_bottle::{COLUMN_COUNT, COLUMNS, MapBottleRef, map_bottle};
use crate::model::error::Result;
use crate::model::geo::{Position, Rectangle};

/// The candidates for a rectangle from south (1) to north (2) and from west (3) to east (4).
const CANDIDATES: &str = "
FROM bottles_rtree
WHERE max_latitude >= ?1 AND min_latitude <= ?2
  AND max_longitude >= ?3 AND min_longitude <= ?4";

/// The bottles in such a rectangle. `CROSS JOIN` makes the R*-tree the outer loop of SQLite's query
/// plan.
const IN_RECTANGLE: &str = "
FROM bottles_rtree CROSS JOIN bottles ON bottles.id = bottles_rtree.id
WHERE max_latitude >= ?1 AND min_latitude <= ?2
  AND max_longitude >= ?3 AND min_longitude <= ?4
  AND latitude BETWEEN ?1 AND ?2 AND longitude BETWEEN ?3 AND ?4";

/// The query for the bottles in a rectangle: south (1), north (2), west (3), east (4), and the
/// limit (5).
pub static SEARCH: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {COLUMNS}{IN_RECTANGLE}\nLIMIT 0 + ?5"));

/// Passes bottles inside the rectangle to `visit`, in no order and at most `limit`, until it
/// breaks.
pub fn any(
    db: &Connection,
    rectangle: &Rectangle,
    limit: usize,
    mut visit: impl FnMut(&MapBottleRef<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut statement = db.prepare_cached(&SEARCH)?;
    let mut left = limit;
    for area in rectangle.areas() {
        let mut rows =
            statement.query(params![area.south, area.north, area.west, area.east, count(left)])?;
        while let Some(row) = rows.next()? {
            if visit(&map_bottle(row)?)?.is_break() {
                return Ok(());
            }
            left -= 1;
        }
    }
    Ok(())
}

/// Returns the candidates with an id above `after`, in order. They contain all bottles of the
/// rectangle; the stored coordinates decide.
pub fn candidates_after(db: &Connection, rectangle: &Rectangle, after: i64) -> Result<Vec<i64>> {
    let mut statement = db.prepare_cached(&format!("SELECT id{CANDIDATES} AND id > ?5"))?;
    let mut ids: Vec<i64> = Vec::new();
    for area in rectangle.areas() {
        let parameters = params![area.south, area.north, area.west, area.east, after];
        for id in statement.query_map(parameters, |row| row.get(0))? {
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
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS}, hidden_at IS NULL FROM bottles WHERE id > ?1 ORDER BY id"
    ))?;
    let mut rows = statement.query([after])?;
    while let Some(row) = rows.next()? {
        let bottle = map_bottle(row)?;
        let is_on_sea: bool = row.get(COLUMN_COUNT)?;
        if visit(bottle.id, is_on_sea.then_some(&bottle))?.is_break() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns the id and position of bottles inside the rectangle, in no order and at most `limit`.
pub fn positions(
    db: &Connection,
    rectangle: &Rectangle,
    limit: usize,
) -> Result<Vec<(i64, Position)>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT bottles.id, latitude, longitude {IN_RECTANGLE} LIMIT 0 + ?5"
    ))?;
    let mut positions = Vec::new();
    for area in rectangle.areas() {
        let left = limit - positions.len();
        let parameters = params![area.south, area.north, area.west, area.east, count(left)];
        for position in
            statement.query_map(parameters, |row| Ok((row.get(0)?, position(row, 1)?)))?
        {
            positions.push(position?);
        }
    }
    Ok(positions)
}

/// Passes the bottles with these ids to `visit`, in this order, until it breaks. Returns false if
/// it broke.
pub fn by_id(
    db: &Connection,
    ids: impl IntoIterator<Item = i64>,
    mut visit: impl FnMut(&MapBottleRef<'_>) -> Result<ControlFlow<()>>,
) -> Result<bool> {
    let mut statement =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM bottles WHERE id = ?1"))?;
    for id in ids {
        let mut rows = statement.query([id])?;
        // The bottle may have been deleted since its id was read.
        if let Some(row) = rows.next()?
            && visit(&map_bottle(row)?)?.is_break()
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn count(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
