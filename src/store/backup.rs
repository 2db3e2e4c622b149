//! Backups: verified copies of a database, made while a server may write to it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use tempfile::NamedTempFile;

use super::check::{self, Finding};
use super::connect::{self, Mode};
use super::open::{self, OpenError};
use super::{files, meta, wal};

/// The number of steps of SQLite's virtual machine between two looks at a [`Stop`].
const STEPS_PER_LOOK: i32 = 10_000;

/// The number of pages that are copied between two progress reports: 4 MiB with pages of 2 KiB.
const PAGES_PER_STEP: i32 = 2048;

/// The reason why a backup or restore failed. The existing files are unchanged, or another `bottle
/// restore` completes the work.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum CopyError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("cannot copy to {0}: it is the database itself. Name another file.")]
    SameFile(PathBuf),
    #[error(
        "{path} is not sound: {}. Nothing was changed.\n\
         Run `bottle check` on the file that it is a copy of; it prints the repair.",
        first_description(.findings)
    )]
    Unsound { path: PathBuf, findings: Vec<Finding> },
    #[error("{0} exists and is not a Bottle backup. Name another file.")]
    NotABackup(PathBuf),
    #[error("{0} exists: SQLite would apply this log to the copy. Name another file.")]
    StrayLog(PathBuf),
    #[error(
        "{0} exists and is a backup of another database. Name another file, or move this one away."
    )]
    OtherDatabase(PathBuf),
    #[error(
        "cannot write {path}: {source}.\nCheck that its folder exists, is writable and has free space."
    )]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "cannot copy to {path}: {source}.\nCheck that its folder is writable and has free space."
    )]
    Sqlite { path: PathBuf, source: rusqlite::Error },
    #[error(
        "{folder} has {} MiB free, and a backup needs {} MiB, with the {} MiB that the server \
         needs itself if it is the same disk. Free some space, or keep fewer backups.",
        free >> 20, needed.div_ceil(1 << 20), super::disk::MIN_FREE_BYTES >> 20
    )]
    NoRoom { folder: PathBuf, free: u64, needed: u64 },
    #[error("the copy was stopped")]
    Stopped,
}

/// A request to stop a copy or a check. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Stops the work within milliseconds.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns true once it was requested.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Lets a request interrupt the statements of `db`.
    pub(super) fn watch(&self, db: &Connection) -> rusqlite::Result<()> {
        let stop = self.clone();
        db.progress_handler(STEPS_PER_LOOK, Some(move || stop.is_requested()))
    }
}

fn first_description(findings: &[Finding]) -> &str {
    findings.first().map_or("", |finding| &finding.description)
}

/// The row counts of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The number of accounts.
    pub accounts: i64,
    /// The number of bottles.
    pub bottles: i64,
    /// The number of openings.
    pub openings: i64,
}

/// Copies one snapshot of the database at `from` to `to`.
///
/// The copy is checked before it gets its name, in which it replaces an older backup of the same
/// database. `progress` receives the pages copied and the pages in all. It starts again at 0 if a
/// program changes a file that no server holds.
pub fn backup(
    from: &Path,
    to: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<Contents, CopyError> {
    let to = &files::resolve(to)?;
    if files::is_same_file(from, to) {
        return Err(CopyError::SameFile(to.to_owned()));
    }
    if let Some(log) = files::nonempty_log(to) {
        return Err(CopyError::StrayLog(log));
    }
    let older = older_backup(to)?;
    let (copy, contents) = connect::read(from, |source| {
        wal::check(&files::resolve(from)?)?;
        open::check_schema(from, source)?;
        if let Some((_, Some(older_id))) = &older
            && meta::identity(source).map_err(|e| open::refusal(from, e))?.as_ref()
                != Some(older_id)
        {
            return Err(CopyError::OtherDatabase(to.to_owned()));
        }
        copy_checked(source, to, &mut progress, &Stop::default())
    })?;
    place(copy, to)?;
    Ok(contents)
}

/// Gives a complete copy its name.
pub(super) fn place(copy: NamedTempFile, to: &Path) -> Result<(), CopyError> {
    let io = |source| CopyError::Io { path: to.to_owned(), source };
    copy.persist(to).map_err(|e| io(e.error))?;
    files::sync_folder(to).map_err(io)
}

/// Locks the backup that is about to be replaced, and reads its identity. The identity is `None` if
/// the file is too damaged to have a readable one.
fn older_backup(path: &Path) -> Result<Option<(File, Option<String>)>, CopyError> {
    if !fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        return Ok(None);
    }
    connect::check_header(path).map_err(|_| CopyError::NotABackup(path.to_owned()))?;
    let lock = open::lock(path)?;
    Ok(Some((lock, identity(path))))
}

