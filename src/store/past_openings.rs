//! The table `past_openings`: it keeps the cursors of lists of openings valid for a day after an
//! opening is deleted.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::clock::Timestamp;
use crate::model::error::Result;

/// The time that a cursor outlives its opening, in milliseconds.
const RETENTION_MS: i64 = 24 * 60 * 60 * 1000;

/// The maximum number of rows that one change deletes, so that no other change waits long.
const MAX_DELETED: u32 = 10_000;

/// Returns the time of an opening, its sort key, if it exists or was deleted within a day.
pub(super) fn opened_at(db: &Connection, bottle: i64, opener: i64) -> Result<Option<i64>> {
    let sql = "SELECT opened_at FROM openings WHERE bottle_id = ?1 AND opener_id = ?2
         UNION ALL
         SELECT opened_at FROM past_openings WHERE bottle_id = ?1 AND opener_id = ?2";
    Ok(db.prepare_cached(sql)?.query_row([bottle, opener], |row| row.get(0)).optional()?)
}

/// Returns true if [`delete_old`] would delete any row.
pub fn any_old(db: &Connection, now: Timestamp) -> Result<bool> {
    let sql = "SELECT 1 FROM past_openings WHERE gone_at < ?1 OR gone_at > ?2 LIMIT 1";
    Ok(db.prepare_cached(sql)?.exists(retained(now))?)
}

/// Deletes the rows of openings that were deleted more than a day ago, or in the future by a wrong
/// clock; at most 10,000 of them.
pub fn delete_old(db: &Connection, now: Timestamp) -> Result<()> {
    let (first, last) = retained(now);
    db.prepare_cached(
        "DELETE FROM past_openings WHERE (bottle_id, opener_id) IN (
             SELECT bottle_id, opener_id FROM past_openings
             WHERE gone_at < ?1 OR gone_at > ?2 LIMIT 0 + ?3)",
    )?
    .execute(params![first, last, MAX_DELETED])?;
    Ok(())
}

/// Returns the range of deletion times, in milliseconds, whose rows are kept.
fn retained(now: Timestamp) -> (i64, i64) {
    (now.millis().saturating_sub(RETENTION_MS), now.millis().saturating_add(RETENTION_MS))
}
