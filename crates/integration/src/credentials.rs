//! Credentials: one struct is parser, storage shape and form.

use std::fmt;

use serde_json::{Map, Value};

use crate::{FieldError, FieldSpec};

/// A secret text. It prints as `[secret]` and is serialised only by [`CredentialsForm::store`],
/// whose result is sealed at once.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The secret itself: for the request that needs it, nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What [`crate::credentials!`] makes of a struct.
pub trait CredentialsForm: Sized {
    /// The form, in the order of the fields.
    fn fields() -> Vec<FieldSpec>;

    /// Reads an object of strings. Every mistake is named at once; unknown keys are mistakes.
    fn parse(values: &Map<String, Value>) -> Result<Self, Vec<FieldError>>;

    /// The object to seal. [`Self::parse`] reads it back.
    fn store(&self) -> Map<String, Value>;

    /// The secrets among the fields, for scrubbing.
    fn secrets(&self) -> Vec<Secret>;

    /// An object that parses, made of the fields' examples.
    fn example() -> Map<String, Value> {
        Self::fields().into_iter().map(|field| (field.name.to_owned(), Value::String(field.example))).collect()
    }
}

/// Declares a vendor's credentials. A field's doc comment is its label (first line) and help text
/// (the rest): without one it does not compile. Its type picks the input: `String`, `Secret`, `Url`,
/// `Option<_>`, or an enum declared by the second form. `Option<Grant>` is what a person grants at the
/// vendor's page.
///
/// ```ignore
/// credentials! {
///     pub struct Credentials {
///         /// Region
///         /// The host in the address bar when you sign in.
///         region: Region,
///         /// Client secret
///         client_secret: Secret,
///     }
/// }
/// credentials! { pub enum Region { Us = "us" / "United States", Eu = "eu" / "Europe" } }
/// ```
#[macro_export]
macro_rules! credentials {
    (
        $(#[$outer:meta])*
        pub struct $name:ident {
            $( $(#[doc = $doc:literal])+ $field:ident : $type:ty ),+ $(,)?
        }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Debug)]
        pub struct $name { $( $(#[doc = $doc])+ pub $field: $type ),+ }

        impl $crate::CredentialsForm for $name {
            fn fields() -> Vec<$crate::FieldSpec> {
                vec![ $( {
                    let mut lines = [$($doc),+].into_iter().map(str::trim);
                    $crate::FieldSpec {
                        name: stringify!($field),
                        label: lines.next().unwrap_or_default().to_owned(),
                        help: lines.collect::<Vec<_>>().join(" "),
                        input: <$type as $crate::Field>::INPUT,
                        required: <$type as $crate::Field>::REQUIRED,
                        example: <$type as $crate::Field>::example(),
                    }
                } ),+ ]
            }

            fn parse(
                values: &$crate::__json::Map<String, $crate::__json::Value>,
            ) -> Result<Self, Vec<$crate::FieldError>> {
                let mut errors = Vec::new();
                let known = [$(stringify!($field)),+];
                for key in values.keys().filter(|key| !known.contains(&key.as_str())) {
                    errors.push($crate::FieldError {
                        field: key.clone(),
                        message: format!("is not known; the fields are {}", known.join(", ")),
                    });
                }
                $( let $field = $crate::read_field::<$type>(values, stringify!($field), &mut errors); )+
                match ($($field,)+) {
                    ($(Some($field),)+) if errors.is_empty() => Ok(Self { $($field),+ }),
                    _ => Err(errors),
                }
            }

            fn store(&self) -> $crate::__json::Map<String, $crate::__json::Value> {
                let mut stored = $crate::__json::Map::new();
                $( if let Some(value) = $crate::Field::store(&self.$field) {
                    stored.insert(stringify!($field).to_owned(), $crate::__json::Value::String(value));
                } )+
                stored
            }

            fn secrets(&self) -> Vec<$crate::Secret> {
                let mut secrets = Vec::new();
                $( secrets.extend($crate::Field::secrets(&self.$field)); )+
                secrets
            }
        }
    };
    (
        $(#[$outer:meta])*
        pub enum $name:ident { $( $variant:ident = $value:literal / $label:literal ),+ $(,)? }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $( #[doc = $label] $variant ),+ }

        impl $crate::Field for $name {
            const INPUT: $crate::Input = $crate::Input::Choice(&[$(($value, $label)),+]);
            fn parse(text: &str) -> Result<Self, String> {
                match text.trim() {
                    $( $value => Ok(Self::$variant), )+
                    _ => Err(format!("must be one of {}", [$($value),+].join(", "))),
                }
            }
            fn example() -> String {
                [$($value),+][0].to_owned()
            }
            fn store(&self) -> Option<String> {
                Some(match self { $( Self::$variant => $value ),+ }.to_owned())
            }
        }
    };
}

/// Reads one field for [`credentials!`]; a mistake goes to `errors`.
#[doc(hidden)]
pub fn read_field<T: crate::Field>(values: &Map<String, Value>, name: &str, errors: &mut Vec<FieldError>) -> Option<T> {
    let read = match values.get(name) {
        None | Some(Value::Null) => T::absent().ok_or_else(|| "is required".to_owned()),
        Some(Value::String(text)) => T::parse(text),
        Some(_) => Err("must be a text".to_owned()),
    };
    read.map_err(|message| errors.push(FieldError { field: name.to_owned(), message })).ok()
}
