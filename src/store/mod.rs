//! All the SQL. One file, one writer, a pool of readers; a module for each noun.
//!
//! A read sees what was committed before it began; a write is one batch of statements in which
//! constraints, not a read before the write, decide who wins a race.
//!
//! Where a limit is a parameter it stands as `LIMIT 0 + ?`: SQLite would otherwise plan the statement
//! again at each run.

pub mod action;
pub mod backup;
pub mod bottles;
pub mod cells;
pub mod check;
pub mod ledger;
pub mod mbtiles;
pub mod meta;
pub mod migrate;
pub mod moderation;
pub mod nearby;
pub mod openings;
pub mod pages;
pub mod past_openings;
pub mod restore;
pub mod sessions;
pub mod stats;
pub mod transfer;
pub mod users;
pub mod xray;

mod columns;
mod connect;
mod files;
mod open;
mod open_error;
mod queue;
mod readers;
mod slow;
mod stream;
mod upgrade;
mod writer;

use std::fs::File;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::ErrorCode;

use crate::model::error::{Error, Result};

use connect::Mode;
pub use files::unfinished;
pub use meta::Keys;
pub use open::OpenError;
use readers::Readers;
pub use readers::Snapshot;
pub use rusqlite::Connection;
use slow::Slow;
use stream::Streams;
pub use stream::{ChunkWriter, Chunks};
use writer::Writer;

/// How a [`Store`] is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many reads may run at one time.
    pub readers: u32,
    /// How many reads that may take long, besides.
    pub long_readers: u32,
    /// How long a change waits for a lock that another process holds.
    pub busy_timeout: Duration,
    /// What takes longer is logged.
    pub slow: Option<Duration>,
}

/// The database file, open.
pub struct Store {
    // In the order they are to be closed: the writer, last of the connections, folds the log into
    // the file; the lock outlives them all.
    readers: Readers,
    streams: Streams,
    writer: Writer,
    slow: Slow,
    path: PathBuf,
    keys: Keys,
    _lock: Option<File>,
}

impl Store {
    /// Opens the database at `path`, after making it (if it is missing or empty), checking that it
    /// is a sound one of Bottle's, and bringing it to this version's schema.
    pub fn open(path: &Path, options: &Options) -> Result<Self, OpenError> {
        let path = &files::located(path)?;
        let checked = open::check_or_create(path)?;
        open::check_writable(path)?;
        upgrade::copy_before_migration(path, checked.version)?;
        Self::of(path, options, Some(checked.lock))
    }

    /// Opens the database at `path` to write beside the bottle that may serve it: it must be there and be
    /// of this version, and is not held against others.
    pub fn open_shared(path: &Path, options: &Options) -> Result<Self, OpenError> {
        let path = &files::located(path)?;
        connect::read(path, |db| {
            open::check_is_newest(path, db)?;
            open::check_schema(path, db)
        })?;
        Self::of(path, options, None)
    }

    fn of(path: &Path, options: &Options, lock: Option<File>) -> Result<Self, OpenError> {
        let sqlite = |source| OpenError::Sqlite { path: path.to_owned(), source };
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        files::keep_private(path)?;
        let db = open_writing(path, options.busy_timeout)?;
        let keys = meta::keys(&db).map_err(sqlite)?;
        let writer = Writer::start(db, options.busy_timeout).map_err(io)?;
        let readers = Readers::open(path, options)
            .map_err(|e| sqlite(rusqlite::Error::ToSqlConversionFailure(Box::new(e))))?;
        let streams = Streams::new(path, options.busy_timeout);
        let path = path.to_owned();
        let slow = Slow { limit: options.slow };
        Ok(Self { readers, streams, writer, slow, path, keys, _lock: lock })
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes the database takes, and its log.
    pub fn sizes(&self) -> std::io::Result<(i64, i64)> {
        let size =
            |path: &Path| path.metadata().map(|file| i64::try_from(file.len()).unwrap_or(i64::MAX));
        let log = files::beside(&self.path, "-wal");
        Ok((size(&self.path)?, if log.exists() { size(&log)? } else { 0 }))
    }

    /// Fails unless the database can be read.
    pub fn ping(&self) -> Result<()> {
        self.read(|db| Ok(db.query_row("SELECT 1 FROM meta", [], |_| Ok(()))?))
    }

    /// How many bytes may still be written to the disk that the file is on.
    pub fn room(&self) -> std::io::Result<u64> {
        let disk = rustix::fs::statvfs(&self.path)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Has `tell` called each time that another process has changed the file: within a second, and in the
    /// order of the commits among what [`Store::write_then`] calls. Only the first who asks for it is told.
    pub fn on_external_change(&self, tell: impl Fn() + Send + Sync + 'static) {
        self.writer.on_external_change(tell);
    }

    /// The number of changes that wait for a lock on the file, which another process holds.
    pub fn blocked_changes(&self) -> usize {
        self.writer.blocked()
    }

    /// The keys kept in the file.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// What is in the file, as of the first read.
    pub fn snapshot(&self) -> Result<Snapshot> {
        self.readers.snapshot()
    }

    /// Runs `query` on a snapshot of its own, on this thread: a short query takes less time than the
    /// trip to another thread would.
    #[track_caller]
    pub fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let _slow = self.slow.watch("read");
        self.snapshot()?.read(query)
    }

    /// Runs a `query` that may take long. Only few such queries run at one time, so that the short ones
    /// keep their pace; the others wait for theirs in a queue. Returns [`Error::Unavailable`] where the queue is
    /// full, or after the busy timeout. A caller that is dropped while it waits leaves the queue.
    #[track_caller]
    pub fn read_long<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T>,
    ) -> impl Future<Output = Result<T>> {
        let place = Location::caller();
        async move {
            let admission = self.readers.admit_long().await?;
            let _slow = self.slow.watch_at(place, "read");
            self.readers.read_long(admission, query)
        }
    }

