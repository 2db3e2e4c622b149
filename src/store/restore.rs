//! Replaces the database by a backup.
//!
//! Restore may be killed between any two steps. Before the last of them the next start serves the
//! old database, or fails; afterwards it serves the backup. Another restore completes the work.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};
use tempfile::NamedTempFile;

use super::backup::{Contents, CopyError, Stop, copy_checked};
use super::connect::{self, Mode};
use super::files::{self, LOG_SUFFIXES, with_suffix};
use super::{open, wal};

/// The content of the file that stands in for the log while there is no database: the server does
/// not start over a log without a database, and SQLite reads this one as an empty log.
const STAND_IN: &[u8] = b"bottle restore was stopped here: run it again.\n";

/// Replaces the database at `to` by the backup at `from`. Returns the contents of the backup, and
/// the name under which the old database is kept.
pub fn restore(
    from: &Path,
    to: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<(Contents, Option<PathBuf>), CopyError> {
    let to = &files::resolve(to)?;
    if files::is_same_file(from, to) {
        return Err(CopyError::SameFile(to.to_owned()));
    }
    open::check_not_followed(to)?;
    // No server may hold the old database until it has been replaced.
    let old_file = if to.exists() { Some(open::lock(to)?) } else { None };
    let (copy, contents) = connect::read(from, |source| {
        wal::check(&files::resolve(from)?)?;
        open::check_schema(from, source)?;
        copy_checked(source, to, &mut progress, &Stop::default())
    })?;
    // Only the file's owner may change its mode; another user can still restore.
    let _ = files::restrict_permissions(to);
    let exclusive = if old_file.is_some() { checkpoint(to)? } else { None };
    let result = match &old_file {
        Some(old_file) if exclusive.is_some() || files::nonempty_log(to).is_none() => {
            replace(copy, to, old_file)
        }
        None if files::nonempty_log(to).is_none() => files::place_new(copy, to).map(|()| None),
        old_file => replace_with_logs(copy, to, old_file.as_ref()),
    };
    let kept = result.map_err(|source| CopyError::Io { path: to.to_owned(), source })?;
    Ok((contents, kept))
}

/// Checkpoints the log into the database at `path`, and locks every other program out while the
/// returned connection lives. Returns `None` if the file is too damaged for that, or not Bottle's.
fn checkpoint(path: &Path) -> Result<Option<Connection>, CopyError> {
    // SQLite would delete the log of an empty file.
    if connect::check_header(path).is_err() {
        return Ok(None);
    }
    let checkpointed = connect::open(path, Mode::Exclusive).and_then(|db| {
        db.execute_batch("BEGIN EXCLUSIVE; COMMIT")?;
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(db)
    });
    let is_empty = |log: PathBuf| fs::metadata(log).map_or(true, |log| log.len() == 0);
    use ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
    match checkpointed {
        Ok(db) => Ok(is_empty(with_suffix(path, "-wal")).then_some(db)),
        Err(e) => match e.sqlite_error_code() {
            Some(DatabaseBusy | DatabaseLocked | DiskFull) => Err(open::refusal(path, e).into()),
            _ => Ok(None),
        },
    }
}

/// Replaces a database whose log is checkpointed. A single rename switches to the copy.
fn replace(copy: NamedTempFile, to: &Path, old_file: &File) -> io::Result<Option<PathBuf>> {
    remove_second_names(to)?;
    for suffix in ["-wal", "-journal", "-shm"] {
        remove_if_exists(&with_suffix(to, suffix))?;
    }
    let kept = free_name(to);
    link_or_copy(to, &kept, old_file)?;
    files::sync_folder(to)?;
    let _locked = copy.persist(to)?;
    files::sync_folder(to)?;
    Ok(Some(kept))
}

/// Replaces a database that must keep its log. First both are linked under their new names; then
/// the database's old name is removed, so that the server does not start with a part of the files;
/// then the log's. Each step is on disk before the next one: a power cut may keep the later of two.
fn replace_with_logs(
    copy: NamedTempFile,
    to: &Path,
    old_file: Option<&File>,
) -> io::Result<Option<PathBuf>> {
    if old_file.is_some() {
        remove_second_names(to)?;
    }
    let kept = free_name(to);
    let already_kept = kept_names(to)?;
    for suffix in LOG_SUFFIXES {
        let log = with_suffix(to, suffix);
        // A restore that was stopped has linked this log already.
        let is_kept = already_kept.iter().any(|kept| files::is_same_file(kept, &log));
        if log.exists() && !is_kept && !is_stand_in(&log) {
            link_or_copy(&log, &with_suffix(&kept, suffix), &File::open(&log)?)?;
        }
    }
    if let Some(old_file) = old_file {
        link_or_copy(to, &kept, old_file)?;
    }
    let mut stand_in = files::create_temporary(to)?;
    stand_in.write_all(STAND_IN)?;
    stand_in.as_file().sync_all()?;
    files::sync_folder(to)?;

    remove_if_exists(to)?;
    files::sync_folder(to)?;
    stand_in.persist(with_suffix(to, "-wal"))?;
    for suffix in ["-journal", "-shm"] {
        remove_if_exists(&with_suffix(to, suffix))?;
    }
    files::sync_folder(to)?;
    // The copy is locked: no server has opened it when the stand-in is removed.
    let _locked = copy.persist_noclobber(to)?;
    files::sync_folder(to)?;
    remove_if_exists(&with_suffix(to, "-wal"))?;
    Ok(kept.exists().then_some(kept))
}

fn is_stand_in(log: &Path) -> bool {
    let is_as_long = |log: fs::Metadata| log.len() == STAND_IN.len() as u64;
    fs::metadata(log).is_ok_and(is_as_long) && fs::read(log).is_ok_and(|text| text == STAND_IN)
}

const KEPT_INFIX: &str = ".before-restore-";

/// Returns the first name `….before-restore-N` without a database or a log.
fn free_name(path: &Path) -> PathBuf {
    let is_free = |kept: &PathBuf| {
        !["", "-wal", "-journal", "-shm"].iter().any(|suffix| with_suffix(kept, suffix).exists())
    };
    (1..).map(|n| with_suffix(path, &format!("{KEPT_INFIX}{n}"))).find(is_free).unwrap_or_default()
}

/// Returns the paths of all files that restores have kept of the database at `path`.
fn kept_names(path: &Path) -> io::Result<Vec<PathBuf>> {
    let prefix = with_suffix(path, KEPT_INFIX);
    let is_kept = |path: &PathBuf| {
        path.as_os_str().as_encoded_bytes().starts_with(prefix.as_os_str().as_encoded_bytes())
    };
    let entries = fs::read_dir(files::folder_of(path))?.flatten();
    Ok(entries.map(|entry| entry.path()).filter(is_kept).collect())
}

/// Removes the second names of files that still have their first: a restore was stopped in between.
fn remove_second_names(path: &Path) -> io::Result<()> {
    for kept in kept_names(path)? {
        let is_second = |suffix: &&str| files::is_same_file(&kept, &with_suffix(path, suffix));
        if ["", LOG_SUFFIXES[0], LOG_SUFFIXES[1]].iter().any(is_second) {
            fs::remove_file(kept)?;
        }
    }
    Ok(())
}

/// Links the file at `path`, which is open as `file`, under a second name; copies it if the disk
/// has no hard links.
fn link_or_copy(path: &Path, kept: &Path, mut file: &File) -> io::Result<()> {
    match fs::hard_link(path, kept) {
        Err(e) if matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) => {}
        linked => return linked,
    }
    // Opening and closing the database here would end SQLite's locks, which belong to the process.
    let mut copy = files::create_temporary(kept)?;
    io::copy(&mut file, &mut copy)?;
    copy.as_file().sync_all()?;
    copy.persist_noclobber(kept)?;
    Ok(())
}

fn remove_if_exists(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
