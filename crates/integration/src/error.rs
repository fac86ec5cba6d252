//! What went wrong at a vendor, apart from whether to try again.

use std::{fmt, time::Duration};

/// Result of anything that talks to a vendor.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The vendor does not accept the credentials: a person must act.
    Credentials,
    /// The credentials are fine, but lack the right for this.
    Forbidden,
    /// The vendor does not have this for this account: not bought, not licensed, or no such part. Nothing is wrong, and
    /// nobody need act; what it would tell is unknown, not none.
    NotOffered,
    /// Too many requests.
    Throttled,
    /// The answer came, but cannot be understood.
    Unreadable,
    /// No answer, or the vendor says it has trouble.
    Unavailable,
    /// The vendor does not know this id.
    NotFound,
    /// The vendor understood and said no; its reason is in [`Error::vendor_message`].
    Refused,
    /// A place in a listing or a change feed that the vendor has forgotten: list anew from the start.
    Expired,
    /// One of our own limits was reached: pages, bytes, time, or a cursor that comes back.
    Limit,
}

/// Whether trying the same again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Not without a change by a person.
    No,
    /// Soon, with back-off.
    Yes,
    /// Not before this has passed: the vendor said so.
    After(Duration),
}

/// An error of a connector. Its texts are safe to show to staff: secrets are scrubbed by
/// [`crate::Http`] before they get here.
#[derive(Clone, Debug)]
pub struct Error {
    /// What failed.
    pub kind: Kind,
    /// Whether to try again.
    pub retry: Retry,
    /// One sentence in our words that says what to do.
    pub message: String,
    /// The vendor's own words, at most 300 characters once scrubbed.
    pub vendor_message: Option<String>,
    /// The vendor's id for the request, for its support.
    pub vendor_request_id: Option<String>,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// Where it happened: pairs added on the way up ("page" → "7").
    pub context: Vec<(&'static str, String)>,
}

impl Error {
    /// An error of this kind. Throttled and unavailable may be retried, the rest not.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        let retry = match kind {
            Kind::Throttled | Kind::Unavailable => Retry::Yes,
            _ => Retry::No,
        };
        Self {
            kind,
            retry,
            message: message.into(),
            vendor_message: None,
            vendor_request_id: None,
            status: None,
            context: Vec::new(),
        }
    }

    /// The error that an HTTP status stands for at most vendors. A connector refines it.
    pub fn from_status(vendor: &str, response: &crate::Response) -> Self {
        let status = response.status;
        let (kind, message) = match status {
            401 => (Kind::Credentials, format!("{vendor} does not accept the credentials: check and save them again")),
            403 => (
                Kind::Forbidden,
                format!("{vendor} refuses this to these credentials: grant the missing right at {vendor}"),
            ),
            404 => (Kind::NotFound, format!("{vendor} does not know this record")),
            408 => (Kind::Unavailable, format!("{vendor} took too long")),
            410 => (Kind::Expired, format!("{vendor} has forgotten this place in the listing")),
            429 => (Kind::Throttled, format!("{vendor} asks to slow down")),
            400..=499 => (Kind::Refused, format!("{vendor} refused the request")),
            500..=599 => (Kind::Unavailable, format!("{vendor} has trouble (status {status})")),
            _ => (Kind::Unreadable, format!("{vendor} answered with the unexpected status {status}")),
        };
        let mut error = Self::new(kind, message);
        error.status = Some(status);
        if let Some(wait) = response.retry_after()
            && matches!(kind, Kind::Throttled | Kind::Unavailable)
        {
            error.retry = Retry::After(wait);
        }
        error
    }

    /// The answer could not be understood.
    pub fn unreadable(vendor: &str, why: impl fmt::Display) -> Self {
        Self::new(
            Kind::Unreadable,
            format!("{vendor} sent an answer that cannot be read: {}", clip(&why.to_string(), 200)),
        )
    }

    /// Adds the vendor's own words on one line. They are clipped to 300 characters by [`crate::Http::scrub`], once the
    /// secrets are out of them: a clip before that could leave half of one.
    pub fn vendor_says(mut self, text: impl AsRef<str>) -> Self {
        let text = text.as_ref().trim();
        if !text.is_empty() {
            self.vendor_message = Some(clip(text, 16_384));
        }
        self
    }

    /// Adds the vendor's request id.
    pub fn request_id(mut self, id: Option<&str>) -> Self {
        self.vendor_request_id = id.map(|id| clip(id, 100));
        self
    }

    /// Replaces the advice on trying again.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Adds a pair that says where it happened.
    pub fn at(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.context.push((key, clip(&value.to_string(), 100)));
        self
    }
}

/// Cuts to `limit` characters and folds control characters, so that a vendor's text cannot forge
/// a log line.
pub(crate) fn clip(text: &str, limit: usize) -> String {
    let mut clipped: String = text.chars().take(limit).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(limit).is_some() {
        clipped.push('…');
    }
    clipped
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if let Some(words) = &self.vendor_message {
            write!(f, " (vendor: {words})")?;
        }
        if let Some(id) = &self.vendor_request_id {
            write!(f, " [vendor request {id}]")?;
        }
        for (key, value) in &self.context {
            write!(f, " [{key} {value}]")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
