//! Listings by page number, from 1. The vendor decides how much is on a page, and says so on some only: the end
//! is where it says how many pages there are, and else at the first empty one.
//!
//! When records vanish between two pages, later ones move forward and neighbours would be missed. Where the
//! vendor's counts show it, the listing ends as [`Kind::Expired`], and is made anew.

use std::collections::HashMap;

use bytes::Bytes;
use integration::{Cursor, Error, Kind, Page, Response, Result, Retry, raw_slice};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    api::{Api, NAME},
    wire,
};

/// Records on a page, as the vendor describes it; on some listings it gives more, on none less. Where the second page is
/// the first once more and that was not even full, the listing is not paged at all, and was whole.
const LEAST: usize = 25;

/// What the vendor says of a listing: much of it on some listings, nothing on others.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    page: Option<u64>,
    total_pages: Option<u64>,
    total_entries: Option<u64>,
}

/// Which page, and what the one before it said: pages, records, the id of its first record, and how many it had.
#[derive(Default)]
struct Mark {
    page: u64,
    pages: u64,
    entries: u64,
    first: String,
    count: usize,
}

impl Mark {
    fn read(cursor: Option<&Cursor>) -> Result<Self> {
        let Some(cursor) = cursor else { return Ok(Self { page: 1, ..Self::default() }) };
        let mut parts = cursor.as_str().splitn(5, '/');
        let mut next = || parts.next()?.parse::<u64>().ok();
        let counts = (next(), next(), next());
        let (Some(page), Some(pages), Some(entries)) = counts else {
            return Err(Error::new(Kind::Expired, "this place in a listing of Syncro is not known: list anew"));
        };
        let first = parts.next().unwrap_or_default().to_owned();
        let count = parts.next().and_then(|count| count.parse().ok()).unwrap_or_default();
        Ok(Self { page, pages, entries, first, count })
    }
}

impl Api {
    /// One page of `resource`, whose records stand under `key`.
    pub(crate) async fn list(
        &self,
        resource: &str,
        key: &str,
        filter: &[(&str, &str)],
        cursor: Option<&Cursor>,
    ) -> Result<Page> {
        let mark = Mark::read(cursor)?;
        let request = self.get(&[resource]).query("page", mark.page);
        let request = filter.iter().fold(request, |request, (key, value)| request.query(key, value));
        let response = self.call(request).await?;
        split(&response, key, &mark).map_err(|error| self.http.scrub(error.at("page", mark.page)))
    }
}

fn split(response: &Response, key: &str, mark: &Mark) -> Result<Page> {
    let body = response.body.slice_ref(response.json_bytes(NAME)?);
    let fields: HashMap<String, &RawValue> = serde_json::from_slice(&body).map_err(unreadable)?;
    let records = fields.get(key).ok_or_else(|| Error::unreadable(NAME, format!("a listing without \"{key}\"")))?;
    let records: Vec<&RawValue> = serde_json::from_str(records.get()).map_err(unreadable)?;
    let records: Vec<Bytes> = records.into_iter().map(|record| raw_slice(&body, record)).collect();
    let meta = fields.get("meta").map(|meta| serde_json::from_str::<Option<Meta>>(meta.get())).transpose();
    let meta = meta.map_err(unreadable)?.flatten().unwrap_or_default();
    let first = records.first().and_then(|raw| wire::read::<wire::Numbered>("a record", raw).ok());
    let next = Mark {
        page: mark.page + 1,
        pages: meta.total_pages.unwrap_or_default(),
        entries: meta.total_entries.unwrap_or_default(),
        first: first.map(|record| record.id).unwrap_or_default(),
        count: records.len(),
    };
    if meta.page.is_some_and(|page| page != mark.page) {
        return Err(Error::unreadable(NAME, "another page than the one asked for"));
    }
    if next.pages < mark.pages || next.entries < mark.entries {
        return Err(Error::new(Kind::Expired, "records vanished at Syncro while they were listed: list anew"));
    }
    let repeated = meta.page.is_none() && !next.first.is_empty() && next.first == mark.first;
    if repeated && mark.page == 2 && next.count == mark.count && next.count < LEAST {
        return Ok(Page::default());
    }
    if repeated {
        return Err(Error::new(Kind::Limit, "Syncro gave the same page twice: the listing would not end"));
    }
    let more = meta.total_pages.map_or(!records.is_empty(), |pages| mark.page < pages);
    if more && records.is_empty() {
        return Err(Error::unreadable(NAME, "an empty page before the end of a listing").retry(Retry::Yes));
    }
    let cursor = format!("{}/{}/{}/{}/{}", next.page, next.pages, next.entries, next.first, next.count);
    Ok(Page { records, next: more.then(|| Cursor::new(cursor)), total: meta.total_entries, ..Page::default() })
}

/// Half a body is worth another try, a wrong shape is not.
fn unreadable(why: serde_json::Error) -> Error {
    let error = Error::unreadable(NAME, &why);
    if why.is_eof() { error.retry(Retry::Yes) } else { error }
}
