//! Logs and counts slow reads and changes.

use std::panic::Location;
use std::time::{Duration, Instant};

use crate::model::clock::Clock;
use crate::model::hourly::HourlyCounter;

/// The setting `slow_query_ms`, and the number of reads and changes that exceeded it.
pub(super) struct SlowLog {
    threshold: Option<Duration>,
    pub(super) count: HourlyCounter,
}

impl SlowLog {
    pub(super) fn new(threshold: Option<Duration>) -> Self {
        Self { threshold, count: HourlyCounter::new(Clock::default()) }
    }

    /// Measures `kind` until the returned value is dropped. The log names the caller's source line.
    #[track_caller]
    pub(super) fn start(&self, kind: &'static str) -> Timer<'_> {
        self.start_at(Location::caller(), kind)
    }

    /// Measures `kind` on behalf of the source line `location`.
    pub(super) fn start_at(
        &self,
        location: &'static Location<'static>,
        kind: &'static str,
    ) -> Timer<'_> {
        Timer { kind, location, started: Instant::now(), log: self }
    }
}

pub(super) struct Timer<'a> {
    kind: &'static str,
    location: &'static Location<'static>,
    started: Instant,
    log: &'a SlowLog,
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        if self.log.threshold.is_some_and(|threshold| elapsed >= threshold) {
            self.log.count.record();
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
