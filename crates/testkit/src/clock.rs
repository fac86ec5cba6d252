//! Time and chance for tests.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use domain::{Chance, Clock, Timestamp};

/// A clock that stands still until it is told otherwise.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl Default for FixedClock {
    /// 2026-11-21 09:00 UTC.
    fn default() -> Self {
        Self(AtomicI64::new(1_795_251_600_000_000))
    }
}

impl FixedClock {
    /// Moves on by so many seconds.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_timestamp_micros(self.0.load(Ordering::SeqCst)).expect("within range")
    }
}

/// Chance that repeats: splitmix64 from a seed.
#[derive(Debug)]
pub struct SeededChance(AtomicU64);

impl SeededChance {
    /// Chance from this seed.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Chance for SeededChance {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst).wrapping_add(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}
