//! Time: everything that needs the current time receives a [`Clock`].

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

/// A time in milliseconds since 1970-01-01T00:00:00Z.
///
/// Its text form is always that of `2017-12-24T07:02:23.000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Creates a timestamp of milliseconds since 1970.
    ///
    /// ```
    /// use bottle::model::clock::Timestamp;
    ///
    /// let moment = Timestamp::from_millis(1_514_098_943_000);
    /// assert_eq!(moment.to_string(), "2017-12-24T07:02:23.000Z");
    /// assert_eq!(moment.plus_seconds(2).millis(), 1_514_098_945_000);
    /// ```
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Parses any form of RFC 3339.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|time| Self(time.timestamp_millis()))
    }

    /// Returns the milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Returns the time `seconds` later, or the greatest one if that overflows.
    pub fn plus_seconds(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(i64::from(seconds) * 1000))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = DateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or_default();
        f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    /// Parses any form of RFC 3339.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'_, str>>::deserialize(deserializer)?;
        let time = DateTime::parse_from_rfc3339(&text).map_err(de::Error::custom)?;
        Ok(Self(time.timestamp_millis()))
    }
}

/// The system clock, which a test can advance.
///
/// Clones share their shift: a test keeps one and passes another to the server.
///
/// ```
/// use std::time::Duration;
///
/// use bottle::model::clock::{Clock, Timestamp};
///
/// let clock = Clock::starting_at(Timestamp::from_millis(0));
/// clock.clone().advance(Duration::from_secs(60));
/// assert!(clock.now() >= Timestamp::from_millis(60_000));
/// ```
#[derive(Clone, Default, Debug)]
pub struct Clock {
    shift: Arc<AtomicI64>,
    advanced: Arc<AtomicI64>,
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock {
    /// Creates a clock that shows `moment` now and runs on from there.
    pub fn starting_at(moment: Timestamp) -> Self {
        let clock = Self::default();
        clock.shift.store(moment.0 - clock.now().0, Ordering::Relaxed);
        clock
    }

    /// Returns the current time. It may go back when the system clock is set.
    pub fn now(&self) -> Timestamp {
        Timestamp(Utc::now().timestamp_millis() + self.shift.load(Ordering::Relaxed))
    }

    /// Returns the time since the first use of a clock in this process. It never goes back.
    pub fn uptime(&self) -> Duration {
        let advanced = self.advanced.load(Ordering::Relaxed);
        START.elapsed() + Duration::from_millis(advanced.unsigned_abs())
    }

    /// Advances this clock and its clones.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.shift.fetch_add(millis, Ordering::Relaxed);
        self.advanced.fetch_add(millis, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, "1970-01-01T00:00:00.000Z")]
    #[case(1_514_098_943_000, "2017-12-24T07:02:23.000Z")]
    #[case(-1, "1969-12-31T23:59:59.999Z")]
    #[case(4_102_444_800_001, "2100-01-01T00:00:00.001Z")]
    fn a_timestamp_has_one_form(#[case] millis: i64, #[case] text: &str) {
        let moment = Timestamp::from_millis(millis);
        assert_eq!(moment.to_string(), text);
        assert_eq!(serde_json::from_value::<Timestamp>(text.into()).unwrap(), moment);
    }

    #[rstest]
    #[case("2017-12-24T07:02:23Z", true)]
    #[case("2017-12-24T09:02:23+02:00", true)]
    #[case("2017-12-24T07:02:23.0004Z", true)]
    #[case("2017-12-24", false)]
    #[case("2017-12-24T07:02:23", false)]
    #[case("yesterday", false)]
    fn any_form_of_rfc_3339_is_read(#[case] text: &str, #[case] valid: bool) {
        let expected = valid.then_some(Timestamp::from_millis(1_514_098_943_000));
        assert_eq!(serde_json::from_value::<Timestamp>(text.into()).ok(), expected);
    }

    #[test]
    fn clones_advance_together_and_uptime_never_goes_back() {
        let clock = Clock::starting_at(Timestamp::from_millis(0));
        let (clone, before) = (clock.clone(), clock.uptime());
        clone.advance(Duration::from_secs(60));
        assert!((60_000..120_000).contains(&clock.now().millis()));
        assert!(clock.uptime() >= before + Duration::from_secs(60));
    }
}
