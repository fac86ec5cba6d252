//! Enums of the document that mirror one of the domain's, value by value: one that is missing does not compile.

/// Declares such an enum, with the way from and to the domain's.
macro_rules! mirrored {
    ($(#[doc = $doc:literal])+ $name:ident = $of:ident { $($(#[doc = $what:literal])+ $value:ident),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, poem_openapi::Enum)]
        #[oai(rename_all = "snake_case")]
        pub enum $name { $( $(#[doc = $what])+ $value ),+ }

        impl From<$of> for $name {
            fn from(one: $of) -> Self {
                match one { $($of::$value => Self::$value),+ }
            }
        }

        impl From<$name> for $of {
            fn from(one: $name) -> Self {
                match one { $($name::$value => Self::$value),+ }
            }
        }
    };
}
pub(super) use mirrored;
