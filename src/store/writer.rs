//! The only writer: a thread that applies all waiting changes in one transaction and replies after
//! the commit. One durable commit then serves many callers (group commit), and no two writers
//! collide.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::condition::Condition;
use super::map_cache::MapCache;
use crate::model::error::{Error, Result};

/// The capacity of the write queue. A change beyond it is rejected at once, because in a longer
/// queue changes would only time out.
const MAX_QUEUED: usize = 1024;

/// The busy timeout of one attempt to lock the file.
const LOCK_ATTEMPT: Duration = Duration::from_millis(20);

/// The interval at which an idle writer checks whether another process has changed the file.
const CHANGE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

type Apply = dyn FnOnce(Result<&Connection>) -> Applied + Send;
type Reply = dyn FnOnce(Result<()>) + Send;

/// A change in the write queue.
struct Job {
    deadline: Instant,
    /// Applies the change, or receives the error with which it is rejected.
    apply: Box<Apply>,
}

/// The result of a change inside the transaction.
struct Applied {
    /// True if its statements stay in the transaction.
    keep: bool,
    /// Runs the callback if the commit succeeded, and replies to the caller.
    reply: Box<Reply>,
}

/// The handle of the writer's thread. Dropping it ends the thread after the queued changes.
pub(super) struct Writer {
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    busy_timeout: Duration,
    callback: Arc<OnceLock<Box<ChangeCallback>>>,
    blocked: Arc<AtomicUsize>,
}

type ChangeCallback = dyn Fn() + Send + Sync;

impl Writer {
    /// Starts the thread. A change waits at most `busy_timeout` for another process's lock.
    /// A change by another process invalidates `map_cache`. While `condition` says that the file was
    /// replaced, changes are rejected.
    pub(super) fn start(
        db: Connection,
        busy_timeout: Duration,
        map_cache: &Arc<MapCache>,
        condition: &Arc<Condition>,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(MAX_QUEUED);
        let callback = Arc::new(OnceLock::new());
        let watcher = ExternalChangeWatcher {
            data_version: data_version(&db),
            map_cache: Arc::clone(map_cache),
            callback: Arc::clone(&callback),
        };
        let blocked = Arc::new(AtomicUsize::new(0));
        let (waiting, condition) = (Arc::clone(&blocked), Arc::clone(condition));
        let thread = thread::Builder::new()
            .name("writer".into())
            .spawn(move || run(&db, &jobs, watcher, &condition, &waiting))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), busy_timeout, callback, blocked })
    }

    /// See [`super::Store::blocked_changes`].
    pub(super) fn blocked(&self) -> usize {
        self.blocked.load(Ordering::Relaxed)
    }

    /// See [`super::Store::on_external_change`].
    pub(super) fn on_external_change(&self, callback: impl Fn() + Send + Sync + 'static) {
        let _ = self.callback.set(Box::new(callback));
    }

    /// See [`super::Store::write_then`].
    pub(super) async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
        committed: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = oneshot::channel();
        let apply = move |db: Result<&Connection>| {
            let result = db.and_then(change);
            let keep = result.is_ok();
            let reply = move |commit: Result<()>| {
                let result = result.and_then(|value| commit.map(|()| value));
                if let Ok(value) = &result {
                    committed(value);
                }
                // The caller may have been dropped; the change is committed all the same.
                let _ = sender.send(result);
            };
            Applied { keep, reply: Box::new(reply) }
        };
        let job = Job { deadline: Instant::now() + self.busy_timeout, apply: Box::new(apply) };
        match self.queue.as_ref().map(|queue| queue.try_send(job)) {
            Some(Ok(())) => {}
            Some(Err(TrySendError::Full(_))) => {
                return Err(Error::Unavailable("the write queue is full".into()));
            }
            Some(Err(TrySendError::Disconnected(_))) | None => {
                return Err(Error::Internal("the writer has stopped".into()));
            }
        }
        receiver.await.map_err(|_| Error::Internal("a change panicked".into()))?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Detects changes by other processes, for example `bottle user` and `bottle import`.
struct ExternalChangeWatcher {
    /// SQLite's `data_version`, which changes with commits of other connections only.
    data_version: Option<i64>,
    map_cache: Arc<MapCache>,
    callback: Arc<OnceLock<Box<ChangeCallback>>>,
}

impl ExternalChangeWatcher {
    fn check(&mut self, db: &Connection) {
        let data_version = data_version(db);
        if data_version.is_some() && data_version != self.data_version {
            self.data_version = data_version;
            self.map_cache.invalidate();
            if let Some(callback) = self.callback.get() {
                callback();
            }
        }
    }
}

