//! Row counts for the metrics and for operators.

use rusqlite::Connection;

use crate::model::clock::Timestamp;
use crate::model::error::Result;

/// The numbers of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Stats {
    pub accounts: i64,
    pub bottles: i64,
    /// Sessions that have not expired.
    pub sessions: i64,
}

/// Counts the rows. The bottles on the sea are the sum of the few cells of the coarsest level, so
/// they are not counted one by one.
pub fn of(db: &Connection, now: Timestamp) -> Result<Stats> {
    let sql = "SELECT (SELECT count(*) FROM users),
                      (SELECT CAST(total(count) AS INTEGER) FROM cells WHERE level = 2),
                      (SELECT count(*) FROM sessions WHERE expires_at > ?1)";
    Ok(db.prepare_cached(sql)?.query_row([now], |row| {
        Ok(Stats { accounts: row.get(0)?, bottles: row.get(1)?, sessions: row.get(2)? })
    })?)
}

/// Counts the openings and the replies, one by one.
pub fn openings_and_replies(db: &Connection) -> Result<(i64, i64)> {
    let sql = "SELECT (SELECT count(*) FROM openings), (SELECT count(*) FROM replies)";
    Ok(db.prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}
