//! Tells of what takes long.

use std::panic::Location;
use std::time::{Duration, Instant};

/// What takes longer is logged, if there is a limit.
pub(super) struct Slow {
    pub(super) limit: Option<Duration>,
}

impl Slow {
    /// Watches `what` until the value that comes back is dropped. It is told by where it is asked for.
    #[track_caller]
    pub(super) fn watch(&self, what: &'static str) -> Watch {
        self.watch_at(Location::caller(), what)
    }

    /// The same for what was asked for at `place`.
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
