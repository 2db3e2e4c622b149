//! How much there is.

use rusqlite::Connection;

use crate::model::clock::Timestamp;
use crate::model::error::Result;

/// How much there is of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Stats {
    pub accounts: i64,
    pub bottles: i64,
    /// Live ones.
    pub sessions: i64,
}

/// What there is now. Bottles are not counted one by one: the few cells of the coarsest level know.
pub fn of(db: &Connection, now: Timestamp) -> Result<Stats> {
    let sql = "SELECT (SELECT count(*) FROM users),
                      (SELECT CAST(total(count) AS INTEGER) FROM cells WHERE level = 2),
                      (SELECT count(*) FROM sessions WHERE expires_at > ?1)";
    Ok(db.prepare_cached(sql)?.query_row([now], |row| {
        Ok(Stats { accounts: row.get(0)?, bottles: row.get(1)?, sessions: row.get(2)? })
    })?)
}