/// Reads `data_version`; `None` if it cannot be read now.
fn data_version(db: &Connection) -> Option<i64> {
    db.prepare_cached("PRAGMA data_version")
        .and_then(|mut sql| sql.query_row([], |row| row.get(0)))
        .ok()
}

/// Runs the writer's loop: waits for a change, takes all other waiting ones, and commits them
/// together. Stores in `blocked` the number of changes that wait for another process's lock.
fn run(
    db: &Connection,
    jobs: &Receiver<Job>,
    mut watcher: ExternalChangeWatcher,
    condition: &Condition,
    blocked: &AtomicUsize,
) {
    if let Err(e) = db.busy_timeout(LOCK_ATTEMPT) {
        tracing::error!("cannot set the writer's busy timeout, so SQLite's default applies: {e}");
    }
    loop {
        let mut batch = match jobs.recv_timeout(CHANGE_CHECK_INTERVAL) {
            Ok(first) => vec![first],
            Err(RecvTimeoutError::Timeout) => {
                watcher.check(db);
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        while !batch.is_empty() {
            let room = MAX_QUEUED - batch.len();
            batch.extend(jobs.try_iter().take(room));
            match begin(db, condition) {
                Ok(()) => {
                    blocked.store(0, Ordering::Relaxed);
                    watcher.check(db);
                    apply_all(db, std::mem::take(&mut batch));
                }
                Err((error, is_locked)) => {
                    reject_failed(&mut batch, &error, is_locked);
                    blocked.store(batch.len(), Ordering::Relaxed);
                }
            }
        }
    }
}

/// Begins a transaction. Returns the error, and whether another process holds a lock.
fn begin(db: &Connection, condition: &Condition) -> Result<(), (Error, bool)> {
    condition.check_names().map_err(|e| (e.into(), false))?;
    let sqlite = |e: rusqlite::Error| {
        let is_locked = e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
        (e.into(), is_locked)
    };
    if !db.is_autocommit() {
        // The rollback of the last one has failed too, perhaps because memory was short.
        db.execute_batch("ROLLBACK").map_err(sqlite)?;
    }
    db.execute_batch("BEGIN IMMEDIATE").map_err(sqlite)
}

/// Rejects changes after a transaction could not begin: those past their deadline while another
/// process holds a lock, otherwise all.
fn reject_failed(batch: &mut Vec<Job>, error: &Error, is_locked: bool) {
    let now = Instant::now();
    for job in batch.extract_if(.., |job| !is_locked || job.deadline <= now) {
        reject(job, error.clone());
    }
}

/// Applies the batch inside the open transaction, commits, and replies to every caller.
fn apply_all(db: &Connection, batch: Vec<Job>) {
    let mut outcome = Ok(());
    let mut replies = Vec::with_capacity(batch.len());
    for job in batch {
        if let Err(e) = &outcome {
            reject(job, Error::clone(e));
            continue;
        }
        outcome = apply_one(db, job, &mut replies);
        // SQLite may roll the whole transaction back by itself after a full disk or an I/O error.
        if outcome.is_ok() && db.is_autocommit() {
            outcome = Err(Error::Unavailable("the transaction was rolled back".into()));
        }
    }
    if outcome.is_ok() {
        outcome = db.execute_batch("COMMIT").map_err(Error::from);
    }
    if outcome.is_err() && !db.is_autocommit() {
        let _ = db.execute_batch("ROLLBACK");
    }
    // In commit order. A callback that panics does not stop the writer.
    for reply in replies {
        let _ = catch_unwind(AssertUnwindSafe(|| reply(outcome.clone())));
    }
}

/// Applies one change in a savepoint of its own. A change that panics is rolled back, and its
/// caller learns it from the dropped reply channel. Returns an error if a change cannot be rolled back
/// alone, perhaps because memory is short: then the whole transaction must be.
fn apply_one(db: &Connection, job: Job, replies: &mut Vec<Box<Reply>>) -> Result<()> {
    let run = |sql| db.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    if let Err(e) = run("SAVEPOINT change") {
        reject(job, e.into());
        return Ok(());
    }
    let applied = catch_unwind(AssertUnwindSafe(|| (job.apply)(Ok(db)))).ok();
    let is_kept = applied.as_ref().is_some_and(|applied| applied.keep);
    replies.extend(applied.map(|applied| applied.reply));
    if db.is_autocommit() {
        return Ok(());
    }
    if !is_kept {
        run("ROLLBACK TO change")?;
    }
    let _ = run("RELEASE change");
    Ok(())
}

/// Rejects a change without trying it.
fn reject(job: Job, error: Error) {
    ((job.apply)(Err(error)).reply)(Ok(()));
}
