//! Listings: bare arrays, walked forwards by the last id. And single records, cut alike.

use std::collections::BTreeMap;

use bytes::Bytes;
use integration::{Cursor, Error, Kind, Method, Page, Position, Response, Result, Walk, raw_array};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use url::Url;

use crate::{
    api::{Api, NAME},
    wire,
};

/// Records asked for at once: the most that ConnectWise gives.
const PAGE_SIZE: usize = 1000;

/// Pages of a list of choices (boards, states, types): far more than anybody has.
const PAGES_OF_CHOICES: u32 = 20;

impl Api {
    /// One page of a listing, each record cut to `fields`. Of the records nothing is read yet.
    pub(crate) async fn page(
        &self,
        path: &[&str],
        fields: &str,
        conditions: Option<&str>,
        at: Position<'_>,
    ) -> Result<Page> {
        let place = at.cursor.map(place).transpose()?;
        let response = self
            .call(Method::Get, path, |request| {
                // Forward-only: pages do not shift while records come and go. It cannot be ordered otherwise.
                let mut request = request.header("pagination-type", "forward-only").query("pageSize", PAGE_SIZE);
                for (key, value) in [("fields", Some(fields)), ("conditions", conditions)] {
                    request = match value {
                        Some(value) => request.query(key, value),
                        None => request,
                    };
                }
                match place {
                    Some((key, value)) => request.query(key, value),
                    None => request,
                }
            })
            .await?;
        response.json_bytes(NAME)?;
        let records = raw_array(NAME, &response.body)?;
        let mut next = self.next(&response)?;
        if next.is_none() && records.len() >= PAGE_SIZE {
            // A proxy may have lost the link. The rest must not look as if it were gone.
            let last = records.last().map(|raw| wire::read::<wire::Row>("record", raw)).transpose();
            let last = last.map_err(|why| Error::unreadable(NAME, why))?.and_then(|row| row.id);
            next = last.map(|id| Cursor::new(format!("pageId={}", id.0)));
        }
        Ok(Page { records, next, ..Page::default() })
    }

    /// Like [`Self::page`], without the records that belong to no company: ConnectWise has such contacts.
    pub(crate) async fn page_of_companies(
        &self,
        path: &[&str],
        fields: &str,
        conditions: Option<&str>,
        at: Position<'_>,
    ) -> Result<Page> {
        let mut page = self.page(path, fields, conditions, at).await?;
        // One that cannot be read stays, so that it is counted as rejected.
        page.records.retain(|raw| {
            wire::read::<wire::Row>("record", raw).map_or(true, |row| row.company.is_some_and(|at| at.id.is_some()))
        });
        Ok(page)
    }

    /// A whole list of choices.
    pub(crate) async fn all<T: DeserializeOwned>(
        &self,
        path: &[&str],
        fields: &str,
        conditions: Option<&str>,
    ) -> Result<Vec<T>> {
        let mut bounds = Walk::new(NAME, PAGES_OF_CHOICES);
        let (mut found, mut cursor) = (Vec::new(), None::<Cursor>);
        loop {
            let at = Position { cursor: cursor.as_ref(), ..Position::default() };
            let page = self.page(path, fields, conditions, at).await?;
            for raw in &page.records {
                found.push(wire::read("choice", raw).map_err(|why| Error::unreadable(NAME, why))?);
            }
            let Some(next) = page.next else { return Ok(found) };
            bounds.admit(&next)?;
            cursor = Some(next);
        }
    }

    /// Where a listing goes on. Of the vendor's link only the number is taken, never the address: the
    /// keys would go wherever it leads.
    fn next(&self, response: &Response) -> Result<Option<Cursor>> {
        let Some(link) = response.header("link").and_then(next_link) else { return Ok(None) };
        let url = Url::options().base_url(Some(&self.site)).parse(link).ok();
        let found = url.as_ref().and_then(|url| {
            let number = |key: &str| url.query_pairs().find(|(name, _)| name.eq_ignore_ascii_case(key));
            number("pageId")
                .map(|(_, id)| format!("pageId={id}"))
                .or(number("page").map(|(_, at)| format!("page={at}")))
        });
        match found.map(Cursor::new).filter(|cursor| place(cursor).is_ok()) {
            Some(cursor) => Ok(Some(cursor)),
            None => Err(Error::unreadable(NAME, "a link to the next page that names no page")),
        }
    }
}

/// The address in a `Link` header that is marked as the next page.
fn next_link(header: &str) -> Option<&str> {
    header.split('<').filter_map(|part| part.split_once('>')).find_map(|(address, marks)| {
        let next = marks.split([';', ',']).any(|mark| matches!(mark.trim(), r#"rel="next""# | "rel=next"));
        next.then_some(address)
    })
}

/// Reads a cursor of ours.
fn place(cursor: &Cursor) -> Result<(&str, &str)> {
    cursor
        .as_str()
        .split_once('=')
        .filter(|(key, value)| matches!(*key, "pageId" | "page") && value.bytes().all(|b| b.is_ascii_digit()))
        .filter(|(_, value)| !value.is_empty())
        .ok_or_else(|| Error::new(Kind::Expired, format!("this place in a listing of {NAME} cannot be read")))
}

/// A record out of an answer, cut to the fields that listings ask for: some that ConnectWise adds are
/// none of our business, such as a contact's portal password.
pub(crate) fn record(response: &Response, fields: &str) -> Result<Bytes> {
    let whole: BTreeMap<String, Box<RawValue>> = response.json(NAME)?;
    if !whole.contains_key("id") {
        return Err(Error::unreadable(NAME, "a record without an id"));
    }
    let kept: BTreeMap<String, Box<RawValue>> =
        whole.into_iter().filter(|(name, _)| fields.split(',').any(|field| field == name)).collect();
    serde_json::to_vec(&kept).map(Bytes::from).map_err(|why| Error::unreadable(NAME, why))
}
