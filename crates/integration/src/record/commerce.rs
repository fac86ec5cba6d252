//! What is bought and billed.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{Exact, Money};

/// Seats owned and used of one product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Licence {
    /// Product in people's words where known, else the vendor's part number.
    pub name: String,
    /// Vendor's part number.
    pub part_number: String,
    /// The id that users' assignments name.
    pub sku_id: String,
    /// Seats owned.
    pub total: Option<i64>,
    /// Seats in use; may be above the total.
    pub used: Option<i64>,
    /// The vendor's own word for its state.
    pub status: Option<String>,
    /// Free of charge and practically unlimited: left out of counts.
    pub unlimited: bool,
}

/// A paid subscription.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subscription {
    /// Product in people's words.
    pub product: String,
    /// Vendor's id of the product.
    pub product_id: Option<String>,
    /// Seats or units; may be fractional for usage.
    pub quantity: Option<Exact>,
    /// What the client pays for one.
    pub price: Option<Money>,
    /// What the MSP pays for one.
    pub cost: Option<Money>,
    /// Vendor's own word for its state ("Active").
    pub status: String,
    /// Vendor's own word for the term of billing ("Monthly").
    pub billing_term: Option<String>,
    /// Length of the commitment, in the vendor's words.
    pub commitment_term: Option<String>,
    /// End of the commitment: until then less is refused.
    pub commitment_ends_at: Option<DateTime<Utc>>,
    /// Start.
    pub starts_at: Option<DateTime<Utc>>,
    /// End.
    pub ends_at: Option<DateTime<Utc>>,
    /// Last change at the vendor.
    pub updated_at: Option<DateTime<Utc>>,
}

/// An invoice to an entity, or what of an invoice to the MSP is for that entity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Invoice {
    /// Number shown to people.
    pub number: String,
    /// Whether this is what the MSP pays to the vendor, and not what the entity owes: never shown to the client.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cost: bool,
    /// Reference or purchase order, as written.
    pub reference: Option<String>,
    /// The vendor's own word for its state ("AUTHORISED").
    pub status: Option<String>,
    /// Whether it is paid in full.
    pub paid: Option<bool>,
    /// Day of issue.
    pub issued_on: Option<NaiveDate>,
    /// Day it is due.
    pub due_on: Option<NaiveDate>,
    /// Day it was paid.
    pub paid_on: Option<NaiveDate>,
    /// Sum without tax.
    pub net: Option<Money>,
    /// Tax.
    pub tax: Option<Money>,
    /// Sum with tax.
    pub total: Option<Money>,
    /// What is still to be paid.
    pub balance: Option<Money>,
    /// The vendor's page of it.
    pub url: Option<String>,
    /// Last change at the vendor.
    pub updated_at: Option<DateTime<Utc>>,
}

/// A template from which the vendor makes invoices at set times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RepeatingInvoice {
    /// What people know it by: its reference, else its first line.
    pub name: String,
    /// The vendor's own word for its state ("AUTHORISED").
    pub status: Option<String>,
    /// How often, in words ("every month").
    pub schedule: Option<String>,
    /// Day of the next invoice.
    pub next_on: Option<NaiveDate>,
    /// First day.
    pub starts_on: Option<NaiveDate>,
    /// Last day.
    pub ends_on: Option<NaiveDate>,
    /// Sum without tax.
    pub net: Option<Money>,
    /// Tax.
    pub tax: Option<Money>,
    /// Sum with tax.
    pub total: Option<Money>,
    /// Last change at the vendor.
    pub updated_at: Option<DateTime<Utc>>,
}
