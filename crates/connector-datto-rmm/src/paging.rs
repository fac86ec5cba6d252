//! Listings, walked by `nextPageUrl`.
//!
//! The link is the vendor's, the token is ours: only the query of a link is used, and only of one to the same
//! place. What it forgot of our own query is put back.
//!
//! When records vanish between two pages, later ones move forward and some would be missed. The vendor's
//! total shows it: one that shrank ends the listing as [`Kind::Expired`], and it is made anew.

use integration::{Cursor, Error, Kind, Page, Request, Response, Result, Retry, raw_slice};
use serde::{Deserialize, Serialize};
use url::{Url, form_urlencoded::Serializer};

use crate::{
    api::{Api, NAME},
    wire,
};

/// The most records that the vendor puts on a page.
const SIZE: u32 = 250;

/// Where a listing goes on.
#[derive(Default, Serialize, Deserialize)]
struct Place {
    /// Which of the lists that make up the listing.
    list: usize,
    /// Query of the page; none for the first page of a list.
    query: Option<String>,
    /// What the page before counted in all.
    total: Option<u64>,
    /// Records of the lists before this one, less those left out of it; unknown once a list has no total.
    other: Option<i64>,
}

impl Place {
    fn read(cursor: Option<&Cursor>) -> Result<Self> {
        let Some(cursor) = cursor else { return Ok(Self { other: Some(0), ..Self::default() }) };
        serde_json::from_str(cursor.as_str()).map_err(|_| unknown_place())
    }

    fn write(&self) -> Result<Cursor> {
        serde_json::to_string(self).map(Cursor::new).map_err(|why| Error::unreadable(NAME, why))
    }
}

impl Api {
    /// One page of a listing that is made of these lists, one after the other. `gone` gives the id of a
    /// record that the vendor still lists, but calls deleted.
    pub(crate) async fn list(
        &self,
        lists: &[&[&str]],
        cursor: Option<&Cursor>,
        gone: fn(&[u8]) -> Option<String>,
    ) -> Result<Page> {
        let place = Place::read(cursor)?;
        let mut url = self.url(lists.get(place.list).ok_or_else(unknown_place)?)?;
        match &place.query {
            Some(query) => url.set_query(Some(query)),
            None => url.set_query(Some(&format!("max={SIZE}"))),
        }
        let response = self.call(Request::get(url.clone())).await?;
        let last = place.list + 1 == lists.len();
        split(&response, &url, place, last, gone).map_err(|error| self.http.scrub(error))
    }
}

/// Whether a page, and so its listing, has no record.
pub(crate) fn is_empty(response: &Response) -> Result<bool> {
    let listing = read(response)?;
    Ok(listing.rows()?.is_empty())
}

fn split(response: &Response, url: &Url, place: Place, last: bool, gone: fn(&[u8]) -> Option<String>) -> Result<Page> {
    let listing = read(response)?;
    let total = listing.page_details.total_count;
    if let (Some(before), Some(now)) = (place.total, total)
        && now < before
    {
        return Err(Error::new(Kind::Expired, "records vanished at Datto RMM while they were listed: list anew"));
    }
    let mut page = Page::default();
    for row in listing.rows()? {
        match gone(row.get().as_bytes()) {
            Some(id) => page.removed.push(id),
            None => page.records.push(raw_slice(&response.body, row)),
        }
    }
    let other = place.other.map(|other| other - page.removed.len() as i64);
    let sum = other.zip(total).and_then(|(other, total)| other.checked_add_unsigned(total));
    let link = listing.page_details.next_page_url.filter(|link| !link.trim().is_empty());
    let next = match link {
        Some(link) => Some(Place { list: place.list, query: Some(follow(url, link.trim())?), total, other }),
        None if last => None,
        None => Some(Place { list: place.list + 1, query: None, total: None, other: sum }),
    };
    page.next = next.map(|next| next.write()).transpose()?;
    page.total = if last { sum.and_then(|sum| u64::try_from(sum).ok()) } else { None };
    Ok(page)
}

fn read(response: &Response) -> Result<wire::Listing<'_>> {
    serde_json::from_slice(response.json_bytes(NAME)?).map_err(|why| {
        let error = Error::unreadable(NAME, &why);
        if why.is_eof() { error.retry(Retry::Yes) } else { error }
    })
}

/// The query of the page that a link leads to.
fn follow(here: &Url, link: &str) -> Result<String> {
    let there = here.join(link).map_err(|_| Error::unreadable(NAME, "the link to the next page is no address"))?;
    if there.origin() != here.origin() || there.path() != here.path() {
        let elsewhere = "the link to the next page leads elsewhere and is not followed, because the token would go too";
        return Err(Error::unreadable(NAME, elsewhere));
    }
    if number(here).zip(number(&there)).is_some_and(|(here, there)| there <= here) {
        return Err(Error::new(Kind::Limit, "Datto RMM's pages lead in a circle: the listing would not end"));
    }
    let mut query: Vec<(String, String)> = there.query_pairs().into_owned().collect();
    for (key, value) in here.query_pairs() {
        if key != "page" && query.iter().all(|(known, _)| *known != key) {
            query.push((key.into_owned(), value.into_owned()));
        }
    }
    Ok(Serializer::new(String::new()).extend_pairs(query).finish())
}

/// The number of a page; the first is asked for without one.
fn number(url: &Url) -> Option<u64> {
    url.query_pairs().find(|(key, _)| key == "page")?.1.parse().ok()
}

fn unknown_place() -> Error {
    Error::new(Kind::Expired, "this place in a listing of Datto RMM is not known: list anew")
}
