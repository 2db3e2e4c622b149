//! Replaces the database by a backup.
//!
//! Restore may be killed between any two steps. Before the last of them the next start serves the
//! old database, or fails; afterwards it serves the backup. Another restore completes the work.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};
use tempfile::NamedTempFile;

use super::backup::{Contents, CopyError, copied};
use super::connect::{self, Mode};
use super::files::{self, LOGS, beside};
use super::open;

/// The content of the file that stands in for the log while there is no database: the server does
/// not start over a log without a database, and SQLite reads this one as an empty log.
const STOPPED: &[u8] = b"bottle restore was stopped here: run it again.\n";

/// Replaces the database at `to` by the backup at `from`. Returns the contents of the backup, and
/// the name under which the old database is kept.
pub fn restore(
    from: &Path,
    to: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<(Contents, Option<PathBuf>), CopyError> {
    let to = &files::located(to)?;
    if files::same(from, to) {
        return Err(CopyError::Itself(to.to_owned()));
    }
    // No server may hold the old database until it has been replaced.
    let old = if to.exists() { Some(open::lock(to)?) } else { None };
    let (copy, contents) = connect::read(from, |source| {
        open::check_schema(from, source)?;
        copied(source, to, &mut progress)
    })?;
    // Only the file's owner may change its mode; another user can still restore.
    let _ = files::keep_private(to);
    let alone = if old.is_some() { fold(to)? } else { None };
    let placed = match &old {
        Some(old) if alone.is_some() || files::log_of(to).is_none() => replace(copy, to, old),
        None if files::log_of(to).is_none() => place(copy, to).map(|()| None),
        old => replace_with_logs(copy, to, old.as_ref()),
    };
    let kept = placed.map_err(|source| CopyError::Io { path: to.to_owned(), source })?;
    Ok((contents, kept))
}

/// Checkpoints the log into the database at `path`, and locks every other program out while the
/// returned connection lives. Returns `None` if the file is too damaged for that, or not Bottle's.
fn fold(path: &Path) -> Result<Option<Connection>, CopyError> {
    // SQLite would delete the log of an empty file.
    if connect::check_header(path).is_err() {
        return Ok(None);
    }
    let folded = connect::open(path, Mode::Exclusive).and_then(|db| {
        db.execute_batch("BEGIN EXCLUSIVE; COMMIT")?;
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(db)
    });
    let is_empty = |log: PathBuf| fs::metadata(log).map_or(true, |log| log.len() == 0);
    use ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull};
    match folded {
        Ok(db) => Ok(is_empty(beside(path, "-wal")).then_some(db)),
        Err(e) => match e.sqlite_error_code() {
            Some(DatabaseBusy | DatabaseLocked | DiskFull) => Err(open::refusal(path, e).into()),
            _ => Ok(None),
        },
    }
}

/// Replaces a database whose log is checkpointed. A single rename switches to the copy.
fn replace(copy: NamedTempFile, to: &Path, old: &File) -> io::Result<Option<PathBuf>> {
    remove_second_names(to)?;
    for suffix in ["-wal", "-journal", "-shm"] {
        remove(&beside(to, suffix))?;
    }
    let kept = free_name(to);
    keep(to, &kept, old)?;
    files::sync_folder(to)?;
    let _locked = copy.persist(to)?;
    files::sync_folder(to)?;
    Ok(Some(kept))
}

/// Places the copy at a path without a database. Fails if a server has created one there meanwhile.
fn place(copy: NamedTempFile, to: &Path) -> io::Result<()> {
    let _locked = copy.persist_noclobber(to)?;
    files::sync_folder(to)
}

/// Replaces a database that must keep its log. First both are linked under their new names; then
/// the database's old name is removed, so that the server does not start with a part of the files;
/// then the log's.
fn replace_with_logs(
    copy: NamedTempFile,
    to: &Path,
    old: Option<&File>,
) -> io::Result<Option<PathBuf>> {
    if old.is_some() {
        remove_second_names(to)?;
    }
    let kept = free_name(to);
    let kept_before = kept_names(to)?;
    for suffix in LOGS {
        let log = beside(to, suffix);
        // A restore that was stopped has linked this log already.
        let is_kept = kept_before.iter().any(|kept| files::same(kept, &log));
        if log.exists() && !is_kept && !is_stand_in(&log) {
            keep(&log, &beside(&kept, suffix), &File::open(&log)?)?;
        }
    }
    if let Some(old) = old {
        keep(to, &kept, old)?;
    }
    let mut stand_in = files::unfinished(to)?;
    stand_in.write_all(STOPPED)?;
    stand_in.as_file().sync_all()?;
    files::sync_folder(to)?;

    remove(to)?;
    stand_in.persist(beside(to, "-wal"))?;
    for suffix in ["-journal", "-shm"] {
        remove(&beside(to, suffix))?;
    }
    // The copy is locked: no server has opened it when the stand-in is removed.
    let _locked = copy.persist_noclobber(to)?;
    files::sync_folder(to)?;
    remove(&beside(to, "-wal"))?;
    Ok(kept.exists().then_some(kept))
}

fn is_stand_in(log: &Path) -> bool {
    let is_as_long = |log: fs::Metadata| log.len() == STOPPED.len() as u64;
    fs::metadata(log).is_ok_and(is_as_long) && fs::read(log).is_ok_and(|text| text == STOPPED)
}

const KEPT: &str = ".before-restore-";

/// Returns the first name `….before-restore-N` without a database or a log.
fn free_name(path: &Path) -> PathBuf {
    let is_free = |kept: &PathBuf| {
        !["", "-wal", "-journal", "-shm"].iter().any(|suffix| beside(kept, suffix).exists())
    };
    (1..).map(|n| beside(path, &format!("{KEPT}{n}"))).find(is_free).unwrap_or_default()
}

/// Returns the paths of all files that restores have kept of the database at `path`.
fn kept_names(path: &Path) -> io::Result<Vec<PathBuf>> {
    let prefix = beside(path, KEPT);
    let is_kept = |path: &PathBuf| {
        path.as_os_str().as_encoded_bytes().starts_with(prefix.as_os_str().as_encoded_bytes())
    };
    let entries = fs::read_dir(files::folder_of(path))?.flatten();
    Ok(entries.map(|entry| entry.path()).filter(is_kept).collect())
}

/// Removes the second names of files that still have their first: a restore was stopped in between.
fn remove_second_names(path: &Path) -> io::Result<()> {
    for kept in kept_names(path)? {
        let is_second = |suffix: &&str| files::same(&kept, &beside(path, suffix));
        if ["", LOGS[0], LOGS[1]].iter().any(is_second) {
            fs::remove_file(kept)?;
        }
    }
    Ok(())
}

/// Links the file at `path`, which is open as `file`, under a second name; copies it if the disk
/// has no hard links.
fn keep(path: &Path, kept: &Path, mut file: &File) -> io::Result<()> {
    match fs::hard_link(path, kept) {
        Err(e) if matches!(e.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied) => {}
        linked => return linked,
    }
    // Opening and closing the database here would end SQLite's locks, which belong to the process.
    let mut copy = files::unfinished(kept)?;
    io::copy(&mut file, &mut copy)?;
    copy.as_file().sync_all()?;
    copy.persist_noclobber(kept)?;
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
