//! Listings of a console's Network application: by offset, with a total.
//!
//! When records vanish between two pages, later ones move forward and neighbours would be missed. A total
//! that shrank shows it: the listing ends as [`Kind::Expired`], and it is made anew.

use std::collections::HashMap;

use bytes::Bytes;
use integration::{Cursor, Error, Kind, Result, Retry, Walk, raw_slice};

use crate::{
    api::{Api, NAME},
    wire,
};

/// The largest page that the vendor gives. Its own default is 25.
pub(crate) const PAGE_SIZE: u64 = 200;

/// One page of a listing. Of the records nothing is read yet.
pub(crate) struct Slice {
    pub records: Vec<Bytes>,
    /// Where to go on: offset and total, `200/450`.
    pub next: Option<String>,
    pub total: u64,
}

impl Api {
    /// One page below `path`: of the console that Site Manager passes the request on to, or of the one that
    /// the address is of.
    pub(crate) async fn network_page(
        &self,
        console: Option<&str>,
        path: &[&str],
        size: u64,
        place: Option<&str>,
    ) -> Result<Slice> {
        let (offset, before) = place
            .map_or(Some((0, 0)), read)
            .ok_or_else(|| Error::new(Kind::Expired, "this place in a listing of UniFi is not known: list anew"))?;
        let request = match console {
            Some(console) => self.get_through(console, path)?,
            None => self.get(path)?,
        };
        let response = self.send(request.query("offset", offset).query("limit", size)).await?;
        let listing: wire::NetworkListing<'_> = self.parse(&response)?;
        // Without a total a short answer would look like a whole listing.
        let Some(total) = listing.total_count.0 else {
            return Err(Error::unreadable(NAME, "a listing without its total"));
        };
        if listing.offset.0.is_some_and(|told| told != offset) {
            return Err(Error::unreadable(NAME, "another page than the one asked for"));
        }
        if total < before {
            return Err(Error::new(Kind::Expired, "records vanished at UniFi while they were listed: list anew"));
        }
        let end = offset + listing.data.len() as u64;
        if end < total && listing.data.is_empty() {
            return Err(Error::unreadable(NAME, "an empty page before the end of a listing").retry(Retry::Yes));
        }
        let records = listing.data.iter().map(|item| raw_slice(&response.body, item)).collect();
        Ok(Slice { records, next: (end < total).then(|| format!("{end}/{total}")), total })
    }

    /// The sites of a console behind Site Manager: their ids by the name that Site Manager has too.
    pub(crate) async fn sites_of(&self, console: &str) -> Result<HashMap<String, String>> {
        let (mut ids, mut place) = (HashMap::new(), None::<String>);
        let mut walk = Walk::new(NAME, Walk::PAGES);
        loop {
            let slice = self.network_page(Some(console), &["sites"], PAGE_SIZE, place.as_deref()).await?;
            for raw in &slice.records {
                let site: wire::NetworkSite = wire::read(raw, "a site").map_err(|why| Error::unreadable(NAME, why))?;
                let (Some(reference), Some(id)) = (site.internal_reference.0, site.id.0) else { continue };
                if ids.insert(reference, id).is_some() {
                    return Err(Error::unreadable(NAME, "two sites of one console with the same internal name"));
                }
            }
            let Some(next) = slice.next else { return Ok(ids) };
            walk.admit(&Cursor::new(next.as_str()))?;
            place = Some(next);
        }
    }
}

fn read(place: &str) -> Option<(u64, u64)> {
    let (offset, total) = place.split_once('/')?;
    Some((offset.parse().ok()?, total.parse().ok()?))
}
