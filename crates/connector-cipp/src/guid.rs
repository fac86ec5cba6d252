//! Ids of tenants and apps. They become part of addresses, so nothing but a GUID gets this far.

use std::fmt;

use integration::{Field, Input};
use uuid::Uuid;

/// A GUID, written in lower case: the form in which every connector names a Microsoft 365 tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guid(Uuid);

impl Guid {
    /// Reads a GUID in any of its usual spellings.
    pub fn read(text: &str) -> Option<Self> {
        Uuid::try_parse(text.trim()).ok().map(Self)
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl Field for Guid {
    const INPUT: Input = Input::Text;

    fn parse(text: &str) -> Result<Self, String> {
        Self::read(text).ok_or_else(|| "must be an ID such as 6a0f2a55-2d1f-4f7e-9c1b-1d1f0c7a4e10".into())
    }

    fn example() -> String {
        "00000000-0000-4000-8000-000000000001".into()
    }

    fn store(&self) -> Option<String> {
        Some(self.to_string())
    }
}
