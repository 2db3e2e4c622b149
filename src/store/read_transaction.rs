//! The transaction of a reader, which is a snapshot from its first statement to its end.

use rusqlite::{CachedStatement, Connection};

use crate::model::error::Result;

/// Begins a transaction.
pub(super) fn begin(db: &Connection) -> Result<()> {
    db.prepare_cached("BEGIN")?.execute([])?;
    Ok(())
}

/// Ends the transaction, if there is one.
pub(super) fn end(db: &Connection) {
    // SQLite may have ended it by itself after an I/O error.
    if db.is_autocommit() {
        return;
    }
    let commit = |mut statement: CachedStatement<'_>| statement.execute([]);
    let ended = db.prepare_cached("COMMIT").and_then(commit);
    if ended.is_ok() || db.is_autocommit() {
        return;
    }
    if let Err(e) = db.execute("ROLLBACK", []) {
        tracing::error!("cannot end the transaction of a read, so the next one ends it: {e}");
    }
}
