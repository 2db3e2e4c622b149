//! A random bottle of the sea, each with the same probability, at a cost that does not grow with
//! the sea.
//!
//! A try descends the counts per cell, choosing each cell with a probability in proportion to its
//! count, and then chooses a bottle of the finest cell: every bottle is equally likely. A bottle
//! that is not eligible is rejected, so every eligible one is equally likely too.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::bottles::position;
use super::cells::{self, Grid, LEVELS};
use super::nearby;
use super::place::{Place, cell_ranges};
use crate::model::error::Result;
use crate::model::geo::{Position, Rectangle};

/// The number of tries. If a tenth of the bottles is eligible, one of a thousand catches needs more.
const MAX_TRIES: u32 = 64;

/// The maximum number of bottles that are examined one by one after the tries. A sea or rectangle
/// with fewer is examined completely.
const MAX_EXAMINED: usize = 10_000;

/// Returns a random number from 0 to below its argument.
pub type Random<'a> = dyn FnMut(i64) -> i64 + 'a;

/// A cell that is not empty.
#[derive(Clone, Copy)]
struct CountedCell {
    level: u8,
    row: i64,
    column: i64,
    count: i64,
}

/// Chooses a bottle that `account` may catch, on the whole sea or in a rectangle. `level` is the
/// level of the cells with which the search of the rectangle begins.
///
/// After [`MAX_TRIES`], up to [`MAX_EXAMINED`] bottles are examined: those that follow a random one
/// by place, or those of the rectangle. Returns `None` if none of them may be caught.
pub fn choose(
    db: &Connection,
    account: i64,
    within: Option<(&Rectangle, u8)>,
    random: &mut Random<'_>,
) -> Result<Option<i64>> {
    let first = first_cells(db, within)?;
    let total: i64 = first.iter().map(|cell| cell.count).sum();
    if total == 0 {
        return Ok(None);
    }
    let mut last = None;
    for _ in 0..MAX_TRIES {
        if let Some((place, position)) = random_bottle(db, &first, total, random)? {
            let is_inside = within.is_none_or(|(rectangle, _)| rectangle.contains(position));
            if is_inside && is_eligible(db, place.bottle(), account)? {
                return Ok(Some(place.bottle()));
            }
            last = Some(place);
        }
    }
    let candidates = match within {
        Some((rectangle, _)) => nearby::positions(db, rectangle, MAX_EXAMINED)?
            .into_iter()
            .map(|(place, _)| place)
            .collect(),
        None => following(db, last)?,
    };
    let mut eligible = Vec::new();
    for place in candidates {
        if is_eligible(db, place.bottle(), account)? {
            eligible.push(place.bottle());
        }
    }
    Ok(match eligible.len() {
        0 => None,
        count => eligible.get(random(count as i64) as usize).copied(),
    })
}

/// Returns the cells of the rectangle, or of the whole sea.
fn first_cells(db: &Connection, within: Option<(&Rectangle, u8)>) -> Result<Vec<CountedCell>> {
    let Some((rectangle, level)) = within else { return children(db, None) };
    let size = cells::size(level);
    let touched = cells::touched(db, rectangle, level, Grid::Full)?;
    Ok(touched
        .into_iter()
        .map(|cell| CountedCell {
            level,
            row: ((cell.latitude + 90.0) / size) as i64,
            column: ((cell.longitude + 180.0) / size) as i64,
            count: cell.count,
        })
        .collect())
}

/// Returns the cells of the next finer level within `parent`, or the coarsest of all.
fn children(db: &Connection, parent: Option<CountedCell>) -> Result<Vec<CountedCell>> {
    let (level, row, column) = match parent {
        Some(parent) => (parent.level + 2, parent.row * 4, parent.column * 4),
        None => (LEVELS[0], 0, 0),
    };
    let mut statement = db.prepare_cached(
        "SELECT y, x, count FROM cells
         WHERE level = ?1 AND y IN (?2, ?2 + 1, ?2 + 2, ?2 + 3) AND x BETWEEN ?3 AND ?3 + 3
           AND count > 0",
    )?;
    let cells = statement.query_map(params![level, row, column], |cell| {
        Ok(CountedCell { level, row: cell.get(0)?, column: cell.get(1)?, count: cell.get(2)? })
    })?;
    Ok(cells.collect::<rusqlite::Result<_>>()?)
}

