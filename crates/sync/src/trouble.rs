//! What goes wrong, in the words of the API and of the queue.

use std::time::Duration;

use chrono::TimeDelta;
use domain::{Chance, Error, Timestamp};
use integration::{Kind, Retry};

use crate::words;

/// Why a walk ended early.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The vendor failed us.
    Vendor(integration::Error),
    /// The store failed us, or the lease was lost.
    Store(Error),
    /// We were told to stop; everything so far is stored.
    Stopped,
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<integration::Error> for Halt {
    fn from(error: integration::Error) -> Self {
        Self::Vendor(error)
    }
}

/// The stable word for a vendor's failure.
pub fn vendor_code(kind: Kind) -> &'static str {
    match kind {
        Kind::Credentials => "vendor_credentials",
        Kind::Forbidden => "vendor_forbidden",
        Kind::NotOffered => words::NOT_OFFERED,
        Kind::Throttled => "vendor_throttled",
        Kind::Unreadable => "vendor_unreadable",
        Kind::Unavailable | Kind::Expired => "vendor_unavailable",
        Kind::NotFound => "vendor_not_found",
        Kind::Refused => "vendor_refused",
        Kind::Limit => "vendor_limit",
    }
}

/// A vendor's failure as callers of the API see it.
pub fn vendor_error(error: &integration::Error) -> Error {
    let retry_after = match error.retry {
        Retry::After(wait) => Some(wait.as_secs_f64().ceil() as u64),
        Retry::Yes | Retry::No => None,
    };
    Error::Vendor { code: vendor_code(error.kind), message: error.to_string(), retry_after }
}

/// Whether trying again later may help.
pub(crate) fn passes(error: &integration::Error) -> bool {
    error.retry != Retry::No || matches!(error.kind, Kind::Throttled | Kind::Unavailable | Kind::Expired)
}

/// A number from 0 up to 1.
pub(crate) fn fraction(chance: &dyn Chance) -> f64 {
    let mut bytes = [0; 4];
    chance.fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

/// Wait before the second try; doubled before each further one.
const FIRST_WAIT: f64 = 30.0;
/// The longest wait of our own choice.
const LONGEST_WAIT: f64 = 900.0;

/// When to try again after this try: as the vendor asks, else doubled each time; spread by chance, so that
/// connections that failed together do not come back together.
pub(crate) fn try_again_at(now: Timestamp, wait: Option<Duration>, attempt: i32, chance: &dyn Chance) -> Timestamp {
    let spread = fraction(chance);
    let seconds = match wait {
        Some(wait) => wait.as_secs_f64().min(86_400.0) + 5.0 * spread,
        None => (FIRST_WAIT * 2_f64.powi((attempt - 1).clamp(0, 10))).min(LONGEST_WAIT) * (0.75 + 0.25 * spread),
    };
    now + TimeDelta::milliseconds((seconds * 1000.0).ceil() as i64)
}

/// The same for a vendor's error.
pub(crate) fn try_again(error: &integration::Error, now: Timestamp, attempt: i32, chance: &dyn Chance) -> Timestamp {
    let wait = match error.retry {
        Retry::After(wait) => Some(wait),
        Retry::Yes | Retry::No => None,
    };
    try_again_at(now, wait, attempt, chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Chance for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn every_wait_is_at_least_what_the_vendor_asks_and_bounded() {
        let now = Timestamp::UNIX_EPOCH;
        for chance in [Always(0), Always(255)] {
            let asked = Duration::from_secs(90);
            assert!(try_again_at(now, Some(asked), 1, &chance) - now >= TimeDelta::seconds(90));
            let mut last = TimeDelta::zero();
            for attempt in 1..60 {
                let wait = try_again_at(now, None, attempt, &chance) - now;
                assert!(wait >= last && wait <= TimeDelta::seconds(900), "{attempt}: {wait}");
                last = wait;
            }
        }
    }

    #[test]
    fn a_failure_keeps_its_wait_and_its_words() {
        let error = integration::Error::new(Kind::Throttled, "Toy asks to slow down")
            .retry(Retry::After(Duration::from_millis(1_500)));
        let Error::Vendor { code, message, retry_after } = vendor_error(&error) else { panic!("another error") };
        assert_eq!((code, message.as_str(), retry_after), ("vendor_throttled", "Toy asks to slow down", Some(2)));
    }
}
