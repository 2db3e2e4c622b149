//! From a path to a database that is surely Bottle's, or a refusal that leaves the file as it was.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rusqlite::Connection;

use super::connect::{self, Mode};
use super::files::{self, folder_of, sync_folder};
use super::migrate;
pub use super::open_error::OpenError;
pub(super) use super::open_error::refusal;

/// Files up to this size are checked whole at each start; larger ones would make the start slow.
const FULL_CHECK_BYTES: i64 = 16 * 1024 * 1024;

/// A node of the R*-tree takes 1.2 KB and a bottle 0.2: smaller pages leave more of them in a cache of
/// the same size, and less to write for each commit.
const PAGE_BYTES: i32 = 2048;

/// A file that was found to be Bottle's, held against every other bottle while this value lives.
pub(super) struct CheckedFile {
    /// SQLite's own locks on Linux belong to the process and fall when any handle of the file is
    /// closed, so this one must outlive every connection.
    pub(super) lock: File,
    /// The version of its schema.
    pub(super) version: i32,
}

/// Makes the file if it is missing or empty; else checks that it is Bottle's and sound.
pub(super) fn check_or_create(path: &Path) -> Result<CheckedFile, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => create(path)?,
        Err(e) => return Err(io(e)),
        Ok(meta) if meta.is_file() && meta.len() == 0 => create(path)?,
        Ok(_) => {}
    }
    let lock = lock(path)?;
    Ok(CheckedFile { lock, version: check_content(path)? })
}

/// Locks the file against every other bottle that would write to it, as long as the value lives.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    loop {
        let lock = File::open(path).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(path.to_owned())),
            Err(TryLockError::Error(e)) => return Err(io(e)),
        }
        // `bottle restore` may have put another file there since it was opened.
        let inode = |file: fs::Metadata| (file.dev(), file.ino());
        if lock.metadata().map(inode).map_err(io)? == fs::metadata(path).map(inode).map_err(io)? {
            return Ok(lock);
        }
    }
}

/// Opens a database that is there, and that no bottle holds, to change it by a command.
pub(super) fn open_alone(path: &Path) -> Result<(File, Connection), OpenError> {
    let path = &files::located(path)?;
    let lock = lock(path)?;
    connect::read(path, |db| check_schema(path, db))?;
    files::keep_private(path)?;
    let db = connect::open(path, Mode::Write).map_err(|e| refusal(path, e))?;
    Ok((lock, db))
}

/// Builds a new database beside `path` and moves it there whole, so that a crash in between leaves
/// no half-made file.
fn create(path: &Path) -> Result<(), OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    if let Some(log) = files::log_of(path) {
        // SQLite would write what the log holds over the new database.
        return Err(OpenError::StrayLog { path: path.to_owned(), log });
    }

    let folder = folder_of(path);
    let new = tempfile::Builder::new().prefix(".bottle-new-").tempfile_in(folder).map_err(io)?;

    let mut db = Connection::open(new.path()).map_err(sqlite)?;
    db.pragma_update(None, "page_size", PAGE_BYTES).map_err(sqlite)?;
    db.pragma_update(None, "application_id", migrate::APPLICATION_ID).map_err(sqlite)?;
    migrate::to_newest(&mut db)
        .map_err(|source| OpenError::Migration { path: path.to_owned(), source })?;
    db.pragma_update(None, "journal_mode", "wal").map_err(sqlite)?;
    db.close().map_err(|(_, source)| sqlite(source))?;

    // An empty file was someone's wish for a database here; any other that appeared meanwhile is not.
    let placed = match fs::metadata(path) {
        Ok(meta) if meta.len() == 0 => new.persist(path),
        _ => new.persist_noclobber(path),
    };
    match placed {
        Ok(_) => sync_folder(path).map_err(io),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(io(e.error)),
    }
}

/// Checks version, schema and (for small files) every page, and writes nothing. The version of the
/// schema comes back.
fn check_content(path: &Path) -> Result<i32, OpenError> {
    connect::read(path, |db| {
        let version = check_schema(path, db)?;
        let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let ask = |e| refusal(path, e);
        let bytes: i64 = db.query_row(size, [], |row| row.get(0)).map_err(ask)?;
        if bytes > FULL_CHECK_BYTES {
            return Ok(version);
        }
        let verdict: String =
            db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(ask)?;
        match verdict.as_str() {
            "ok" => Ok(version),
            _ => Err(OpenError::Damaged { path: path.to_owned(), detail: verdict }),
        }
    })
}

/// The version of the file's schema.
pub(super) fn version(path: &Path, db: &Connection) -> Result<i32, OpenError> {
    let version = db.pragma_query_value(None, "user_version", |row| row.get(0));
    version.map_err(|e| refusal(path, e))
}

/// Checks that the file is of this program's version: a command does not migrate what a server may hold.
pub(super) fn check_is_newest(path: &Path, db: &Connection) -> Result<(), OpenError> {
    let (found, known) = (version(path, db)?, migrate::newest_version());
    match found == known {
        true => Ok(()),
        false => Err(OpenError::OtherVersion { path: path.to_owned(), found, known }),
    }
}

/// Checks that the file is of a version that this program knows, has all objects of that version, and none
/// that acts by itself besides. The version comes back.
pub(super) fn check_schema(path: &Path, db: &Connection) -> Result<i32, OpenError> {
    let found = version(path, db)?;
    let known = migrate::newest_version();
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }

    let expected = migrate::schema_of(found)
        .map_err(|source| OpenError::Migration { path: path.to_owned(), source })?;
    let present = migrate::read_schema(db).map_err(|e| refusal(path, e))?;
    if let Some((name, _)) = expected.iter().find(|object| !present.contains(object)) {
        let detail = format!("its {name} is missing or altered");
        return Err(OpenError::Damaged { path: path.to_owned(), detail });
    }
    match foreign_object(db, &expected).map_err(|e| refusal(path, e))? {
        Some((kind, name)) => Err(OpenError::ForeignObject { path: path.to_owned(), kind, name }),
        None => Ok(found),
    }
}

/// A trigger or view that is not Bottle's: its kind and its name. Both run in statements of Bottle's. Other
/// tables and indexes do not: Litestream has some, and `ANALYZE`.
fn foreign_object(
    db: &Connection,
    ours: &[(String, String)],
) -> rusqlite::Result<Option<(String, String)>> {
    db.prepare("SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view')")?
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?
        .find(|found| match found {
            Ok((_, name)) => ours.iter().all(|(ours, _)| ours != name),
            Err(_) => true,
        })
        .transpose()
}

/// Sees that the file may be written to at all, which SQLite would tell only at the first write.
pub(super) fn check_writable(path: &Path) -> Result<(), OpenError> {
    OpenOptions::new()
        .append(true)
        .open(path)
        .map(drop)
        .map_err(|source| OpenError::Io { path: path.to_owned(), source })
}
