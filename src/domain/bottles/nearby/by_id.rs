//! Pages of a rectangle's bottles by id, at a cost that is bounded for any sea.
//!
//! No index contains positions in the order of ids, so there are two ways. Scanning all bottles by
//! id and checking their positions is cheap if the rectangle contains much of the sea. Reading all
//! candidates from the R*-tree and sorting them is cheap if it contains little. The counts per cell
//! decide.
//!
//! A page reads at most `limit` bottles inside the rectangle, [`MAX_SKIPPED`] bottles outside it, and
//! [`MAX_PROPOSED`] entries of the R*-tree: some 0.1 s in all with ordinary messages. A page that
//! reaches one of these bounds before it is full is returned short, or even empty; `next` continues
//! from there.

use std::ops::ControlFlow;

use super::{Collected, NearbyResult, continue_if, upper_bound};
use crate::model::error::Result;
use crate::model::geo::{Area, Rectangle};
use crate::store::map_bottle::MapBottleRef;
use crate::store::map_cache::CacheView;
use crate::store::nearby;
use crate::store::{Connection, cells};

/// The maximum number of bottles outside of the rectangle that a page reads: 0.4 µs each, and 15 µs
/// behind the longest messages.
const MAX_SKIPPED: usize = 20_000;

/// The maximum number of bottles in a rectangle whose candidates are read from the R*-tree: 0.2 µs
/// each.
const MAX_PROPOSED: i64 = 100_000;

/// Returns the page of the rectangle's bottles that begins after the id `after`.
pub(super) fn page<T>(
    db: &Connection,
    cache: &CacheView,
    rectangle: &Rectangle,
    after: i64,
    limit: usize,
    show: impl FnMut(&MapBottleRef<'_>) -> Result<(T, usize)>,
) -> Result<NearbyResult<T>> {
    let held = upper_bound(db, rectangle)?;
    let collected = Collected::new(limit);
    let mut page = Page {
        areas: rectangle.areas(),
        show,
        collected,
        last: after,
        skipped: 0,
        has_more: false,
    };
    let is_indexed = held <= MAX_PROPOSED;
    let mut is_complete = false;
    if !is_indexed || walk_length(limit, held, cells::total(db)?) < held {
        is_complete = nearby::all_after(db, after, |id, bottle| page.visit(id, bottle))?;
    }
    if !is_complete && !page.has_more && is_indexed {
        page.skipped = 0;
        let candidates = nearby::candidates_after(db, rectangle, page.last)?;
        is_complete =
            nearby::by_place(db, cache, candidates, |bottle| page.visit(bottle.id, Some(bottle)))?;
    }
    let Page { collected: Collected { items, .. }, last, .. } = page;
    let total = if is_complete { items.len() as i64 } else { held };
    let next = (!is_complete).then_some(last);
    Ok(NearbyResult { items, total, truncated: !is_complete, next })
}

/// Estimates the number of bottles that a scan by id reads to find `limit` of the rectangle, which
/// contains `held` of `all`.
fn walk_length(limit: usize, held: i64, all: i64) -> i64 {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    limit.saturating_mul(all) / held.max(1)
}

/// A page that is being filled.
struct Page<T, S> {
    areas: Vec<Area>,
    show: S,
    collected: Collected<T>,
    /// The last id that needs no further check: the cursor of the next page.
    last: i64,
    /// The number of bottles outside of the rectangle that were read.
    skipped: usize,
    /// True if the rectangle contains more than the page.
    has_more: bool,
}

impl<T, S: FnMut(&MapBottleRef<'_>) -> Result<(T, usize)>> Page<T, S> {
    /// Adds the next bottle by id if it is on the sea and in the rectangle. Breaks at a limit. A
    /// full page continues to the next bottle of the rectangle, which shows that there are more.
    fn visit(&mut self, id: i64, bottle: Option<&MapBottleRef<'_>>) -> Result<ControlFlow<()>> {
        match bottle.filter(|bottle| self.contains(bottle)) {
            Some(_) if self.collected.is_full() => self.has_more = true,
            Some(bottle) => {
                self.collected.push((self.show)(bottle)?);
                self.last = id;
            }
            None => {
                self.skipped += 1;
                // The cursor of a full page is the id of its last item.
                if !self.collected.is_full() {
                    self.last = id;
                }
            }
        }
        Ok(continue_if(!self.has_more && self.skipped < MAX_SKIPPED))
    }

    fn contains(&self, bottle: &MapBottleRef<'_>) -> bool {
        self.areas.iter().any(|area| area.contains(bottle.position))
    }
}
