//! Admission to what few may do at one time: the others wait without a thread, in a queue of bounded length.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time;

use crate::model::error::{Error, Result};

/// How many requests may wait. A longer queue would only make each of them wait until it times out.
const MAX_WAITING: usize = 256;

/// Admits requests in the order in which they came.
pub(super) struct AdmissionQueue {
    permits: Arc<Semaphore>,
    /// One for each request that is admitted or waits.
    places: Arc<Semaphore>,
    max_wait: Duration,
}

/// The right to go on; dropping it admits the next request.
pub(super) struct Admission {
    _permit: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl AdmissionQueue {
    /// Admits `permits` requests at one time. Each waits for at most `max_wait`.
    pub(super) fn new(permits: usize, max_wait: Duration) -> Self {
        let places = Arc::new(Semaphore::new(permits + MAX_WAITING));
        Self { permits: Arc::new(Semaphore::new(permits)), places, max_wait }
    }

    /// Waits for a permit. Returns [`Error::Unavailable`] where too many wait already, or after `max_wait`.
    /// A request that is dropped while it waits leaves the queue.
    pub(super) async fn enter(&self) -> Result<Admission> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| Error::Unavailable("too many long reads are waiting".into()))?;
        let permit = time::timeout(self.max_wait, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = permit
            .map_err(|_| Error::Unavailable("a long read has waited too long".into()))?
            .map_err(|_| Error::Internal("the queue of long reads is closed".into()))?;
        Ok(Admission { _permit: permit, _place: place })
    }
}
