//! All accounts, with what the operator sees of them.

use rusqlite::Connection;

use super::users::{Account, COLUMN_COUNT, COLUMNS, account};
use crate::model::clock::Timestamp;
use crate::model::error::Result;

/// An account with its numbers of bottles and sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountSummary {
    /// The account.
    pub account: Account,
    /// The number of bottles that it threw.
    pub bottles: i64,
    /// The number of its live sessions.
    pub sessions: i64,
}

/// Returns all accounts, oldest first.
pub fn list(db: &Connection, now: Timestamp) -> Result<Vec<AccountSummary>> {
    let sql = format!(
        "SELECT {COLUMNS},
                (SELECT count(*) FROM bottles WHERE owner_id = users.id),
                (SELECT count(*) FROM sessions WHERE user_id = users.id AND expires_at > ?1)
         FROM users ORDER BY id"
    );
    let mut accounts = db.prepare(&sql)?;
    let listed = accounts.query_map([now], |row| {
        let (bottles, sessions) = (row.get(COLUMN_COUNT)?, row.get(COLUMN_COUNT + 1)?);
        Ok(AccountSummary { account: account(row, 0)?, bottles, sessions })
    })?;
    Ok(listed.collect::<rusqlite::Result<_>>()?)
}
