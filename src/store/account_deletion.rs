//! Deletion of accounts, with the rules that keep one.

use rusqlite::{Connection, params};

use super::{ledger, operators, sqlite_error};
use crate::model::error::{Error, Result};

/// Deletes the account `id` with its sessions, bottles and openings.
///
/// Returns [`Error::WrongPassword`] if it does not exist or its password has another version than
/// the given one, [`Error::HasHolding`] if a foreign key of a holding keeps it, and
/// [`Error::LastOperator`] if it is the only operator.
pub fn delete(db: &Connection, id: i64, password_version: Option<i64>) -> Result<()> {
    operators::ensure_not_last(db, id)?;
    delete_unguarded(db, id, password_version)
}

/// Deletes the account `id` as [`delete_all`] does, even if it is the only operator.
pub fn delete_even_last(db: &Connection, id: i64) -> Result<()> {
    ledger::delete_all(db, id)?;
    delete_unguarded(db, id, None)
}

fn delete_unguarded(db: &Connection, id: i64, password_version: Option<i64>) -> Result<()> {
    let deleted = db
        .prepare_cached(
            "DELETE FROM users WHERE id = ?1 AND password_version = coalesce(?2, password_version)",
        )?
        .execute(params![id, password_version]);
    match deleted {
        Ok(0) => Err(Error::WrongPassword),
        Ok(_) => Ok(()),
        Err(e) if sqlite_error::is_foreign_key(&e) => match ledger::first_kind(db, id)? {
            Some(kind) => Err(Error::HasHolding(kind)),
            None => Err(e.into()),
        },
        Err(e) => Err(e.into()),
    }
}

/// Deletes the account `id` as [`delete`] does, with its cards, members and divisions.
pub fn delete_all(db: &Connection, id: i64, password_version: Option<i64>) -> Result<()> {
    ledger::delete_all(db, id)?;
    delete(db, id, password_version)
}
