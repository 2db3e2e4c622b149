//! The ways to open a connection, and a read that stays correct while other programs change the
//! file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::files;
use super::migrate;
use super::open_error::{OpenError, refusal};

/// The page size of a new database, in bytes.
///
/// A node of the R*-tree takes 1.2 KB and a bottle 0.2 KB. Pages of 2 KiB make a rectangle query a
/// quarter faster than pages of 4 KiB if the file is not mapped
/// ([decisions](../../docs/decisions.md#reading)).
pub(super) const PAGE_BYTES: i32 = 2048;

/// The number of prepared statements that a connection of the server caches.
const CACHED_STATEMENTS: usize = 64;

/// The size to which SQLite truncates a write-ahead log that is checkpointed, in bytes.
const MAX_IDLE_LOG_BYTES: i64 = 64 * 1024 * 1024;

/// The purpose of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Reads a file that no program changes. SQLite takes no lock, writes nothing, and needs no
    /// permission to write, neither to the file nor to its folder. It ignores the write-ahead log.
    Immutable,
    /// Reads beside programs that may write. SQLite does not checkpoint the log when it closes.
    Shared,
    /// Reads for the server, whose writer has opened the file before.
    Reader,
    /// Writes, in WAL mode with `synchronous = FULL` and foreign keys on.
    Write,
    /// Locks every other program out, from the first transaction until the connection is closed.
    Exclusive,
    /// Fills an empty file that becomes a new database.
    New,
    /// Fills an empty file that becomes a copy. The file is worthless after a crash, so it needs
    /// neither journal nor sync.
    Copy,
}

impl Mode {
    /// Returns SQLite's flags for opening a connection.
    pub(super) fn flags(self) -> OpenFlags {
        let access = match self {
            Self::Immutable => OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
            Self::Reader => OpenFlags::SQLITE_OPEN_READ_ONLY,
            // `Shared` too: SQLite then rolls back the unfinished transaction of a killed program.
            Self::Shared | Self::Write | Self::Exclusive | Self::New | Self::Copy => {
                OpenFlags::SQLITE_OPEN_READ_WRITE
            }
        };
        access | OpenFlags::SQLITE_OPEN_NO_MUTEX
    }

    /// Applies the settings of the mode to an open connection.
    pub(super) fn configure(self, db: &Connection) -> rusqlite::Result<()> {
        match self {
            Self::Immutable => {}
            Self::Shared => {
                db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
                db.pragma_update(None, "query_only", true)?;
            }
            Self::Reader => db.set_prepared_statement_cache_capacity(CACHED_STATEMENTS),
            Self::Write => {
                db.pragma_update(None, "journal_mode", "wal")?;
                // Each commit waits for the disk, so that an acknowledged change survives a power
                // cut.
                db.pragma_update(None, "synchronous", "full")?;
                db.pragma_update(None, "foreign_keys", true)?;
                db.pragma_update(None, "journal_size_limit", MAX_IDLE_LOG_BYTES)?;
                db.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
            }
            Self::Exclusive => {
                db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
                db.pragma_update(None, "locking_mode", "exclusive")?;
            }
            Self::New => {
                db.pragma_update(None, "page_size", PAGE_BYTES)?;
                db.pragma_update(None, "application_id", migrate::APPLICATION_ID)?;
            }
            Self::Copy => {
                db.pragma_update(None, "journal_mode", "off")?;
                db.pragma_update(None, "synchronous", "off")?;
            }
        }
        Ok(())
    }
}

/// Opens the database at `path`, which must be absolute, as a result of [`files::resolve`] is:
/// SQLite would interpret other names as URIs.
pub(super) fn open(path: &Path, mode: Mode) -> rusqlite::Result<Connection> {
    let name = match mode {
        Mode::Immutable => PathBuf::from(format!("file://{}?immutable=1", escaped(path))),
        _ => path.to_owned(),
    };
    let db = Connection::open_with_flags(name, mode.flags())?;
    mode.configure(&db)?;
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

/// Returns true if the header of the file says that it is in WAL mode.
pub(super) fn is_in_wal_mode(path: &Path) -> io::Result<bool> {
    let mut header = [0; 20];
    File::open(path)?.read_exact(&mut header)?;
    Ok(header[19] == 2)
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
pub(super) struct AtRest {
    pub(super) inode: (u64, u64),
    length: u64,
    modified: (i64, i64),
    /// The time of the last change of the inode (ctime). Unlike `modified`, programs cannot set it.
    changed: (i64, i64),
}

impl AtRest {
    /// Returns `None` if the file has a log: SQLite must then read both, under locks. A server that
    /// holds the file but has written no log has changed nothing yet.
    pub(super) fn of(path: &Path) -> Option<Self> {
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
