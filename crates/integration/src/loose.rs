//! Reading single values of a vendor's JSON tolerantly: what is left out or cannot be understood is unknown,
//! and costs nothing but itself. For vendors without oddities of their own in texts, ids and times.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A value that may be unknown.
pub struct Maybe<T>(
    /// The value, where it was understood.
    pub Option<T>,
);

/// A text that may be unknown.
pub type Text = Maybe<String>;

/// What can be read from any value, or not.
pub trait Loose: Sized {
    /// The value, if this is one.
    fn read(value: Value) -> Option<Self>;
}

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Loose> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Value::deserialize(input).map(|value| Self(T::read(value)))
    }
}

/// Blank is unknown; a number will do as an id.
impl Loose for String {
    fn read(value: Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

impl Loose for bool {
    fn read(value: Value) -> Option<Self> {
        value.as_bool()
    }
}

impl Loose for u64 {
    fn read(value: Value) -> Option<Self> {
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }
}

impl Loose for DateTime<Utc> {
    fn read(value: Value) -> Option<Self> {
        DateTime::parse_from_rfc3339(value.as_str()?.trim()).ok().map(|at| at.with_timezone(&Utc))
    }
}

/// Without the elements that cannot be understood.
impl<T: Loose> Loose for Vec<T> {
    fn read(value: Value) -> Option<Self> {
        match value {
            Value::Array(items) => Some(items.into_iter().filter_map(T::read).collect()),
            _ => None,
        }
    }
}

/// Makes structs of the vendor's parts of others: one that has another shape is unknown.
#[macro_export]
macro_rules! loose_parts {
    ($($part:ty),+ $(,)?) => {
        $(impl $crate::loose::Loose for $part {
            fn read(value: $crate::__json::Value) -> Option<Self> {
                $crate::__json::from_value(value).ok()
            }
        })+
    };
}
