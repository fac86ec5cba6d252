//! What Pax8 charges the MSP, by company. Pax8 invoices the MSP, not its customers, but says of each item which
//! company it is for. Here a record is one company's share of one invoice: the sums of its items.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::NaiveDate;
use integration::{Cursor, Error, Exact, Invoice, Item, Money, Page, Position, Pull, Result, Vendor};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    Pax8,
    charges::{Head, Place, less},
    wire::{self, said},
};

/// What is kept of an item, as Pax8 writes it. The rest names the company's people and products over and over.
const KEPT: [&str; 7] = ["id", "type", "productName", "quantity", "amountDue", "salesTax", "currencyCode"];

/// One company's items of one invoice: what a record is made from.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Share<'a> {
    invoice: &'a Head,
    company_id: String,
    items: Vec<BTreeMap<String, &'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    invoice: Head,
    company_id: String,
    items: Vec<Charge>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Charge {
    amount_due: Option<Exact>,
    sales_tax: Option<Exact>,
    currency_code: Option<String>,
}

#[async_trait]
impl Pull<Invoice> for Pax8 {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let mut place = Place::of(at.cursor, self.api.http.now())?;
        if place.waiting.is_empty() {
            return self.heads(place).await?.page(Vec::new());
        }
        let invoice = place.waiting[0].0.clone();
        let known = self.under_way.pages(&invoice, place.read);
        let mut pages = match known {
            Some(pages) => pages,
            // Read by another process.
            None => self.first_pages(&invoice, place.read).await?,
        };
        let mark = place.items.take().map(Cursor::new);
        let page = self.items(&invoice, mark.as_ref()).await?;
        pages.push(page.records);
        if let Some(next) = page.next {
            place.read += 1;
            place.items = Some(next.as_str().to_owned());
            self.under_way.keep(&invoice, pages);
            return place.page(Vec::new());
        }
        let items = pages.concat();
        if page.total != Some(items.len() as u64) {
            return Err(less("items of an invoice").at("invoice", invoice));
        }
        let head = place.waiting.remove(0);
        place.read = 0;
        place.page(shares(&head, &items).map_err(|error| error.at("invoice", invoice))?)
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Invoice>, String> {
        let Wire { invoice: Head(id, day, due, status), company_id, items } = wire::read("share of an invoice", raw)?;
        let day = date(day)?;
        // A sum over several currencies, or over an amount that is not said, is no amount.
        let mut currencies: Vec<_> = items.iter().map(|item| said(item.currency_code.clone())).collect();
        currencies.dedup();
        let currency = if let [Some(currency)] = &currencies[..] { Some(currency.as_str()) } else { None };
        let sum = |of: fn(&Charge) -> Option<Exact>| {
            items.iter().try_fold(Decimal::ZERO, |sum, item| sum.checked_add(of(item)?.0))
        };
        let (net, tax) = (sum(|item| item.amount_due), sum(|item| item.sales_tax));
        let money = |amount: Option<Decimal>| Some(Money::new(Exact(amount?), currency?));
        let record = Invoice {
            // Pax8 numbers no invoices; its people know them by their day.
            number: day.map_or_else(|| format!("{} {id}", Self::NAME), |day| format!("{} {day}", Self::NAME)),
            cost: true,
            reference: Some(id.clone()),
            paid: match status.as_deref() {
                Some("Paid") => Some(true),
                Some("Unpaid") => Some(false),
                _ => None,
            },
            status,
            issued_on: day,
            due_on: date(due)?,
            net: money(net),
            tax: money(tax),
            total: money(net.zip(tax).and_then(|(net, tax)| net.checked_add(tax))),
            ..Invoice::default()
        };
        Ok(Item { id: format!("{id}/{company_id}"), entity: Some(company_id), record })
    }
}

/// Gathers the items of an invoice by company. Those of no company are the MSP's own.
fn shares(head: &Head, items: &[Bytes]) -> Result<Vec<Bytes>> {
    let mut companies: BTreeMap<String, Vec<BTreeMap<String, &RawValue>>> = BTreeMap::new();
    for item in items {
        // Without this one a sum would be wrong, and nobody would see it.
        let mut fields: BTreeMap<String, &RawValue> = wire::read("invoice item", item).map_err(unreadable)?;
        let company =
            fields.get("companyId").map(|id| wire::read::<Option<String>>("invoice item", id.get().as_bytes()));
        let company = company.transpose().map_err(unreadable)?.flatten();
        fields.retain(|name, _| KEPT.contains(&name.as_str()));
        if let Some(company) = said(company) {
            companies.entry(company).or_default().push(fields);
        }
    }
    let share = |(company_id, items)| serde_json::to_vec(&Share { invoice: head, company_id, items });
    companies.into_iter().map(|one| share(one).map(Bytes::from).map_err(|why| unreadable(why.to_string()))).collect()
}

fn unreadable(why: String) -> Error {
    Error::unreadable(Pax8::NAME, why)
}

fn date(text: Option<String>) -> Result<Option<NaiveDate>, String> {
    let Some(text) = said(text) else { return Ok(None) };
    let at = wire::parse_instant(&text).ok_or("a share of an invoice has a day that cannot be read")?;
    Ok(Some(at.date_naive()))
}
