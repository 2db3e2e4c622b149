//! The copy of an older file before its migration.

use std::path::Path;

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
