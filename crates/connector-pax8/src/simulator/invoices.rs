//! Invoices to the MSP: one for each day on which the world's businesses have invoices, with the items of all of
//! them, and a rebate that is nobody's.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use integration::{Request, Vendor};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use uuid::Uuid;
use vendorkit::{
    World,
    world::{self, Business, Subscription},
};

use super::{Answer, No, asked::Asked, unknown};
use crate::Pax8;

fn id(day: NaiveDate) -> Uuid {
    world::uuid("pax8 invoice", u64::try_from(day.num_days_from_ce()).unwrap_or_default())
}

fn days(world: &World) -> BTreeSet<NaiveDate> {
    world.known_to(Pax8::ID).flat_map(|business| &business.invoices).map(|invoice| invoice.issued).collect()
}

/// How many shares of invoices the companies have.
pub(super) fn shares(world: &World) -> usize {
    let sold = |business: &&Business| !business.subscriptions.is_empty();
    let days = |business: &Business| business.invoices.iter().map(|one| one.issued).collect::<BTreeSet<_>>().len();
    world.known_to(Pax8::ID).filter(sold).map(days).sum()
}

pub(super) fn listed(world: &World, request: &Request) -> Answer {
    let asked = Asked::read(request)?;
    let start = match asked.pairs.get("invoiceDateRangeStart").map(|day| day.parse::<NaiveDate>()) {
        Some(Err(_)) => return Err(No(400, "invoiceDateRangeStart must be a day".into())),
        Some(Ok(day)) => day,
        None => NaiveDate::MIN,
    };
    if !matches!(asked.sort(), None | Some("invoiceDate")) {
        return Err(No(400, "cannot sort invoices by this".into()));
    }
    let all = days(world);
    let newest = all.last().copied();
    let found: Vec<NaiveDate> = all.into_iter().filter(|day| *day >= start).collect();
    Ok(asked.page(found, |day| {
        let total = amount(sold_on(world, day).map(|(_, sold)| due(sold)).sum());
        json!({
            "id": id(day), "invoiceDate": day, "dueDate": day + chrono::TimeDelta::days(15), "total": total,
            "balance": if newest == Some(day) { total.clone() } else { 0.into() }, "carriedBalance": 0,
            "currencyCode": "USD", "status": if newest == Some(day) { "Unpaid" } else { "Paid" },
            "partnerName": "Simulated MSP",
        })
    }))
}

pub(super) fn items(world: &World, invoice: Uuid, request: &Request) -> Answer {
    let asked = Asked::read(request)?;
    let day = days(world).into_iter().find(|day| id(*day) == invoice).ok_or_else(unknown)?;
    let found: Vec<_> = sold_on(world, day).map(Some).chain([None]).collect();
    Ok(asked.page(found, |sold| item(day, sold)))
}

/// What was sold to each business with an invoice of that day.
fn sold_on(world: &World, day: NaiveDate) -> impl Iterator<Item = (&Business, &Subscription)> {
    let billed = world.known_to(Pax8::ID).filter(move |business| business.invoices.iter().any(|one| one.issued == day));
    billed.flat_map(|business| business.subscriptions.iter().map(move |sold| (business, sold)))
}

/// What the MSP pays for it.
fn due(sold: &Subscription) -> Decimal {
    sold.cost * Decimal::from(sold.quantity)
}

fn item(day: NaiveDate, sold: Option<(&Business, &Subscription)>) -> Value {
    let Some((business, sold)) = sold else {
        return json!({
            "id": world::uuid("pax8 rebate", u64::try_from(day.num_days_from_ce()).unwrap_or_default()),
            "type": "rebate", "description": "Partner rebate", "total": -25, "amountDue": -25, "currencyCode": "USD",
        });
    };
    let (due, customer) = (due(sold), sold.price * Decimal::from(sold.quantity));
    json!({
        "id": world::uuid(&format!("pax8 item {day}"), sold.key), "type": "subscription",
        "companyId": business.id_at(Pax8::ID), "companyName": business.name_at(Pax8::ID),
        "productId": sold.product_id, "productName": sold.product, "subscriptionId": sold.id,
        "startPeriod": day.with_day(1), "endPeriod": day, "quantity": sold.quantity, "unitOfMeasure": "User",
        "term": sold.billing_term, "rateType": "flat", "chargeType": "per", "price": amount(sold.price),
        "subTotal": amount(customer), "cost": amount(sold.cost), "costTotal": amount(due), "total": amount(customer),
        "amountDue": amount(due), "salesTax": amount(due * Decimal::new(1, 1)), "currencyCode": sold.currency,
        "billedByPax8": false,
    })
}

/// A number of two digits, which a binary float still shows as it is.
fn amount(amount: Decimal) -> Value {
    amount.round_dp(2).to_string().parse::<f64>().map_or(Value::Null, |amount| json!(amount))
}
