//! From a path to a database that is surely Bottle's, or a refusal that leaves the file as it was.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

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
    check_header(path)?;
    Ok(CheckedFile { lock, version: check_content(path)? })
}

/// Holds the file against every other bottle that would write to it, as long as the value lives.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    let lock = File::open(path).map_err(io)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(e)) => Err(io(e)),
    }
}

/// Whether a bottle writes to the file.
fn is_served(path: &Path) -> bool {
    let file = File::open(path);
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// The folder that the file at `path` is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Sees that the file at `path` bears its name after a power cut too.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path)).and_then(|folder| folder.sync_all())
}

/// Builds a new database beside `path` and moves it there whole, so that a crash in between leaves
/// no half-made file.
fn create(path: &Path) -> Result<(), OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
    if has_log(path) {
        // SQLite would write what the log holds over the new database.
        return Err(OpenError::StrayLog { path: path.to_owned(), log: log_of(path) });
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

/// Tells another program's file by its first bytes, before SQLite has touched it.
pub(super) fn check_header(path: &Path) -> Result<(), OpenError> {
    let mut file =
        File::open(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    let mut header = [0; 100];
    if file.read_exact(&mut header).is_err() || !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenError::NotADatabase(path.to_owned()));
    }
    let [a, b, c, d] = [header[68], header[69], header[70], header[71]];
    if i32::from_be_bytes([a, b, c, d]) != migrate::APPLICATION_ID {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    Ok(())
}

/// Checks version, schema and (for small files) every page, over a connection that writes nothing.
/// The version of the schema comes back.
fn check_content(path: &Path) -> Result<i32, OpenError> {
    let db = open_unserved(path).map_err(|e| refusal(path, e))?;
    let version = check_schema(path, &db)?;
    let bytes: i64 = db
        .query_row(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
            [],
            |row| row.get(0),
        )
        .map_err(|e| refusal(path, e))?;
    if bytes <= FULL_CHECK_BYTES {
        let verdict: String = db
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(|e| refusal(path, e))?;
        if verdict != "ok" {
            return Err(OpenError::Damaged { path: path.to_owned(), detail: verdict });
        }
    }
    Ok(version)
}

/// The version of the file's schema.
pub(super) fn version(path: &Path, db: &Connection) -> Result<i32, OpenError> {
    let version = db.pragma_query_value(None, "user_version", |row| row.get(0));
    version.map_err(|e| refusal(path, e))
}

/// Checks that the file is of a version that this program knows, and has all that is in that one:
/// which it is.
pub(super) fn check_schema(path: &Path, db: &Connection) -> Result<i32, OpenError> {
    let found = version(path, db)?;
    let known = migrate::newest_version();
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }

    let expected = migrate::schema_of(found)
        .map_err(|source| OpenError::Migration { path: path.to_owned(), source })?;
    let present = migrate::read_schema(db).map_err(|e| refusal(path, e))?;
    match expected.iter().find(|object| !present.contains(object)) {
        Some((name, _)) => Err(OpenError::Damaged {
            path: path.to_owned(),
            detail: format!("its {name} is missing or altered"),
        }),
        None => Ok(found),
    }
}

/// To read a file that a bottle may serve meanwhile.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, OpenError> {
    check_header(path)?;
    let opened = if is_served(path) { open_with_log(path) } else { open_unserved(path) };
    opened.map_err(|e| refusal(path, e))
}

/// Without a write-ahead log beside it the file is read as if it could not change, which leaves no
/// trace at all; with one, SQLite must read both, and is told not to fold the log into the file.
pub(super) fn open_unserved(path: &Path) -> rusqlite::Result<Connection> {
    if has_log(path) {
        return open_with_log(path);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{}?immutable=1", uri_path(path)), flags)
}

fn open_with_log(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    db.pragma_update(None, "query_only", true)?;
    Ok(db)
}

/// Where the write-ahead log of the database at `path` lies, if there is one.
fn log_of(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

/// The file beside the database whose name ends in `suffix`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn has_log(path: &Path) -> bool {
    fs::metadata(log_of(path)).is_ok_and(|log| log.len() > 0)
}

/// The path as SQLite's URI wants it, also where it is no UTF-8.
fn uri_path(path: &Path) -> String {
    let escaped = |byte: &u8| match byte {
        b'%' | b'?' | b'#' | 0x80.. => format!("%{byte:02x}"),
        _ => char::from(*byte).to_string(),
    };
    path.as_os_str().as_encoded_bytes().iter().map(escaped).collect()
}

/// Takes from everyone else the leave to read the file and its log: in them are the keys. A file that
/// was copied or restored may have got it from the copy.
#[cfg(unix)]
pub(super) fn keep_private(path: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::PermissionsExt;
    for path in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        let mode = match fs::metadata(&path) {
            Ok(meta) => meta.permissions().mode(),
            Err(_) => continue,
        };
        if mode & 0o077 != 0 {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode & 0o700))
                .map_err(|source| OpenError::Io { path, source })?;
        }
    }
    Ok(())
}

/// Sees that the file may be written to at all, which SQLite would tell only at the first write.
pub(super) fn check_writable(path: &Path) -> Result<(), OpenError> {
    OpenOptions::new()
        .append(true)
        .open(path)
        .map(drop)
        .map_err(|source| OpenError::Io { path: path.to_owned(), source })
}
