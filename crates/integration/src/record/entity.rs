//! What the vendor calls a customer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the vendor calls a customer: organisation, site, company, tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entity {
    /// Name as last seen.
    pub name: String,
    /// DNS domains that belong to it, lower case, the main one first.
    pub domains: Vec<String>,
    /// Ids that other systems gave it and that this vendor holds ("psa" → "1042").
    pub external_ids: BTreeMap<String, String>,
    /// Microsoft 365 tenant, if the vendor says so.
    pub tenant_id: Option<String>,
    /// Telephone as written.
    pub phone: Option<String>,
    /// City and the like, for a person to tell two apart.
    pub place: Option<String>,
    /// Whether it is in use at the vendor.
    pub active: Option<bool>,
    /// The vendor's own word for its state.
    pub status: Option<String>,
    /// Postal address, where the vendor tells it by parts.
    // Left out where there is none: entities stored before there were addresses stay as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<PostalAddress>,
}

/// A postal address by parts; country apart, which vendors tell in words and take as codes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PostalAddress {
    pub street: Option<String>,
    pub city: Option<String>,
    pub region: Option<String>,
    pub post_code: Option<String>,
}

impl PostalAddress {
    /// The address, unless nothing of it is known.
    pub fn known(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }
}
