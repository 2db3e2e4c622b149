//! Where openings stand in their lists, also for a day after they are gone: the cursors of those lists.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::clock::Timestamp;
use crate::model::error::Result;

/// How long a cursor outlives what it names, in milliseconds.
const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// How many rows are deleted at one time, so that no change waits long behind that.
const MAX_CLEARED: u32 = 10_000;

/// The moment of an opening, which sorts it, whether it still stands or has gone within a day.
pub(super) fn opened_at(db: &Connection, bottle: i64, opener: i64) -> Result<Option<i64>> {
    let sql = "SELECT opened_at FROM openings WHERE bottle_id = ?1 AND opener_id = ?2
         UNION ALL
         SELECT opened_at FROM past_openings WHERE bottle_id = ?1 AND opener_id = ?2";
    Ok(db.prepare_cached(sql)?.query_row([bottle, opener], |row| row.get(0)).optional()?)
}

/// Whether [`clear`] would find any.
pub fn any_old(db: &Connection, now: Timestamp) -> Result<bool> {
    let sql = "SELECT 1 FROM past_openings WHERE gone_at < ?1 OR gone_at > ?2 LIMIT 1";
    Ok(db.prepare_cached(sql)?.exists(kept(now))?)
}

/// Deletes those that have been gone for a day, or that a wrong clock put into the future; some of them, where
/// they are many.
pub fn clear(db: &Connection, now: Timestamp) -> Result<()> {
    let (first, last) = kept(now);
    db.prepare_cached(
        "DELETE FROM past_openings WHERE (bottle_id, opener_id) IN (
             SELECT bottle_id, opener_id FROM past_openings
             WHERE gone_at < ?1 OR gone_at > ?2 LIMIT 0 + ?3)",
    )?
    .execute(params![first, last, MAX_CLEARED])?;
    Ok(())
}

/// The moments between which one must have gone to be kept.
fn kept(now: Timestamp) -> (i64, i64) {
    (now.millis().saturating_sub(KEPT_MS), now.millis().saturating_add(KEPT_MS))
}
