//! The form that a credentials struct is: the type of a field picks its input.

use url::Url;

use crate::Secret;

/// How a field is entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// One line of text.
    Text,
    /// An absolute http(s) address.
    Url,
    /// A secret: never shown again once saved.
    Secret,
    /// One of these: value and label.
    Choice(&'static [(&'static str, &'static str)]),
    /// Given at the vendor's own page, never typed: see [`crate::Grant`].
    Consent,
}

/// One field of a connect form.
#[derive(Clone, Debug)]
pub struct FieldSpec {
    /// Key in the credentials object.
    pub name: &'static str,
    /// First line of the field's doc comment.
    pub label: String,
    /// The other lines of the doc comment.
    pub help: String,
    /// How it is entered.
    pub input: Input,
    /// Whether it may be left out.
    pub required: bool,
    /// A value that parses; used in examples and tests.
    pub example: String,
}

/// A mistake in one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Key in the credentials object.
    pub field: String,
    /// What is wrong and what to enter instead. Never the value.
    pub message: String,
}

/// A type that can stand in a credentials struct.
pub trait Field: Sized {
    /// How it is entered.
    const INPUT: Input;
    /// Whether it must be given.
    const REQUIRED: bool = true;

    /// Reads what was entered, trimmed. The error says what to enter, without repeating the value.
    fn parse(text: &str) -> Result<Self, String>;

    /// The value when nothing was entered.
    fn absent() -> Option<Self> {
        None
    }

    /// A value that parses.
    fn example() -> String;

    /// The value as it is stored (sealed); `None` when there is none.
    fn store(&self) -> Option<String>;

    /// What of it must not be shown, for scrubbing.
    fn secrets(&self) -> Vec<Secret> {
        if Self::INPUT == Input::Secret { self.store().map(Secret::new).into_iter().collect() } else { Vec::new() }
    }
}

/// Longest value of any field, in bytes: a PEM key fits.
const LONGEST: usize = 16 * 1024;

fn text(value: &str) -> Result<&str, String> {
    let value = value.trim();
    if value.is_empty() {
        Err("must not be empty".into())
    } else if value.len() > LONGEST {
        Err(format!("is longer than {LONGEST} bytes"))
    } else {
        Ok(value)
    }
}

impl Field for String {
    const INPUT: Input = Input::Text;
    fn parse(value: &str) -> Result<Self, String> {
        let value = text(value)?;
        if value.chars().any(char::is_control) { Err("must be one line".into()) } else { Ok(value.to_owned()) }
    }
    fn example() -> String {
        "example-0001".into()
    }
    fn store(&self) -> Option<String> {
        Some(self.clone())
    }
}

impl Field for Secret {
    const INPUT: Input = Input::Secret;
    fn parse(value: &str) -> Result<Self, String> {
        text(value).map(|value| Self::new(value.to_owned()))
    }
    fn example() -> String {
        "example-secret-0001".into()
    }
    fn store(&self) -> Option<String> {
        Some(self.expose().to_owned())
    }
}

impl Field for Url {
    const INPUT: Input = Input::Url;
    fn parse(value: &str) -> Result<Self, String> {
        let url = Self::parse(text(value)?).map_err(|_| "must be a whole address such as https://vendor.example")?;
        if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
            return Err("must begin with https://".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a user name or password".into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("must not hold a ? or # part".into());
        }
        Ok(url)
    }
    fn example() -> String {
        "https://vendor.example".into()
    }
    fn store(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl<T: Field> Field for Option<T> {
    const INPUT: Input = T::INPUT;
    const REQUIRED: bool = false;
    fn parse(value: &str) -> Result<Self, String> {
        if value.trim().is_empty() { Ok(None) } else { T::parse(value).map(Some) }
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
    fn example() -> String {
        T::example()
    }
    fn store(&self) -> Option<String> {
        self.as_ref().and_then(Field::store)
    }
    fn secrets(&self) -> Vec<Secret> {
        self.as_ref().map(Field::secrets).unwrap_or_default()
    }
}
