//! Listings by page number.
//!
//! When records vanish between two pages, later ones move forward and one page's worth of neighbours
//! would be missed. The vendor's total shows it: a total that shrank ends the listing as
//! [`Kind::Expired`], and it is made anew.

use integration::{Cursor, Error, Kind, Page, Request, Response, Result, Retry, Vendor, raw_slice};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Pax8, api::Api};

/// The largest page that the vendor gives. Its own default is 10.
pub(crate) const SIZE: u32 = 200;

/// The place counts, beside `content` or in an object of their own: the vendor does both.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    number: Option<u64>,
    total_elements: Option<u64>,
    total_pages: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow)]
    content: Vec<&'a RawValue>,
    page: Option<Place>,
    number: Option<u64>,
    total_elements: Option<u64>,
    total_pages: Option<u64>,
}

/// Which page, and how many records the one before it counted: `3/450`.
struct Mark {
    page: u64,
    total: u64,
}

impl Mark {
    fn read(cursor: Option<&Cursor>) -> Result<Self> {
        let Some(cursor) = cursor else { return Ok(Self { page: 0, total: 0 }) };
        cursor
            .as_str()
            .split_once('/')
            .and_then(|(page, total)| Some(Self { page: page.parse().ok()?, total: total.parse().ok()? }))
            .ok_or_else(|| Error::new(Kind::Expired, "this place in a listing of Pax8 is not known: list anew"))
    }
}

impl Api {
    /// One page of what is at `path`, of `size` records. The query names an order that moves least while it
    /// is walked, where the vendor has one.
    pub(crate) async fn list(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        size: u32,
        cursor: Option<&Cursor>,
    ) -> Result<Page> {
        let mark = Mark::read(cursor)?;
        let first = Request::get(self.url(path)).query("page", mark.page).query("size", size);
        let request = query.iter().fold(first, |request, (key, value)| request.query(key, value));
        let response = self.call(request).await?;
        split(&response, &mark).map_err(|error| self.http.scrub(error.at("page", mark.page)))
    }
}

fn split(response: &Response, mark: &Mark) -> Result<Page> {
    let envelope: Envelope<'_> = serde_json::from_slice(response.json_bytes(Pax8::NAME)?).map_err(|why| {
        let error = Error::unreadable(Pax8::NAME, &why);
        if why.is_eof() { error.retry(Retry::Yes) } else { error }
    })?;
    let beside =
        Place { number: envelope.number, total_elements: envelope.total_elements, total_pages: envelope.total_pages };
    let place = envelope.page.unwrap_or(beside);
    // Without counts a short answer would look like a whole listing.
    let (Some(total), Some(pages)) = (place.total_elements, place.total_pages) else {
        return Err(Error::unreadable(Pax8::NAME, "a listing without its counts"));
    };
    if place.number.is_some_and(|number| number != mark.page) {
        return Err(Error::unreadable(Pax8::NAME, "another page than the one asked for"));
    }
    if total < mark.total {
        return Err(Error::new(Kind::Expired, "records vanished at Pax8 while they were listed: list anew"));
    }
    let more = mark.page + 1 < pages;
    if more && envelope.content.is_empty() {
        return Err(Error::unreadable(Pax8::NAME, "an empty page before the end of a listing").retry(Retry::Yes));
    }
    Ok(Page {
        records: envelope.content.iter().map(|item| raw_slice(&response.body, item)).collect(),
        next: more.then(|| Cursor::new(format!("{}/{total}", mark.page + 1))),
        total: Some(total),
        ..Page::default()
    })
}
