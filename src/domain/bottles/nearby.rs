//! The search for bottles in a rectangle, at a cost that grows with the response and not with the
//! sea.

mod by_id;

use std::ops::ControlFlow::{self, Break, Continue};

use super::Bottles;
use crate::model::error::Result;
use crate::model::geo::{Position, Rectangle};
use crate::store::Connection;
use crate::store::cells::{self, Cell, Grid, LEVELS};
use crate::store::map_bottle::MapBottleRef;
use crate::store::map_cache::CacheView;
use crate::store::nearby;
use crate::store::pages::MAX_PAGE_BYTES;
use crate::store::place::Place;

/// The maximum number of candidates that are compared to find the nearest bottles, unless four
/// times the limit is more. If more than that lie within 2.4 km, the nearest among them are
/// returned.
const MAX_CANDIDATES: usize = 50_000;

/// A rectangle is narrowed until it contains at most four times the limit and this many bottles.
const NARROWING_SLACK: usize = 500;

/// The number of bottles that are found in about half a millisecond. A search for more is a long
/// read.
const MAX_SHORT_READ: usize = 500;

/// The maximum number of cells, empty ones included, into which a rectangle is divided.
pub(super) const MAX_CELLS: f64 = 4096.0;

/// The part of a rectangle's bottles that is requested.
#[derive(Clone, Copy, Debug)]
pub struct NearbyQuery {
    /// The maximum number of bottles.
    pub limit: usize,
    /// The cursor: bottles by id after this one. Without it, the bottles nearest to the centre if
    /// there are more than `limit`.
    pub after: Option<i64>,
}

/// The result of a search.
#[derive(Debug)]
pub struct NearbyResult<T> {
    /// The bottles: by id, but nearest to the centre first if `truncated`.
    pub items: Vec<T>,
    /// The number of bottles in the rectangle; an upper bound if `truncated`.
    pub total: i64,
    /// True if there are more than `items`.
    pub truncated: bool,
    /// The cursor of the next page, if the bottles were requested by id.
    pub next: Option<i64>,
}

impl Bottles {
    /// Searches the closed rectangle.
    ///
    /// `show` converts each bottle, whose text still borrows SQLite's row, and returns the bytes
    /// that it takes in the response: a response is also full at [`MAX_PAGE_BYTES`]. `show` may be
    /// called for bottles that the response does not contain.
    ///
    /// A short search runs at once. A long one waits in the queue of long reads.
    pub async fn nearby<T>(
        &self,
        rectangle: &Rectangle,
        query: NearbyQuery,
        mut show: impl FnMut(&MapBottleRef<'_>) -> Result<(T, usize)>,
    ) -> Result<NearbyResult<T>> {
        self.expiry.end_due().await;
        if query.after.is_none() {
            let max = query.limit.min(MAX_SHORT_READ);
            let cache = self.store.map_cache();
            let search = |db: &Connection| all(db, &cache, rectangle, max, &mut show);
            let found = match rectangle.areas().len() {
                1 => self.store.read_one(search),
                _ => self.store.read(search),
            };
            if let Some(all) = found? {
                return Ok(all);
            }
        }
        let cache = self.store.map_cache();
        let long = self.store.read_long(|db| match query.after {
            Some(after) => by_id::page(db, &cache, rectangle, after, query.limit, show),
            None => match all(db, &cache, rectangle, query.limit, &mut show)? {
                Some(all) => Ok(all),
                None => nearest(db, &cache, rectangle, query.limit, show),
            },
        });
        long.await
    }
}

/// The items of a response, up to its limits.
struct Collected<T> {
    items: Vec<T>,
    bytes: usize,
    limit: usize,
}

impl<T> Collected<T> {
    fn new(limit: usize) -> Self {
        Self { items: Vec::new(), bytes: 0, limit }
    }

    fn is_full(&self) -> bool {
        self.items.len() >= self.limit || self.bytes >= MAX_PAGE_BYTES
    }

