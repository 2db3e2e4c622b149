//! The reasons why a database file is not opened.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// The reason why a database file was not opened. Except after [`OpenError::Migration`], the file
/// is unchanged to the byte.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum OpenError {
    #[error(
        "the database has no name: the setting `database` is empty.\n\
         Set it to a file, or use --db FILE."
    )]
    Unnamed,
    #[error(
        "{0} is not an SQLite database. It was not changed.\n\
         Use another file with --db FILE, or move this one away and start again."
    )]
    NotADatabase(PathBuf),
    #[error(
        "{0} is another program's database. It was not changed.\n\
         Use another file with --db FILE; a missing file becomes a new database."
    )]
    OtherProgram(PathBuf),
    #[error(
        "{path} was written by a newer Bottle (schema {found}; this program knows up to {known}).\n\
         Upgrade Bottle, or use another file with --db FILE."
    )]
    Newer { path: PathBuf, found: i32, known: i32 },
    #[error(
        "{path} is damaged ({detail}). It was not changed.\n\
         Restore a backup, or run `sqlite3 {path} .recover` into a new file."
    )]
    Damaged { path: PathBuf, detail: String },
    #[error(
        "{path} has a {kind} {name:?} that is not Bottle's and would run in its statements. It was not changed.\n\
         Drop it (sqlite3 {path} 'DROP {kind} {name:?}'), or restore a backup."
    )]
    UnknownObject { path: PathBuf, kind: String, name: String },
    #[error(
        "{log} exists without its database, and may contain changes that are nowhere else. Nothing was changed.\n\
         If `bottle restore` was stopped here, run it again. Otherwise put {path} back beside it or, for a \
         new database, move {log} away."
    )]
    StrayLog { path: PathBuf, log: PathBuf },
    #[error(
        "{0} is in use by another Bottle.\n\
         Stop that one, or use another file with --db FILE."
    )]
    InUse(PathBuf),
    #[error(
        "{0} belongs to a standby: Litestream writes it, as {0}-txid shows. It was not changed.\n\
         Serve it with `bottle serve --standby`, or make it a primary with `bottle promote`."
    )]
    Followed(PathBuf),
    #[error(
        "{path} is the file of a primary, because it has a log ({log}). It was not changed.\n\
         Serve it without --standby. A standby's file is restored by `litestream restore -f`."
    )]
    PrimarysLog { path: PathBuf, log: PathBuf },
    #[error(
        "{0} has no keys. Start its primary, which creates them, and let the follower copy them."
    )]
    NoKeys(PathBuf),
    #[error(
        "{path} is on a file system without working locks ({reason}), where two programs would destroy it. \
         It was not changed.\n\
         Keep it on a disk of this machine, in a container on a volume, in WSL outside /mnt. Backups may go there."
    )]
    NoLocks { path: PathBuf, reason: String },
    #[error(
        "{0} was replaced, moved or deleted while the server has it open, so changes are rejected: the next \
         start would not find them.\n\
         Put the file back, or stop the server and start it with the file that it shall serve."
    )]
    Replaced(PathBuf),
    #[error(
        "cannot open {path}: {source}.\nCheck that its folder exists and that you may write there."
    )]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "cannot open {path}: {source}.\nCheck that its folder is writable and that no other program locks the file."
    )]
    Sqlite { path: PathBuf, source: rusqlite::Error },
    #[error(
        "{path} has another schema ({found}; this program needs {known}).\n\
         Start the server once, which migrates an older file, or use the newer Bottle."
    )]
    OtherVersion { path: PathBuf, found: i32, known: i32 },
    #[error(
        "{path} has an older schema and was not migrated, because the copy before the migration failed:\n{source}"
    )]
    NotCopied { path: PathBuf, source: Box<dyn Error + Send + Sync> },
    #[error(
        "cannot migrate {path}: {source}.\nReport this, and restore the copy {path}.schema-N to go back to the older Bottle."
    )]
    Migration { path: PathBuf, source: rusqlite_migration::Error },
}

impl From<OpenError> for crate::model::error::Error {
    /// A file that cannot be opened now is unavailable.
    fn from(e: OpenError) -> Self {
        Self::Unavailable(e.to_string())
    }
}

/// Converts SQLite's error for the file at `path`.
pub(super) fn refusal(path: &Path, source: rusqlite::Error) -> OpenError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match source.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => {
            OpenError::Damaged { path: path.to_owned(), detail: source.to_string() }
        }
        _ => OpenError::Sqlite { path: path.to_owned(), source },
    }
}
