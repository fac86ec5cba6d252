//! What the vendor does not always say.

use integration::{Field, Input};

/// A currency by its three letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency(pub(crate) String);

impl Field for Currency {
    const INPUT: Input = Input::Text;

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_uppercase();
        let letters = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        letters.then_some(Self(text)).ok_or_else(|| "must be three letters such as AUD".to_owned())
    }

    fn example() -> String {
        "AUD".to_owned()
    }

    fn store(&self) -> Option<String> {
        Some(self.0.clone())
    }
}
