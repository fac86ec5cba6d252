//! Time and chance, passed in so that every test is exact.

use chrono::{DateTime, SubsecRound, Utc};
use uuid::{Builder, Uuid};

/// An instant in UTC, cut to microseconds: what both databases keep.
pub type Timestamp = DateTime<Utc>;

/// Cuts to microseconds.
pub fn micros(at: DateTime<Utc>) -> Timestamp {
    at.trunc_subsecs(6)
}

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present, cut to microseconds.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        micros(Utc::now())
    }
}

/// Gives random bytes.
pub trait Chance: Send + Sync {
    /// Fills the slice with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);

    /// A new id that sorts by `at`.
    fn id(&self, at: Timestamp) -> Uuid {
        let mut random = [0; 10];
        self.fill(&mut random);
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}