    fn push(&mut self, (item, bytes): (T, usize)) {
        self.items.push(item);
        self.bytes += bytes;
    }
}

/// Returns the rectangle's bottles by id if they fit into `max` items and into a response.
fn all<T>(
    db: &Connection,
    cache: &CacheView,
    rectangle: &Rectangle,
    max: usize,
    show: &mut impl FnMut(&MapBottleRef<'_>) -> Result<(T, usize)>,
) -> Result<Option<NearbyResult<T>>> {
    let mut collected = Collected::new(max);
    let mut is_complete = true;
    nearby::any(db, cache, rectangle, |bottle| {
        is_complete = !collected.is_full();
        if is_complete {
            let (item, bytes) = show(bottle)?;
            collected.push(((bottle.id, item), bytes));
        }
        Ok(continue_if(is_complete))
    })?;
    if !is_complete {
        return Ok(None);
    }
    let mut sorted = collected.items;
    sorted.sort_unstable_by_key(|(id, _)| *id);
    let items: Vec<T> = sorted.into_iter().map(|(_, item)| item).collect();
    Ok(Some(NearbyResult { total: items.len() as i64, items, truncated: false, next: None }))
}

fn continue_if(yes: bool) -> ControlFlow<()> {
    if yes { Continue(()) } else { Break(()) }
}

/// Returns the `limit` bottles nearest to the centre, or fewer if a response is full before.
fn nearest<T>(
    db: &Connection,
    cache: &CacheView,
    rectangle: &Rectangle,
    limit: usize,
    mut show: impl FnMut(&MapBottleRef<'_>) -> Result<(T, usize)>,
) -> Result<NearbyResult<T>> {
    let center = rectangle.center();
    let max = MAX_CANDIDATES.max(4 * limit);
    let max_count = 4 * limit + NARROWING_SLACK;
    let smaller = narrow(db, rectangle, limit as i64, max_count as i64)?;
    let mut positions = nearby::positions(db, &smaller, max)?;
    if positions.len() < limit {
        positions = nearby::positions(db, rectangle, max)?;
    }
    let mut by_distance: Vec<(f64, Place)> =
        positions.iter().map(|(place, position)| (center.angle_to(*position), *place)).collect();
    by_distance.sort_unstable_by(|(a, at), (b, bt)| {
        a.total_cmp(b).then_with(|| at.bottle().cmp(&bt.bottle()))
    });
    by_distance.truncate(limit);

    let mut collected = Collected::new(limit);
    let places = by_distance.iter().map(|(_, place)| *place);
    nearby::by_place(db, cache, places, |bottle| {
        collected.push(show(bottle)?);
        Ok(continue_if(!collected.is_full()))
    })?;
    Ok(NearbyResult {
        items: collected.items,
        total: upper_bound(db, rectangle)?,
        truncated: true,
        next: None,
    })
}

/// Returns an upper bound of the number of bottles in the rectangle: the sum of the cells that it
/// touches.
fn upper_bound(db: &Connection, rectangle: &Rectangle) -> Result<i64> {
    let cells = cells::touched(db, rectangle, finest_level(rectangle), Grid::Full)?;
    Ok(cells.iter().map(|cell| cell.count).sum())
}

/// Returns the finest level at which the rectangle has at most [`MAX_CELLS`] cells.
pub(super) fn finest_level(rectangle: &Rectangle) -> u8 {
    LEVELS
        .into_iter()
        .rfind(|level| rectangle.estimated_cells(cells::size(*level)) <= MAX_CELLS)
        .unwrap_or(LEVELS[0])
}

/// Returns a rectangle within this one that contains its `min_count` nearest bottles and, as far as
/// the counts of cells can show it, no more than `max_count` in all.
fn narrow(
    db: &Connection,
    rectangle: &Rectangle,
    min_count: i64,
    max_count: i64,
) -> Result<Rectangle> {
    let mut narrow = *rectangle;
    loop {
        let level = finest_level(&narrow);
        let cells = cells::touched(db, &narrow, level, Grid::Full)?;
        let count: i64 = cells.iter().map(|cell| cell.count).sum();
        if count <= max_count {
            return Ok(narrow);
        }
        let Some(angle) = angle_containing(&narrow, &cells, cells::size(level), min_count) else {
            return Ok(narrow);
        };
        let narrower = narrow.within_angle(angle);
        // Cells of the same level would give the same angle.
        if finest_level(&narrower) == level {
            return Ok(narrower);
        }
        narrow = narrower;
    }
}

/// Returns the angle from the centre, in radians, within which the cells completely inside the
/// rectangle contain at least `min_count` bottles.
fn angle_containing(
    rectangle: &Rectangle,
    cells: &[Cell],
    size: f64,
    min_count: i64,
) -> Option<f64> {
    let mut whole: Vec<(f64, i64)> = cells
        .iter()
        .filter(|cell| rectangle.contains_cell(cell.latitude, cell.longitude, size))
        .map(|cell| (farthest_corner(rectangle.center(), cell, size), cell.count))
        .collect();
    whole.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut count = 0;
    whole.into_iter().find_map(|(angle, more)| {
        count += more;
        (count >= min_count).then_some(angle)
    })
}

/// Returns the angle from `center` to the farthest corner of a cell, in radians.
fn farthest_corner(center: Position, cell: &Cell, size: f64) -> f64 {
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
