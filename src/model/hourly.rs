//! A count of what happened in the last day.

use std::sync::{Mutex, PoisonError};

use super::clock::Clock;

const HOURS: u64 = 24;

/// Counts events by the hour since the program started, in memory, for the last 24 hours.
///
/// ```
/// use std::time::Duration;
///
/// use bottle::model::clock::Clock;
/// use bottle::model::hourly::HourlyCounter;
///
/// let clock = Clock::default();
/// let counter = HourlyCounter::new(clock.clone());
/// counter.record();
/// clock.advance(Duration::from_secs(22 * 60 * 60));
/// counter.record();
/// assert_eq!(counter.last_day(), 2);
/// clock.advance(Duration::from_secs(3 * 60 * 60));
/// assert_eq!(counter.last_day(), 1);
/// ```
#[derive(Debug)]
pub struct HourlyCounter {
    clock: Clock,
    /// An hour and its count, at the place of the hour modulo 24.
    hours: Mutex<[(u64, u64); HOURS as usize]>,
}

impl HourlyCounter {
    /// Creates a counter that has counted nothing.
    pub fn new(clock: Clock) -> Self {
        Self { clock, hours: Mutex::default() }
    }

    /// Counts an event.
    pub fn record(&self) {
        let now = self.hour();
        let mut hours = self.hours.lock().unwrap_or_else(PoisonError::into_inner);
        let (hour, count) = &mut hours[(now % HOURS) as usize];
        if *hour != now {
            (*hour, *count) = (now, 0);
        }
        *count += 1;
    }

    /// Returns the number of events in this hour and the 23 before it.
    pub fn last_day(&self) -> u64 {
        let now = self.hour();
        let hours = self.hours.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |hour: u64| hour <= now && now - hour < HOURS;
        hours.iter().filter(|(hour, _)| is_recent(*hour)).map(|(_, count)| count).sum()
    }

    fn hour(&self) -> u64 {
        self.clock.uptime().as_secs() / 3600
    }
}