    /// Streams what `query` writes, from a snapshot that lives until the last chunk is taken, or the
    /// [`Chunks`] are dropped. Only few streams run at one time; the others wait as long reads do.
    pub async fn stream(
        &self,
        query: impl FnOnce(&Connection, &mut ChunkWriter) -> Result<()> + Send + 'static,
    ) -> Result<Chunks> {
        self.streams.start(query).await
    }

    /// Applies `change` and returns what it returned, once that is on disk. A change that returns
    /// an error leaves nothing behind. A change that a session authorises is a [`sessions::authorized`] one.
    #[track_caller]
    pub fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> impl Future<Output = Result<T>> {
        self.write_then(change, |_| {})
    }

    /// The same, and calls `committed` with what the change returned, if its commit held: on the writer's
    /// thread, in the order of the commits, before the caller is answered. The next change waits for it,
    /// so it must be short.
    #[track_caller]
    pub fn write_then<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
        committed: impl FnOnce(&T) + Send + 'static,
    ) -> impl Future<Output = Result<T>> {
        let slow = self.slow.watch("change");
        async move {
            let _slow = slow;
            let written = self.writer.write(change, committed).await;
            self.readers.note_change();
            written
        }
    }
}

/// Runs `read` on one snapshot of the database at `path`, beside the bottle that may serve it. The file
/// must be of this version; it is opened only to read.
///
/// If the file begins to change while it is read, the result is dropped and `read` runs a second time.
pub fn read<T, E: From<OpenError>>(
    path: &Path,
    mut read: impl FnMut(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    connect::read(path, |db| {
        open::check_is_newest(path, db)?;
        read(db)
    })
}

/// The connection that migrates and then writes.
fn open_writing(path: &Path, busy_timeout: Duration) -> Result<Connection, OpenError> {
    let connect = || {
        let db = connect::open(path, Mode::Write)?;
        db.busy_timeout(busy_timeout)?;
        Ok(db)
    };
    let mut db = connect().map_err(|source| OpenError::Sqlite { path: path.to_owned(), source })?;
    migrate::to_newest(&mut db)
        .map_err(|source| OpenError::Migration { path: path.to_owned(), source })?;
    Ok(db)
}

impl From<rusqlite::Error> for Error {
    /// What time or a new disk can mend is told apart from what is a bug.
    fn from(e: rusqlite::Error) -> Self {
        match e.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                // So SQLite tells a page that the disk does not give back.
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory,
            ) => Self::Unavailable(e.to_string()),
            _ => Self::Internal(e.to_string()),
        }
    }
}

/// Whether a foreign key named a row that is not there (any more), or kept one from going.
fn is_foreign_key(e: &rusqlite::Error) -> bool {
    has_code(e, rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY)
        || has_code(e, rusqlite::ffi::SQLITE_CONSTRAINT_TRIGGER)
}

/// Whether a value that must be the only one of its kind is there already.
fn is_duplicate(e: &rusqlite::Error) -> bool {
    has_code(e, rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE)
}

fn has_code(e: &rusqlite::Error, code: i32) -> bool {
    e.sqlite_error().is_some_and(|e| e.extended_code == code)
}
