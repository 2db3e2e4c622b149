//! The table `throw_keys`: the keys that clients choose for their throws, so that a request that is
//! sent again throws no second bottle.

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::clock::Timestamp;
use crate::model::error::Result;

/// The time for which a key is kept, in milliseconds.
const RETENTION_MS: i64 = 24 * 60 * 60 * 1000;

/// Returns the bottle that the account threw with this key within a day.
pub fn bottle(db: &Connection, owner: i64, key: &str) -> Result<Option<i64>> {
    let sql = "SELECT bottle_id FROM throw_keys WHERE owner_id = ?1 AND key = ?2";
    Ok(db.prepare_cached(sql)?.query_row(params![owner, key], |row| row.get(0)).optional()?)
}

/// Stores the key of a bottle, and deletes the keys of more than a day ago.
pub fn insert(db: &Connection, owner: i64, key: &str, bottle: i64, now: Timestamp) -> Result<()> {
    db.prepare_cached("DELETE FROM throw_keys WHERE thrown_at < ?1")?
        .execute([now.millis().saturating_sub(RETENTION_MS)])?;
    let sql =
        "INSERT INTO throw_keys (owner_id, key, bottle_id, thrown_at) VALUES (?1, ?2, ?3, ?4)";
    db.prepare_cached(sql)?.execute(params![owner, key, bottle, now])?;
    Ok(())
}
