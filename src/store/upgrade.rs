//! The copy of an older file that is made before its migration.

use std::path::Path;

use super::open::OpenError;
use super::{backup, files, migrate};

/// A file of an older version is copied before it is brought to this one, to `bottle.db.schema-3`.
pub(super) fn copy_before_migration(path: &Path, version: i32) -> Result<(), OpenError> {
    if version == migrate::newest_version() {
        return Ok(());
    }
    let copy = files::beside(path, &format!(".schema-{version}"));
    backup::backup(path, &copy, |_, _| {})
        .map(drop)
        .map_err(|e| OpenError::NotCopied { path: path.to_owned(), source: Box::new(e) })
}
