//! The state of the server, for operators.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::events::EventBus;
use crate::domain::maintenance::{Maintenance, Run};
use crate::model::clock::Clock;
use crate::model::error::{Error, Result};
use crate::model::hourly::HourlyCounter;
pub use crate::store::condition::FileFault;
use crate::store::map_cache::CacheStats;
use crate::store::stats::{self, Stats};
use crate::store::{Store, disk};

/// The time for which the counts of openings and replies are kept, because counting millions takes
/// a long read.
const COUNTS_LIVE: Duration = Duration::from_secs(60);

/// Reads the state of a server.
pub struct Health {
    store: Arc<Store>,
    clock: Clock,
    events: EventBus,
    maintenance: Maintenance,
    failed_requests: Arc<HourlyCounter>,
    /// The openings and replies, and the uptime at which they were counted.
    counts: Mutex<Option<(Duration, (i64, i64))>>,
}

/// The state of a server at one moment. Sizes are in bytes.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct HealthReport {
    pub uptime: Duration,
    pub database_bytes: i64,
    pub log_bytes: i64,
    pub backups_bytes: u64,
    /// The free space of the database's disk.
    pub free_bytes: u64,
    /// Less is too little for the server to be ready.
    pub min_free_bytes: u64,
    pub counts: Stats,
    /// At most a minute old, as are the replies.
    pub openings: i64,
    pub replies: i64,
    /// The event streams, and how many there may be.
    pub streams: (usize, usize),
    pub map_cache: CacheStats,
    /// Of the last day, as are the failed requests.
    pub slow_queries: u64,
    pub failed_requests: u64,
    /// The known fault of the files, if there is one.
    pub file_fault: Option<FileFault>,
    /// The last run that has checked the file or a copy of it.
    pub last_check: Option<Run>,
    /// The last backup.
    pub last_backup: Option<Run>,
}

impl Health {
    /// Creates the state of a server of `store`.
    pub fn new(
        store: Arc<Store>,
        clock: Clock,
        events: EventBus,
        maintenance: Maintenance,
        failed_requests: Arc<HourlyCounter>,
    ) -> Self {
        Self { store, clock, events, maintenance, failed_requests, counts: Mutex::default() }
    }

    /// Returns the state now.
    pub async fn report(&self) -> Result<HealthReport> {
        let disk_error = |e| Error::Unavailable(format!("cannot read the disk: {e}"));
        let now = self.clock.now();
        let (openings, replies) = self.openings_and_replies().await?;
        let (database_bytes, log_bytes) = self.store.sizes().map_err(disk_error)?;
        let backups = self.maintenance.backups().await.unwrap_or_default();
        Ok(HealthReport {
            uptime: self.clock.uptime(),
            database_bytes,
            log_bytes,
            backups_bytes: backups.iter().map(|backup| backup.bytes).sum(),
            free_bytes: self.store.room().map_err(disk_error)?,
            min_free_bytes: disk::MIN_FREE_BYTES,
            counts: self.store.read(|db| stats::of(db, now))?,
            openings,
            replies,
            streams: self.events.subscribers(),
            map_cache: self.store.map_cache_stats(),
            slow_queries: self.store.slow_queries(),
            failed_requests: self.failed_requests.last_day(),
            file_fault: self.store.file_fault(),
            last_check: self.maintenance.last_check()?,
            last_backup: self.maintenance.last_backup()?,
        })
    }

    async fn openings_and_replies(&self) -> Result<(i64, i64)> {
        let now = self.clock.uptime();
        let kept = *self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, counts)) = kept.filter(|(at, _)| now < *at + COUNTS_LIVE) {
            return Ok(counts);
        }
        let counts = self.store.read_long(stats::openings_and_replies).await?;
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, counts));
        Ok(counts)
    }
}
