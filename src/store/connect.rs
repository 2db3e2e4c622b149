//! The ways to open a connection, and a read that stays correct while other programs change the
//! file.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::files;
use super::migrate;
use super::open_error::{OpenError, refusal};

/// The purpose of a connection. (The connections of the server's pools are opened in `readers`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Reads a file that no program changes. SQLite takes no lock, writes nothing, and needs no
    /// permission to write, neither to the file nor to its folder. It ignores the write-ahead log.
    Immutable,
    /// Reads beside programs that may write. SQLite does not checkpoint the log when it closes.
    Shared,
    /// Writes, in WAL mode with `synchronous = FULL` and foreign keys on.
    Write,
    /// Locks every other program out, from the first transaction until the connection is closed.
    Exclusive,
}

/// Opens the database at `path`, which must be a result of [`files::resolve`]: SQLite would
/// interpret other names as URIs.
pub(super) fn open(path: &Path, mode: Mode) -> rusqlite::Result<Connection> {
    let (name, access) = match mode {
        Mode::Immutable => (
            PathBuf::from(format!("file://{}?immutable=1", escaped(path))),
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
        ),
        // Readers also open read-write: SQLite then rolls back the unfinished transaction of a
        // killed program.
        _ => (path.to_owned(), OpenFlags::SQLITE_OPEN_READ_WRITE),
    };
    let db = Connection::open_with_flags(name, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    match mode {
        Mode::Immutable => {}
        Mode::Shared => {
            db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            db.pragma_update(None, "query_only", true)?;
        }
        Mode::Write => {
            db.pragma_update(None, "journal_mode", "wal")?;
            // Each commit waits for the disk, so that an acknowledged change survives a power cut.
            db.pragma_update(None, "synchronous", "full")?;
            db.pragma_update(None, "foreign_keys", true)?;
            db.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
            db.set_prepared_statement_cache_capacity(64);
        }
        Mode::Exclusive => {
            db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
            db.pragma_update(None, "locking_mode", "exclusive")?;
        }
    }
    Ok(db)
}

/// Rejects another program's file by its first 100 bytes, before SQLite opens it.
pub(super) fn check_header(path: &Path) -> Result<(), OpenError> {
    let mut file =
        File::open(path).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    let mut header = [0; 100];
    if file.read_exact(&mut header).is_err() || !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenError::NotADatabase(path.to_owned()));
    }
    let [a, b, c, d] = [header[68], header[69], header[70], header[71]];
    if i32::from_be_bytes([a, b, c, d]) != migrate::APPLICATION_ID {
        return Err(OpenError::OtherProgram(path.to_owned()));
    }
    Ok(())
}

/// Runs `read` on one snapshot of the database at `path`, and leaves the file unchanged.
///
/// A file that no program holds is read as immutable. If a program changes it meanwhile or begins a
/// log, the pages may be of several moments: the result is dropped, even if it is an error, and
/// `read` runs again on a connection that takes locks.
pub(super) fn read<T, E: From<OpenError>>(
    path: &Path,
    mut read: impl FnMut(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let path = &files::resolve(path)?;
    check_header(path)?;
    let mut read_in = |mode| {
        let db = open(path, mode).map_err(|e| refusal(path, e))?;
        db.execute_batch("BEGIN").map_err(|e| refusal(path, e))?;
        read(&db)
    };
    if let Some(before) = AtRest::of(path) {
        let result = read_in(Mode::Immutable);
        if AtRest::of(path) == Some(before) {
            return result;
        }
    }
    read_in(Mode::Shared)
}

/// The state of a file at rest. Two equal states mean that the file did not change in between.
#[derive(PartialEq, Eq)]
struct AtRest {
    inode: (u64, u64),
    length: u64,
    modified: (i64, i64),
    /// The time of the last change of the inode (ctime). Unlike `modified`, programs cannot set it.
    changed: (i64, i64),
}

impl AtRest {
    /// Returns `None` if the file has a log: SQLite must then read both, under locks. A server that
    /// holds the file but has written no log has changed nothing yet.
    fn of(path: &Path) -> Option<Self> {
        if files::nonempty_log(path).is_some() {
            return None;
        }
        let file = fs::metadata(path).ok()?;
        Some(Self {
            inode: (file.dev(), file.ino()),
            length: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        })
    }
}

/// Escapes the path for a URI. It need not be UTF-8.
fn escaped(path: &Path) -> String {
    let escaped = |byte: &u8| match byte {
        b'%' | b'?' | b'#' | 0x80.. => format!("%{byte:02x}"),
        _ => char::from(*byte).to_string(),
    };
    path.as_os_str().as_encoded_bytes().iter().map(escaped).collect()
}
