//! Admission to long reads and streams. The others wait without a thread, in a bounded queue.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time;

use crate::model::error::{Error, Result};

/// The maximum number of requests that wait. In a longer queue each would wait until it times out.
const MAX_WAITING: usize = 256;

/// A queue that admits requests in order of arrival.
pub(super) struct AdmissionQueue {
    permits: Arc<Semaphore>,
    /// One permit for each request that is admitted or waits.
    slots: Arc<Semaphore>,
    max_wait: Duration,
}

/// A permit to run; dropping it admits the next request.
pub(super) struct Admission {
    _permit: OwnedSemaphorePermit,
    _slot: OwnedSemaphorePermit,
}

impl AdmissionQueue {
    /// Creates a queue that admits `permits` requests at once. Each waits for at most `max_wait`.
    pub(super) fn new(permits: usize, max_wait: Duration) -> Self {
        let slots = Arc::new(Semaphore::new(permits + MAX_WAITING));
        Self { permits: Arc::new(Semaphore::new(permits)), slots, max_wait }
    }

    /// Waits for a permit. Returns [`Error::Unavailable`] if the queue is full, or after
    /// `max_wait`. A request that is dropped while it waits leaves the queue.
    pub(super) async fn enter(&self) -> Result<Admission> {
        let slot = Arc::clone(&self.slots)
            .try_acquire_owned()
            .map_err(|_| Error::Unavailable("too many long reads are waiting".into()))?;
        let permit = time::timeout(self.max_wait, Arc::clone(&self.permits).acquire_owned()).await;
        let permit = permit
            .map_err(|_| Error::Unavailable("a long read has waited too long".into()))?
            .map_err(|_| Error::Internal("the queue of long reads is closed".into()))?;
        Ok(Admission { _permit: permit, _slot: slot })
    }
}
