//! What the records look like.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use integration::Vendor as _;
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde_json::{Value, json};
use uuid::Uuid;
use vendorkit::{
    World,
    world::{self, Business, Invoice},
};

use crate::Xero;

/// A contact.
pub(super) enum Party<'a> {
    Client(&'a Business),
    Supplier(Uuid),
}

/// What stands among the invoices.
pub(super) enum Sale<'a> {
    Invoice(&'a Business, &'a Invoice),
    /// A draft that was deleted.
    ThrownAway(&'a Business),
    /// A bill from a supplier.
    Bill(Uuid),
}

pub(super) fn envelope(world: &World, name: &str, rows: Vec<Value>) -> Value {
    json!({
        "Id": world::uuid("xero/answer", world.revision()), "Status": "OK", "ProviderName": "PanelOne",
        "DateTimeUTC": format!("/Date({})/", world.now.timestamp_millis()), name: rows,
    })
}

pub(super) fn organisation() -> Value {
    json!({
        "OrganisationID": super::ORGANISATION, "Name": "Example Managed Services",
        "LegalName": "Example Managed Services Pty Ltd", "BaseCurrency": "AUD", "CountryCode": "AU",
        "OrganisationStatus": "ACTIVE", "IsDemoCompany": false, "Class": "PREMIUM",
    })
}

fn instant(at: DateTime<Utc>) -> String {
    format!("/Date({}+0000)/", at.timestamp_millis())
}

fn day(day: NaiveDate) -> String {
    instant(day.and_time(NaiveTime::MIN).and_utc())
}

/// As Xero writes amounts: without a fraction where there is none.
fn amount(amount: Decimal) -> Value {
    match amount.to_i64().filter(|_| amount.fract().is_zero()) {
        Some(whole) => whole.into(),
        None => amount.to_f64().into(),
    }
}

/// Whether the contact was put away.
pub(super) fn archived(business: &Business) -> bool {
    business.key % 9 == 4
}

pub(super) fn contact(world: &World, party: &Party<'_>) -> Value {
    match party {
        Party::Client(business) => client(business),
        Party::Supplier(id) => json!({
            "ContactID": id, "ContactStatus": "ACTIVE", "Name": "Office Supplies", "FirstName": "Sold", "LastName": "Here",
            "EmailAddress": "orders@supplies.example", "Addresses": [], "Phones": [], "IsSupplier": true,
            "IsCustomer": false, "ContactPersons": [], "UpdatedDateUTC": instant(world.now - TimeDelta::days(90)),
        }),
    }
}

fn client(business: &Business) -> Value {
    let persons: Vec<Value> = business
        .people
        .iter()
        .skip(1)
        .take(5)
        .map(|person| {
            json!({
                "FirstName": person.given, "LastName": person.family, "EmailAddress": person.email,
                "IncludeInEmails": false,
            })
        })
        .collect();
    let first = business.people.first();
    let mut contact = json!({
        "ContactID": business.id_at(Xero::ID), "Name": business.name_at(Xero::ID),
        "ContactStatus": if archived(business) { "ARCHIVED" } else { "ACTIVE" },
        "FirstName": first.map(|person| &person.given), "LastName": first.map(|person| &person.family),
        "EmailAddress": first.map_or_else(|| format!("accounts@{}", business.domain), |person| person.email.clone()),
        "Addresses": [{ "AddressType": "STREET" }, {
            "AddressType": "POBOX", "AddressLine1": business.street, "City": business.city, "Region": business.region,
            "PostalCode": business.post_code, "Country": business.country,
        }],
        "Phones": [{ "PhoneType": "DDI" }, {
            "PhoneType": "DEFAULT", "PhoneNumber": business.phone, "PhoneAreaCode": "", "PhoneCountryCode": "",
        }, { "PhoneType": "FAX" }, { "PhoneType": "MOBILE" }],
        "UpdatedDateUTC": instant(business.since), "ContactGroups": [], "IsSupplier": false, "IsCustomer": true,
        "ContactPersons": persons, "HasAttachments": false, "HasValidationErrors": false,
    });
    if business.key.is_multiple_of(3) {
        contact["Website"] = format!("https://www.{}/", business.domain).into();
    }
    if business.key.is_multiple_of(2) {
        contact["AccountNumber"] = business.psa_id.clone().into();
    }
    contact
}

