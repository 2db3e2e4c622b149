//! The nights of the scheduled backups.
//!
//! A night is named by a date, and begins when the clock at the server's place shows the hour on
//! that date. An hour that this clock skips or shows twice, at a change to or from daylight saving
//! time, therefore begins one night too.

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};

use crate::model::clock::Timestamp;

/// Returns the last night that has begun at `local`.
pub fn night_of(local: NaiveDateTime, hour: u32) -> NaiveDate {
    let has_begun = local.time() >= start(hour);
    let date = local.date();
    if has_begun { date } else { date.checked_sub_days(Days::new(1)).unwrap_or(date) }
}

fn start(hour: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or(NaiveTime::MIN)
}

/// Returns the time at which the night after `night` begins.
pub fn next_start<Z: TimeZone>(night: NaiveDate, hour: u32, zone: &Z) -> Option<Timestamp> {
    let next = night.checked_add_days(Days::new(1))?;
    // An hour that the clock skips begins when the next one does.
    (hour..24).chain(0..1).find_map(|hour| {
        let moment = zone.from_local_datetime(&next.and_time(start(hour))).earliest()?;
        Some(Timestamp::from_millis(moment.timestamp_millis()))
    })
}

/// Decides which night needs a backup.
///
/// A last night that lies in the future was stored under a wrong clock. Until the clock reaches it,
/// the nights count from the first one that this value has seen: there is neither a second backup
/// at once nor none for years.
#[derive(Debug, Default)]
pub struct Nights {
    first_seen: Option<NaiveDate>,
}

impl Nights {
    /// Returns true if `night` still needs a backup, when `last` had one.
    pub fn is_due(&mut self, night: NaiveDate, last: NaiveDate) -> bool {
        if last <= night {
            self.first_seen = None;
            return last < night;
        }
        night > *self.first_seen.get_or_insert(night)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, FixedOffset, Utc};
    use rstest::rstest;

    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[rstest]
    #[case("2026-11-30T02:59:59", 3, "2026-11-29")]
    #[case("2026-11-30T03:00:00", 3, "2026-11-30")]
    #[case("2026-11-30T23:59:59", 23, "2026-11-30")]
    #[case("2026-11-30T00:00:00", 0, "2026-11-30")]
    fn a_night_begins_at_its_hour(#[case] local: &str, #[case] hour: u32, #[case] night: &str) {
        assert_eq!(night_of(local.parse().unwrap(), hour), date(night));
    }

    /// The clock of a place east of Greenwich that changes between two offsets at an instant.
    fn local(
        moment: DateTime<Utc>,
        change: DateTime<Utc>,
        before: i32,
        after: i32,
    ) -> NaiveDateTime {
        let hours = if moment < change { before } else { after };
        moment.with_timezone(&FixedOffset::east_opt(hours * 3600).unwrap()).naive_local()
    }

    /// Minute by minute over a week, each night has one backup, also when the clock skips or repeats an hour.
    #[rstest]
    #[case::skips_an_hour("2026-03-29T01:00:00Z", 1, 2)]
    #[case::repeats_an_hour("2026-10-25T01:00:00Z", 2, 1)]
    fn a_change_of_the_clock_makes_no_second_backup(
        #[case] change: &str,
        #[case] before: i32,
        #[case] after: i32,
        #[values(0, 1, 2, 3)] hour: u32,
    ) {
        let change: DateTime<Utc> = change.parse().unwrap();
        let at = |minute| {
            let moment = change + chrono::TimeDelta::minutes(minute);
            night_of(local(moment, change, before, after), hour)
        };
        let minutes = -3 * 1440..4 * 1440;
        let first = at(minutes.start);
        let (mut nights, mut last, mut made) = (Nights::default(), first, 0);
        for minute in minutes {
            let night = at(minute);
            if nights.is_due(night, last) {
                (last, made) = (night, made + 1);
            }
        }
        assert_eq!(made, (last - first).num_days());
        assert!(made >= 6, "{made}");
    }

    /// A clock that is a year ahead for a while, and one that begins in 1970.
    #[test]
    fn a_wrong_clock_makes_no_second_backup_and_stops_none() {
        let mut nights = Nights::default();
        let [wrong, today, tomorrow, epoch] =
            ["2027-11-30", "2026-11-30", "2026-12-01", "1970-01-01"].map(date);
        assert!(nights.is_due(wrong, today), "the clock is ahead");
        assert!(!nights.is_due(today, wrong), "it is right again");
        assert!(!nights.is_due(today, wrong));
        assert!(nights.is_due(tomorrow, wrong), "another night");

        let mut nights = Nights::default();
        assert!(!nights.is_due(epoch, today));
        assert!(!nights.is_due(today, today), "the clock was set");
        assert!(nights.is_due(tomorrow, today));
    }

    #[rstest]
    #[case("2026-11-30", 3, "2026-12-01T01:00:00.000Z")]
    #[case("2026-11-30", 23, "2026-12-01T21:00:00.000Z")]
    fn the_next_night_has_a_start(#[case] night: &str, #[case] hour: u32, #[case] start: &str) {
        let zone = FixedOffset::east_opt(2 * 3600).unwrap();
        assert_eq!(next_start(date(night), hour, &zone).unwrap().to_string(), start);
    }
}
