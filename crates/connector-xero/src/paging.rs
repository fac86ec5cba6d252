//! Listings by page number, from 1, in the order of the ids: an order by the time of change would move records to the
//! end while the listing is read, and their neighbours would be missed.
//!
//! What vanishes between two pages moves later records forward all the same. The vendor's count shows it: one that
//! shrank ends the listing as [`Kind::Expired`], and it is made anew.

use std::collections::HashMap;

use bytes::Bytes;
use integration::{Cursor, Error, Kind, Page, Response, Result, Retry, loose::Maybe, raw_slice};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::api::{Api, NAME};

/// Records asked for at once: half of the most that is allowed, so that whole invoices come in time.
const SIZE: u64 = 500;

/// The size of a page where nobody says another: without counts, only a shorter one ends a listing.
const SHORTEST: usize = 100;

/// What the vendor says of a page.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Pagination {
    page: Maybe<u64>,
    page_count: Maybe<u64>,
    item_count: Maybe<u64>,
}

/// Which page, how many records came before it, and how many the vendor counted: `3/1000/1450`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Mark {
    page: u64,
    seen: u64,
    total: Option<u64>,
}

impl Mark {
    fn read(cursor: Option<&Cursor>) -> Result<Self> {
        let Some(cursor) = cursor else { return Ok(Self { page: 1, seen: 0, total: None }) };
        let parts: Vec<&str> = cursor.as_str().split('/').collect();
        let mark = (|| {
            let [page, seen, total] = parts[..] else { return None };
            let total = if total == "-" { None } else { Some(total.parse().ok()?) };
            Some(Self { page: page.parse().ok()?, seen: seen.parse().ok()?, total })
        })();
        mark.ok_or_else(|| {
            Error::new(Kind::Expired, format!("this place in a listing of {NAME} is not known: list anew"))
        })
    }

    fn write(self) -> Cursor {
        let total = self.total.map_or_else(|| "-".to_owned(), |total| total.to_string());
        Cursor::new(format!("{}/{}/{total}", self.page, self.seen))
    }
}

impl Api {
    /// One page of `resource`, raw.
    pub(crate) async fn list(&self, resource: &str, with: &[(&str, &str)], cursor: Option<&Cursor>) -> Result<Page> {
        let mark = Mark::read(cursor)?;
        let request = self.get(resource).query("page", mark.page).query("pageSize", SIZE);
        let request = with.iter().fold(request, |request, (key, value)| request.query(key, value));
        let response = self.call(request).await?;
        self.turn(&response, resource, mark).map_err(|error| self.http.scrub(error.at("page", mark.page)))
    }

    /// All of a listing that has no pages, raw.
    pub(crate) async fn list_whole(&self, resource: &str) -> Result<Vec<Bytes>> {
        let response = self.call(self.get(resource)).await?;
        split(&response, resource).map(|(rows, _)| rows).map_err(|error| self.http.scrub(error))
    }

    fn turn(&self, response: &Response, resource: &str, mark: Mark) -> Result<Page> {
        let (records, told) = split(response, resource)?;
        if told.page.0.is_some_and(|page| page != mark.page) {
            return Err(Error::unreadable(NAME, "another page than the one asked for"));
        }
        let total = told.item_count.0;
        if let (Some(before), Some(now)) = (mark.total, total)
            && now < before
        {
            let message = format!("a listing of {NAME} shrank from {before} to {now} while it was read: list anew");
            return Err(Error::new(Kind::Expired, message));
        }
        let seen = mark.seen + records.len() as u64;
        let ended = match (told.page_count.0, total) {
            (Some(count), _) => mark.page >= count,
            (None, Some(total)) => seen >= total,
            (None, None) => records.len() < SHORTEST,
        };
        // "The rest is gone" is not to be believed against the vendor's own count.
        let short = total.is_some_and(|total| seen < total);
        if (records.is_empty() || ended) && short {
            let why = format!("{seen} records of {}", total.unwrap_or_default());
            return Err(Error::unreadable(NAME, why).retry(Retry::Yes));
        }
        let next = (!ended).then(|| Mark { page: mark.page + 1, seen, total }.write());
        Ok(Page { records, next, total, ..Page::default() })
    }
}

/// The records under the resource's name, each a slice of the body, and what is said of the page.
fn split(response: &Response, resource: &str) -> Result<(Vec<Bytes>, Pagination)> {
    let unreadable = |why: serde_json::Error| {
        let error = Error::unreadable(NAME, &why);
        if why.is_eof() { error.retry(Retry::Yes) } else { error }
    };
    let parts: HashMap<String, &RawValue> = serde_json::from_slice(response.json_bytes(NAME)?).map_err(unreadable)?;
    let Some(rows) = parts.get(resource) else {
        return Err(Error::unreadable(NAME, format!("an answer without {resource}")));
    };
    let rows: Vec<&RawValue> = serde_json::from_str(rows.get()).map_err(unreadable)?;
    let told = parts.get("pagination").map(|told| serde_json::from_str(told.get())).transpose().map_err(unreadable)?;
    Ok((rows.into_iter().map(|row| raw_slice(&response.body, row)).collect(), told.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_others_are_listed_anew() {
        for mark in [Mark { page: 3, seen: 1000, total: Some(1450) }, Mark { page: 2, seen: 50, total: None }] {
            assert_eq!(Mark::read(Some(&mark.write())).expect("its own"), mark);
        }
        for strange in ["", "3", "3/200", "x/1/2", "1/1/", "1/1/x", "-1/0/0", "1/1/1/1"] {
            let error = Mark::read(Some(&Cursor::new(strange))).expect_err(strange);
            assert_eq!(error.kind, Kind::Expired, "{strange}");
        }
    }
}
