//! An entity whose own administrator lets us in: found by its domain, asked for consent at the vendor's page, and tried.
//!
//! Unlike [`crate::Consent`], which opens the MSP's own account, nothing is given here that could be kept: what opens the
//! entity are the connection's credentials, once its administrator has said that they may.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use url::Url;

use crate::Result;

/// What the vendor's page is asked with.
#[derive(Clone, Copy, Debug)]
pub struct AdmissionAsk<'a> {
    /// Vendor id of the entity.
    pub entity: &'a str,
    /// Where the vendor sends the administrator back to.
    pub redirect_uri: &'a str,
    /// Comes back unchanged; by it we know our own question.
    pub state: &'a str,
}

/// What the vendor says when it sends the administrator back. It is said by their browser, so it is no proof:
/// [`Admission::look`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdmissionAnswer {
    /// The administrator of the entity with this vendor id consented.
    Given(String),
    /// They did not; the vendor's words.
    Declined(String),
}

/// Entities that an administrator of their own lets in.
#[async_trait]
pub trait Admission: Send + Sync {
    /// The vendor id of the entity that a person names by it, or by its domain.
    async fn find(&self, named: &str) -> Result<String>;

    /// The page at which the entity's administrator consents.
    fn page(&self, ask: &AdmissionAsk<'_>) -> Url;

    /// Reads what came back; `None` where it is no answer at all.
    fn answer(&self, query: &BTreeMap<String, String>) -> Option<AdmissionAnswer>;

    /// Tries whether the entity can be read, and gives back what is known of it: raw, as the listing of entities reads
    /// it.
    async fn look(&self, entity: &str) -> Result<Bytes>;
}
