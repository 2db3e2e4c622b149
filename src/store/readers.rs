//! Pools of read-only connections, and snapshots.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use r2d2::{Pool, PooledConnection};
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{CachedStatement, Connection};
use scheduled_thread_pool::ScheduledThreadPool;
use tokio::task::block_in_place;

use super::Options;
use super::connect::Mode;
use super::memory;
use super::queue::{Admission, AdmissionQueue};
use super::standby::{Gate, Pass, forget_pages};
use crate::model::error::{Error, Result};

/// The page cache of all copying readers together, in KiB.
const CACHE_KIB: u32 = 8 * 1024;

/// The time without a change after which readers map the file.
const QUIET_PERIOD: Duration = Duration::from_secs(1);

/// The pools of read-only connections.
///
/// Reads from a memory mapping are fastest. But after each commit SQLite unmaps the whole file in
/// every reader, and all reads wait for that. While changes are written, and if the file is larger
/// than half of the memory, connections without a mapping, which copy pages into their cache, therefore
/// serve the reads ([decisions](../../docs/decisions.md#reading)).
pub(super) struct Readers {
    mapping: Pool<SqliteConnectionManager>,
    copying: Pool<SqliteConnectionManager>,
    long: Pool<SqliteConnectionManager>,
    long_queue: AdmissionQueue,
    /// Of a standby, whose readers neither map the file nor trust their cache.
    gate: Option<Arc<Gate>>,
    started: Instant,
    /// The time of the last change, in milliseconds since `started`.
    last_change_ms: AtomicU64,
    // The last field, to be dropped after the pools.
    _thread: ConnectionThread,
}

/// The thread that opens connections. One is enough for all pools, because a connection opens
/// quickly.
struct ConnectionThread(Arc<ScheduledThreadPool>);

impl Drop for ConnectionThread {
    /// Waits for the thread's current task, which may hold a connection of a dropped pool open.
    fn drop(&mut self) {
        let (sender, receiver) = mpsc::channel();
        self.0.execute(move || {
            let _ = sender.send(());
        });
        let _ = receiver.recv();
    }
}

impl Readers {
    pub(super) fn open(
        path: &Path,
        options: &Options,
        gate: Option<Arc<Gate>>,
    ) -> Result<Self, r2d2::Error> {
        let cache_kib = CACHE_KIB / options.readers.max(1);
        let thread = ConnectionThread(Arc::new(ScheduledThreadPool::new(1)));
        let pool = |size, setting| pool(path, size, options.busy_timeout, &thread, setting);
        let copying = pool(options.readers, ("cache_size", -i64::from(cache_kib)))?;
        let file_bytes = path.metadata().ok().map(|file| file.len());
        Ok(Self {
            mapping: match mapped_bytes(file_bytes, memory::limit()).filter(|_| gate.is_none()) {
                Some(bytes) => pool(options.readers, ("mmap_size", bytes))?,
                None => copying.clone(),
            },
            copying,
            long: pool(options.long_readers, ("cache_size", -i64::from(cache_kib)))?,
            long_queue: AdmissionQueue::new(options.long_readers as usize, options.busy_timeout),
            gate,
            started: Instant::now(),
            last_change_ms: AtomicU64::new(0),
            _thread: thread,
        })
    }

    /// Records the time of a change.
    pub(super) fn note_change(&self) {
        self.last_change_ms.store(self.now(), Ordering::Relaxed);
    }

