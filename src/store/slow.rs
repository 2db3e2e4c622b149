//! Logs slow reads and changes.

use std::panic::Location;
use std::time::{Duration, Instant};

/// The setting `slow_query_ms`.
pub(super) struct Slow {
    pub(super) limit: Option<Duration>,
}

impl Slow {
    /// Measures `what` until the returned value is dropped. The log names the caller's source line.
    #[track_caller]
    pub(super) fn watch(&self, what: &'static str) -> Watch {
        self.watch_at(Location::caller(), what)
    }

    /// Measures `what` on behalf of the source line `place`.
    pub(super) fn watch_at(&self, place: &'static Location<'static>, what: &'static str) -> Watch {
        Watch { what, place, began: Instant::now(), limit: self.limit }
    }
}

pub(super) struct Watch {
    what: &'static str,
    place: &'static Location<'static>,
    began: Instant,
    limit: Option<Duration>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        if self.limit.is_some_and(|limit| took >= limit) {
            let Self { what, place, .. } = self;
            tracing::warn!(
                "a slow {what} took {} ms: {}:{}",
                took.as_millis(),
                place.file(),
                place.line()
            );
        }
    }
}
