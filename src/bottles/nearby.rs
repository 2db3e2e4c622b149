//! What lies in a rectangle, at a cost that grows with the answer and not with the sea.

use rusqlite::Connection;

use super::Bottles;
use crate::error::Result;
use crate::geo::{Position, Rectangle};
use crate::store::Snapshot;
use crate::store::cells::{self, Cell, Grid, LEVELS};
use crate::store::nearby::{self, Sighting};

/// How many bottles are looked at, at most, to find the nearest ones: four times what is wanted, or
/// this many. In a crowd of more than that within 2.4 km, the nearest are the nearest among them.
const LOOKED_AT_MOST: usize = 50_000;

/// A rectangle is narrowed until it holds no more than four times what is wanted and this many.
const NARROW_ENOUGH: usize = 500;

/// So many bottles are found in about half a millisecond. What may take longer is a long read.
const SHORT: usize = 500;

/// The most cells, empty ones included, that a rectangle is divided into.
pub(super) const CELLS_MOST: f64 = 4096.0;

/// Which part of a rectangle's bottles is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// At most so many.
    pub limit: usize,
    /// By id, those after this one; without it the nearest to the centre, where there are more.
    pub after: Option<i64>,
}

/// What was seen of a rectangle.
#[derive(Debug)]
pub struct Seen<T> {
    /// The bottles: by id, but the nearest to the centre first where `truncated`.
    pub items: Vec<T>,
    /// How many lie in the rectangle: exact, but an upper bound where `truncated`.
    pub total: i64,
    /// Whether there are more than `items`.
    pub truncated: bool,
    /// The id to go on after, where the bottles were asked for by id.
    pub next: Option<i64>,
}

