//! The migration of an older file, after a copy of it.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::connect::{self, Mode};
use super::open::OpenError;
use super::{backup, files, migrate};

/// Copies a file with an older schema, for example to `bottle.db.schema-3`, before it is migrated.
pub(super) fn copy_before_migration(path: &Path, version: i32) -> Result<(), OpenError> {
    if version == migrate::newest_version() {
        return Ok(());
    }
    let copy = files::with_suffix(path, &format!(".schema-{version}"));
    backup::backup(path, &copy, |_, _| {})
        .map(drop)
        .map_err(|e| OpenError::NotCopied { path: path.to_owned(), source: Box::new(e) })
}

/// Opens the connection that migrates and then writes.
pub(super) fn open_writing(path: &Path, busy_timeout: Duration) -> Result<Connection, OpenError> {
    let connect = || {
        let db = connect::open(path, Mode::Write)?;
        db.busy_timeout(busy_timeout)?;
        Ok(db)
    };
    let mut db = connect().map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })?;
    migrate::to_newest(&mut db)
        .map_err(|source| OpenError::Migration { path: path.to_owned(), source })?;
    Ok(db)
}
