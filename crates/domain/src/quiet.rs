//! Hours in which a connection is left alone by the schedule.

use chrono::{TimeDelta, Timelike};
use serde::{Deserialize, Serialize};

use crate::{Error, Problem, Result, Timestamp};

/// Minutes of a day.
const DAY: i32 = 1_440;
/// The farthest that a clock is from UTC, in minutes.
const FARTHEST: i32 = 14 * 60;

/// A part of each day, by a clock so many minutes ahead of UTC. Where it ends before it begins, it goes over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// First minute of the day that is quiet, from 0.
    pub from_minute: i32,
    /// First minute after it that is not.
    pub until_minute: i32,
    /// Minutes that the clock is ahead of UTC; negative where it is behind.
    pub offset_minutes: i32,
}

impl QuietHours {
    /// The same if it makes sense; every mistake is named.
    pub fn checked(self) -> Result<Self> {
        let mut problems = Vec::new();
        for (pointer, minute) in [("/from", self.from_minute), ("/until", self.until_minute)] {
            if !(0..DAY).contains(&minute) {
                problems.push(Problem::new(pointer, "out_of_range", "must be a time of day from 00:00 to 23:59"));
            }
        }
        if self.from_minute == self.until_minute {
            let message = "must differ from the beginning: to leave a connection alone all day, pause it";
            problems.push(Problem::new("/until", "empty", message));
        }
        if !(-FARTHEST..=FARTHEST).contains(&self.offset_minutes) {
            let message = format!("must be from -{FARTHEST} to {FARTHEST} minutes");
            problems.push(Problem::new("/utc_offset_minutes", "out_of_range", message));
        }
        if problems.is_empty() { Ok(self) } else { Err(Error::Invalid(problems)) }
    }

    /// When the quiet that holds at this instant ends; `None` where none holds.
    pub fn ends_at(self, now: Timestamp) -> Option<Timestamp> {
        let local = now + TimeDelta::minutes(self.offset_minutes.into());
        let minute = i32::try_from(local.num_seconds_from_midnight() / 60).unwrap_or_default();
        let length = (self.until_minute - self.from_minute).rem_euclid(DAY);
        let since = (minute - self.from_minute).rem_euclid(DAY);
        if since >= length {
            return None;
        }
        let whole =
            now - TimeDelta::seconds(i64::from(local.second())) - TimeDelta::nanoseconds(local.nanosecond().into());
        Some(whole + TimeDelta::minutes((length - since).into()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn a_night_goes_over_midnight_by_the_clock_of_its_place() {
        // From 22:00 to 06:30 in a place two hours ahead of UTC.
        let night = QuietHours { from_minute: 22 * 60, until_minute: 6 * 60 + 30, offset_minutes: 120 };
        let ends = Some(at("2026-11-22T04:30:00Z"));
        for (instant, expected) in [
            ("2026-11-21T19:59:59Z", None),
            ("2026-11-21T20:00:00Z", ends),
            ("2026-11-21T23:30:12.5Z", ends),
            ("2026-11-22T04:29:59Z", ends),
            ("2026-11-22T04:30:00Z", None),
        ] {
            assert_eq!(night.ends_at(at(instant)), expected, "{instant}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quiet_ends_within_its_length_and_is_over_then(
            from_minute in 0..DAY, until_minute in 0..DAY, offset_minutes in -FARTHEST..=FARTHEST,
            seconds in 1_700_000_000_i64..1_800_000_000,
        ) {
            let quiet = QuietHours { from_minute, until_minute, offset_minutes };
            prop_assume!(quiet.checked().is_ok());
            let now = Timestamp::from_timestamp(seconds, 0).expect("an instant");
            let length = TimeDelta::minutes((until_minute - from_minute).rem_euclid(DAY).into());
            if let Some(end) = quiet.ends_at(now) {
                prop_assert!(end > now && end - now <= length);
                prop_assert_eq!(quiet.ends_at(end), None);
                prop_assert_eq!(quiet.ends_at(end - TimeDelta::seconds(1)), Some(end));
            }
        }
    }
}
