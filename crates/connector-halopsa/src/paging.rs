//! Listings by page number, from 1.
//!
//! When records vanish between two pages, later ones move forward and neighbours would be missed. The
//! vendor's count shows it: one that shrank ends the listing as [`Kind::Expired`], and it is made anew.

use std::collections::HashMap;

use bytes::Bytes;
use integration::{Cursor, Error, Kind, Page, Response, Result, Retry, raw_array, raw_slice};
use serde_json::value::RawValue;

use crate::api::{Api, NAME};

/// Records on a page: the vendor's documented maximum for tickets. More is not worth the risk elsewhere.
const SIZE: u64 = 100;

/// Which page, and how many records the one before it counted: `3/450`.
struct Mark {
    page: u64,
    total: u64,
}

impl Mark {
    fn read(cursor: Option<&Cursor>) -> Result<Self> {
        let Some(cursor) = cursor else { return Ok(Self { page: 1, total: 0 }) };
        cursor
            .as_str()
            .split_once('/')
            .and_then(|(page, total)| Some(Self { page: page.parse().ok()?, total: total.parse().ok()? }))
            .ok_or_else(|| Error::new(Kind::Expired, "this place in a listing of HaloPSA is not known: list anew"))
    }
}

impl Api {
    /// Whether `resource` can be listed: its first record is asked for.
    pub(crate) async fn probe(&self, resource: &str, key: &str) -> Result<()> {
        let request = self.get(&[resource]).query("pageinate", true).query("page_size", 1).query("page_no", 1);
        let response = self.call(request).await?;
        split(&response, key, &Mark::read(None)?).map(drop)
    }

    /// One page of `resource`, whose records stand under `key`, in the order of their ids.
    pub(crate) async fn list(
        &self,
        resource: &str,
        key: &str,
        filter: &[(&str, &str)],
        cursor: Option<&Cursor>,
    ) -> Result<Page> {
        let mark = Mark::read(cursor)?;
        let request = self.get(&[resource]).query("pageinate", true).query("page_size", SIZE);
        let request = request.query("page_no", mark.page).query("order", "id");
        let request = filter.iter().fold(request, |request, (key, value)| request.query(key, value));
        let response = self.call(request).await?;
        split(&response, key, &mark).map_err(|error| self.http.scrub(error.at("page", mark.page)))
    }
}

fn split(response: &Response, key: &str, mark: &Mark) -> Result<Page> {
    let body = response.body.slice_ref(response.json_bytes(NAME)?);
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return bare(&body, mark);
    }
    let fields: HashMap<String, &RawValue> = serde_json::from_slice(&body).map_err(unreadable)?;
    let number = |name: &str| fields.get(name).and_then(|raw| raw.get().parse::<f64>().ok()).map(|n| n as u64);
    let records = fields.get(key).ok_or_else(|| Error::unreadable(NAME, format!("a listing without \"{key}\"")))?;
    let records: Vec<&RawValue> = serde_json::from_str(records.get()).map_err(unreadable)?;
    // Without a count a short answer would look like a whole listing.
    let total = number("record_count").ok_or_else(|| Error::unreadable(NAME, "a listing without its count"))?;
    if number("page_no").is_some_and(|page| page != mark.page) {
        return Err(Error::unreadable(NAME, "another page than the one asked for"));
    }
    if total < mark.total {
        return Err(Error::new(Kind::Expired, "records vanished at HaloPSA while they were listed: list anew"));
    }
    // The vendor may give less on a page than was asked for; then it says so.
    let size = number("page_size").filter(|size| *size > 0).unwrap_or(SIZE);
    let more = mark.page.saturating_mul(size) < total;
    if more && records.is_empty() {
        return Err(Error::unreadable(NAME, "an empty page before the end of a listing").retry(Retry::Yes));
    }
    Ok(Page {
        records: records.into_iter().map(|record| raw_slice(&body, record)).collect(),
        next: more.then(|| Cursor::new(format!("{}/{total}", mark.page + 1))),
        total: Some(total),
        ..Page::default()
    })
}

/// An array without a count is the whole listing: that answer knows no pages.
fn bare(body: &Bytes, mark: &Mark) -> Result<Page> {
    if mark.page > 1 {
        return Err(Error::unreadable(NAME, "a listing that is paged at first and then is not"));
    }
    Ok(Page { records: raw_array(NAME, body)?, ..Page::default() })
}

/// Half a body is worth another try, a wrong shape is not.
fn unreadable(why: serde_json::Error) -> Error {
    let error = Error::unreadable(NAME, &why);
    if why.is_eof() { error.retry(Retry::Yes) } else { error }
}
