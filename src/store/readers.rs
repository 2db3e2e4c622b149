//! The connections that read, and what they read from: a snapshot each.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use r2d2::{Pool, PooledConnection};
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{CachedStatement, Connection, OpenFlags};
use scheduled_thread_pool::ScheduledThreadPool;
use tokio::task::block_in_place;

use super::Options;
use super::queue::{Admission, AdmissionQueue};
use crate::model::error::{Error, Result};

/// What all readers that do not map the file keep of it in memory.
const CACHE_KIB: u32 = 8 * 1024;

/// More than any file has: a mapping takes no memory of its own.
const WHOLE_FILE: i64 = 1 << 40;

/// After so long without a change, readers map the file.
const QUIET: Duration = Duration::from_secs(1);

/// The pools of connections that read.
///
/// To read from a mapping is fastest. But after each commit SQLite takes the mapping of the whole file
/// back, in every reader, and all reads wait for that. So while things are written, readers that do
/// not map go ahead.
pub(super) struct Readers {
    mapping: Pool<SqliteConnectionManager>,
    copying: Pool<SqliteConnectionManager>,
    long: Pool<SqliteConnectionManager>,
    long_queue: AdmissionQueue,
    opened: Instant,
    /// When something was last written, in milliseconds since `opened`.
    written: AtomicU64,
    // The last, to be dropped after the pools.
    _helper: Helper,
}

/// The thread that opens connections: soon done, so one is enough for all pools.
struct Helper(Arc<ScheduledThreadPool>);

impl Drop for Helper {
    /// What it does for a pool that is gone may hold a connection open: waits until that is done.
    fn drop(&mut self) {
        let (done, is_done) = mpsc::channel();
        self.0.execute(move || {
            let _ = done.send(());
        });
        let _ = is_done.recv();
    }
}

impl Readers {
    pub(super) fn open(path: &Path, options: &Options) -> Result<Self, r2d2::Error> {
        let cache_kib = CACHE_KIB / options.readers.max(1);
        let helper = Helper(Arc::new(ScheduledThreadPool::new(1)));
        let pool = |size, setting| pool(path, size, options.busy_timeout, &helper, setting);
        Ok(Self {
            mapping: pool(options.readers, ("mmap_size", WHOLE_FILE))?,
            copying: pool(options.readers, ("cache_size", -i64::from(cache_kib)))?,
            long: pool(options.long_readers, ("cache_size", -i64::from(cache_kib)))?,
            long_queue: AdmissionQueue::new(options.long_readers as usize, options.busy_timeout),
            opened: Instant::now(),
            written: AtomicU64::new(0),
            _helper: helper,
        })
    }

    /// To be told after each change.
    pub(super) fn note_change(&self) {
        self.written.store(self.now(), Ordering::Relaxed);
    }

    /// What is in the file, for a short read.
    pub(super) fn snapshot(&self) -> Result<Snapshot> {
        let written = self.written.load(Ordering::Relaxed);
        let quiet = Duration::from_millis(self.now().saturating_sub(written));
        Snapshot::of(if quiet >= QUIET { &self.mapping } else { &self.copying })
    }

    /// Waits until one more long read may run.
    pub(super) async fn admit_long(&self) -> Result<Admission> {
        self.long_queue.enter().await
    }

    /// Runs `query` on a snapshot of its own, with a connection that short reads do not use. What else this
    /// thread was to do goes to another first, of which there are no more than there are admissions.
    pub(super) fn read_long<T>(
        &self,
        _admission: Admission,
        query: impl FnOnce(&Connection) -> Result<T>,
    ) -> Result<T> {
        block_in_place(|| Snapshot::of(&self.long)?.read(query))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// At most `size` connections, opened when they are asked for, each with this setting of SQLite's.
fn pool(
    path: &Path,
    size: u32,
    wait: Duration,
    helper: &Helper,
    (pragma, value): (&'static str, i64),
) -> Result<Pool<SqliteConnectionManager>, r2d2::Error> {
    let manager = SqliteConnectionManager::file(path)
        .with_flags(OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .with_init(move |db| {
            db.busy_timeout(wait)?;
            db.pragma_update(None, pragma, value)?;
            db.set_prepared_statement_cache_capacity(64);
            Ok(())
        });
    Pool::builder()
        .max_size(size)
        .test_on_check_out(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connection_timeout(wait)
        .thread_pool(Arc::clone(&helper.0))
        .build(manager)
}

/// What was in the file at one moment. While this value lives the log grows, so it is for the time
/// of one answer.
pub struct Snapshot {
    db: PooledConnection<SqliteConnectionManager>,
}

impl Snapshot {
    fn of(readers: &Pool<SqliteConnectionManager>) -> Result<Self> {
        let db = readers.get().map_err(|e| Error::Unavailable(e.to_string()))?;
        db.prepare_cached("BEGIN")?.execute([])?;
        Ok(Self { db })
    }

    /// Runs `query`.
    pub fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        query(&self.db)
    }
}

impl Drop for Snapshot {
    /// No connection goes back to the pool inside a transaction.
    fn drop(&mut self) {
        let commit = |mut statement: CachedStatement<'_>| statement.execute([]);
        let ended = self.db.prepare_cached("COMMIT").and_then(commit);
        // After an I/O error SQLite may have ended it by itself.
        if ended.is_ok() || self.db.is_autocommit() {
            return;
        }
        if let Err(e) = self.db.execute("ROLLBACK", []) {
            tracing::error!("a read could not be ended: {e}");
        }
    }
}
