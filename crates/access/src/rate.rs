//! How many requests an API key or a session of ClientOne may make: a bucket for each, that fills evenly within a minute. It is kept
//! in this process only: with several API processes behind one address, each lets as many through.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::TimeDelta;
use domain::Timestamp;
use uuid::Uuid;

use crate::Gate;

/// Requests in a minute for a key that says nothing.
pub(crate) const USUAL: i32 = 600;
/// Requests in a minute within one session of ClientOne: more than a person's pages need. What is refused to them is
/// kept in the journal, so that they must not be able to fill it.
const SESSION: i32 = 1_200;
/// Requests in a minute that a key may be given.
pub(crate) const ALLOWED: std::ops::RangeInclusive<i32> = 1..=6_000;
/// Microseconds in which an empty bucket is full again.
const MINUTE: i64 = 60_000_000;
/// Buckets that are kept before full ones are thrown away.
const BUCKETS: usize = 10_000;

/// What a key has left after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests in a minute.
    pub limit: u32,
    /// How many more at once.
    pub remaining: u32,
    /// Seconds until all are there again.
    pub reset: u64,
    /// Seconds to wait; none when the request may be answered.
    pub retry_after: Option<u64>,
}

/// The buckets of this process: for each key and session the instant at which it is full again.
#[derive(Default)]
pub(crate) struct Rates(Mutex<HashMap<Uuid, Timestamp>>);

impl Rates {
    /// Takes one request out of a bucket, if there is one left.
    pub(crate) fn take(&self, key: Uuid, per_minute: Option<i32>, now: Timestamp) -> Rate {
        let limit = per_minute.unwrap_or(USUAL).max(1);
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS {
            buckets.retain(|_, full_at| *full_at > now);
        }
        let missing = buckets.get(&key).map_or(0, |full_at| micros(*full_at - now).clamp(0, MINUTE));
        let (rate, missing) = take(i64::from(limit), missing);
        buckets.insert(key, now + TimeDelta::microseconds(missing));
        rate
    }
}

impl Gate {
    /// Takes one request out of a session's bucket; the seconds to wait when there is none left.
    pub fn session_wait(&self, session: Uuid, now: Timestamp) -> Option<u64> {
        self.rates.take(session, Some(SESSION), now).retry_after
    }
}

fn micros(time: TimeDelta) -> i64 {
    time.num_microseconds().unwrap_or(MINUTE)
}

/// One request out of a bucket that lacks so many microseconds of being full; also what it lacks then.
fn take(limit: i64, missing: i64) -> (Rate, i64) {
    let one = MINUTE / limit;
    let wait = missing + one - MINUTE;
    let (missing, retry_after) = if wait > 0 { (missing, Some(seconds(wait))) } else { (missing + one, None) };
    let remaining = u32::try_from((MINUTE - missing) / one).unwrap_or_default();
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    (Rate { limit, remaining: remaining.min(limit), reset: seconds(missing), retry_after }, missing)
}

fn seconds(micros: i64) -> u64 {
    u64::try_from(micros).unwrap_or_default().div_ceil(1_000_000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_timestamp(1_800_000_000, 0).expect("valid") + TimeDelta::microseconds(micros)
    }

    #[test]
    fn a_bucket_empties_and_fills_evenly() {
        let (rates, key) = (Rates::default(), Uuid::nil());
        for left in (0..60).rev() {
            let rate = rates.take(key, Some(60), at(0));
            assert_eq!((rate.limit, rate.remaining, rate.retry_after), (60, left, None));
        }
        let refused = Rate { limit: 60, remaining: 0, reset: 60, retry_after: Some(1) };
        assert_eq!(rates.take(key, Some(60), at(0)), refused);
        assert_eq!(rates.take(key, Some(60), at(999_999)).retry_after, Some(1));
        assert_eq!(rates.take(key, Some(60), at(1_000_000)).retry_after, None);
        assert_eq!(rates.take(key, Some(60), at(1_000_000)).retry_after, Some(1));
        let other = Uuid::from_u128(1);
        assert_eq!(rates.take(other, Some(60), at(1_000_000)).remaining, 59, "another key has its own");
        assert_eq!(rates.take(key, Some(60), at(120_000_000)).remaining, 59);
        assert_eq!(rates.take(key, None, at(300_000_000)).limit, 600);
    }

    proptest! {
        #[test]
        fn never_more_than_twice_the_limit_within_a_minute(
            limit in 1_i32..200,
            waits in proptest::collection::vec(0_i64..3_000_000, 1..600),
        ) {
            let (rates, key) = (Rates::default(), Uuid::nil());
            let (mut now, mut taken) = (0, Vec::new());
            for wait in waits {
                now += wait;
                let rate = rates.take(key, Some(limit), at(now));
                match rate.retry_after {
                    None => taken.push(now),
                    Some(seconds) => {
                        prop_assert_eq!(rate.remaining, 0);
                        let later = at(now + i64::try_from(seconds).expect("small") * 1_000_000);
                        // Whoever waits as told is answered: looked at in a copy.
                        let copy = Rates::default();
                        *copy.0.lock().expect("sound") = rates.0.lock().expect("sound").clone();
                        prop_assert_eq!(copy.take(key, Some(limit), later).retry_after, None);
                    }
                }
                let within = taken.iter().filter(|then| now - **then < MINUTE).count();
                // A full bucket at once, and what flows in meanwhile.
                prop_assert!(within <= 2 * usize::try_from(limit).expect("positive"), "{}", within);
            }
        }
    }
}
