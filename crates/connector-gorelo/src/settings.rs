//! Settings of a connection that are codes of a fixed length.

use integration::{Field, Input};

/// A currency by its ISO 4217 code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency(pub(crate) String);

/// A country by its ISO 3166 code of two letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Country(pub(crate) String);

impl Field for Currency {
    const INPUT: Input = Input::Text;

    fn parse(text: &str) -> Result<Self, String> {
        code(text, 3).map(Self).ok_or_else(|| "must be a code of three letters, such as AUD".to_owned())
    }

    fn example() -> String {
        "AUD".to_owned()
    }

    fn store(&self) -> Option<String> {
        Some(self.0.clone())
    }
}

impl Field for Country {
    const INPUT: Input = Input::Text;

    fn parse(text: &str) -> Result<Self, String> {
        code(text, 2).map(Self).ok_or_else(|| "must be a code of two letters, such as AU".to_owned())
    }

    fn example() -> String {
        "AU".to_owned()
    }

    fn store(&self) -> Option<String> {
        Some(self.0.clone())
    }
}

/// The text in capitals, if it is a code of this many letters.
fn code(text: &str, letters: usize) -> Option<String> {
    let code = text.trim().to_ascii_uppercase();
    (code.len() == letters && code.bytes().all(|byte| byte.is_ascii_uppercase())).then_some(code)
}
