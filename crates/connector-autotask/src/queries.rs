//! Listings: a query in the body, answered in pages of 500 that are ordered by id.

use bytes::Bytes;
use integration::{Cursor, Error, Kind, Page, Position, Response, Result, raw_slice};
use serde_json::{Value, json, value::RawValue};

use crate::{
    api::{Api, NAME, number},
    wire,
};

/// Records asked for at once: the most that Autotask gives.
const PAGE_SIZE: u32 = 500;

/// Longest place in a listing that may be kept.
const LONGEST_LINK: usize = 8 * 1024;

/// Everything that belongs to a company but the MSP's own, which has the id 0.
pub(crate) fn of_clients() -> Value {
    json!([{ "op": "gt", "field": "companyID", "value": 0 }])
}

/// What a record of one of Autotask's entities is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// The entity, as it stands in paths.
    pub entity: &'static str,
    /// The fields wanted; `id` among them, without which paging breaks.
    pub fields: &'static [&'static str],
    /// Those of them that are numbers with a meaning: see [`crate::picklists`].
    pub picked: &'static [&'static str],
}

impl Api {
    /// Whether anything at all can be read there.
    pub(crate) async fn first(&self, entity: &'static str) -> Result<()> {
        let everything = json!([{ "op": "exist", "field": "id" }]);
        let body = json!({ "MaxRecords": 1, "IncludeFields": ["id"], "filter": everything });
        items(&self.read(&[entity, "query"], Some(&body)).await?).map(drop)
    }

    /// One page of a listing, each record with the labels of its picked fields.
    pub(crate) async fn page(&self, shape: Shape, filter: Value, at: Position<'_>) -> Result<Page> {
        let body = json!({ "MaxRecords": PAGE_SIZE, "IncludeFields": shape.fields, "filter": filter });
        let response = match at.cursor {
            Some(link) => self.follow(link.as_str(), &body).await?,
            None => self.read(&[shape.entity, "query"], Some(&body)).await?,
        };
        let (records, next) = items(&response)?;
        let next = match next {
            Some(link) => Some(self.admit(link).await?),
            None => None,
        };
        Ok(Page { records: self.labelled(shape, records).await?, next, ..Page::default() })
    }

    /// The one record that fits all of these, as it is now.
    pub(crate) async fn one(&self, shape: Shape, conditions: &[(&str, Value)]) -> Result<Bytes> {
        let found = self.find(shape, conditions).await?.into_iter().next();
        found.ok_or_else(|| Error::new(Kind::NotFound, format!("{NAME} does not know this record")))
    }

    /// Like [`Self::one`], for what was just written: a failure says that it was.
    pub(crate) async fn written(&self, shape: Shape, id: &str) -> Result<Bytes> {
        let read = self.one(shape, &[("id", number(id)?.into())]).await;
        read.map_err(|error| error.at("written", id).retry(integration::Retry::No))
    }

    /// The first records that fit all of these.
    pub(crate) async fn find(&self, shape: Shape, conditions: &[(&str, Value)]) -> Result<Vec<Bytes>> {
        let filter: Value =
            conditions.iter().map(|(field, value)| json!({ "op": "eq", "field": field, "value": value })).collect();
        let body = json!({ "MaxRecords": 1, "IncludeFields": shape.fields, "filter": filter });
        let (records, _) = items(&self.read(&[shape.entity, "query"], Some(&body)).await?)?;
        self.labelled(shape, records).await
    }

    async fn admit(&self, link: String) -> Result<Cursor> {
        if link.len() > LONGEST_LINK {
            return Err(Error::new(Kind::Limit, format!("{NAME} gave a link to the next page that is too long")));
        }
        match self.inside(&link).await? {
            Some(_) => Ok(Cursor::new(link)),
            None => Err(Error::unreadable(NAME, "a link to the next page that leads out of the account's zone")),
        }
    }
}

/// The records of a page, each a slice of the answer, and the link to the next.
fn items(response: &Response) -> Result<(Vec<Bytes>, Option<String>)> {
    let body = response.json_bytes(NAME)?;
    let listing: wire::Listing<'_> = serde_json::from_slice(body).map_err(|why| {
        let error = Error::unreadable(NAME, &why);
        // Half a body is worth another try, a wrong shape is not.
        if why.is_eof() { error.retry(integration::Retry::Yes) } else { error }
    })?;
    let records = listing.items.iter().map(|item: &&RawValue| raw_slice(&response.body, item)).collect();
    Ok((records, wire::said(listing.page_details.next_page_url)))
}
