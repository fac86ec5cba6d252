//! The world in the vendor's words.

use chrono::{DateTime, FixedOffset, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;
use vendorkit::world::{self, Business};

use crate::Pax8;
use integration::Vendor;

#[derive(Serialize)]
pub(super) struct Listing<T> {
    pub content: Vec<T>,
    pub page: Place,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    pub size: usize,
    pub total_elements: usize,
    pub total_pages: usize,
    pub number: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Company {
    pub id: Uuid,
    pub name: String,
    address: Address,
    phone: String,
    website: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    bill_on_behalf_of_enabled: bool,
    self_service_allowed: bool,
    order_approval_required: bool,
    pub status: &'static str,
    updated_date: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Address {
    street: String,
    street2: &'static str,
    city: String,
    state_or_province: String,
    postal_code: String,
    country: String,
}

impl Company {
    pub(super) fn of(business: &Business) -> Self {
        let key = business.key;
        Self {
            id: business.id_at(Pax8::ID),
            name: business.name_at(Pax8::ID),
            address: Address {
                street: business.street.clone(),
                street2: "",
                city: business.city.clone(),
                state_or_province: business.region.clone(),
                postal_code: business.post_code.clone(),
                country: business.country.clone(),
            },
            phone: business.phone.clone(),
            // People fill this in: with and without a scheme.
            website: match key % 3 {
                0 => format!("https://www.{}", business.domain),
                1 => business.domain.clone(),
                _ => format!("https://{}/", business.domain),
            },
            // Not every company came through the connector of the PSA.
            external_id: (!key.is_multiple_of(4)).then(|| business.psa_id.clone()),
            bill_on_behalf_of_enabled: false,
            self_service_allowed: key.is_multiple_of(5),
            order_approval_required: false,
            status: if key.is_multiple_of(11) { "Inactive" } else { "Active" },
            updated_date: date(business.since, key),
        }
    }

    pub(super) fn city(&self) -> &str {
        &self.address.city
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscription {
    id: Uuid,
    company_id: Uuid,
    product_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor_sku_id: Option<String>,
    quantity: u32,
    price: Box<RawValue>,
    partner_cost: Box<RawValue>,
    currency_code: String,
    billing_term: String,
    status: String,
    start_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<String>,
    created_date: String,
    updated_date: String,
    billing_start: String,
    commitment_term: Option<CommitmentTerm>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CommitmentTerm {
    id: Uuid,
    term: &'static str,
    end_date: String,
}

impl Subscription {
    pub(super) fn of(business: &Business, subscription: &world::Subscription) -> Self {
        let key = subscription.key;
        let end = subscription.commitment_ends.map(|end| date(end, key % 2));
        Self {
            id: subscription.id,
            company_id: business.id_at(Pax8::ID),
            product_id: subscription.product_id,
            // Old records have none.
            product_name: (key % 50 != 49).then(|| subscription.product.clone()),
            vendor_sku_id: subscription.part_number.clone(),
            quantity: subscription.quantity,
            price: number(subscription.price),
            partner_cost: number(subscription.cost),
            currency_code: subscription.currency.clone(),
            billing_term: subscription.billing_term.clone(),
            status: subscription.status.clone(),
            start_date: date(subscription.starts, key),
            end_date: end.clone(),
            created_date: date(subscription.starts, 2),
            updated_date: date(subscription.updated, key % 2),
            billing_start: date(subscription.starts, 2),
            commitment_term: end.map(|end_date| CommitmentTerm {
                id: Uuid::from_u128(!subscription.id.as_u128()),
                term: "1-Year",
                end_date,
            }),
        }
    }
}

/// A number with the digits it has: a binary float would lose some.
fn number(amount: Decimal) -> Box<RawValue> {
    RawValue::from_string(amount.to_string()).expect("a decimal is a JSON number")
}

/// The vendor's three ways to write a date.
fn date(at: DateTime<Utc>, way: u64) -> String {
    match way % 3 {
        0 => {
            let zone = FixedOffset::west_opt(6 * 3600).expect("six hours is an offset");
            at.with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%.3f%z").to_string()
        }
        1 => at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        _ => at.format("%Y-%m-%d").to_string(),
    }
}
