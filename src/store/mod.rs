//! All the SQL. One file, one writer, a pool of readers, and one module per noun.
//!
//! A read sees what was committed before it began. A write is one batch of statements in which
//! constraints, not a read before the write, decide races.
//!
//! A `LIMIT` with a parameter is written `LIMIT 0 + ?`: with a plain parameter SQLite would prepare
//! the statement again at each run, which took a third of a rectangle query's time
//! ([decisions](../../docs/decisions.md#reading)).

pub mod access_tokens;
pub mod account_deletion;
pub mod account_summaries;
pub mod action;
pub mod audit_log;
pub mod backup;
pub mod backup_folder;
pub mod blocks;
pub mod bottles;
pub mod catch;
pub mod cells;
pub mod check;
pub mod classes;
pub mod condition;
pub mod disk;
pub mod expiry;
pub mod feeds;
pub mod inbox;
pub mod invitations;
pub mod ledger;
pub mod maintenance;
pub mod map_bottle;
pub mod map_cache;
pub mod meta;
pub mod migrate;
pub mod moderation;
pub mod nearby;
pub mod openings;
pub mod operators;
pub mod outbox;
pub mod pages;
pub mod past_openings;
pub mod place;
pub mod projector;
pub mod promotion;
pub mod registration;
pub mod replies;
pub mod reported_replies;
pub mod reports;
pub mod restore;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod stats;
pub mod street_maps;
pub mod throw_keys;
pub mod transfer;
pub mod users;
pub mod webhook;
pub mod xray;

mod columns;
mod connect;
mod files;
mod locks;
mod memory;
mod messages;
mod online;
mod open;
mod open_error;
mod options;
mod pack;
mod queue;
mod quiet_readers;
mod read_transaction;
mod readers;
mod rtree;
mod session_cache;
mod slow_log;
mod sqlite_error;
mod standby;
mod start;
mod stream;
mod upgrade;
mod wal;
mod wal_index;
mod writer;

use std::fs::File;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::clock::Timestamp;
use crate::model::error::{Error, Result};

use condition::Condition;
pub use files::{create_temporary, place_new};
use map_cache::{CacheStats, CacheView, MapCache};
pub use meta::Keys;
pub use online::BackupFolder;
pub use open::{OpenError, read};
pub use options::Options;
use readers::Readers;
pub use readers::is_held_by_memory;
pub use rusqlite::Connection;
use session_cache::SessionCache;
use sessions::{SessionKey, StoredSession};
use slow_log::SlowLog;
use standby::Standby;
use stream::Streams;
pub use stream::{ChunkWriter, Chunks};
use writer::Writer;

/// The role of the store, which decides whether it may write to its file.
enum Role {
    /// It is the only one that writes.
    Primary(Writer),
    /// It reads what a follower writes.
    Standby(Standby),
}

/// An open database file.
pub struct Store {
    // Fields are dropped in this order: the writer is the last connection to close and checkpoints
    // the log; the lock outlives all connections.
    readers: Readers,
    streams: Streams,
    role: Role,
    slow_log: SlowLog,
    map_cache: Arc<MapCache>,
    /// `None` for a standby, whose file has no wal-index.
    session_cache: Option<SessionCache>,
    condition: Arc<Condition>,
    path: PathBuf,
    keys: Keys,
    identity: String,
    _lock: Option<File>,
}

impl Store {
    /// Returns the path of the database file, absolute and without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Calls `callback` after each change by another process: within a second, and in commit order
    /// with the callbacks of [`Store::write_then`]. Only the first call sets a callback.
    pub fn on_external_change(&self, callback: impl Fn() + Send + Sync + 'static) {
        match &self.role {
            Role::Primary(writer) => writer.on_external_change(callback),
            Role::Standby(standby) => standby.on_external_change(callback),
        }
    }

    /// Returns the number of changes that wait for another process's lock on the file.
    pub fn blocked_changes(&self) -> usize {
        match &self.role {
            Role::Primary(writer) => writer.blocked(),
            Role::Standby(_) => 0,
        }
    }

    /// Returns the cache of what the map shows, for a long read that has not begun yet.
    pub fn map_cache(&self) -> CacheView {
        CacheView::new(&self.map_cache)
    }

