//! Listings by page number, from 1.
//!
//! When records vanish between two pages, later ones move forward and neighbours would be missed. The
//! vendor's count shows it: one that shrank ends the listing as [`Kind::Expired`], and it is made anew.
//! How many records a page may have at most is not known for sure: what came is counted, and without a
//! count by the vendor only an empty page ends a listing.

use bytes::Bytes;
use integration::{Cursor, Error, Kind, Response, Result, Retry, raw_array, raw_slice};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    api::{Api, NAME},
    loose,
};

/// Records asked for at once.
const SIZE: u64 = 100;

/// One page of any listing.
pub(crate) struct Listed {
    /// The records' raw JSON.
    pub rows: Vec<Bytes>,
    /// The next page.
    pub next: Option<Cursor>,
    /// How many the vendor says there are in all.
    pub total: Option<u64>,
    seen: u64,
}

/// Which page, how many records came before it, and how many the vendor counted: `3/200/450`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Mark {
    page: u64,
    seen: u64,
    total: Option<u64>,
}

impl Mark {
    fn read(cursor: Option<&Cursor>) -> Result<Self> {
        let Some(cursor) = cursor else { return Ok(Self { page: 1, seen: 0, total: None }) };
        let mut parts = cursor.as_str().split('/');
        let mark = (|| {
            let (page, seen) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let total = match parts.next()? {
                "-" => None,
                total => Some(total.parse().ok()?),
            };
            Some(Self { page, seen, total })
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
    /// One page of `resource`.
    pub(crate) async fn list(
        &self,
        resource: &str,
        filter: &[(&str, &str)],
        cursor: Option<&Cursor>,
    ) -> Result<Listed> {
        let mark = Mark::read(cursor)?;
        let request = self.get(resource).query("page", mark.page).query("pageSize", SIZE);
        let request = filter.iter().fold(request, |request, (key, value)| request.query(key, value));
        let response = self.call(request).await?;
        let (rows, total) = split(&response).map_err(|error| self.http.scrub(error.at("page", mark.page)))?;
        if let (Some(before), Some(now)) = (mark.total, total)
            && now < before
        {
            let message = format!("a listing of {NAME} shrank from {before} to {now} while it was read: list anew");
            return Err(Error::new(Kind::Expired, message));
        }
        let seen = mark.seen + rows.len() as u64;
        let ended = rows.is_empty() || total.is_some_and(|total| seen >= total);
        let next = (!ended).then(|| Mark { page: mark.page + 1, seen, total }.write());
        Ok(Listed { rows, next, total, seen })
    }
}

impl Listed {
    /// Refuses a listing that ended before what the vendor counted: "the rest is gone" is not to be believed.
    /// For listings whose own count we cannot pass on.
    pub(crate) fn whole(self) -> Result<Self> {
        match self.total {
            Some(total) if self.next.is_none() && self.seen < total => {
                let error = Error::unreadable(NAME, format!("{} records of {total}", self.seen));
                Err(error.retry(Retry::Yes))
            }
            _ => Ok(self),
        }
    }
}

/// The records of a listing, each a slice of the body, and how many there are in all where that is said.
pub(crate) fn split(response: &Response) -> Result<(Vec<Bytes>, Option<u64>)> {
    #[derive(Deserialize)]
    struct Listing<'a> {
        #[serde(borrow)]
        data: Vec<&'a RawValue>,
        total: Option<Value>,
    }
    let text = response.json_bytes(NAME)?;
    if text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Ok((raw_array(NAME, &response.body)?, None));
    }
    let listing: Listing<'_> = serde_json::from_slice(text).map_err(|why| {
        let error = Error::unreadable(NAME, &why);
        if why.is_eof() { error.retry(Retry::Yes) } else { error }
    })?;
    let total = listing.total.as_ref().and_then(loose::as_text).and_then(|total| total.parse().ok());
    Ok((listing.data.into_iter().map(|row| raw_slice(&response.body, row)).collect(), total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_others_are_listed_anew() {
        for mark in [Mark { page: 3, seen: 200, total: Some(450) }, Mark { page: 2, seen: 50, total: None }] {
            assert_eq!(Mark::read(Some(&mark.write())).expect("its own"), mark);
        }
        for strange in ["", "3", "3/200", "x/1/2", "1/1/", "1/1/x", "-1/0/0"] {
            let error = Mark::read(Some(&Cursor::new(strange))).expect_err(strange);
            assert_eq!(error.kind, Kind::Expired, "{strange}");
        }
    }
}
