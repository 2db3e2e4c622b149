//! Copies of the database, made while it is served, and put back.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::check::{self, Finding};
use super::open::{self, OpenError};

/// So many pages are copied between two reports of the progress.
const PAGES_A_STEP: i32 = 2048;

/// What the name of a copy begins with, until it is whole.
const PREFIX: &str = ".bottle-copy-";

/// Why no copy was made, or put back. The files that were there are as they were.
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
/// its name, in place of an older backup of that name. `progress` is told pages done and in all.
pub fn backup(
    from: &Path,
    to: &Path,
    progress: impl FnMut(u64, u64),
) -> Result<Contents, CopyError> {
    if same(from, to) {
        return Err(CopyError::Itself(to.to_owned()));
    }
    if fs::metadata(to).is_ok_and(|there| there.len() > 0) {
        open::check_header(to).map_err(|_| CopyError::Occupied(to.to_owned()))?;
        drop(open::lock(to)?);
    }
    let source = open::open_to_read(from)?;
    open::check_schema(from, &source)?;
    let (copy, contents) = copied(&source, to, progress)?;
    let io = |source| CopyError::Io { path: to.to_owned(), source };
    copy.persist(to).map_err(|e| io(e.error))?;
    open::sync_folder(to).map_err(io)?;
    Ok(contents)
}

/// Puts the backup at `from` in the place of the database at `to`; the one that was there is kept under
/// the name that comes back.
pub fn restore(
    from: &Path,
    to: &Path,
    progress: impl FnMut(u64, u64),
) -> Result<(Contents, Option<PathBuf>), CopyError> {
    if same(from, to) {
        return Err(CopyError::Itself(to.to_owned()));
    }
    let source = open::open_to_read(from)?;
    open::check_schema(from, &source)?;
    // No bottle may serve the old one, nor begin to, until it is out of the way.
    let _lock = if to.exists() { Some(open::lock(to)?) } else { None };
    let (copy, contents) = copied(&source, to, progress)?;
    let kept = put_away(to)?;
    let io = |source| CopyError::Io { path: to.to_owned(), source };
    // A bottle that began here a moment ago keeps its file.
    copy.persist_noclobber(to).map_err(|e| io(e.error))?;
    open::sync_folder(to).map_err(io)?;
    Ok((contents, kept))
}

/// A checked copy of all that `source` holds now, beside `to` and without a name of its own yet.
fn copied(
    source: &Connection,
    to: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<(tempfile::NamedTempFile, Contents), CopyError> {
    let sqlite = |source| CopyError::Sqlite { path: to.to_owned(), source };
    let io = |source| CopyError::Io { path: to.to_owned(), source };
    // The file is readable by its owner alone, as the database is.
    clear(open::folder_of(to)).map_err(io)?;
    let file = tempfile::Builder::new().prefix(PREFIX).tempfile_in(open::folder_of(to));
    let file = file.map_err(io)?;
    file.as_file().lock().map_err(io)?;

    // One snapshot for all steps: else each change by the server would begin the copy anew.
    source.execute_batch("BEGIN").map_err(sqlite)?;
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
    source.execute_batch("ROLLBACK").map_err(sqlite)?;
    copy.close().map_err(|(_, e)| sqlite(e))?;
    file.as_file().sync_all().map_err(io)?;

    let copy = open::open_unserved(file.path()).map_err(sqlite)?;
    let findings = check::findings(&copy).map_err(sqlite)?;
    if !findings.is_empty() || contents(&copy).map_err(sqlite)? != before {
        return Err(CopyError::Unsound { path: to.to_owned(), findings });
    }
    Ok((file, before))
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

/// Renames what is at `path`, and its log with it, so that both can still be opened; to what.
fn put_away(path: &Path) -> Result<Option<PathBuf>, CopyError> {
    let io = |source| CopyError::Io { path: path.to_owned(), source };
    let kept = (1..)
        .map(|n| open::beside(path, &format!(".before-restore-{n}")))
        .find(|kept| !kept.exists())
        .unwrap_or_default();
    let mut found = false;
    for suffix in ["-wal", "-shm", ""] {
        match fs::rename(open::beside(path, suffix), open::beside(&kept, suffix)) {
            Ok(()) => found = true,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(io(e)),
        }
    }
    Ok(found.then_some(kept))
}

/// Takes away what copies that were killed left in this folder.
fn clear(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        let is_copy = entry.file_name().to_string_lossy().starts_with(PREFIX);
        // One that is being made is locked.
        if is_copy && File::open(entry.path()).is_ok_and(|copy| copy.try_lock().is_ok()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
