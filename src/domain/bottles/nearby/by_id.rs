//! The bottles of a rectangle by id, page by page, at a cost that is bounded whatever the sea.
//!
//! There is no index of places in the order of ids, so there are two ways. To *walk* all bottles by id and
//! look where each is costs little where the rectangle holds much of the sea. To *ask the R*-tree* for all
//! that the rectangle holds, and sort that, costs little where it holds little. The counts by cell tell which
//! is cheaper.
//!
//! A page reads at most `limit` bottles, [`MAX_SKIPPED`] outside of the rectangle by either way, and
//! [`MAX_PROPOSED`] entries of the R*-tree: some 0.1 s in all with ordinary messages. A page that is not
//! full by then, in a rectangle that holds more than [`MAX_PROPOSED`], is short or even empty, and its
//! `next` goes on.

use std::ops::ControlFlow;

use super::{Answer, NearbyResult, bound, go_on};
use crate::model::error::Result;
use crate::model::geo::{Area, Rectangle};
use crate::store::nearby::{self, MapBottleRef};
use crate::store::{Connection, cells};

/// How many bottles outside of the rectangle a page looks at: 0.4 µs each, 15 µs behind the longest messages.
const MAX_SKIPPED: usize = 20_000;

/// How many bottles a rectangle may hold for the R*-tree to be asked for all of them: 0.2 µs each.
const MAX_PROPOSED: i64 = 100_000;

/// The part of the rectangle's bottles that comes after the id `after`.
pub(super) fn page<T>(
    db: &Connection,
    rectangle: &Rectangle,
    after: i64,
    limit: usize,
    show: impl FnMut(&MapBottleRef<'_>) -> Result<(T, usize)>,
) -> Result<NearbyResult<T>> {
    let held = bound(db, rectangle)?;
    let answer = Answer::new(limit);
    let mut page =
        Page { areas: rectangle.areas(), show, answer, last: after, skipped: 0, has_more: false };
    let is_indexed = held <= MAX_PROPOSED;
    let mut is_whole = false;
    if !is_indexed || walk_length(limit, held, cells::total(db)?) < held {
        is_whole = nearby::all_after(db, after, |id, sighting| page.meet(id, sighting))?;
    }
    if !is_whole && !page.has_more && is_indexed {
        page.skipped = 0;
        let proposed = nearby::proposed_after(db, rectangle, page.last)?;
        is_whole = nearby::by_id(db, proposed, |found| page.meet(found.id, Some(found)))?;
    }
    let Page { answer: Answer { items, .. }, last, .. } = page;
    let total = if is_whole { items.len() as i64 } else { held };
    let next = (!is_whole).then_some(last);
    Ok(NearbyResult { items, total, truncated: !is_whole, next })
}

/// How many bottles by id are likely to hold `limit` of the rectangle's, which has `held` of `all`.
fn walk_length(limit: usize, held: i64, all: i64) -> i64 {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    limit.saturating_mul(all) / held.max(1)
}

/// A page in the making.
struct Page<T, S> {
    areas: Vec<Area>,
    show: S,
    answer: Answer<T>,
    /// The last id that was looked at and needs no second look.
    last: i64,
    /// How many bottles outside of the rectangle were looked at.
    skipped: usize,
    /// Whether the rectangle holds more than the page.
    has_more: bool,
}

impl<T, S: FnMut(&MapBottleRef<'_>) -> Result<(T, usize)>> Page<T, S> {
    /// Looks at the next bottle by id, if it is on the sea, and breaks off once no more may be looked at. A full
    /// page still looks for one more bottle, which tells that there are more.
    fn meet(&mut self, id: i64, sighting: Option<&MapBottleRef<'_>>) -> Result<ControlFlow<()>> {
        match sighting.filter(|sighting| self.holds(sighting)) {
            Some(_) if self.answer.is_full() => self.has_more = true,
            Some(sighting) => {
                self.answer.push((self.show)(sighting)?);
                self.last = id;
            }
            None => {
                self.skipped += 1;
                // Behind a full page, its own last id is what goes on.
                if !self.answer.is_full() {
                    self.last = id;
                }
            }
        }
        Ok(go_on(!self.has_more && self.skipped < MAX_SKIPPED))
    }

    fn holds(&self, sighting: &MapBottleRef<'_>) -> bool {
        self.areas.iter().any(|area| area.holds(sighting.position))
    }
}
