//! Listings by `$top` and `$skip`. A link to a next page is not followed: where it leads is ours to say.

use integration::{Cursor, Error, Kind, Result, Retry};
use serde_json::{Map, Value};

use crate::{
    api::{Api, NAME},
    wire,
};

/// Rows on a page. The machine behind is often small.
const TOP: u64 = 100;

/// A listing of the vendor's.
pub(crate) struct Listing {
    /// Name of the set.
    pub path: &'static str,
    /// The fields asked for; no other leaves this module, even if the vendor sends it.
    pub select: &'static [&'static str],
    /// A settled order, without which pages overlap.
    pub order: &'static str,
    /// What is left out.
    pub filter: Option<&'static str>,
}

/// Rows with the fields that were asked for.
pub(crate) struct Rows {
    pub rows: Vec<Map<String, Value>>,
    /// Where the next page begins.
    pub next: Option<u64>,
    /// How many rows there are in all, where the vendor says so.
    pub total: Option<u64>,
}

impl Api {
    /// One page that begins after `skip` rows. `filter` replaces that of the listing.
    pub(crate) async fn rows(&self, listing: &Listing, filter: Option<&str>, skip: u64) -> Result<Rows> {
        let mut options = vec![
            ("$top", TOP.to_string()),
            ("$skip", skip.to_string()),
            ("$orderby", listing.order.to_owned()),
            ("$select", listing.select.join(",")),
            ("$count", "true".to_owned()),
        ];
        options.extend(filter.or(listing.filter).map(|filter| ("$filter", filter.to_owned())));
        let response = self.get(listing.path, &options).await.map_err(|error| error.at("skip", skip))?;
        let page: wire::Listing = response.json(NAME)?;
        let count = page.value.len() as u64;
        let end = skip + count;
        let total = page.count.0.and_then(|count| u64::try_from(count.0).ok());
        let more = total.map_or(count >= TOP || page.next_link.is_some(), |total| end < total);
        if more && count == 0 {
            let error = Error::unreadable(NAME, "an empty page before the end of a listing");
            return Err(error.retry(Retry::Yes).at("skip", skip));
        }
        let rows = page.value.into_iter().map(|row| only(row, listing.select)).collect();
        Ok(Rows { rows, next: more.then_some(end), total })
    }

    /// Whether there is anything to see: the number of rows on a page of one.
    pub(crate) async fn probe(&self, listing: &Listing) -> Result<usize> {
        let options = [("$top", "1".to_owned()), ("$select", listing.select[0].to_owned())];
        let page: wire::Listing = self.get(listing.path, &options).await?.json(NAME)?;
        Ok(page.value.len())
    }
}

/// The fields of these names: whatever else a row holds, passwords included, is dropped here.
pub(crate) fn only(mut row: Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    row.retain(|name, _| names.contains(&name.as_str()));
    row
}

/// The row after which a cursor goes on.
pub(crate) fn skip(cursor: Option<&Cursor>) -> Result<u64> {
    let unknown = || Error::new(Kind::Expired, "this place in a listing of 3CX is not known: list anew");
    cursor.map_or(Ok(0), |cursor| cursor.as_str().parse().map_err(|_| unknown()))
}
