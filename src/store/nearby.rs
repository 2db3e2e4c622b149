//! Searches for bottles in a rectangle: the R*-tree proposes places, the exact positions decide.

use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::LazyLock;

use rusqlite::{Connection, Params, params};

use super::bottles::position;
use super::map_bottle::{COLUMN_COUNT, COLUMNS, MapBottleRef, PLACE_COLUMNS, map_bottle};
use super::map_cache::CacheView;
use super::place::{Place, bottle_of};
use crate::model::error::Result;
use crate::model::geo::{Area, Position, Rectangle};

/// The boxes of the R*-tree that touch an area from south (1) to north (2) and from west (3) to
/// east (4).
const TOUCHES: &str = "max_latitude >= ?1 AND min_latitude <= ?2
  AND max_longitude >= ?3 AND min_longitude <= ?4";

/// The query for the candidates of an area.
static CANDIDATES: LazyLock<String> =
    LazyLock::new(|| format!("SELECT place FROM bottles_rtree\nWHERE {TOUCHES}"));

/// The query for the bottle at a place.
static BY_PLACE: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {PLACE_COLUMNS}\nFROM map_bottles WHERE place = ?1"));

/// Both queries of a search, to be displayed.
pub static SEARCH: LazyLock<String> = LazyLock::new(|| {
    format!("{};\n\n-- for each place that is not in the cache:\n{};", *CANDIDATES, *BY_PLACE)
});

/// Passes the bottles inside the rectangle to `visit`, in no order, until it breaks.
pub fn any(
    db: &Connection,
    cache: &CacheView,
    rectangle: &Rectangle,
    mut visit: impl FnMut(&MapBottleRef<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut candidates = db.prepare_cached(&CANDIDATES)?;
    let mut lookups = Lookups::new(cache);
    for area in rectangle.areas() {
        let mut places = candidates.query(bounds(&area))?;
        while let Some(row) = places.next()? {
            let visited = lookups.visit(db, row.get(0)?, |bottle| {
                if area.contains(bottle.position) { visit(bottle) } else { Ok(Continue(())) }
            })?;
            if visited.is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Looks bottles up by place: in the cache, and then in the file.
struct Lookups<'a> {
    cache: &'a CacheView,
    hits: u64,
    misses: u64,
}

impl<'a> Lookups<'a> {
    fn new(cache: &'a CacheView) -> Self {
        Self { cache, hits: 0, misses: 0 }
    }

    /// Passes the bottle at `place` to `visit`, if it is on the sea.
    fn visit(
        &mut self,
        db: &Connection,
        place: Place,
        visit: impl FnOnce(&MapBottleRef<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<ControlFlow<()>> {
        if let Some(cached) = self.cache.get(place) {
            self.hits += 1;
            return visit(&cached.bottle(place));
        }
        self.misses += 1;
        let mut statement = db.prepare_cached(&BY_PLACE)?;
        let mut rows = statement.query([place])?;
        let Some(row) = rows.next()? else { return Ok(Continue(())) };
        let bottle = map_bottle(row)?;
        self.cache.insert(place, &bottle);
        visit(&bottle)
    }
}

impl Drop for Lookups<'_> {
    fn drop(&mut self) {
        self.cache.count(self.hits, self.misses);
    }
}

/// Returns the candidates of the rectangle whose bottles have ids above `after`, by id. They
/// contain all bottles of the rectangle; the exact positions decide.
pub fn candidates_after(db: &Connection, rectangle: &Rectangle, after: i64) -> Result<Vec<Place>> {
    let mut statement =
        db.prepare_cached(&format!("{} AND {} > ?5", *CANDIDATES, bottle_of("place")))?;
    let mut places: Vec<Place> = Vec::new();
    for Area { south, north, west, east } in rectangle.areas() {
        for place in
            statement.query_map(params![south, north, west, east, after], |row| row.get(0))?
        {
            places.push(place?);
        }
    }
    places.sort_unstable_by_key(|place| place.bottle());
    // One box may touch both areas of a rectangle that nearly meet.
    places.dedup();
    Ok(places)
}

/// Passes the bottles with an id above `after` to `visit`, by id and wherever they are, until it
/// breaks; `None` in place of a hidden bottle. Returns false if it broke.
pub fn all_after(
    db: &Connection,
    after: i64,
    mut visit: impl FnMut(i64, Option<&MapBottleRef<'_>>) -> Result<ControlFlow<()>>,
) -> Result<bool> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS}, on_sea FROM bottles WHERE id > ?1 ORDER BY id"
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

/// Returns the place and position of bottles inside the rectangle, in no order and at most `limit`.
pub fn positions(
    db: &Connection,
    rectangle: &Rectangle,
    limit: usize,
) -> Result<Vec<(Place, Position)>> {
    // `CROSS JOIN` makes the R*-tree the outer loop of SQLite's query plan.
    let mut statement = db.prepare_cached(&format!(
        "SELECT map_bottles.place, latitude, longitude
         FROM bottles_rtree CROSS JOIN map_bottles ON map_bottles.place = bottles_rtree.place
         WHERE {TOUCHES} AND latitude BETWEEN ?1 AND ?2 AND longitude BETWEEN ?3 AND ?4"
    ))?;
    let mut positions = Vec::new();
    for area in rectangle.areas() {
        let mut rows = statement.query(bounds(&area))?;
        while positions.len() < limit
            && let Some(row) = rows.next()?
        {
            positions.push((row.get(0)?, position(row, 1)?));
        }
    }
    Ok(positions)
}

/// Passes the bottles at these places to `visit`, in this order, until it breaks. Returns false if
/// it broke.
pub fn by_place(
    db: &Connection,
    cache: &CacheView,
    places: impl IntoIterator<Item = Place>,
    mut visit: impl FnMut(&MapBottleRef<'_>) -> Result<ControlFlow<()>>,
) -> Result<bool> {
    let mut lookups = Lookups::new(cache);
    for place in places {
        if lookups.visit(db, place, &mut visit)? == Break(()) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn bounds(area: &Area) -> impl Params {
    [area.south, area.north, area.west, area.east]
}