    /// Runs a short `query` on a snapshot.
    pub(super) fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.snapshot(self.short())?.read(query)
    }

    /// Runs a short `query` without a transaction: a statement is a snapshot by itself.
    pub(super) fn read_one<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let _pass = self.enter();
        query(&*self.connection(self.short())?)
    }

    /// Waits until a standby lets a read begin.
    fn enter(&self) -> Option<Pass> {
        self.gate.as_ref().map(Gate::enter)
    }

    /// Takes a connection of `pool`, waiting for at most the busy timeout.
    fn connection(
        &self,
        pool: &Pool<SqliteConnectionManager>,
    ) -> Result<PooledConnection<SqliteConnectionManager>> {
        let db = pool.get().map_err(|e| Error::Unavailable(e.to_string()))?;
        if !db.is_autocommit() {
            // The last read could not end its transaction, perhaps because memory was short.
            db.execute_batch("ROLLBACK")?;
        }
        if self.gate.is_some() {
            forget_pages(&db)?;
        }
        Ok(db)
    }

    fn snapshot(&self, pool: &Pool<SqliteConnectionManager>) -> Result<Snapshot> {
        let pass = self.enter();
        let db = self.connection(pool)?;
        db.prepare_cached("BEGIN")?.execute([])?;
        Ok(Snapshot { db, _pass: pass })
    }

    /// Returns the pool that serves short reads at the moment.
    fn short(&self) -> &Pool<SqliteConnectionManager> {
        let last_change_ms = self.last_change_ms.load(Ordering::Relaxed);
        let idle = Duration::from_millis(self.now().saturating_sub(last_change_ms));
        if idle >= QUIET_PERIOD { &self.mapping } else { &self.copying }
    }

    /// Waits for a permit to run a long read.
    pub(super) async fn admit_long(&self) -> Result<Admission> {
        self.long_queue.enter().await
    }

    /// Runs `query` on a connection of the long reads' pool. The runtime moves other tasks of this
    /// thread to another thread first; there are at most as many of those as admissions.
    pub(super) fn read_long<T>(
        &self,
        _admission: Admission,
        query: impl FnOnce(&Connection) -> Result<T>,
    ) -> Result<T> {
        block_in_place(|| self.snapshot(&self.long)?.read(query))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Returns the largest part of the file that readers may map, in bytes: half of the memory. Returns
/// `None` if the file is larger already, or one of the two is unknown.
///
/// Linux reads far more than a page where a mapping is touched first. With too little memory for the
/// file, it would read the same parts again and again.
fn mapped_bytes(file_bytes: Option<u64>, memory: Option<u64>) -> Option<i64> {
    let half = memory? / 2;
    (file_bytes? <= half).then_some(i64::try_from(half).unwrap_or(i64::MAX))
}

/// Creates a pool of at most `size` connections, opened on demand, each with the given pragma.
fn pool(
    path: &Path,
    size: u32,
    timeout: Duration,
    thread: &ConnectionThread,
    (pragma, value): (&'static str, i64),
) -> Result<Pool<SqliteConnectionManager>, r2d2::Error> {
    let manager =
        SqliteConnectionManager::file(path).with_flags(Mode::Reader.flags()).with_init(move |db| {
            Mode::Reader.configure(db)?;
            db.busy_timeout(timeout)?;
            db.pragma_update(None, pragma, value)
        });
    Pool::builder()
        .max_size(size)
        .test_on_check_out(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connection_timeout(timeout)
        .thread_pool(Arc::clone(&thread.0))
        .build(manager)
}

/// The state of the file at one moment. The write-ahead log grows while a snapshot lives, so it
/// lives for one response only.
struct Snapshot {
    db: PooledConnection<SqliteConnectionManager>,
    _pass: Option<Pass>,
}

impl Snapshot {
    /// Runs `query` on the snapshot.
    fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        query(&self.db)
    }
}

impl Drop for Snapshot {
    /// Ends the transaction: no connection returns to the pool inside one.
    fn drop(&mut self) {
        let commit = |mut statement: CachedStatement<'_>| statement.execute([]);
        let ended = self.db.prepare_cached("COMMIT").and_then(commit);
        // SQLite may have ended the transaction by itself after an I/O error.
        if ended.is_ok() || self.db.is_autocommit() {
            return;
        }
        if let Err(e) = self.db.execute("ROLLBACK", []) {
            tracing::error!("cannot end the transaction of a read, so the next one ends it: {e}");
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const GIB: u64 = 1 << 30;

    #[rstest]
    #[case::small(Some(0), Some(GIB), Some(1 << 29))]
    #[case::as_large_as_half(Some(GIB / 2), Some(GIB), Some(1 << 29))]
    #[case::larger(Some(GIB / 2 + 1), Some(GIB), None)]
    #[case::no_limit(Some(GIB), Some(u64::MAX), Some(i64::MAX))]
    #[case::unknown_file(None, Some(GIB), None)]
    #[case::unknown_memory(Some(0), None, None)]
    fn a_file_is_mapped_if_half_of_the_memory_holds_it(
        #[case] file_bytes: Option<u64>,
        #[case] memory: Option<u64>,
        #[case] mapped: Option<i64>,
    ) {
        assert_eq!(mapped_bytes(file_bytes, memory), mapped);
    }
}
