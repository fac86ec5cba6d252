//! The closed list of what can go wrong with a request.

use std::fmt;

use crate::{ChangeSet, Permission, PortalPermission};

/// Result of a rule or an operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A mistake in one place of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// JSON pointer into the body ("/name"), or the name of a query parameter or header.
    pub pointer: String,
    /// Stable word for machines ("too_long").
    pub code: &'static str,
    /// What is wrong and what to do, for people.
    pub message: String,
}

impl Problem {
    /// A mistake at this place.
    pub fn new(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code, message: message.into() }
    }
}

/// What can go wrong. The texts are for callers; inner causes are in [`Error::Internal`] and
/// [`Error::Busy`], which are logged and never shown.
#[derive(Debug)]
pub enum Error {
    /// No such row within the caller's scope: another organisation's id and a random one look alike.
    NotFound {
        /// What was looked for ("client").
        what: &'static str,
    },
    /// The input is wrong; every mistake is named.
    Invalid(Vec<Problem>),
    /// The request contradicts the present state.
    Conflict {
        /// Stable word for machines ("name_taken").
        code: &'static str,
        /// What contradicts, and what to do.
        message: String,
    },
    /// The world moved since the preview: nothing was written, and this is what would happen now.
    Moved(Box<ChangeSet>),
    /// The row changed since it was read.
    Stale {
        /// What changed ("client").
        what: &'static str,
    },
    /// The caller lacks a right.
    Forbidden {
        /// Which.
        permission: Permission,
    },
    /// A portal user's role lacks a right.
    PortalForbidden {
        /// Which.
        permission: PortalPermission,
    },
    /// Nobody, or not any more.
    Unauthenticated,
    /// Too many attempts.
    TooMany {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// A vendor failed us; the text is safe to show.
    Vendor {
        /// Stable word for machines ("vendor_credentials").
        code: &'static str,
        /// What the vendor said and what to do.
        message: String,
        /// Seconds to wait, where it helps.
        retry_after: Option<u64>,
    },
    /// The store is locked, read-only or away: nothing was written, and trying again helps.
    Busy(String),
    /// A mistake of ours.
    Internal(String),
}

impl Error {
    /// One mistake.
    pub fn invalid(pointer: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Problem::new(pointer, code, message)])
    }

    /// A contradiction.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict { code, message: message.into() }
    }

    /// A mistake of ours, with what is known of it.
    pub fn internal(what: impl fmt::Display) -> Self {
        Self::Internal(what.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { what } => write!(f, "There is no such {what}."),
            Self::Invalid(problems) => {
                for (at, problem) in problems.iter().enumerate() {
                    let gap = if at == 0 { "" } else { "; " };
                    write!(f, "{gap}{} {}", problem.pointer, problem.message)?;
                }
                Ok(())
            }
            Self::Conflict { message, .. } | Self::Vendor { message, .. } => f.write_str(message),
            Self::Moved(_) => {
                f.write_str("Things changed since the preview. Nothing was written: look at the new preview.")
            }
            Self::Stale { what } => write!(f, "The {what} was changed by someone else. Read it again and repeat."),
            Self::Forbidden { permission } => write!(f, "This needs the permission {}.", permission.as_str()),
            Self::PortalForbidden { permission } => {
                write!(f, "Your account does not have the permission {}: ask your MSP.", permission.as_str())
            }
            Self::Unauthenticated => f.write_str("Sign in, or send an API key."),
            Self::TooMany { retry_after } => write!(f, "Too many attempts. Wait {retry_after} seconds."),
            Self::Busy(_) => f.write_str("The store is busy or away. Try again shortly."),
            Self::Internal(_) => f.write_str("Something failed on our side."),
        }
    }
}

impl std::error::Error for Error {}
