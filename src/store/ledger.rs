//! The tables `cards`, `members` and `divisions`, which have the same columns.

use rusqlite::{Connection, params};

use crate::model::error::{Error, Result};
use crate::model::fields::{Holding, HoldingName};

/// The maximum number of holdings of one kind in a response.
const MAX_LIST: u32 = 10_000;

fn table(kind: Holding) -> &'static str {
    match kind {
        Holding::Card => "cards",
        Holding::Member => "members",
        Holding::Division => "divisions",
    }
}

/// Inserts a holding.
pub fn insert(db: &Connection, kind: Holding, owner: i64, name: &HoldingName) -> Result<()> {
    db.prepare_cached(&format!("INSERT INTO {} (user_id, name) VALUES (?1, ?2)", table(kind)))?
        .execute(params![owner, name.as_str()])?;
    Ok(())
}

/// Returns the id and name of each holding of `owner`, oldest first.
pub fn list(db: &Connection, kind: Holding, owner: i64) -> Result<Vec<(i64, String)>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT id, name FROM {} WHERE user_id = ?1 ORDER BY id LIMIT 0 + ?2",
        table(kind)
    ))?;
    let rows =
        statement.query_map([owner, MAX_LIST.into()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Deletes a holding. Returns [`Error::NoSuchHolding`] if `owner` has none with this id.
pub fn delete(db: &Connection, kind: Holding, owner: i64, id: i64) -> Result<()> {
    let sql = format!("DELETE FROM {} WHERE user_id = ?1 AND id = ?2", table(kind));
    match db.prepare_cached(&sql)?.execute([owner, id])? {
        0 => Err(Error::NoSuchHolding(kind)),
        _ => Ok(()),
    }
}

/// Deletes all holdings of `owner`.
pub fn delete_all(db: &Connection, owner: i64) -> Result<()> {
    for kind in [Holding::Card, Holding::Member, Holding::Division] {
        db.execute(&format!("DELETE FROM {} WHERE user_id = ?1", table(kind)), [owner])?;
    }
    Ok(())
}

/// Returns the first kind, in the order of Ledger's document, of which `owner` has any.
pub fn first_kind(db: &Connection, owner: i64) -> Result<Option<Holding>> {
    for kind in [Holding::Card, Holding::Member, Holding::Division] {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {} WHERE user_id = ?1)", table(kind));
        if db.query_row(&sql, [owner], |row| row.get(0))? {
            return Ok(Some(kind));
        }
    }
    Ok(None)
}
