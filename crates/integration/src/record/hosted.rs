//! What a provider keeps running for an entity.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Web or mail hosting.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hosting {
    /// What people know it by: its domain.
    pub name: String,
    /// Plan in the vendor's words.
    pub plan: Option<String>,
    /// The vendor's own word for its state ("Active").
    pub status: Option<String>,
    /// Server it runs on.
    pub server: Option<String>,
    /// The vendor's word for the term of billing ("monthly").
    pub billing_term: Option<String>,
    /// Day it is renewed.
    pub renews_on: Option<NaiveDate>,
    /// Disk in use, in bytes.
    pub disk_used: Option<u64>,
    /// Disk that it may use, in bytes.
    pub disk_limit: Option<u64>,
}
