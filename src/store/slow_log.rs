//! Logs slow reads and changes.

use std::panic::Location;
use std::time::{Duration, Instant};

/// The setting `slow_query_ms`.
pub(super) struct SlowLog {
    pub(super) threshold: Option<Duration>,
}

impl SlowLog {
    /// Measures `kind` until the returned value is dropped. The log names the caller's source line.
    #[track_caller]
    pub(super) fn start(&self, kind: &'static str) -> Timer {
        self.start_at(Location::caller(), kind)
    }

    /// Measures `kind` on behalf of the source line `location`.
    pub(super) fn start_at(
        &self,
        location: &'static Location<'static>,
        kind: &'static str,
    ) -> Timer {
        Timer { kind, location, started: Instant::now(), threshold: self.threshold }
    }
}

pub(super) struct Timer {
    kind: &'static str,
    location: &'static Location<'static>,
    started: Instant,
    threshold: Option<Duration>,
}

impl Drop for Timer {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        if self.threshold.is_some_and(|threshold| elapsed >= threshold) {
            let Self { kind, location, .. } = self;
            tracing::warn!(
                "a slow {kind} took {} ms: {}:{}",
                elapsed.as_millis(),
                location.file(),
                location.line()
            );
        }
    }
}
