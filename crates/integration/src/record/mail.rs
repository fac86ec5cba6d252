//! Mail relays.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What an account of a mail relay has used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailUsage {
    /// What people know the account by.
    pub name: String,
    /// Start of the plan's period.
    pub period_starts_at: Option<DateTime<Utc>>,
    /// End of the plan's period.
    pub period_ends_at: Option<DateTime<Utc>>,
    /// Messages sent in it.
    pub used: Option<i64>,
    /// Messages that may be sent in it.
    pub limit: Option<i64>,
    /// Messages sent in the last 30 days; so are the counts that follow.
    pub sent: Option<i64>,
    /// Refused for good by the other side.
    pub hard_bounces: Option<i64>,
    /// Refused for now by the other side.
    pub soft_bounces: Option<i64>,
    /// Called spam by who got them.
    pub spam_complaints: Option<i64>,
    /// Followed by a wish to get no more.
    pub unsubscribes: Option<i64>,
    /// Refused by the relay itself.
    pub rejects: Option<i64>,
    /// Opened.
    pub opens: Option<i64>,
    /// Links in them followed.
    pub clicks: Option<i64>,
}

/// An address that may send through a mail relay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailSender {
    /// The address or user name.
    pub address: String,
    /// The vendor's class of it ("single sender", "SMTP user").
    pub class: Option<String>,
    /// Whether ownership is proven to the vendor.
    pub verified: Option<bool>,
    /// Whether it may send.
    pub allowed: Option<bool>,
    /// The vendor's own word for its state.
    pub status: Option<String>,
    /// Description as written.
    pub description: Option<String>,
}
