//! Bounds on a listing: one that never ends is an error that names the vendor, not a hang.

use std::{
    collections::{HashSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};

use crate::{Cursor, Error, Kind, Result};

/// Counts the pages of one listing and remembers its cursors.
#[derive(Debug)]
pub struct Walk {
    vendor: &'static str,
    limit: u32,
    pages: u32,
    seen: HashSet<u64>,
}

impl Walk {
    /// Pages that one listing may have: ten million records at a thousand a page.
    pub const PAGES: u32 = 10_000;

    /// A walk of at most `limit` pages.
    pub fn new(vendor: &'static str, limit: u32) -> Self {
        Self { vendor, limit, pages: 0, seen: HashSet::new() }
    }

    /// Pages walked.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// Admits the cursor of the next page, or says why the walk must end.
    pub fn admit(&mut self, next: &Cursor) -> Result<()> {
        self.pages += 1;
        if self.pages >= self.limit {
            return Err(Error::new(
                Kind::Limit,
                format!("the listing of {} has more than {} pages: it seems not to end", self.vendor, self.limit),
            ));
        }
        let mut hasher = DefaultHasher::new();
        next.as_str().hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            return Err(Error::new(
                Kind::Limit,
                format!("{} gave the same place in its listing twice: the listing would not end", self.vendor),
            )
            .at("page", self.pages));
        }
        Ok(())
    }
}
