//! The vendor's lists: bare arrays by `limit` and `offset`, which do not say how many records there are. A server
//! may give fewer than asked for, so a short answer is no end; an empty one is.

use bytes::Bytes;
use integration::{Cursor, Error, Kind, Page, Result, raw_array, raw_slice};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    api::{Api, NAME},
    wire,
};

/// Records asked for at once: what every edition of the interface allows.
const LIMIT: u64 = 100;
/// Answers that one page may be made of.
const MOST_ANSWERS: u32 = 1_000;

/// A list that is not bare: not documented, but the list of users has not been seen.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, alias = "tenants", alias = "items", alias = "data")]
    users: Vec<&'a RawValue>,
}

/// Where the next page begins, and the first id of the page before it.
type Place = (u64, Option<String>);

impl Api {
    /// A page of a list. A full answer shows by its last record that there is more: that record begins the next
    /// page, so no page but that of an empty list is empty.
    pub(crate) async fn page(&self, path: &[&str], cursor: Option<&Cursor>) -> Result<Page> {
        let (mut offset, mut before): Place = match cursor {
            None => (0, None),
            Some(cursor) => serde_json::from_str(cursor.as_str())
                .map_err(|_| Error::new(Kind::Expired, "this place in a listing of Hatz AI is not known: list anew"))?,
        };
        let mut records: Vec<Bytes> = Vec::new();
        for _ in 0..MOST_ANSWERS {
            let mut slice = self.slice(path, offset, LIMIT).await?;
            let first = slice.first().and_then(|raw| wire::id_of(raw));
            let count = slice.len() as u64;
            let again = before.is_some() && first == before;
            // A server that knows no `offset` gives all it has every time.
            if count == 0 || (again && !records.is_empty()) {
                return Ok(Page { records, ..Page::default() });
            }
            if again {
                return Err(Error::unreadable(NAME, "the same page twice").at("offset", offset));
            }
            // One that knows no `limit` gave all there is.
            if count == LIMIT {
                slice.pop();
                records.append(&mut slice);
                let place: Place = (offset + count - 1, first);
                let next = serde_json::to_string(&place).map_err(|why| Error::unreadable(NAME, why))?;
                return Ok(Page { records, next: Some(Cursor::new(next)), ..Page::default() });
            }
            records.append(&mut slice);
            if count > LIMIT {
                return Ok(Page { records, ..Page::default() });
            }
            (offset, before) = (offset + count, first);
        }
        Err(Error::new(Kind::Limit, format!("a list of {NAME} seems not to end")).at("offset", offset))
    }

    /// The records from `offset` on, at most `limit`, none of them read.
    pub(crate) async fn slice(&self, path: &[&str], offset: u64, limit: u64) -> Result<Vec<Bytes>> {
        let response = self.call(path, &[("limit", limit), ("offset", offset)]).await?;
        let text = response.json_bytes(NAME)?;
        let bare = text.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{');
        let records = if bare {
            raw_array(NAME, &response.body)
        } else {
            let list: Result<Envelope<'_>, _> = serde_json::from_slice(text);
            list.map(|list| list.users.iter().map(|item| raw_slice(&response.body, item)).collect()).map_err(|why| {
                let error = Error::unreadable(NAME, &why);
                if why.is_eof() { error.retry(integration::Retry::Yes) } else { error }
            })
        };
        records.map_err(|error| self.http.scrub(error.at("offset", offset)))
    }
}
