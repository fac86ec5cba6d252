//! Walking the invoices of Pax8: first which there are, then the items of each. Every page is one request.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use integration::{Cursor, Error, Kind, Page, Result, Retry, Vendor};
use serde::{Deserialize, Serialize};

use crate::{
    Pax8,
    paging::SIZE,
    wire::{self, said},
};

/// How far back invoices are read. Each has thousands of items, and closed ones do not change.
const MONTHS: Months = Months::new(12);
/// Invoices asked for at once: as many as have room in a cursor.
const HEADS: u32 = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: String,
    invoice_date: Option<String>,
    due_date: Option<String>,
    status: Option<String>,
}

/// What is kept of an invoice while its items are waited for: id, its day, day it is due, state.
#[derive(Deserialize, Serialize)]
pub(crate) struct Head(pub String, pub Option<String>, pub Option<String>, pub Option<String>);

/// Where the listing goes on: with the items of the first invoice that waits, or with the next page of invoices.
#[derive(Default, Deserialize, Serialize)]
pub(crate) struct Place {
    from: NaiveDate,
    pub waiting: Vec<Head>,
    /// Pages of the first one's items that were read, and the mark of the next.
    pub read: usize,
    pub items: Option<String>,
    /// Invoices listed so far, and the mark of their next page.
    listed: u64,
    next: Option<String>,
    /// Shares given so far.
    given: u64,
}

impl Place {
    /// Where a cursor points; without one, at the beginning.
    pub(crate) fn of(cursor: Option<&Cursor>, now: DateTime<Utc>) -> Result<Self> {
        let Some(cursor) = cursor else { return Ok(Self { from: first_day(now), ..Self::default() }) };
        serde_json::from_str(cursor.as_str())
            .map_err(|_| Error::new(Kind::Expired, "this place in the invoices of Pax8 is not known: list anew"))
    }

    /// The page that holds these shares and ends here.
    pub(crate) fn page(mut self, records: Vec<Bytes>) -> Result<Page> {
        self.given += records.len() as u64;
        if self.waiting.is_empty() && self.next.is_none() {
            // Everything that was announced has been read, so this is how many there are.
            return Ok(Page { records, total: Some(self.given), ..Page::default() });
        }
        let place = serde_json::to_string(&self).map_err(|why| Error::unreadable(Pax8::NAME, why))?;
        Ok(Page { records, next: Some(Cursor::new(place)), ..Page::default() })
    }
}

/// The items of the invoice under way, page by page, because its shares are known only after the last.
#[derive(Default)]
pub(crate) struct UnderWay(Mutex<(String, Vec<Vec<Bytes>>)>);

impl UnderWay {
    /// The first `count` pages of an invoice, if they are still known.
    pub(crate) fn pages(&self, invoice: &str, count: usize) -> Option<Vec<Vec<Bytes>>> {
        let held = self.held();
        (held.0 == invoice && held.1.len() >= count).then(|| held.1[..count].to_vec())
    }

    pub(crate) fn keep(&self, invoice: &str, pages: Vec<Vec<Bytes>>) {
        *self.held() = (invoice.to_owned(), pages);
    }

    fn held(&self) -> MutexGuard<'_, (String, Vec<Vec<Bytes>>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pax8 {
    /// One more page of invoices, none of their items read.
    pub(crate) async fn heads(&self, mut place: Place) -> Result<Place> {
        let since = place.from.to_string();
        let query = [("sort", "invoiceDate"), ("invoiceDateRangeStart", since.as_str())];
        let mark = place.next.take().map(Cursor::new);
        let page = self.api.list(&["invoices"], &query, HEADS, mark.as_ref()).await?;
        place.listed += page.records.len() as u64;
        if page.next.is_none() && page.total != Some(place.listed) {
            return Err(less("invoices"));
        }
        for raw in &page.records {
            let one: Listed = wire::read("invoice", raw).map_err(|why| Error::unreadable(Self::NAME, why))?;
            if !wire::is_id(&one.id) {
                return Err(Error::unreadable(Self::NAME, "an invoice whose id is not one"));
            }
            let short = |text| said(text).map(|text| text.chars().take(40).collect());
            place.waiting.push(Head(one.id, short(one.invoice_date), short(one.due_date), short(one.status)));
        }
        place.next = page.next.map(|next| next.as_str().to_owned());
        Ok(place)
    }

    /// One page of an invoice's items.
    pub(crate) async fn items(&self, invoice: &str, mark: Option<&Cursor>) -> Result<Page> {
        let page = self.api.list(&["invoices", invoice, "items"], &[], SIZE, mark).await;
        page.map_err(|error| error.at("invoice", invoice))
    }

    /// The items that were read before, once more.
    pub(crate) async fn first_pages(&self, invoice: &str, count: usize) -> Result<Vec<Vec<Bytes>>> {
        let (mut pages, mut mark) = (Vec::new(), None);
        while pages.len() < count {
            let page = self.items(invoice, mark.as_ref()).await?;
            pages.push(page.records);
            mark = page.next;
            if mark.is_none() {
                return Err(Error::new(Kind::Expired, "an invoice of Pax8 has become shorter: list anew"));
            }
        }
        Ok(pages)
    }
}

/// Fewer came than were announced.
pub(crate) fn less(what: &str) -> Error {
    Error::unreadable(Pax8::NAME, format!("other {what} than it counts")).retry(Retry::Yes)
}

/// The first day of the month from which on invoices are read.
fn first_day(now: DateTime<Utc>) -> NaiveDate {
    let day = now.date_naive();
    let first = day.with_day(1).unwrap_or(day);
    first.checked_sub_months(MONTHS).unwrap_or(first)
}
