//! Bottles that end: at their time they leave the sea, for good.

use rusqlite::{Connection, Row, params};

use super::bottles::position;
use crate::model::clock::Timestamp;
use crate::model::error::Result;
use crate::model::geo::Position;

/// The maximum number of bottles that one change ends, so that no other change waits long.
const MAX_ENDED: u32 = 1000;

/// A bottle that has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ended {
    /// The bottle.
    pub id: i64,
    /// The account that threw it.
    pub owner: i64,
    /// The position.
    pub position: Position,
    /// True if it was hidden when it ended.
    pub was_hidden: bool,
}

/// Ends the bottles whose time has come, at most 1,000 of them. They stay ended when the clock is
/// set back.
pub fn end_due(db: &Connection, now: Timestamp) -> Result<Vec<Ended>> {
    let mut statement = db.prepare_cached(
        "UPDATE bottles SET ended_at = ?1
         WHERE id IN (SELECT id FROM bottles WHERE expires_at <= ?1 AND ended_at IS NULL
                      ORDER BY expires_at LIMIT 0 + ?2)
         RETURNING id, owner_id, latitude, longitude, hidden_at IS NOT NULL",
    )?;
    let ended = statement.query_map(params![now, MAX_ENDED], |row: &Row<'_>| {
        Ok(Ended {
            id: row.get(0)?,
            owner: row.get(1)?,
            position: position(row, 2)?,
            was_hidden: row.get(4)?,
        })
    })?;
    Ok(ended.collect::<rusqlite::Result<_>>()?)
}

/// Returns the time at which the next bottle ends.
pub fn next(db: &Connection) -> Result<Option<Timestamp>> {
    let sql = "SELECT min(expires_at) FROM bottles
               WHERE expires_at IS NOT NULL AND ended_at IS NULL";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}