/// Type and state.
pub(super) fn nature(sale: &Sale<'_>) -> (&'static str, &'static str) {
    match sale {
        Sale::Invoice(_, one) if one.paid.is_some() => ("ACCREC", "PAID"),
        Sale::Invoice(_, one) if one.key % 5 == 1 => ("ACCREC", "VOIDED"),
        Sale::Invoice(_, one) if one.key % 13 == 0 => ("ACCREC", "DRAFT"),
        Sale::Invoice(..) => ("ACCREC", "AUTHORISED"),
        Sale::ThrownAway(_) => ("ACCREC", "DELETED"),
        Sale::Bill(_) => ("ACCPAY", "AUTHORISED"),
    }
}

pub(super) fn invoice(world: &World, sale: &Sale<'_>) -> Value {
    let (kind, status) = nature(sale);
    let (id, contact) = match sale {
        Sale::Invoice(business, one) => (world::uuid("xero/invoice", one.key), business.id_at(Xero::ID)),
        Sale::ThrownAway(business) => (world::uuid("xero/thrown-away", 1), business.id_at(Xero::ID)),
        Sale::Bill(supplier) => (world::uuid("xero/bill", 1), *supplier),
    };
    let mut body = json!({
        "Type": kind, "InvoiceID": id, "Contact": { "ContactID": contact }, "Status": status, "CurrencyCode": "AUD",
        "SubTotal": 10, "TotalTax": 1, "Total": 11, "AmountDue": 11, "AmountPaid": 0, "AmountCredited": 0,
        "LineAmountTypes": "Exclusive", "LineItems": [], "Payments": [], "HasAttachments": false,
        "UpdatedDateUTC": instant(world.now - TimeDelta::days(40)),
    });
    if let Sale::Invoice(business, one) = sale {
        let due = if status == "VOIDED" { Decimal::ZERO } else { one.balance };
        body["InvoiceNumber"] = one.number.clone().into();
        body["Reference"] = "".into();
        body["Contact"]["Name"] = business.name_at(Xero::ID).into();
        body["Date"] = day(one.issued).into();
        body["DateString"] = format!("{}T00:00:00", one.issued).into();
        body["DueDate"] = day(one.due).into();
        body["DueDateString"] = format!("{}T00:00:00", one.due).into();
        body["CurrencyCode"] = one.currency.clone().into();
        body["SubTotal"] = amount(one.net);
        body["TotalTax"] = amount(one.tax);
        body["Total"] = amount(one.net + one.tax);
        body["AmountDue"] = amount(due);
        body["AmountPaid"] = amount(one.net + one.tax - one.balance);
        body["UpdatedDateUTC"] = instant(one.updated).into();
        body["LineItems"] = one.lines.iter().map(|(text, count, price)| line(text, *count, *price)).collect();
        if let Some(paid) = one.paid {
            body["FullyPaidOnDate"] = day(paid).into();
        }
    }
    body
}

fn line(text: &str, count: u32, price: Decimal) -> Value {
    json!({
        "Description": text, "Quantity": count, "UnitAmount": amount(price),
        "LineAmount": amount(Decimal::from(count) * price), "AccountCode": "200", "TaxType": "OUTPUT", "Tracking": [],
    })
}

/// A business is billed every month for the first of its subscriptions.
pub(super) fn template(world: &World, business: &Business) -> Value {
    let sold = &business.subscriptions[..business.subscriptions.len().min(3)];
    let net: Decimal = sold.iter().map(|one| Decimal::from(one.quantity) * one.price).sum();
    let tax = (net * Decimal::new(1, 1)).round_dp(2);
    let next = (world.now + TimeDelta::days(25)).date_naive();
    let lines: Vec<Value> = sold.iter().map(|one| line(&one.product, one.quantity, one.price)).collect();
    json!({
        "RepeatingInvoiceID": world::uuid("xero/template", business.key), "Type": "ACCREC", "Status": "AUTHORISED",
        "Contact": { "ContactID": business.id_at(Xero::ID), "Name": business.name_at(Xero::ID) },
        "Schedule": {
            "Period": 1, "Unit": "MONTHLY", "DueDate": 14, "DueDateType": "DAYSAFTERBILLDATE",
            "StartDate": day(business.since.date_naive()), "NextScheduledDate": day(next),
        },
        "Reference": "", "LineItems": lines, "LineAmountTypes": "Exclusive",
        "CurrencyCode": sold.first().map(|one| &one.currency), "SubTotal": amount(net), "TotalTax": amount(tax),
        "Total": amount(net + tax), "HasAttachments": false,
    })
}
