//! The one setting: after how many hours a backup is late.

use chrono::TimeDelta;
use integration::{Field, Input};

/// A number of hours, from 1 to 8,760 (a year).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours(u16);

const LONGEST: u16 = 8_760;

impl Hours {
    /// As a length of time.
    pub fn delta(self) -> TimeDelta {
        TimeDelta::hours(self.0.into())
    }
}

/// Two nights missed: Dropsuite backs up several times a day.
impl Default for Hours {
    fn default() -> Self {
        Self(48)
    }
}

impl Field for Hours {
    const INPUT: Input = Input::Text;

    fn parse(text: &str) -> Result<Self, String> {
        let hours = text.trim().parse().ok().filter(|hours| (1..=LONGEST).contains(hours));
        hours.map(Self).ok_or_else(|| format!("must be a whole number from 1 to {LONGEST}"))
    }

    fn example() -> String {
        "48".to_owned()
    }

    fn store(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}
