//! The vendor's two kinds of pages: by number (tenants) and by key (what a tenant has).
//!
//! Tenants that vanish between two pages let later ones move forward, and one page's worth of neighbours would
//! be missed. The total shows it: one that shrank ends the listing as [`Kind::Expired`], and it is made anew.

use integration::{Cursor, Error, Kind, Page, Response, Result, Retry, raw_slice};

use crate::{
    account::Account,
    api::{Api, NAME},
    wire,
};

impl Api {
    /// One page of the account's tenants. The cursor is the next page's number and the last total: `3/450`.
    pub(crate) async fn page_by_number(&self, account: &Account, size: u32, cursor: Option<&Cursor>) -> Result<Page> {
        let (number, before) = match cursor {
            None => (1, 0),
            Some(cursor) => cursor
                .as_str()
                .split_once('/')
                .and_then(|(page, items)| Some((page.parse::<u64>().ok()?, items.parse::<u64>().ok()?)))
                .ok_or_else(|| Error::new(Kind::Expired, "this place in a listing of Sophos Central is not known"))?,
        };
        let (page, size) = (number.to_string(), size.to_string());
        let query = [("page", page.as_str()), ("pageSize", &size), ("pageTotal", "true")];
        let response = self.of_account(account, &["tenants"], &query).await?;
        let listing = self.listing(&response)?;
        let (Some(pages), Some(items)) = (listing.pages.total.0, listing.pages.items.0) else {
            // Without totals a short answer would look like a whole listing.
            return Err(Error::unreadable(NAME, "a listing without its totals"));
        };
        if listing.pages.current.0.is_some_and(|current| current != number) {
            return Err(Error::unreadable(NAME, "another page than the one asked for"));
        }
        if items < before {
            return Err(Error::new(Kind::Expired, "tenants vanished at Sophos Central while they were listed"));
        }
        let more = number < pages;
        if more && listing.items.is_empty() {
            return Err(Error::unreadable(NAME, "an empty page before the end of a listing").retry(Retry::Yes));
        }
        Ok(Page {
            records: listing.items.iter().map(|item| raw_slice(&response.body, item)).collect(),
            next: more.then(|| Cursor::new(format!("{}/{items}", number + 1))),
            total: Some(items),
            ..Page::default()
        })
    }

    /// One page of what a tenant has. The cursor is the vendor's key of the next page.
    pub(crate) async fn page_by_key(
        &self,
        tenant: &str,
        path: &[&str],
        size: u32,
        more: &[(&str, &str)],
        cursor: Option<&Cursor>,
    ) -> Result<Page> {
        let size = size.to_string();
        let mut query = vec![("pageSize", size.as_str()), ("pageTotal", "true")];
        query.extend(more);
        query.extend(cursor.map(|cursor| ("pageFromKey", cursor.as_str())));
        let response = self.of_tenant(tenant, path, &query).await?;
        let listing = self.listing(&response)?;
        Ok(Page {
            records: listing.items.iter().map(|item| raw_slice(&response.body, item)).collect(),
            next: listing.pages.next_key.0.map(Cursor::new),
            total: listing.pages.items.0,
            ..Page::default()
        })
    }

    fn listing<'a>(&self, response: &'a Response) -> Result<wire::Listing<'a>> {
        serde_json::from_slice(response.json_bytes(NAME)?).map_err(|why| {
            let error = Error::unreadable(NAME, &why);
            self.http.scrub(if why.is_eof() { error.retry(Retry::Yes) } else { error })
        })
    }
}
