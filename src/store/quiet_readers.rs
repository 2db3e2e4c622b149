//! Connections for short reads while nothing changes.
//!
//! SQLite begins and ends a snapshot with file locks, under a mutex that all connections of the process
//! share: half of its time for a small search. Each connection therefore keeps its snapshot for the next
//! read, and the header of the wal-index shows whether it is still that of the last commit.
//!
//! The write-ahead log cannot start over while somebody reads from it. The snapshots therefore end
//! before each change of this process, and once a second for the changes of others.

use std::iter::from_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use r2d2::{ManageConnection, Pool};
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::Connection;
use scheduled_thread_pool::ScheduledThreadPool;

use super::read_transaction::{begin, end};
use super::wal_index::{Header, WalIndex};
use crate::model::error::{Error, Result};

/// The time without a change after which these connections serve the reads.
const QUIET_PERIOD: Duration = Duration::from_secs(1);

/// The interval at which all snapshots end.
const MAX_KEPT: Duration = Duration::from_secs(1);

/// The connections.
pub(super) struct QuietReaders {
    pool: Pool<Manager>,
    wal_index: Arc<WalIndex>,
    quiet_period: Duration,
    started: Instant,
    /// The time of the last change, in milliseconds since `started`.
    last_change_ms: AtomicU64,
    /// False if no idle connection holds a snapshot.
    are_kept: AtomicBool,
}

impl QuietReaders {
    /// Creates the readers of `pool`, whose snapshots end on `thread` after [`MAX_KEPT`].
    pub(super) fn new(
        pool: Pool<Manager>,
        wal_index: Arc<WalIndex>,
        thread: &ScheduledThreadPool,
    ) -> Arc<Self> {
        let readers = Arc::new(Self {
            pool,
            wal_index,
            quiet_period: QUIET_PERIOD,
            started: Instant::now(),
            last_change_ms: AtomicU64::new(0),
            are_kept: AtomicBool::new(false),
        });
        let weak = Arc::downgrade(&readers);
        thread.execute_at_fixed_rate(MAX_KEPT, MAX_KEPT, move || {
            if let Some(readers) = weak.upgrade() {
                readers.end_snapshots();
            }
        });
        readers
    }

    /// Records that something changes now.
    pub(super) fn note_change(&self) {
        self.last_change_ms.store(self.now(), Ordering::Relaxed);
        self.end_snapshots();
    }

    /// Returns true if nothing has changed for a while.
    pub(super) fn is_quiet(&self) -> bool {
        let last_change_ms = self.last_change_ms.load(Ordering::Relaxed);
        Duration::from_millis(self.now().saturating_sub(last_change_ms)) >= self.quiet_period
    }

    /// Runs `query` on a snapshot of the last commit.
    pub(super) fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut reader = self.pool.get().map_err(|e| Error::Unavailable(e.to_string()))?;
        let result = query(reader.current(self.wal_index.header().ok())?);
        let is_kept = result.is_ok() && self.is_quiet();
        if !is_kept {
            reader.end();
        }
        drop(reader);
        if is_kept {
            // Not before the connection is idle: `end_snapshots` would miss it.
            self.are_kept.store(true, Ordering::Relaxed);
        }
        result
    }

    /// Ends the snapshots of idle connections.
    fn end_snapshots(&self) {
        if self.are_kept.swap(false, Ordering::Relaxed) {
            // Taken all at once, because the pool would hand out the same one again.
            let idle: Vec<_> = from_fn(|| self.pool.try_get()).collect();
            idle.into_iter().for_each(|mut reader| reader.end());
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A connection, which may hold a snapshot.
pub(super) struct Reader {
    db: Connection,
    /// The header before the snapshot began.
    header: Option<Header>,
}

impl Reader {
    /// Returns the connection inside a snapshot of the last commit, whose header is `header`; a new
    /// snapshot if that is unknown.
    fn current(&mut self, header: Option<Header>) -> Result<&Connection> {
        let is_current = header.is_some() && header == self.header && !self.db.is_autocommit();
        if !is_current {
            self.end();
            begin(&self.db)?;
            self.header = header;
        }
        Ok(&self.db)
    }

    fn end(&mut self) {
        self.header = None;
        end(&self.db);
    }
}

/// Opens connections.
pub(super) struct Manager(pub(super) SqliteConnectionManager);

impl ManageConnection for Manager {
    type Connection = Reader;
    type Error = rusqlite::Error;

    fn connect(&self) -> rusqlite::Result<Reader> {
        Ok(Reader { db: self.0.connect()?, header: None })
    }

    fn is_valid(&self, reader: &mut Reader) -> rusqlite::Result<()> {
        self.0.is_valid(&mut reader.db)
    }

    fn has_broken(&self, reader: &mut Reader) -> bool {
        self.0.has_broken(&mut reader.db)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Error::InvalidQuery;
    use tempfile::TempDir;

    use super::*;

    /// A database with one reader, which always keeps its snapshot, and a connection that writes.
    struct Fixture {
        readers: QuietReaders,
        writer: Connection,
        _folder: TempDir,
    }

    impl Fixture {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.db");
            let writer = Connection::open(&path).unwrap();
            writer.execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (i)").unwrap();
            let pool =
                Pool::builder().max_size(1).thread_pool(Arc::new(ScheduledThreadPool::new(1)));
            let readers = QuietReaders {
                pool: pool.build(Manager(SqliteConnectionManager::file(&path))).unwrap(),
                wal_index: Arc::new(WalIndex::open(&path).unwrap()),
                quiet_period: Duration::ZERO,
                started: Instant::now(),
                last_change_ms: AtomicU64::new(0),
                are_kept: AtomicBool::new(false),
            };
            Self { readers, writer, _folder: folder }
        }

        fn insert(&self) {
            self.writer.execute("INSERT INTO t VALUES (1)", []).unwrap();
        }

        fn count(&self) -> i64 {
            let sql = "SELECT count(*) FROM t";
            self.readers.read(|db| Ok(db.query_row(sql, [], |row| row.get(0))?)).unwrap()
        }

        /// Returns true if the log can start over.
        fn can_restart_log(&self) -> bool {
            let sql = "PRAGMA wal_checkpoint(RESTART)";
            self.writer.query_row(sql, [], |row| Ok(!row.get::<_, bool>(0)?)).unwrap()
        }
    }

    #[test]
    fn a_read_sees_the_last_commit() {
        let fixture = Fixture::new();
        for n in 0..3 {
            assert_eq!(fixture.count(), n);
            assert_eq!(fixture.count(), n);
            fixture.insert();
        }
    }

    #[test]
    fn a_snapshot_is_kept_until_something_changes() {
        let fixture = Fixture::new();
        fixture.insert();
        fixture.count();
        assert!(!fixture.can_restart_log());
        fixture.readers.note_change();
        assert!(fixture.can_restart_log());
    }

    #[test]
    fn a_snapshot_whose_read_failed_is_not_kept() {
        let fixture = Fixture::new();
        fixture.insert();
        let failed = fixture.readers.read(|db| {
            db.query_row("SELECT i FROM t", [], |_| Ok(()))?;
            Err::<(), _>(InvalidQuery.into())
        });
        assert!(failed.is_err());
        assert!(fixture.can_restart_log());
    }
}
