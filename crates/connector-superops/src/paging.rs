//! Listings by page number.

use std::collections::HashMap;

use bytes::Bytes;
use integration::{Checked, Cursor, Error, Kind, Page, Position, Result, Retry, raw_slice};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use crate::{
    api::{Api, NAME, document, unreadable},
    loose::{Maybe, Text, Tie},
};

/// The most records that SuperOps puts on a page.
const PAGE_SIZE: u32 = 100;

/// One listing.
pub(crate) struct List {
    /// Name of the root field.
    pub name: &'static str,
    /// Type of its input: with the paging in it, or beside an id.
    pub input: &'static str,
    /// Where the records are in the answer.
    pub items: &'static str,
    /// What is selected of each.
    pub fields: &'static str,
    /// What it is sorted by; only where SuperOps is known to take it.
    pub sort: Option<&'static str>,
    /// Whether a record is a client's at all. The others (a ticket of nobody) are left out: nothing
    /// could be said of them but that they belong nowhere.
    pub owned: fn(&[u8]) -> bool,
}

/// Whether a record names its client. One that cannot be read counts, so that it is seen to be wrong.
pub(crate) fn names_client(raw: &[u8]) -> bool {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Row {
        client: Maybe<Tie>,
    }
    serde_json::from_slice::<Row>(raw).map_or(true, |row| row.client.id().is_some())
}

impl Api {
    /// One record is enough to see that address, subdomain, token and the right to read are as they should be.
    pub(crate) async fn check(&self, list: &List) -> Result<Checked> {
        let page = self.listed(list, &Mark::FIRST, 1, None).await?;
        page.list_info(1)?;
        Ok(Checked::default())
    }

    /// One page of a listing: of all clients, or of the one that the position names.
    pub(crate) async fn page(&self, list: &List, at: Position<'_>) -> Result<Page> {
        let mark = Mark::read(at.cursor)?;
        let page = self.listed(list, &mark, PAGE_SIZE, at.entity).await?;
        page.split(list, &mark).map_err(|error| self.http.scrub(error.at("page", mark.page)))
    }

    async fn listed(&self, list: &List, mark: &Mark, size: u32, entity: Option<&str>) -> Result<ListAnswer> {
        let mut place = json!({ "page": mark.page, "pageSize": size });
        if let Some(attribute) = list.sort {
            place["sort"] = json!([{ "attribute": attribute, "order": "ASC" }]);
        }
        let input = match (list.input, entity) {
            ("ListInfoInput!", _) => place,
            (_, Some(client)) => json!({ "clientId": client, "listInfo": place }),
            (_, None) => json!({ "listInfo": place }),
        };
        let select = format!("{} {{ {} }} listInfo {{ page hasMore totalCount }}", list.items, list.fields);
        let document = document("query", list.name, list.input, &select);
        let answer = self.send(list.name, document, input, true).await?;
        let fields: HashMap<String, &RawValue> = serde_json::from_slice(&answer).map_err(unreadable)?;
        let slice = |name: &str| fields.get(name).map(|raw| raw_slice(&answer, raw));
        Ok(ListAnswer { items: slice(list.items), info: slice("listInfo") })
    }
}

/// Which page, how many records the one before it counted, and how many were left out so far:
/// `3/450/2`. When records vanish between two pages, later ones move forward and some would be missed: a
/// total that shrank shows it.
struct Mark {
    page: u64,
    total: Option<u64>,
    left_out: u64,
}

impl Mark {
    const FIRST: Self = Self { page: 1, total: None, left_out: 0 };

    fn read(cursor: Option<&Cursor>) -> Result<Self> {
        let Some(cursor) = cursor else { return Ok(Self::FIRST) };
        let mut parts = cursor.as_str().split('/');
        let mut number = || parts.next().map(str::parse::<u64>);
        match (number(), number(), number()) {
            (Some(Ok(page)), Some(total), Some(Ok(left_out))) => Ok(Self { page, total: total.ok(), left_out }),
            _ => Err(Error::new(Kind::Expired, format!("this place in a listing of {NAME} is not known"))),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListInfo {
    page: Text,
    /// Null on the last page.
    has_more: Option<bool>,
    /// A number, or a text of digits.
    total_count: Text,
}

struct ListAnswer {
    items: Option<Bytes>,
    info: Option<Bytes>,
}

impl ListAnswer {
    fn list_info(&self, page: u64) -> Result<ListInfo> {
        let raw = self.info.as_ref().ok_or_else(|| Error::unreadable(NAME, "a listing without its listInfo"))?;
        let info: ListInfo = serde_json::from_slice(raw).map_err(unreadable)?;
        if info.page.count().is_some_and(|answered| answered != page) {
            return Err(Error::unreadable(NAME, "another page than the one asked for"));
        }
        Ok(info)
    }

    fn split(self, list: &List, mark: &Mark) -> Result<Page> {
        let info = self.list_info(mark.page)?;
        let total = info.total_count.count();
        let items =
            self.items.ok_or_else(|| Error::unreadable(NAME, format!("a listing without its {}", list.items)))?;
        let records: Vec<Bytes> = match items.as_ref() {
            b"null" if total == Some(0) => Vec::new(),
            _ => {
                let rows: Vec<&RawValue> = serde_json::from_slice(&items).map_err(unreadable)?;
                rows.into_iter().map(|row| raw_slice(&items, row)).collect()
            }
        };
        let more = info.has_more == Some(true);
        if more && records.is_empty() {
            return Err(Error::unreadable(NAME, "an empty page before the end of a listing").retry(Retry::Yes));
        }
        if let (Some(total), Some(before)) = (total, mark.total)
            && total < before
        {
            return Err(Error::new(Kind::Expired, format!("records vanished at {NAME} while they were listed")));
        }
        let listed = records.len();
        let records: Vec<Bytes> = records.into_iter().filter(|raw| (list.owned)(raw)).collect();
        let left_out = mark.left_out + (listed - records.len()) as u64;
        let counted = total.map(|total| total.to_string()).unwrap_or_default();
        Ok(Page {
            records,
            next: more.then(|| Cursor::new(format!("{}/{counted}/{left_out}", mark.page + 1))),
            total: total.map(|total| total.saturating_sub(left_out)),
            ..Page::default()
        })
    }
}