impl Bottles {
    /// What lies inside the rectangle, its edges included. `show` makes of each bottle what the
    /// answer needs, while its text is still SQLite's own. It may be shown bottles in vain.
    pub fn nearby<T>(
        &self,
        snapshot: Snapshot,
        rectangle: &Rectangle,
        wanted: Wanted,
        mut show: impl FnMut(&Sighting<'_>) -> Result<T>,
    ) -> Result<Seen<T>> {
        if wanted.after.is_none() {
            let most = wanted.limit.min(SHORT);
            if let Some(all) = snapshot.read(|db| all(db, rectangle, most, &mut show))? {
                return Ok(all);
            }
        }
        drop(snapshot);
        self.store.read_long(|db| match wanted.after {
            Some(after) => page(db, rectangle, after, wanted.limit, show),
            None => match all(db, rectangle, wanted.limit, &mut show)? {
                Some(all) => Ok(all),
                None => nearest(db, rectangle, wanted.limit, show),
            },
        })
    }
}

/// The rectangle's bottles by id, if they are no more than `most`.
fn all<T>(
    db: &Connection,
    rectangle: &Rectangle,
    most: usize,
    show: &mut impl FnMut(&Sighting<'_>) -> Result<T>,
) -> Result<Option<Seen<T>>> {
    let mut found = Vec::new();
    nearby::any(db, rectangle, most + 1, |sighting| {
        found.push((sighting.id, show(sighting)?));
        Ok(())
    })?;
    if found.len() > most {
        return Ok(None);
    }
    found.sort_unstable_by_key(|(id, _)| *id);
    let items: Vec<T> = found.into_iter().map(|(_, item)| item).collect();
    Ok(Some(Seen { total: items.len() as i64, items, truncated: false, next: None }))
}

/// A part of the rectangle's bottles, by id.
fn page<T>(
    db: &Connection,
    rectangle: &Rectangle,
    after: i64,
    limit: usize,
    mut show: impl FnMut(&Sighting<'_>) -> Result<T>,
) -> Result<Seen<T>> {
    let mut ids = nearby::ids_after(db, rectangle, after, limit + 1)?;
    let truncated = ids.len() > limit;
    ids.truncate(limit);
    let next = ids.last().copied().filter(|_| truncated);
    let mut items = Vec::with_capacity(ids.len());
    nearby::by_id(db, ids, |sighting| {
        items.push(show(sighting)?);
        Ok(())
    })?;
    let total = if truncated { bound(db, rectangle)? } else { items.len() as i64 };
    Ok(Seen { items, total, truncated, next })
}

/// The `limit` bottles nearest to the centre, of more.
fn nearest<T>(
    db: &Connection,
    rectangle: &Rectangle,
    limit: usize,
    mut show: impl FnMut(&Sighting<'_>) -> Result<T>,
) -> Result<Seen<T>> {
    let center = rectangle.center();
    let most = LOOKED_AT_MOST.max(4 * limit);
    let enough = 4 * limit + NARROW_ENOUGH;
    let smaller = narrowed(db, rectangle, limit as i64, enough as i64)?;
    let mut places = nearby::places(db, &smaller, most)?;
    if places.len() < limit {
        places = nearby::places(db, rectangle, most)?;
    }
    let mut by_distance: Vec<(f64, i64)> =
        places.iter().map(|(id, place)| (center.angle_to(*place), *id)).collect();
    by_distance.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    by_distance.truncate(limit);

    let mut items = Vec::with_capacity(by_distance.len());
    nearby::by_id(db, by_distance.iter().map(|(_, id)| *id), |sighting| {
        items.push(show(sighting)?);
        Ok(())
    })?;
    Ok(Seen { items, total: bound(db, rectangle)?, truncated: true, next: None })
}

/// No fewer bottles than this lie in the rectangle.
fn bound(db: &Connection, rectangle: &Rectangle) -> Result<i64> {
    let cells = cells::touched(db, rectangle, finest_level(rectangle), Grid::Full)?;
    Ok(cells.iter().map(|cell| cell.count).sum())
}

/// The finest level at which the rectangle is not divided into too many cells.
pub(super) fn finest_level(rectangle: &Rectangle) -> u8 {
    LEVELS
        .into_iter()
        .rfind(|level| rectangle.cells_of(cells::size(*level)) <= CELLS_MOST)
        .unwrap_or(LEVELS[0])
}

/// A rectangle within this one that surely holds its `least` nearest bottles, and no more than
/// `enough` in all if the cells can tell.
fn narrowed(db: &Connection, rectangle: &Rectangle, least: i64, enough: i64) -> Result<Rectangle> {
    let mut narrow = *rectangle;
    loop {
        let level = finest_level(&narrow);
        let cells = cells::touched(db, &narrow, level, Grid::Full)?;
        let count: i64 = cells.iter().map(|cell| cell.count).sum();
        if count <= enough {
            return Ok(narrow);
        }
        let Some(angle) = angle_that_holds(&narrow, &cells, cells::size(level), least) else {
            return Ok(narrow);
        };
        let narrower = narrow.within_angle(angle);
        // Cells no finer than before tell nothing new.
        if finest_level(&narrower) == level {
            return Ok(narrower);
        }
        narrow = narrower;
    }
}

/// The angle from the centre within which the cells that lie wholly in the rectangle hold at least
/// `least` bottles.
fn angle_that_holds(rectangle: &Rectangle, cells: &[Cell], size: f64, least: i64) -> Option<f64> {
    let mut whole: Vec<(f64, i64)> = cells
        .iter()
        .filter(|cell| rectangle.holds_cell(cell.latitude, cell.longitude, size))
        .map(|cell| (farthest(rectangle.center(), cell, size), cell.count))
        .collect();
    whole.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut count = 0;
    whole.into_iter().find_map(|(angle, more)| {
        count += more;
        (count >= least).then_some(angle)
    })
}

/// The angle from `center` to the farthest corner of a cell.
fn farthest(center: Position, cell: &Cell, size: f64) -> f64 {
    let half = size / 2.0;
    [(-half, -half), (-half, half), (half, -half), (half, half)]
        .into_iter()
        .filter_map(|(up, right)| {
            let latitude = (cell.latitude + up).clamp(-90.0, 90.0);
            let longitude = (cell.longitude + right).clamp(-180.0, 180.0);
            Position::new(latitude, longitude).ok()
        })
        .map(|corner| center.angle_to(corner))
        .fold(0.0, f64::max)
}
