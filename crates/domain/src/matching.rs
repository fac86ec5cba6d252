//! From which score suggestions are taken without a person.

use serde::{Deserialize, Serialize};

use crate::Problem;

/// A score from 0.50 to 1.00, in steps of 0.01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Threshold(i32);

impl Threshold {
    /// What holds where an organisation has said nothing.
    pub const USUAL: Self = Self(95);
    const LEAST: i32 = 50;
    const MOST: i32 = 100;

    /// The threshold of so many hundredths, 50 to 100.
    pub fn of_hundredths(hundredths: i32) -> Option<Self> {
        (Self::LEAST..=Self::MOST).contains(&hundredths).then_some(Self(hundredths))
    }

    /// So many hundredths.
    pub fn hundredths(self) -> i32 {
        self.0
    }

    /// The score.
    pub fn score(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// Checks a score that a person gave.
    pub fn checked(pointer: &str, score: f64) -> Result<Self, Problem> {
        let all = Self::LEAST..=Self::MOST;
        let found = all.clone().find(|hundredths| (f64::from(*hundredths) / 100.0 - score).abs() < 1e-9);
        found.map(Self).ok_or_else(|| {
            if (0.5..=1.0).contains(&score) {
                Problem::new(pointer, "not_a_step", "must have at most two decimals")
            } else {
                Problem::new(pointer, "out_of_range", "must be from 0.50 to 1.00")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_step_is_itself_and_nothing_between() {
        for hundredths in 50..=100 {
            let threshold = Threshold::of_hundredths(hundredths).expect("a step");
            assert_eq!(Threshold::checked("/threshold", threshold.score()), Ok(threshold));
            assert_eq!(threshold.hundredths(), hundredths);
            let between = Threshold::checked("/threshold", threshold.score() - 0.005).expect_err("between two");
            assert_eq!(between.code, if hundredths == 50 { "out_of_range" } else { "not_a_step" });
        }
        assert_eq!((Threshold::of_hundredths(49), Threshold::of_hundredths(101)), (None, None));
        assert_eq!(Threshold::USUAL.score(), 0.95);
        for wrong in [0.49, 1.01, 0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Threshold::checked("/threshold", wrong).expect_err("out of range").code, "out_of_range");
        }
    }

    proptest! {
        #[test]
        fn only_whole_steps_within_the_range_are_taken(thousandths in -1_000..2_000) {
            let taken = Threshold::checked("/threshold", f64::from(thousandths) / 1_000.0);
            let expected = (thousandths % 10 == 0).then(|| Threshold::of_hundredths(thousandths / 10)).flatten();
            prop_assert_eq!(taken.ok(), expected);
        }
    }
}
