//! Listings by cursor.

use bytes::Bytes;
use integration::{Cursor, Error, Kind, Method, Page, Result, Retry};
use serde::Deserialize;

use crate::{
    api::{Api, NAME},
    loose::Text,
};

/// The most records that Gorelo puts on a page; more is refused.
const PAGE_SIZE: u32 = 200;

/// A listing by cursor.
pub(crate) struct List {
    /// Its path after the version.
    pub path: &'static [&'static str],
    /// Filters and order: a cursor holds with the very same ones only.
    pub query: &'static [(&'static str, &'static str)],
    /// Whether a record is a client's at all. The others (a contact of nobody) are left out: nothing
    /// could be said of them but that they belong nowhere.
    pub owned: fn(&[u8]) -> bool,
}

/// Which page an answer is.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Pagination {
    pub next_cursor: Text,
    pub has_more: Option<bool>,
    pub total_count: Text,
}

impl Api {
    /// One page of a listing.
    pub(crate) async fn page(&self, list: &List, cursor: Option<&Cursor>) -> Result<Page> {
        let place = Place::read(cursor)?;
        let mut request = self.request(Method::Get, list.path).query("PageSize", PAGE_SIZE);
        for (name, value) in list.query {
            request = request.query(name, value);
        }
        if let Some(cursor) = place.cursor {
            request = request.query("Cursor", cursor);
        }
        let answer = self.send(request).await?;
        let pagination = answer.pagination()?;
        let listed = answer.records()?;
        let more = pagination.has_more == Some(true);
        if more && listed.is_empty() {
            return Err(Error::unreadable(NAME, "an empty page before the end of a listing").retry(Retry::Yes));
        }
        let next = pagination.next_cursor.0.filter(|_| more);
        if more && next.is_none() {
            return Err(Error::unreadable(NAME, "more pages, but no cursor to them"));
        }
        let before = listed.len();
        let records: Vec<Bytes> = listed.into_iter().filter(|raw| (list.owned)(raw)).collect();
        let whole = place.whole && records.len() == before;
        Ok(Page {
            records,
            next: next.map(|next| Cursor::new(format!("{}{next}", if whole { WHOLE } else { PART }))),
            // The total counts those too that were left out.
            total: pagination.total_count.count().filter(|_| whole),
            ..Page::default()
        })
    }
}

const WHOLE: char = '+';
const PART: char = '-';

/// A place in a listing: the vendor's cursor, and before it whether nothing was left out so far.
struct Place<'a> {
    whole: bool,
    cursor: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn read(cursor: Option<&'a Cursor>) -> Result<Self> {
        let Some(cursor) = cursor else { return Ok(Self { whole: true, cursor: None }) };
        let text = cursor.as_str();
        let whole = text.strip_prefix(WHOLE).map(|cursor| (true, cursor));
        let read = whole.or_else(|| text.strip_prefix(PART).map(|cursor| (false, cursor)));
        let (whole, cursor) =
            read.ok_or_else(|| Error::new(Kind::Expired, format!("this place in a listing of {NAME} is not known")))?;
        Ok(Self { whole, cursor: Some(cursor) })
    }
}
