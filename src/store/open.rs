//! Opens or creates a database, and rejects files that are not Bottle's without changing them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::connect::{self, Mode};
use super::files::{self, folder_of, sync_folder};
use super::locks;
pub use super::open_error::OpenError;
pub(super) use super::open_error::refusal;
use super::{migrate, wal};

/// The maximum size of a file that is checked completely at each start. A larger one would slow the
/// start down.
const FULL_CHECK_BYTES: i64 = 16 * 1024 * 1024;

/// A checked file, locked against other servers while this value lives.
pub(super) struct CheckedFile {
    /// A lock of our own (flock). SQLite's locks (POSIX) belong to the process and end when any
    /// descriptor of the file is closed, so this descriptor outlives every connection.
    pub(super) lock: File,
    /// The version of its schema.
    pub(super) version: i32,
}

/// Creates the file if it is missing or empty; otherwise checks that it is Bottle's and sound.
pub(super) fn check_or_create(path: &Path) -> Result<CheckedFile, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    check_not_followed(path)?;
    locks::check_mount(path)?;
    match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => create(path)?,
        Err(e) => return Err(io(e)),
        Ok(meta) if meta.is_file() && meta.len() == 0 => create(path)?,
        Ok(_) => {}
    }
    let lock = lock(path)?;
    locks::check_conflict(path, &lock)?;
    wal::check(path)?;
    Ok(CheckedFile { lock, version: check_content(path)? })
}

/// Locks the file against servers and commands that write, until the returned value is dropped.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    loop {
        let lock = File::open(path).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(path.to_owned())),
            Err(TryLockError::Error(e)) => return Err(locks::refusal(path, e)),
        }
        // `bottle restore` may have replaced the file between opening and locking it.
        let inode = |file: fs::Metadata| (file.dev(), file.ino());
        if lock.metadata().map(inode).map_err(io)? == fs::metadata(path).map(inode).map_err(io)? {
            return Ok(lock);
        }
    }
}

/// Rejects a file that Litestream follows a primary with: it would overwrite pages of this program.
pub(super) fn check_not_followed(path: &Path) -> Result<(), OpenError> {
    match followers_position(path).exists() {
        true => Err(OpenError::Followed(path.to_owned())),
        false => Ok(()),
    }
}

/// Returns the file in which Litestream's follower keeps its position. Without it, it does not go on
/// to write the database at `path`.
pub(super) fn followers_position(path: &Path) -> PathBuf {
    files::with_suffix(path, "-txid")
}

/// Opens an existing database for a command that must be its only writer.
pub(super) fn open_exclusive(path: &Path) -> Result<(File, Connection), OpenError> {
    let path = &files::resolve(path)?;
    check_not_followed(path)?;
    let lock = lock(path)?;
    connect::read(path, |db| check_schema(path, db))?;
    Ok((lock, open_unfollowed(path)?))
}

/// Opens a connection that writes a file whose follower is gone.
pub(super) fn open_unfollowed(path: &Path) -> Result<Connection, OpenError> {
    files::restrict_permissions(path)?;
    connect::open(path, Mode::Write).map_err(|e| refusal(path, e))
}

/// Creates the database beside `path` and renames it, so that a crash leaves no incomplete file.
fn create(path: &Path) -> Result<(), OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    if let Some(log) = files::nonempty_log(path) {
        // SQLite would apply the log to the new database.
        return Err(OpenError::StrayLog { path: path.to_owned(), log });
    }

    let folder = folder_of(path);
    let new = tempfile::Builder::new().prefix(".bottle-new-").tempfile_in(folder).map_err(io)?;

    let mut db = connect::open(new.path(), Mode::New).map_err(sqlite)?;
    migrate::to_newest(&mut db)
        .map_err(|source| OpenError::Migration { path: path.to_owned(), source })?;
    db.pragma_update(None, "journal_mode", "wal").map_err(sqlite)?;
    db.close().map_err(|(_, source)| sqlite(source))?;

    // An empty file is replaced, as an operator's request for a database here. Any other file that
    // has appeared meanwhile is kept.
    let renamed = match fs::metadata(path) {
        Ok(meta) if meta.len() == 0 => new.persist(path),
        _ => new.persist_noclobber(path),
    };
    match renamed {
        Ok(_) => sync_folder(path).map_err(io),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(io(e.error)),
    }
}

/// Checks the version, the schema and, in small files, every page. Returns the version of the
/// schema, and writes nothing.
pub(super) fn check_content(path: &Path) -> Result<i32, OpenError> {
    connect::read(path, |db| {
        let version = check_schema(path, db)?;
        let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let sqlite = |e| refusal(path, e);
        let bytes: i64 = db.query_row(size, [], |row| row.get(0)).map_err(sqlite)?;
        if bytes > FULL_CHECK_BYTES {
            return Ok(version);
        }
        let result: String =
            db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(sqlite)?;
        match result.as_str() {
            "ok" => Ok(version),
            _ => Err(OpenError::Damaged { path: path.to_owned(), detail: result }),
        }
    })
}

/// Reads the version of the file's schema.
pub(super) fn version(path: &Path, db: &Connection) -> Result<i32, OpenError> {
    let version = db.pragma_query_value(None, "user_version", |row| row.get(0));
    version.map_err(|e| refusal(path, e))
}

/// Checks that the file has this program's schema: a command must not migrate a file that a server
/// may hold.
pub(super) fn check_is_newest(path: &Path, db: &Connection) -> Result<(), OpenError> {
    let (found, known) = (version(path, db)?, migrate::newest_version());
    match found == known {
        true => Ok(()),
        false => Err(OpenError::OtherVersion { path: path.to_owned(), found, known }),
    }
}

/// Checks that this program knows the schema version, that all objects of that version exist, and
/// that there are no other triggers or views. Returns the version.
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
    match unknown_object(db, &expected).map_err(|e| refusal(path, e))? {
        Some((kind, name)) => Err(OpenError::UnknownObject { path: path.to_owned(), kind, name }),
        None => Ok(found),
    }
}

/// Returns the kind and name of a trigger or view that is not Bottle's. Both would run in Bottle's
/// statements. Other tables and indexes do not: Litestream adds some, and so does `ANALYZE`.
fn unknown_object(
    db: &Connection,
    expected: &[(String, String)],
) -> rusqlite::Result<Option<(String, String)>> {
    db.prepare("SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view')")?
        .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?
        .find(|found| match found {
            Ok((_, name)) => expected.iter().all(|(expected, _)| expected != name),
            Err(_) => true,
        })
        .transpose()
}

/// Checks that the file is writable, which SQLite would report only at the first write.
pub(super) fn check_writable(path: &Path) -> Result<(), OpenError> {
    OpenOptions::new()
        .append(true)
        .open(path)
        .map(drop)
        .map_err(|source| OpenError::Io { path: path.to_owned(), source })
}

/// Runs `read` on one snapshot of the database at `path`, beside the server that may hold it. The
/// file must have this program's schema, and is only read.
///
/// If a program changes the file meanwhile, the result is dropped and `read` runs a second time.
pub fn read<T, E: From<OpenError>>(
    path: &Path,
    mut read: impl FnMut(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    connect::read(path, |db| {
        check_is_newest(path, db)?;
        read(db)
    })
}
