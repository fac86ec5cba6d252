//! What is known of a tenant or a site as a whole.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// A security score.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecureScore {
    /// Points reached.
    pub current: f64,
    /// Points possible.
    pub max: f64,
    /// Day of the score.
    pub day: Option<NaiveDate>,
    /// Average of all customers of the vendor.
    pub average: Option<f64>,
}

/// A DNS domain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Domain {
    /// Name, lower case.
    pub name: String,
    /// Whether ownership is proven to the vendor.
    pub verified: Option<bool>,
    /// Whether it is the main one.
    pub default: Option<bool>,
    /// Whether the vendor made it (`….onmicrosoft.com`).
    pub initial: Option<bool>,
    /// How people of it sign in: managed or federated.
    pub authentication: Option<String>,
    /// What it is used for, in the vendor's words.
    pub services: Vec<String>,
    /// The vendor's own word for its state ("clientTransferProhibited").
    pub status: Option<String>,
    /// Day it was registered.
    pub registered_on: Option<NaiveDate>,
    /// Day it expires unless it is renewed.
    pub expires_on: Option<NaiveDate>,
    /// Whether it is renewed by itself.
    pub auto_renew: Option<bool>,
    /// Name servers, lower case.
    pub name_servers: Vec<String>,
    /// Whether its MX records are as they should be.
    pub mx: Option<bool>,
    /// Whether its SPF record is as it should be.
    pub spf: Option<bool>,
    /// Whether its DKIM records are as they should be.
    pub dkim: Option<bool>,
    /// Whether its DMARC record is as it should be.
    pub dmarc: Option<bool>,
    /// Whether the record for returned mail is as it should be.
    pub return_path: Option<bool>,
    /// Whether its zone is signed.
    pub dnssec: Option<bool>,
    /// What is wrong with it, in the vendor's words.
    pub problems: Vec<String>,
}
