//! Pools of read-only connections, and snapshots.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use r2d2::{ManageConnection, Pool, PooledConnection};
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::Connection;
use scheduled_thread_pool::ScheduledThreadPool;
use tokio::task::block_in_place;

use super::Options;
use super::connect::Mode;
use super::memory;
use super::queue::{Admission, AdmissionQueue};
use super::quiet_readers::{self, QuietReaders};
use super::read_transaction::{begin, end};
use super::standby::{Gate, Pass, forget_pages};
use super::wal_index::WalIndex;
use crate::model::error::{Error, Result};

/// The page cache of all copying readers together, in KiB.
const CACHE_KIB: u32 = 8 * 1024;

/// The pools of read-only connections.
///
/// Reads from a memory mapping are fastest. But after each commit SQLite unmaps the whole file in
/// every reader, and all reads wait for that. While changes are written, connections without a mapping,
/// which copy pages into their cache, therefore serve the reads
/// ([decisions](../../docs/decisions.md#reading)).
pub(super) struct Readers {
    /// Map the file, unless it is larger than half of the memory. `None` at a standby.
    quiet: Option<Arc<QuietReaders>>,
    copying: Pool<SqliteConnectionManager>,
    long: Pool<SqliteConnectionManager>,
    long_queue: AdmissionQueue,
    /// Of a standby, whose readers neither map the file nor trust their cache.
    gate: Option<Arc<Gate>>,
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
    /// Opens the readers of the database at `path`. A standby has a `gate`, and no `wal_index`.
    pub(super) fn open(
        path: &Path,
        options: &Options,
        gate: Option<Arc<Gate>>,
        wal_index: Option<Arc<WalIndex>>,
    ) -> Result<Self, r2d2::Error> {
        let timeout = options.busy_timeout;
        let cache = ("cache_size", -i64::from(CACHE_KIB / options.readers.max(1)));
        let file_bytes = path.metadata().ok().map(|file| file.len());
        let mapping = mapped_bytes(file_bytes, memory::limit()).map(|bytes| ("mmap_size", bytes));
        let thread = ConnectionThread(Arc::new(ScheduledThreadPool::new(1)));
        let manager = |setting| manager(path, timeout, setting);
        let quiet = |wal_index| {
            let manager = quiet_readers::Manager(manager(mapping.unwrap_or(cache)));
            let pool = pool(manager, options.readers, timeout, &thread)?;
            Ok(QuietReaders::new(pool, wal_index, &thread.0))
        };
        Ok(Self {
            quiet: wal_index.map(quiet).transpose()?,
            copying: pool(manager(cache), options.readers, timeout, &thread)?,
            long: pool(manager(cache), options.long_readers, timeout, &thread)?,
            long_queue: AdmissionQueue::new(options.long_readers as usize, timeout),
            gate,
            _thread: thread,
        })
    }

    /// Records that something changes now.
    pub(super) fn note_change(&self) {
        if let Some(quiet) = &self.quiet {
            quiet.note_change();
        }
    }

    /// Runs a short `query` on a snapshot.
    pub(super) fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        match self.quiet() {
            Some(quiet) => quiet.read(query),
            None => self.snapshot(&self.copying)?.read(query),
        }
    }

    /// Runs a short `query` as [`Readers::read`] does, but without a transaction while changes are written:
    /// a statement is a snapshot by itself.
    pub(super) fn read_one<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        match self.quiet() {
            Some(quiet) => quiet.read(query),
            None => {
                let _pass = self.enter();
                query(&*self.connection(&self.copying)?)
            }
        }
    }

    /// Returns the readers without changes, if they serve short reads at the moment.
    fn quiet(&self) -> Option<&QuietReaders> {
        self.quiet.as_deref().filter(|quiet| quiet.is_quiet())
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
        begin(&db)?;
        Ok(Snapshot { db, _pass: pass })
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
}

/// Returns true if the memory holds the file at `path`, so that reads seldom wait for the disk. A file
/// that does not exist yet is empty.
pub fn is_held_by_memory(path: &Path) -> bool {
    let file_bytes = path.metadata().map_or(0, |file| file.len());
    mapped_bytes(Some(file_bytes), memory::limit()).is_some()
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

/// Returns the manager of connections with the given pragma.
fn manager(
    path: &Path,
    timeout: Duration,
    (pragma, value): (&'static str, i64),
) -> SqliteConnectionManager {
    SqliteConnectionManager::file(path).with_flags(Mode::Reader.flags()).with_init(move |db| {
        Mode::Reader.configure(db)?;
        db.busy_timeout(timeout)?;
        db.pragma_update(None, pragma, value)
    })
}

/// Creates a pool of at most `size` connections, opened on demand.
fn pool<M: ManageConnection>(
    manager: M,
    size: u32,
    timeout: Duration,
    thread: &ConnectionThread,
) -> Result<Pool<M>, r2d2::Error> {
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
        end(&self.db);
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
