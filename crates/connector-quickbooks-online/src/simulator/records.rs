//! The data: customers with sub-customers, invoices, templates. Ids are numbers, for each type its own.

use chrono::{DateTime, Datelike, FixedOffset, Months, SecondsFormat, Utc};
use integration::Vendor as _;
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Business, Invoice},
};

use crate::QuickbooksOnline;

/// What lies between the numbers of a customer and of its sub-customers.
const BELOW: u64 = 100_000_000;
/// The most places that a business has: its own and three more.
pub(super) const MOST_BELOW: u64 = 3;
/// Number of the first template of a bill.
const BILLS: u64 = 500_000_000;

/// One record: what a condition may ask for, and the whole.
pub(super) struct Row<'a> {
    pub id: u64,
    pub active: bool,
    pub job: bool,
    pub make: Box<dyn Fn() -> Value + 'a>,
}

impl<'a> Row<'a> {
    fn new(id: u64, make: impl Fn() -> Value + 'a) -> Self {
        Self { id, active: true, job: false, make: Box::new(make) }
    }
}

/// All records of a type; `None` where there is no such type.
pub(super) fn all<'a>(world: &'a World, entity: &str) -> Option<Vec<Row<'a>>> {
    let businesses = || world.known_to(QuickbooksOnline::ID);
    Some(match entity {
        "Customer" => businesses().flat_map(customers).collect(),
        "Invoice" => {
            let invoices = world.invoices_after(QuickbooksOnline::ID, 0);
            invoices.into_iter().map(|(business, one)| Row::new(one.key, move || invoice(business, one))).collect()
        }
        "RecurringTransaction" => businesses().flat_map(|business| templates(world, business)).collect(),
        _ => return None,
    })
}

/// A business as a customer, and its further places as sub-customers.
pub(super) fn customers(business: &Business) -> Vec<Row<'_>> {
    let mut rows = vec![Row::new(business.key, move || customer(business))];
    for (at, place) in business.locations.iter().enumerate().skip(1) {
        let id = below(business.key, at as u64);
        let active = !place.key.is_multiple_of(3);
        let make = move || sub_customer(business, &place.name, id, active);
        rows.push(Row { active, job: true, ..Row::new(id, make) });
    }
    rows
}

/// The number of a business's sub-customer.
pub(super) fn below(business: u64, at: u64) -> u64 {
    at * BELOW + business
}

fn customer(business: &Business) -> Value {
    let name = business.name_at(QuickbooksOnline::ID);
    let mut customer = json!({
        "Taxable": true, "Job": false, "BillWithParent": false, "IsProject": false, "domain": "QBO", "sparse": false,
        "Id": business.key.to_string(), "SyncToken": "0", "DisplayName": name, "FullyQualifiedName": name,
        "CompanyName": business.legal_name, "PrintOnCheckName": name, "Active": true,
        "Balance": business.invoices.iter().map(|one| one.balance).sum::<Decimal>().to_f64(),
        "CurrencyRef": { "value": currency(business) },
        "PrimaryPhone": { "FreeFormNumber": business.phone },
        "PrimaryEmailAddr": { "Address": format!("accounts@{}", business.domain) },
        "WebAddr": { "URI": format!("http://www.{}", business.domain) },
        "BillAddr": {
            "Id": business.key.to_string(), "Line1": business.street, "City": business.city,
            "CountrySubDivisionCode": business.region, "PostalCode": business.post_code, "Country": business.country,
        },
        "MetaData": { "CreateTime": instant(business.since), "LastUpdatedTime": instant(business.since) },
    });
    if let Some(person) = business.people.first() {
        customer["GivenName"] = person.given.clone().into();
        customer["FamilyName"] = person.family.clone().into();
        customer["PrimaryEmailAddr"]["Address"] = person.email.clone().into();
    }
    customer
}

fn sub_customer(business: &Business, name: &str, id: u64, active: bool) -> Value {
    let parent = business.name_at(QuickbooksOnline::ID);
    let name = if active { name.to_owned() } else { format!("{name} (deleted)") };
    json!({
        "Taxable": true, "Job": true, "BillWithParent": true, "IsProject": business.key.is_multiple_of(2), "Level": 1,
        "domain": "QBO", "sparse": false, "Id": id.to_string(), "SyncToken": "1",
        "ParentRef": { "value": business.key.to_string() }, "DisplayName": name, "PrintOnCheckName": name,
        "FullyQualifiedName": format!("{parent}:{name}"), "Active": active, "Balance": 0, "BalanceWithJobs": 0,
        "CurrencyRef": { "value": currency(business) },
        "MetaData": { "CreateTime": instant(business.since), "LastUpdatedTime": instant(business.since) },
    })
}