    /// Returns the hits and misses of the cache of what the map shows.
    pub fn map_cache_stats(&self) -> CacheStats {
        self.map_cache.stats()
    }

    /// Returns the number of reads and changes of the last day that exceeded `Options::slow`.
    pub fn slow_queries(&self) -> u64 {
        self.slow_log.count.last_day()
    }

    /// Returns the address of the primary if the store is a standby.
    pub fn primary_url(&self) -> Option<&str> {
        match &self.role {
            Role::Primary(_) => None,
            Role::Standby(standby) => Some(&standby.primary_url),
        }
    }

    /// Returns the keys stored in the file.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Runs a short `query` on a snapshot of its own, on this thread: it takes less time than a
    /// trip to another thread.
    #[track_caller]
    pub fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let _timer = self.slow_log.start("read");
        self.condition.note(self.readers.read(query))
    }

    /// Runs a short `query` as [`Store::read`] does, without a transaction: while the rows of a
    /// statement are read, others see its snapshot.
    #[track_caller]
    pub fn read_one<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let _timer = self.slow_log.start("read");
        self.condition.note(self.readers.read_one(query))
    }

    /// Returns the session or access token if it is live at `now`, as of the last commit.
    pub fn session_at(&self, session: SessionKey, now: Timestamp) -> Result<Option<StoredSession>> {
        let read = || self.readers.read_one(|db| sessions::find(db, session));
        let found = self.condition.note(match &self.session_cache {
            Some(cache) => cache.get(session, read),
            None => read(),
        })?;
        Ok(found.and_then(|found| found.at(now)))
    }

    /// Runs a long `query` on a snapshot of its own.
    ///
    /// The pool of long reads bounds how many run at once, so that short reads keep their pace; the
    /// others wait in a queue. Returns [`Error::Unavailable`] if the queue is full, or after the
    /// busy timeout. A caller that is dropped while it waits leaves the queue.
    ///
    /// [`Error::Unavailable`]: crate::model::error::Error::Unavailable
    #[track_caller]
    pub fn read_long<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T>,
    ) -> impl Future<Output = Result<T>> {
        let caller = Location::caller();
        async move {
            let admission = self.readers.admit_long().await?;
            let _timer = self.slow_log.start_at(caller, "read");
            self.condition.note(self.readers.read_long(admission, query))
        }
    }

    /// Streams the bytes that `query` writes, from a snapshot that lives until the last chunk is
    /// read or the [`Chunks`] are dropped. At most 4 streams run at once; the others wait as long
    /// reads do.
    pub async fn stream(
        &self,
        query: impl FnOnce(&Connection, &mut ChunkWriter) -> Result<()> + Send + 'static,
    ) -> Result<Chunks> {
        self.condition.check_names()?;
        let condition = Arc::clone(&self.condition);
        self.streams.start(move |db, out| condition.note(query(db, out))).await
    }

    /// Applies `change` in the writer's transaction, and returns its result after the commit.
    ///
    /// A change that returns an error or panics is rolled back. A change that a session authorizes
    /// is wrapped in [`sessions::authorized`]. Returns [`Error::Unavailable`] if the write queue is
    /// full, another process holds a lock for longer than the busy timeout, or the disk fails, and
    /// [`Error::Standby`] if the store is a standby.
    ///
    /// [`Error::Unavailable`]: crate::model::error::Error::Unavailable
    #[track_caller]
    pub fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> impl Future<Output = Result<T>> {
        self.write_then(change, |_| {})
    }

    /// Applies `change` as [`Store::write`] does, and calls `committed` with its result after the
    /// commit: on the writer's thread, in commit order, before the caller gets its result. The next
    /// change waits for `committed`, so it must be short.
    #[track_caller]
    pub fn write_then<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
        committed: impl FnOnce(&T) + Send + 'static,
    ) -> impl Future<Output = Result<T>> {
        let timer = self.slow_log.start("change");
        async move {
            let _timer = timer;
            match &self.role {
                Role::Primary(writer) => {
                    self.readers.note_change();
                    let result = writer.write(change, committed).await;
                    self.readers.note_change();
                    self.condition.note(result)
                }
                Role::Standby(standby) => Err(Error::Standby(standby.primary_url.clone())),
            }
        }
    }
}
