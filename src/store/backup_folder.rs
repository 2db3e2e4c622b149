//! The folder of backups: their names, their list, and deleting the oldest.

use std::cmp::Reverse;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};

use super::backup::{self, CopyError};
use super::files;
use crate::model::clock::Timestamp;

/// The start and the end of the names that backups get by default.
const PREFIX: &str = "bottle-";
const SUFFIX: &str = ".db";

const TIME: &str = "%Y%m%dT%H%M%S%.3fZ";

/// A backup with a default name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupFile {
    /// The name, without its folder.
    pub name: String,
    /// The size in bytes.
    pub bytes: u64,
    /// The time in its name.
    pub made_at: Timestamp,
}

/// Returns the default name of a backup that is made now. The names sort by time.
///
/// ```
/// use bottle::model::clock::Timestamp;
/// use bottle::store::backup_folder::{default_name, made_at};
///
/// let moment = Timestamp::from_millis(1_514_098_943_000);
/// assert_eq!(default_name(moment), "bottle-20171224T070223.000Z.db");
/// assert_eq!(made_at(&default_name(moment)), Some(moment));
/// assert_eq!(made_at("bottle-20171224T070223.000Z.db/../bottle.db"), None);
/// ```
pub fn default_name(now: Timestamp) -> String {
    let time = DateTime::<Utc>::from_timestamp_millis(now.millis()).unwrap_or_default();
    format!("{PREFIX}{}{SUFFIX}", time.format(TIME))
}

/// Returns the time in a default name, and `None` for every other name.
pub fn made_at(name: &str) -> Option<Timestamp> {
    let text = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let time = NaiveDateTime::parse_from_str(text, TIME).ok()?;
    let time = Timestamp::from_millis(time.and_utc().timestamp_millis());
    (default_name(time) == name).then_some(time)
}

/// Returns the backups of the database at `db` in `folder`, the newest first. Leaves out symbolic
/// links, files with other names, and backups of other databases.
pub fn list(folder: &Path, db: &Path, identity: &str) -> io::Result<Vec<BackupFile>> {
    let backup = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let made_at = made_at(&name)?;
        // Of the entry itself, and not of the target of a link.
        let file = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        let backup = BackupFile { name, bytes: file.len(), made_at };
        is_backup_of(&entry.path(), db, identity).then_some(backup)
    };
    let mut backups: Vec<_> = fs::read_dir(folder)?.flatten().filter_map(backup).collect();
    backups.sort_unstable_by_key(|backup| Reverse(backup.made_at));
    Ok(backups)
}

/// Opens a backup for reading, and returns its size. Returns `None` if it is no file any more.
pub(super) fn open(path: &Path) -> io::Result<Option<(File, u64)>> {
    // A link that has taken the place of a file in the list is not followed.
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let meta = file.metadata()?;
    Ok(meta.is_file().then_some((file, meta.len())))
}

/// Deletes the oldest backups beside `newest`, the backup that was just made of the database at
/// `db`, until `keep` are left, and passes the path of each to `deleted`.
///
/// Only backups of the same database with default names count. One that is dated after `newest` was
/// made earlier by a wrong clock, and is deleted first.
pub fn prune(
    newest: &Path,
    db: &Path,
    keep: usize,
    mut deleted: impl FnMut(&Path),
) -> Result<(), CopyError> {
    let Some(identity) = backup::identity(newest) else {
        return Ok(());
    };
    let folder = files::folder_of(newest);
    let io = |source| CopyError::Io { path: folder.to_owned(), source };
    let is_older = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.and_then(made_at).is_some()
            && path.file_name() != newest.file_name()
            && is_backup_of(path, db, &identity)
    };
    let entries = fs::read_dir(folder).map_err(io)?;
    let mut older: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(is_older).collect();
    older.sort_unstable_by_key(|path| {
        (path.file_name() > newest.file_name(), Reverse(path.clone()))
    });
    for path in older.iter().skip(keep.saturating_sub(1)) {
        backup::delete(path)?;
        deleted(path);
    }
    Ok(())
}

/// Returns true for a file that is not the database itself, but has its identity.
fn is_backup_of(path: &Path, db: &Path, identity: &str) -> bool {
    // Opening and closing the database would end SQLite's locks, which belong to the process.
    fs::metadata(path).is_ok_and(|file| file.is_file())
        && !files::is_same_file(path, db)
        && backup::identity(path).as_deref() == Some(identity)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("bottle-20261121T030000.000Z.db", true)]
    #[case("bottle-20261121T030000.000Z.db-wal", false)]
    #[case("bottle-20261121T030000Z.db", false)]
    #[case("bottle-20261321T030000.000Z.db", false)]
    #[case("bottle-notes.db", false)]
    #[case("../bottle-20261121T030000.000Z.db", false)]
    #[case("bottle-20261121T030000.000Z.db\0", false)]
    #[case("bottle- 20261121T030000.000Z.db", false)]
    #[case("", false)]
    fn a_default_name_has_one_form(#[case] name: &str, #[case] is_default: bool) {
        assert_eq!(made_at(name).is_some(), is_default);
    }
}
