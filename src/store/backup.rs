//! Copies of the database, made while it is served.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use tempfile::NamedTempFile;

use super::check::{self, Finding};
use super::open::{self, OpenError};
use super::{connect, files, meta};

/// So many pages are copied between two reports of the progress.
const PAGES_A_STEP: i32 = 2048;

/// Why no copy was made, or put back. The files that were there are as they were, or another
/// `bottle restore` finishes the work.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum CopyError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{0} is the database itself. Name another file.")]
    Itself(PathBuf),
    #[error(
        "{path} is not sound: {}. Nothing was changed.\n\
         `bottle check` of the file that it is a copy of says what mends it.",
        first(.findings)
    )]
    Unsound { path: PathBuf, findings: Vec<Finding> },
    #[error("{0} is there, and is no backup of Bottle's. Name another file.")]
    Occupied(PathBuf),
    #[error("{0} is there, a log that would be written over the copy. Name another file.")]
    BesideLog(PathBuf),
    #[error("{0} is there, and is of another database. Name another file, or move this one away.")]
    OfAnother(PathBuf),
    #[error(
        "{path} could not be written: {source}.\nSee that its folder exists, may be written to and has room."
    )]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "the copy at {path} failed: {source}.\nSee that its folder may be written to and has room."
    )]
    Sqlite { path: PathBuf, source: rusqlite::Error },
}

fn first(findings: &[Finding]) -> &str {
    findings.first().map_or("", |finding| &finding.what)
}

/// What a copy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// How many accounts.
    pub accounts: i64,
    /// How many bottles.
    pub bottles: i64,
    /// How many openings.
    pub openings: i64,
}

/// Copies the database at `from` to `to` as it is at one moment, checks the copy, and only then gives it
/// its name, in place of an older backup of the same database. `progress` is told pages done and in all,
/// from the beginning again if a program changes a file that was at rest.
pub fn backup(
    from: &Path,
    to: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<Contents, CopyError> {
    let to = &files::located(to)?;
    if files::same(from, to) {
        return Err(CopyError::Itself(to.to_owned()));
    }
    if let Some(log) = files::log_of(to) {
        return Err(CopyError::BesideLog(log));
    }
    let older = older_backup(to)?;
    let (copy, contents) = connect::read(from, |source| {
        open::check_schema(from, source)?;
        if let Some((_, Some(theirs))) = &older
            && meta::identity(source).map_err(|e| open::refusal(from, e))?.as_ref() != Some(theirs)
        {
            return Err(CopyError::OfAnother(to.to_owned()));
        }
        copied(source, to, &mut progress)
    })?;
    let io = |source| CopyError::Io { path: to.to_owned(), source };
    copy.persist(to).map_err(|e| io(e.error))?;
    files::sync_folder(to).map_err(io)?;
    Ok(contents)
}

/// The backup at `path` that is to be replaced, if there is one: a lock on it, and its identity, unless it is
/// too damaged to tell.
fn older_backup(path: &Path) -> Result<Option<(File, Option<String>)>, CopyError> {
    if !fs::metadata(path).is_ok_and(|there| there.len() > 0) {
        return Ok(None);
    }
    connect::check_header(path).map_err(|_| CopyError::Occupied(path.to_owned()))?;
    let lock = open::lock(path)?;
    Ok(Some((lock, identity(path))))
}

/// The identity of the database that the file at `path` is, or is a backup of. `None` if it is not a
/// database of Bottle's, cannot be read, or was never served.
pub fn identity(path: &Path) -> Option<String> {
    let ask = |db: &Connection| meta::identity(db).map_err(|e| open::refusal(path, e));
    connect::read(path, ask).ok().flatten()
}

/// Deletes the backup at `path`, unless a bottle holds it.
pub fn delete(path: &Path) -> Result<(), CopyError> {
    let _lock = open::lock(path)?;
    fs::remove_file(path).map_err(|source| CopyError::Io { path: path.to_owned(), source })
}

/// A checked copy of all that `source` holds in its transaction, beside `to` and without a name of its own
/// yet. It is locked against every bottle until the file is closed.
pub(super) fn copied(
    source: &Connection,
    to: &Path,
    progress: &mut impl FnMut(u64, u64),
) -> Result<(NamedTempFile, Contents), CopyError> {
    let sqlite = |source| CopyError::Sqlite { path: to.to_owned(), source };
    let io = |source| CopyError::Io { path: to.to_owned(), source };
    let file = files::unfinished(to).map_err(io)?;

    let before = contents(source).map_err(sqlite)?;
    let mut copy = Connection::open(file.path()).map_err(sqlite)?;
    // Until it has its name, nobody needs it after a crash.
    copy.execute_batch("PRAGMA journal_mode = off; PRAGMA synchronous = off").map_err(sqlite)?;
    let steps = Backup::new(source, &mut copy).map_err(sqlite)?;
    loop {
        let step = steps.step(PAGES_A_STEP).map_err(sqlite)?;
        let now = steps.progress();
        let pages = |count: i32| u64::try_from(count).unwrap_or_default();
        progress(pages(now.pagecount - now.remaining), pages(now.pagecount));
        match step {
            StepResult::Done => break,
            StepResult::More => {}
            _ => return Err(sqlite(busy())),
        }
    }
    drop(steps);
    copy.close().map_err(|(_, e)| sqlite(e))?;
    file.as_file().sync_all().map_err(io)?;

    let found = connect::read(file.path(), |copy| {
        Ok::<_, CopyError>((
            check::findings(copy).map_err(sqlite)?,
            contents(copy).map_err(sqlite)?,
        ))
    });
    match found? {
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