/// Returns the identity of the database at `path`, which a backup shares with its original. Returns
/// `None` if the file is not Bottle's, cannot be read, or was never served.
pub fn identity(path: &Path) -> Option<String> {
    let read_identity = |db: &Connection| meta::identity(db).map_err(|e| open::refusal(path, e));
    connect::read(path, read_identity).ok().flatten()
}

/// Deletes the backup at `path`. Fails with [`OpenError::InUse`] if a server holds it.
pub fn delete(path: &Path) -> Result<(), CopyError> {
    let _lock = open::lock(path)?;
    fs::remove_file(path).map_err(|source| CopyError::Io { path: path.to_owned(), source })
}

/// Copies the snapshot of `source` into an unnamed file beside `to`, and checks the copy. The file
/// stays locked against servers until it is closed. Returns [`CopyError::Stopped`] if `stop` was
/// requested meanwhile.
pub(super) fn copy_checked(
    source: &Connection,
    to: &Path,
    progress: &mut impl FnMut(u64, u64),
    stop: &Stop,
) -> Result<(NamedTempFile, Contents), CopyError> {
    let sqlite = |source: rusqlite::Error| match open::refusal(to, source) {
        OpenError::Damaged { path, detail } => {
            CopyError::Unsound { path, findings: vec![check::damaged(detail)] }
        }
        OpenError::Sqlite { path, source } => CopyError::Sqlite { path, source },
        refusal => refusal.into(),
    };
    let io = |source| CopyError::Io { path: to.to_owned(), source };
    let file = files::create_temporary(to).map_err(io)?;

    let before = contents(source).map_err(sqlite)?;
    let mut copy = connect::open(file.path(), Mode::Copy).map_err(sqlite)?;
    let steps = Backup::new(source, &mut copy).map_err(sqlite)?;
    loop {
        let step = steps.step(PAGES_PER_STEP).map_err(sqlite)?;
        let state = steps.progress();
        let pages = |count: i32| u64::try_from(count).unwrap_or_default();
        progress(pages(state.pagecount - state.remaining), pages(state.pagecount));
        match step {
            _ if stop.is_requested() => return Err(CopyError::Stopped),
            StepResult::Done => break,
            StepResult::More => {}
            _ => return Err(sqlite(busy())),
        }
    }
    drop(steps);
    copy.close().map_err(|(_, e)| sqlite(e))?;
    file.as_file().sync_all().map_err(io)?;

    let checked = connect::read(file.path(), |copy| {
        stop.watch(copy).map_err(sqlite)?;
        Ok::<_, CopyError>((
            check::findings(copy).map_err(sqlite)?,
            contents(copy).map_err(sqlite)?,
        ))
    });
    if stop.is_requested() {
        return Err(CopyError::Stopped);
    }
    match checked? {
        (findings, after) if findings.is_empty() && after == before => Ok((file, before)),
        (findings, _) => Err(CopyError::Unsound { path: to.to_owned(), findings }),
    }
}

fn busy() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None)
}

fn contents(db: &Connection) -> rusqlite::Result<Contents> {
    let counts = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM bottles),
                         (SELECT count(*) FROM openings)";
    db.query_row(counts, [], |row| {
        Ok(Contents { accounts: row.get(0)?, bottles: row.get(1)?, openings: row.get(2)? })
    })
}
