//! The table `blocks`: the accounts that an account has blocked.

use rusqlite::{Connection, params};

use super::pages::{PageRequest, fill, row_limit};
use super::users::{self, Account};
use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};

/// Blocks an account, or ends that. Returns [`Error::NoSuchUser`] if it does not exist.
pub fn set(
    db: &Connection,
    blocker: i64,
    blocked: i64,
    is_blocked: bool,
    now: Timestamp,
) -> Result<()> {
    if users::by_id(db, blocked)?.is_none() {
        return Err(Error::NoSuchUser(blocked.to_string()));
    }
    if is_blocked {
        let sql = "INSERT INTO blocks (blocker_id, blocked_id, blocked_at) VALUES (?1, ?2, ?3)
                   ON CONFLICT DO NOTHING";
        db.prepare_cached(sql)?.execute(params![blocker, blocked, now])?;
    } else {
        let sql = "DELETE FROM blocks WHERE blocker_id = ?1 AND blocked_id = ?2";
        db.prepare_cached(sql)?.execute([blocker, blocked])?;
    }
    Ok(())
}

/// Returns true if `blocker` has blocked `blocked`.
pub fn exists(db: &Connection, blocker: i64, blocked: i64) -> Result<bool> {
    let sql = "SELECT 1 FROM blocks WHERE blocker_id = ?1 AND blocked_id = ?2";
    Ok(db.prepare_cached(sql)?.exists([blocker, blocked])?)
}

/// Passes the accounts that `blocker` has blocked to `show`, by id; see [`super::pages`].
pub fn list(
    db: &Connection,
    blocker: i64,
    page: PageRequest,
    show: impl FnMut(Account) -> Result<usize>,
) -> Result<bool> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {} FROM blocks JOIN users ON users.id = blocked_id
         WHERE blocker_id = ?1 AND blocked_id > ?2 ORDER BY blocked_id LIMIT 0 + ?3",
        users::COLUMNS
    ))?;
    let rows = statement.query(params![blocker, page.after.unwrap_or(0), row_limit(page)])?;
    fill(rows, page, |row| users::account(row, 0), show)
}
