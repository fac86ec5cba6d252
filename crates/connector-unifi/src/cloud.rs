//! Listings of Site Manager: a token leads to the next page.

use bytes::Bytes;
use integration::{Cursor, Result, Walk, raw_slice};

use crate::{
    api::{Api, NAME},
    wire,
};

/// Records asked for at once. The vendor names no maximum.
pub(crate) const PAGE_SIZE: u32 = 200;

/// One page of a listing. Of the records nothing is read yet.
pub(crate) struct Slice {
    pub records: Vec<Bytes>,
    /// Token of the next page.
    pub next: Option<String>,
}

impl Api {
    /// One page of `resource`.
    pub(crate) async fn list(&self, resource: &str, size: u32, token: Option<&str>) -> Result<Slice> {
        let mut request = self.get(&[resource])?.query("pageSize", size);
        if let Some(token) = token {
            request = request.query("nextToken", token);
        }
        let response = self.send(request).await?;
        let listing: wire::Listing<'_> = self.parse(&response)?;
        let records = listing.data.iter().map(|item| raw_slice(&response.body, item)).collect();
        Ok(Slice { records, next: listing.next_token.0 })
    }

    /// Every page of `resource`.
    pub(crate) async fn list_all(&self, resource: &str) -> Result<Vec<Bytes>> {
        let mut walk = Walk::new(NAME, Walk::PAGES);
        let mut slice = self.list(resource, PAGE_SIZE, None).await?;
        let mut records = slice.records;
        while let Some(next) = slice.next {
            walk.admit(&Cursor::new(next.as_str()))?;
            slice = self.list(resource, PAGE_SIZE, Some(&next)).await?;
            records.append(&mut slice.records);
        }
        Ok(records)
    }
}
