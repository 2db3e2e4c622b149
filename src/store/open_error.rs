//! Why a database file is not opened.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// Why a database file was not opened. Except for the last, the file is as it was, to the byte.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum OpenError {
    #[error(
        "the database has no name: the setting `database` is empty.\n\
         Name a file there, or with --db FILE."
    )]
    Unnamed,
    #[error(
        "{0} is not an SQLite database, so Bottle leaves it alone.\n\
         Name another file with --db FILE, or move this one away and start again."
    )]
    NotADatabase(PathBuf),
    #[error(
        "{0} is another program's database, so Bottle leaves it alone.\n\
         Name another file with --db FILE; a missing file becomes a new database."
    )]
    Foreign(PathBuf),
    #[error(
        "{path} was written by a newer Bottle (schema {found}; this one knows up to {known}).\n\
         Start the newer bottle, or name another file with --db FILE."
    )]
    Newer { path: PathBuf, found: i32, known: i32 },
    #[error(
        "{path} is damaged ({detail}), so Bottle leaves it alone.\n\
         Put your last good copy in its place, or try `sqlite3 {path} .recover` into a new file."
    )]
    Damaged { path: PathBuf, detail: String },
    #[error(
        "{path} has a {kind} {name:?} that is not Bottle's and acts by itself, so Bottle leaves the file alone.\n\
         Remove it (sqlite3 {path} 'DROP {kind} {name:?}'), or restore a backup."
    )]
    ForeignObject { path: PathBuf, kind: String, name: String },
    #[error(
        "{log} is there without its database, so Bottle leaves both names alone: it may hold changes that \
         are nowhere else.\n\
         If `bottle restore` was stopped here, run it again. Else put {path} back beside it; or, for a new \
         database, move {log} away first."
    )]
    StrayLog { path: PathBuf, log: PathBuf },
    #[error(
        "{0} is in use by another bottle.\n\
         Stop that one first, or name another file with --db FILE."
    )]
    InUse(PathBuf),
    #[error(
        "{path} cannot be opened: {source}.\nSee that its folder exists and that you may write there."
    )]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "{path} cannot be opened: {source}.\nSee that its folder may be written to and that no other program holds it."
    )]
    Sqlite { path: PathBuf, source: rusqlite::Error },
    #[error(
        "{path} is of another version (schema {found}; this bottle works with {known}).\n\
         Start the server once: it brings an older file up to date."
    )]
    OtherVersion { path: PathBuf, found: i32, known: i32 },
    #[error(
        "{path} is of an older version. Before it is changed, a copy is made, and that failed:\n{source}"
    )]
    NotCopied { path: PathBuf, source: Box<dyn Error + Send + Sync> },
    #[error("{path} could not be brought to this version's schema: {source}")]
    Migration { path: PathBuf, source: rusqlite_migration::Error },
}

/// What SQLite said of the file at `path`, in our words.
pub(super) fn refusal(path: &Path, source: rusqlite::Error) -> OpenError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match source.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => {
            OpenError::Damaged { path: path.to_owned(), detail: source.to_string() }
        }
        _ => OpenError::Sqlite { path: path.to_owned(), source },
    }
}
