//! Settings of one connection: what differs from account to account and cannot be asked for.

use integration::{Field, Input};
use serde_json::{Map, Value};

use crate::Credentials;

/// A whole number by which HaloPSA names something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub i32);

impl Field for Number {
    const INPUT: Input = Input::Text;

    fn parse(text: &str) -> Result<Self, String> {
        let number = text.trim().parse().ok().filter(|number| *number > 0);
        number.map(Self).ok_or_else(|| "must be the number that HaloPSA shows, such as 1".to_owned())
    }

    fn example() -> String {
        "1".to_owned()
    }

    fn store(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}

/// The outcome that an action is entered with: a name or a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome(pub String);

impl Outcome {
    /// Names it in a request.
    pub(crate) fn name_in(&self, action: &mut Map<String, Value>) {
        match self.0.parse::<i32>() {
            Ok(number) => action.insert("outcome_id".to_owned(), number.into()),
            Err(_) => action.insert("outcome".to_owned(), self.0.as_str().into()),
        };
    }
}

impl Field for Outcome {
    const INPUT: Input = Input::Text;

    fn parse(text: &str) -> Result<Self, String> {
        String::parse(text).map(Self)
    }

    fn example() -> String {
        "Private Note".to_owned()
    }

    fn store(&self) -> Option<String> {
        Some(self.0.clone())
    }
}

/// An ISO 4217 code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency(pub String);

impl Currency {
    /// The code, if that is what the text is: three letters.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        code.then(|| Self(text.to_ascii_uppercase()))
    }
}

impl Field for Currency {
    const INPUT: Input = Input::Text;

    fn parse(text: &str) -> Result<Self, String> {
        Self::of(text).ok_or_else(|| "must be a code of three letters, such as GBP".to_owned())
    }

    fn example() -> String {
        "GBP".to_owned()
    }

    fn store(&self) -> Option<String> {
        Some(self.0.clone())
    }
}

/// What is not needed to reach the account.
pub(crate) struct Settings {
    pub top_level: Option<Number>,
    pub ticket_type: Option<Number>,
    pub private_outcome: Outcome,
    pub public_outcome: Outcome,
    pub currency: Option<Currency>,
}

/// The built-in outcome of a private note in most accounts.
const PRIVATE_NOTE: &str = "7";

impl Settings {
    pub(crate) fn of(credentials: Credentials) -> Self {
        let private = credentials.private_outcome.unwrap_or_else(|| Outcome(PRIVATE_NOTE.to_owned()));
        Self {
            top_level: credentials.top_level,
            ticket_type: credentials.ticket_type,
            public_outcome: credentials.public_outcome.unwrap_or_else(|| private.clone()),
            private_outcome: private,
            currency: credentials.currency,
        }
    }
}
