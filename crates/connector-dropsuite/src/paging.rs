//! The vendor's lists. There are three shapes of them: a bare array, `result_set` and `data`, each of the latter
//! with a `pagination` of its own, and a `result_set` may stand in an array of one.

use std::future::Future;

use chrono::{DateTime, Utc};
use integration::{Error, Kind, Response, Result, Retry, loose::Maybe};
use serde::Deserialize;
use serde_json::Value;

use crate::{api::NAME, wire};

/// Pages of a listing that is read as a whole: a hundred thousand records.
const MOST_PAGES: u32 = 1_000;
/// The smallest page that the vendor is known to give, whatever is asked for. A list without `pagination` that
/// is shorter than this has ended.
const SMALLEST_PAGE: usize = 25;

/// One page of a list.
pub(crate) struct Rows {
    pub records: Vec<Value>,
    /// Id of the first record: a page that begins like the one before it is that one again.
    pub first: Option<String>,
    /// Whether another page may follow.
    pub more: bool,
    /// Whether the vendor said itself where the list ends.
    pub paged: bool,
    /// How many records the whole list has, where the vendor says so.
    pub total: Option<u64>,
    /// When it was answered.
    pub at: DateTime<Utc>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pagination {
    current_page: Maybe<u64>,
    total_pages: Maybe<u64>,
    total_entries: Maybe<u64>,
    next_page: Maybe<u64>,
}

/// Reads page number `page` of a list.
pub(crate) fn rows(response: &Response, page: u32) -> Result<Rows> {
    let unreadable = |why: &str| Error::unreadable(NAME, why);
    let (records, pagination) = split(response.json(NAME)?).ok_or_else(|| unreadable("no list in it"))?;
    let paged = pagination.is_some();
    let pagination: Pagination = match pagination {
        Some(value) => serde_json::from_value(value).map_err(|_| unreadable("a list without readable paging"))?,
        None => Pagination::default(),
    };
    if pagination.current_page.0.is_some_and(|current| current != u64::from(page)) {
        return Err(unreadable("another page than the one asked for"));
    }
    let more = match (pagination.total_pages.0, pagination.next_page.0) {
        (Some(pages), _) => u64::from(page) < pages,
        (None, Some(next)) => next > u64::from(page),
        (None, None) => !paged && records.len() >= SMALLEST_PAGE,
    };
    if more && records.is_empty() {
        return Err(unreadable("an empty page before the end of a list").retry(Retry::Yes));
    }
    let first = records.first().and_then(wire::id_of);
    Ok(Rows { first, more, paged, total: pagination.total_entries.0, records, at: response.received_at })
}

/// The records and what is said of their pages.
fn split(body: Value) -> Option<(Vec<Value>, Option<Value>)> {
    match body {
        Value::Array(mut items) => match items.first_mut() {
            Some(only) if only.get("result_set").is_some_and(Value::is_array) => split(only.take()),
            _ => Some((items, None)),
        },
        Value::Object(mut fields) => {
            let list = ["result_set", "data"].into_iter().find_map(|name| match fields.remove(name) {
                Some(Value::Array(items)) => Some(items),
                _ => None,
            })?;
            Some((list, fields.remove("pagination").filter(Value::is_object)))
        }
        _ => None,
    }
}

impl Rows {
    /// Whether this is the page before it once more. A list without paging of its own gives everything again
    /// whatever page is asked for: then all of it was there already, and the list has ended.
    pub(crate) fn repeats(&self, before: Option<&str>) -> Result<bool> {
        let again = before.is_some() && self.first.as_deref() == before;
        if again && self.paged {
            return Err(Error::unreadable(NAME, "the same page twice"));
        }
        Ok(again)
    }
}

/// A list, whole.
pub(crate) struct Whole {
    pub records: Vec<Value>,
    /// Whether it has as many records as the vendor says.
    pub counted: bool,
}

/// Reads all pages of a list; a list that is not there has none.
pub(crate) async fn whole<F: Future<Output = Result<Option<Rows>>> + Send>(
    fetch: impl Fn(u32) -> F + Send,
) -> Result<Whole> {
    let (mut records, mut before) = (Vec::new(), None);
    for page in 1..=MOST_PAGES {
        let Some(rows) = fetch(page).await? else { return Ok(Whole { records, counted: false }) };
        if rows.repeats(before.as_deref())? {
            return Ok(Whole { records, counted: false });
        }
        before = rows.first;
        records.extend(rows.records);
        if !rows.more {
            let counted = rows.total == Some(records.len() as u64);
            return Ok(Whole { records, counted });
        }
    }
    Err(Error::new(Kind::Limit, format!("a list of {NAME} has more than {MOST_PAGES} pages: it seems not to end")))
}