pub(super) fn invoice(business: &Business, invoice: &Invoice) -> Value {
    let lines = invoice.lines.iter().map(|(text, count, price)| (text.as_str(), *count, *price));
    let mut body = sale(business, invoice.key, lines, invoice.net, invoice.tax, &invoice.currency);
    body["DocNumber"] = invoice.number.clone().into();
    body["TxnDate"] = json!(invoice.issued);
    body["DueDate"] = json!(invoice.due);
    body["Balance"] = json!(invoice.balance.to_f64());
    body["LinkedTxn"] = match invoice.paid {
        Some(_) => json!([{ "TxnId": (invoice.key + BELOW).to_string(), "TxnType": "Payment" }]),
        None => json!([]),
    };
    body["MetaData"] = json!({
        "CreateTime": format!("{}T09:00:00-07:00", invoice.issued), "LastUpdatedTime": instant(invoice.updated),
    });
    body
}

/// Whether a business has a template.
pub(super) fn has_template(business: &Business) -> bool {
    !business.subscriptions.is_empty()
}

fn templates<'a>(world: &'a World, business: &'a Business) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    if has_template(business) {
        rows.push(Row::new(business.key, move || json!({ "Invoice": template(world, business) })));
    }
    if business.key.is_multiple_of(9) {
        let id = BILLS + business.key;
        let bill = move || json!({ "Bill": { "Id": id.to_string(), "TotalAmt": 80, "VendorRef": { "value": "9" } } });
        rows.push(Row::new(id, bill));
    }
    rows
}

fn template(world: &World, business: &Business) -> Value {
    let sold = || business.subscriptions.iter().take(3);
    let lines = sold().map(|one| (one.product.as_str(), one.quantity, one.price));
    let net: Decimal = sold().map(|one| Decimal::from(one.quantity) * one.price).sum();
    let mut body =
        sale(business, business.key, lines, net, (net * Decimal::new(2, 1)).round_dp(2), &currency(business));
    let first = world.now.date_naive().with_day(1).and_then(|day| day.checked_add_months(Months::new(1)));
    body["RecurringInfo"] = json!({
        "Name": format!("Managed services {}", business.key), "Active": !business.key.is_multiple_of(7),
        "RecurType": if business.key.is_multiple_of(2) { "Automated" } else { "Reminded" },
        "ScheduleInfo": {
            "IntervalType": "Monthly", "NumInterval": business.key % 3 + 1, "DayOfMonth": 1, "DaysBefore": 3,
            "StartDate": business.since.date_naive(), "NextDate": first,
        },
    });
    body["MetaData"] = json!({ "CreateTime": instant(business.since), "LastUpdatedTime": instant(business.since) });
    body
}

fn sale<'a>(
    business: &Business,
    id: u64,
    lines: impl Iterator<Item = (&'a str, u32, Decimal)>,
    net: Decimal,
    tax: Decimal,
    currency: &str,
) -> Value {
    let mut lines: Vec<Value> = lines
        .enumerate()
        .map(|(at, (text, count, price))| {
            json!({
                "Id": (at + 1).to_string(), "LineNum": at + 1, "Description": text, "DetailType": "SalesItemLineDetail",
                "Amount": (Decimal::from(count) * price).to_f64(),
                "SalesItemLineDetail": { "ItemRef": { "value": "1" }, "UnitPrice": price.to_f64(), "Qty": count },
            })
        })
        .collect();
    lines.push(json!({ "Amount": net.to_f64(), "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {} }));
    json!({
        "domain": "QBO", "sparse": false, "Id": id.to_string(), "SyncToken": "0", "Line": lines,
        "CustomerRef": { "value": business.key.to_string(), "name": business.name_at(QuickbooksOnline::ID) },
        "CurrencyRef": { "value": currency }, "TxnTaxDetail": { "TotalTax": tax.to_f64() },
        "TotalAmt": (net + tax).to_f64(), "PrintStatus": "NeedToPrint", "EmailStatus": "NotSet",
    })
}

/// What the business is billed in.
fn currency(business: &Business) -> String {
    let invoiced = business.invoices.first().map(|one| one.currency.clone());
    let sold = || business.subscriptions.first().map(|one| one.currency.clone());
    invoiced.or_else(sold).unwrap_or_else(|| "USD".to_owned())
}

/// With the offset of the company, in winter and summer.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    let hours = if (4..=10).contains(&at.month()) { 7 } else { 8 };
    let offset = FixedOffset::west_opt(hours * 3600).unwrap_or(chrono::Offset::fix(&Utc));
    at.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::Secs, false)
}
