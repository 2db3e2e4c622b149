//! A standby: a store that reads a file which a follower writes, and writes nothing itself.
//!
//! The follower is `litestream restore -f`. It writes pages into the file under SQLite's own locks, so
//! a read sees whole transactions. Three of its habits decide how the file is read
//! ([decisions](../../docs/decisions.md#a-warm-standby)):
//!
//! - It changes the counter in the header only together with page 1, so SQLite would go on reading
//!   cached pages that are old. Each snapshot begins with an empty page cache.
//! - It waits until nobody reads, and reads of one process that overlap never let go of SQLite's lock.
//!   [`Gate`] makes new reads wait for a moment.
//! - A file that it has just restored says that it is in WAL mode, in which readers would keep the lock
//!   and write files of their own. [`leave_wal_mode`] changes that, as the follower does later.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;

use super::connect::{self, AtRest, Mode};
use super::map_cache::MapCache;
use super::open::{OpenError, refusal};

/// The interval at which overlapping reads make way for the follower.
const GATE_INTERVAL: Duration = Duration::from_millis(100);

/// The longest time for which the gate is closed. A read that takes longer keeps the follower waiting.
const GATE_TIMEOUT: Duration = Duration::from_millis(250);

/// The number of gate intervals between two looks at the file.
const INTERVALS_PER_LOOK: u32 = 10;

/// Lets no read begin for a moment, so that the last one gives SQLite's lock up to the follower.
#[derive(Default)]
pub(super) struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    is_closed: bool,
    /// The reads in progress.
    inside: usize,
}

/// A read in progress, until it is dropped.
pub(super) struct Pass(Arc<Gate>);

impl Gate {
    /// Waits until the gate is open, or for its timeout: a read inside another one must not wait for
    /// itself.
    pub(super) fn enter(self: &Arc<Self>) -> Pass {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, GATE_TIMEOUT, |state| state.is_closed);
        waited.unwrap_or_else(PoisonError::into_inner).0.inside += 1;
        Pass(Arc::clone(self))
    }

    /// Waits until no read is in progress, and lets none begin meanwhile.
    fn clear(&self) {
        let mut state = self.lock();
        state.is_closed = state.inside > 0;
        let waited = self.changed.wait_timeout_while(state, GATE_TIMEOUT, |state| state.inside > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_closed = false;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.inside -= 1;
        if state.is_closed && state.inside == 0 {
            self.0.changed.notify_all();
        }
    }
}

type ChangeCallback = dyn Fn() + Send + Sync;

/// The counterpart of the writer in the store of a standby. Dropping it ends its thread.
pub(super) struct Standby {
    pub(super) primary_url: String,
    callback: Arc<OnceLock<Box<ChangeCallback>>>,
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Standby {
    /// Starts the thread that looks for changes of the file, which `db` reads.
    pub(super) fn start(
        path: &Path,
        db: Connection,
        primary_url: String,
        gate: &Arc<Gate>,
        map_cache: &Arc<MapCache>,
    ) -> std::io::Result<Self> {
        let callback = Arc::new(OnceLock::new());
        let watcher = Watcher {
            path: path.to_owned(),
            db,
            gate: Arc::clone(gate),
            map_cache: Arc::clone(map_cache),
            callback: Arc::clone(&callback),
        };
        let (stop, stopped) = channel();
        let thread = thread::Builder::new().name("standby".into()).spawn(move || {
            let mut looks = watcher.looks();
            let is_running =
                || stopped.recv_timeout(GATE_INTERVAL) == Err(RecvTimeoutError::Timeout);
            for interval in (1..=INTERVALS_PER_LOOK).cycle().take_while(|_| is_running()) {
                watcher.gate.clear();
                if interval == INTERVALS_PER_LOOK {
                    looks();
                }
            }
        })?;
        Ok(Self { primary_url, callback, thread: Some((stop, thread)) })
    }

    /// See [`super::Store::on_external_change`].
    pub(super) fn on_external_change(&self, callback: impl Fn() + Send + Sync + 'static) {
        let _ = self.callback.set(Box::new(callback));
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

/// Looks for changes that the follower has made.
struct Watcher {
    path: PathBuf,
    db: Connection,
    gate: Arc<Gate>,
    map_cache: Arc<MapCache>,
    callback: Arc<OnceLock<Box<ChangeCallback>>>,
}

impl Watcher {
    /// Returns a function that looks at the file and acts if it has changed.
    fn looks(&self) -> impl FnMut() {
        let mut last = AtRest::of(&self.path);
        let mut content = self.content();
        move || {
            let now = AtRest::of(&self.path);
            if now == last {
                return;
            }
            last = now;
            self.map_cache.invalidate();
            let newer = self.content();
            if newer != content {
                content = newer;
                if let Some(callback) = self.callback.get() {
                    callback();
                }
            }
        }
    }

    /// Returns what differs after each change that somebody sees at once, and not after a heartbeat.
    fn content(&self) -> Option<[i64; 4]> {
        let sql = "SELECT (SELECT CAST(total(count) AS INTEGER) FROM cells WHERE level = 2),
                          (SELECT coalesce(max(id), 0) FROM bottles),
                          (SELECT coalesce(max(id), 0) FROM inbox_items),
                          (SELECT coalesce(max(id), 0) FROM audit_log)";
        let _pass = self.gate.enter();
        forget_pages(&self.db).ok()?;
        let row =
            |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]);
        self.db.prepare_cached(sql).and_then(|mut sql| sql.query_row([], row)).ok()
    }
}

/// Empties the page cache of a connection that is in no transaction.
pub(super) fn forget_pages(db: &Connection) -> rusqlite::Result<()> {
    // SQLite acts when it prepares this statement, so a cached one would do nothing.
    db.execute_batch("PRAGMA shrink_memory")
}

/// Makes the header of a restored file say that it is not in WAL mode. Changes nothing if it says so.
pub(super) fn leave_wal_mode(path: &Path, busy_timeout: Duration) -> Result<(), OpenError> {
    let io = |source| OpenError::Io { path: path.to_owned(), source };
    if !connect::is_in_wal_mode(path).map_err(io)? {
        return Ok(());
    }
    let left = connect::open(path, Mode::Exclusive).and_then(|db| {
        db.busy_timeout(busy_timeout)?;
        db.pragma_update(None, "journal_mode", "delete")
    });
    left.map_err(|e| refusal(path, e))?;
    match connect::is_in_wal_mode(path).map_err(io)? {
        false => Ok(()),
        true => Err(OpenError::InUse(path.to_owned())),
    }
}
