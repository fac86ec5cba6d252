//! Listings by query. The vendor counts records from 1 and keeps no place for us: when one before it vanishes,
//! the rest moves up and a neighbour would be missed. So each page begins with the last record of the page
//! before; if that is not there any more, the listing is made anew.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use integration::{Cursor, Error, Kind, Page, Position, Response, Result, raw_slice};
use serde_json::{Value, value::RawValue};

use crate::{
    api::{Api, NAME},
    wire::{Answer, Found},
};

/// Records asked for at once. The vendor gives at most 1000, but an invoice of many lines is long.
const SIZE: u64 = 500;

/// How far a mark goes back before the moment that the vendor gave: what was being written then is heard twice
/// rather than not at all.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

/// What is listed. The texts are ours alone: nothing of a person's is put into a query.
pub(crate) struct Source {
    /// The vendor's name of the type.
    pub entity: &'static str,
    /// What follows it in the query: filter and order.
    pub rest: &'static str,
}

/// How many records were read, when the listing began, and the last record: `500/1791277200/1042`.
#[derive(Debug, PartialEq)]
struct Place {
    seen: u64,
    begun: DateTime<Utc>,
    last: String,
}

impl Place {
    fn read(cursor: &Cursor) -> Result<Self> {
        let mut parts = cursor.as_str().splitn(3, '/');
        let place = (|| {
            let seen = parts.next()?.parse().ok().filter(|seen| *seen > 0)?;
            let begun = DateTime::from_timestamp(parts.next()?.parse().ok()?, 0)?;
            Some(Self { seen, begun, last: parts.next()?.to_owned() })
        })();
        place.ok_or_else(|| {
            Error::new(Kind::Expired, format!("this place in a listing of {NAME} is not known: list anew"))
        })
    }

    fn write(&self) -> Cursor {
        Cursor::new(format!("{}/{}/{}", self.seen, self.begun.timestamp(), self.last))
    }
}

impl Api {
    /// A page of all there is; or, from a mark, what changed since.
    pub(crate) async fn page(&self, source: &Source, at: Position<'_>) -> Result<Page> {
        match (at.cursor, at.since) {
            (None, Some(since)) => self.changes(source.entity, since).await,
            (cursor, _) => self.list(source, cursor).await,
        }
    }

    /// A page of all there is, with a mark on the last one.
    pub(crate) async fn list(&self, source: &Source, cursor: Option<&Cursor>) -> Result<Page> {
        let before = cursor.map(Place::read).transpose()?;
        let start = before.as_ref().map_or(1, |place| place.seen);
        let Source { entity, rest } = source;
        let query = format!("SELECT * FROM {entity}{rest} STARTPOSITION {start} MAXRESULTS {SIZE}");
        let response = self.call(&["query"], &[("query", &query)]).await?;
        let answer: Answer<'_> = self.read(&response)?;
        let found = answer.found.ok_or_else(|| self.unexpected(&response, "QueryResponse"))?;
        let (mut rows, total) = self.rows(&response, &found, entity, start)?;
        let full = rows.len() as u64 >= SIZE;
        let mut place = Place {
            seen: 0,
            begun: moment(answer.time.0, &response),
            last: rows.last().map(|row| id_of(row)).unwrap_or_default(),
        };
        if let Some(before) = before {
            if rows.first().map(|row| id_of(row)).as_ref() != Some(&before.last) {
                let message = format!("a listing of {NAME} moved while it was read: list anew");
                return Err(Error::new(Kind::Expired, message));
            }
            rows.remove(0);
            place = Place { seen: before.seen, begun: before.begun, ..place };
        }
        place.seen += rows.len() as u64;
        // A short page is the last one, unless the vendor itself says that there are more.
        let more = full || total.is_some_and(|total| total > place.seen);
        let next = (more && !rows.is_empty()).then(|| place.write());
        let mark = next.is_none().then(|| mark(place.begun));
        Ok(Page { records: rows, next, mark, ..Page::default() })
    }

    /// The records of an answer, each a slice of the body, and how many there are in all where that is said.
    fn rows(
        &self,
        response: &Response,
        found: &Found<'_>,
        entity: &str,
        start: u64,
    ) -> Result<(Vec<Bytes>, Option<u64>)> {
        let number = |name: &str| found.get(name).and_then(|raw| raw.get().parse::<u64>().ok());
        let Some(raw) = found.get(entity) else {
            // Nothing is an object without the list; but one that counts records, or holds a fault, is not nothing.
            let nothing = number("maxResults").unwrap_or(0) == 0 && !found.keys().any(|key| fault(key));
            return if nothing { Ok((Vec::new(), None)) } else { Err(self.unexpected(response, entity)) };
        };
        if let Some(other) = number("startPosition").filter(|at| *at != start) {
            return Err(self.unreadable(response, format!("the records from {other} instead of {start}")));
        }
        Ok((self.slices(response, raw)?, number("totalCount")))
    }

    /// The elements of a list, each a slice of the body.
    pub(crate) fn slices(&self, response: &Response, list: &RawValue) -> Result<Vec<Bytes>> {
        let items: Vec<&RawValue> = serde_json::from_str(list.get()).map_err(|why| self.unreadable(response, &why))?;
        Ok(items.into_iter().map(|item| raw_slice(&response.body, item)).collect())
    }
}

/// Whether a key of an answer says that it failed.
pub(crate) fn fault(key: &str) -> bool {
    key.eq_ignore_ascii_case("fault")
}

/// When an answer was given, by the vendor's clock or by ours, whichever is slower: a mark that lies ahead would
/// lose what happens until then.
pub(crate) fn moment(vendors: Option<DateTime<Utc>>, response: &Response) -> DateTime<Utc> {
    vendors.map_or(response.received_at, |vendors| vendors.min(response.received_at))
}

/// The mark for a listing that began at this moment.
pub(crate) fn mark(begun: DateTime<Utc>) -> String {
    (begun - MARGIN).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The id of a record, which may stand inside a wrapper; blank where there is none.
fn id_of(raw: &[u8]) -> String {
    let value: Value = serde_json::from_slice(raw).unwrap_or_default();
    let id = |value: &Value| value["Id"].as_str().map(str::to_owned);
    let wrapped = || value.as_object().into_iter().flat_map(|fields| fields.values()).find_map(id);
    id(&value).or_else(wrapped).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_others_are_listed_anew() {
        let begun = DateTime::from_timestamp(1_791_277_200, 0).expect("a moment");
        let place = Place { seen: 500, begun, last: "a/1042".to_owned() };
        assert_eq!(Place::read(&place.write()).expect("its own"), place);
        for strange in ["", "500", "500/1", "x/1/2", "-1/1/2", "0/1/2", "1/x/2"] {
            let error = Place::read(&Cursor::new(strange)).expect_err(strange);
            assert_eq!(error.kind, Kind::Expired, "{strange}");
        }
    }

    #[test]
    fn ids_are_found_inside_wrappers() {
        assert_eq!(id_of(br#"{"Id":"7","CustomerRef":{"Id":"9"}}"#), "7");
        assert_eq!(id_of(br#"{"new":[],"Invoice":{"Id":"8"}}"#), "8");
        assert_eq!(id_of(b"[1]"), "");
    }
}
