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
}