/// Chooses a bottle of these cells, which contain `total`. A random rank stands for a bottle in the
/// order of cells, so one random number suffices.
fn random_bottle(
    db: &Connection,
    first: &[CountedCell],
    total: i64,
    random: &mut Random<'_>,
) -> Result<Option<(Place, Position)>> {
    let mut rank = random(total);
    let mut found = cell_of_rank(first, &mut rank);
    while let Some(cell) = found {
        if cell.level >= Grid::Full.finest_level() {
            return bottle_of_rank(db, cell, rank);
        }
        found = cell_of_rank(&children(db, Some(cell))?, &mut rank);
    }
    Ok(None)
}

/// Returns the cell that contains the bottle of this rank, and makes the rank that within the cell.
fn cell_of_rank(cells: &[CountedCell], rank: &mut i64) -> Option<CountedCell> {
    for cell in cells {
        if *rank < cell.count {
            return Some(*cell);
        }
        *rank -= cell.count;
    }
    None
}

/// Returns the bottle of this rank, by place, in one of the finest cells.
fn bottle_of_rank(
    db: &Connection,
    cell: CountedCell,
    rank: i64,
) -> Result<Option<(Place, Position)>> {
    let [first, second] = cell_ranges(cell.row, cell.column);
    let mut statement = db.prepare_cached(
        "SELECT place, latitude, longitude FROM (
             SELECT place, latitude, longitude FROM map_bottles WHERE place BETWEEN ?1 AND ?2
             UNION ALL
             SELECT place, latitude, longitude FROM map_bottles WHERE place BETWEEN ?3 AND ?4)
         LIMIT 1 OFFSET ?5",
    )?;
    let bottle = |row: &Row<'_>| Ok((row.get(0)?, position(row, 1)?));
    let values = params![first.start(), first.end(), second.start(), second.end(), rank];
    Ok(statement.query_row(values, bottle).optional()?)
}

/// Returns the places from this one on, and from the first one on after the last.
fn following(db: &Connection, start: Option<Place>) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    let start = start.map_or(0, |place| place.0);
    for sql in [
        "SELECT place FROM map_bottles WHERE place >= ?1 ORDER BY place LIMIT 0 + ?2",
        "SELECT place FROM map_bottles WHERE place < ?1 ORDER BY place LIMIT 0 + ?2",
    ] {
        let room = MAX_EXAMINED.saturating_sub(places.len()) as i64;
        let mut statement = db.prepare_cached(sql)?;
        for place in statement.query_map([start, room], |row| row.get(0))? {
            places.push(place?);
        }
    }
    Ok(places)
}

/// Returns true if the account may catch the bottle: it is on the sea and another account's, has
/// not been opened by this one, has no open report, can be opened from anywhere, and its owner has
/// not blocked the account.
pub fn is_eligible(db: &Connection, bottle: i64, account: i64) -> Result<bool> {
    let sql = "SELECT 1 FROM bottles
         WHERE id = ?1 AND on_sea AND owner_id <> ?2 AND open_within_m IS NULL
           AND NOT EXISTS (SELECT 1 FROM openings WHERE bottle_id = ?1 AND opener_id = ?2)
           AND NOT EXISTS (SELECT 1 FROM reports WHERE bottle_id = ?1 AND settled_at IS NULL)
           AND NOT EXISTS (SELECT 1 FROM blocks WHERE blocker_id = owner_id AND blocked_id = ?2)";
    Ok(db.prepare_cached(sql)?.exists([bottle, account])?)
}
