//! What a listing is asked for, and its pages.

use std::collections::BTreeMap;

use integration::Request;
use serde_json::{Value, json};
use vendorkit::world::hash;

use super::{No, invalid};

/// Rows of a page when none are asked for: the reason why integrations that do not ask lose rows.
const DEFAULT: usize = 10;
const MOST: usize = 1000;

/// The query of one listing, checked.
pub(super) struct Query {
    filters: BTreeMap<String, String>,
    limit: usize,
    after: u64,
}

impl Query {
    /// Reads the query; `known` are the filters that this listing takes.
    pub fn of(request: &Request, known: &[&str]) -> Result<Self, No> {
        let mut filters = BTreeMap::new();
        for (key, value) in request.url.query_pairs().into_owned() {
            if !known.contains(&key.as_str()) && !["limit", "cursor"].contains(&key.as_str()) {
                return Err(invalid(format!("{key}: Unknown field.")));
            }
            if value.is_empty() {
                return Err(invalid(format!("{key}: Shorter than minimum length 1.")));
            }
            if filters.insert(key.clone(), value).is_some() {
                return Err(invalid(format!("{key}: Given twice.")));
            }
        }
        let limit = match filters.remove("limit").map(|text| text.parse::<usize>()) {
            None => DEFAULT,
            Some(Ok(limit @ 1..=MOST)) => limit,
            Some(_) => return Err(invalid("limit: Must be between 1 and 1000.")),
        };
        let cursor = filters.remove("cursor");
        let mut query = Self { filters, limit, after: 0 };
        if let Some(cursor) = cursor {
            let place = cursor.split_once('.').and_then(|(mark, after)| {
                let after = u64::from_str_radix(after, 16).ok()?;
                (mark == query.mark()).then_some(after)
            });
            query.after = place.ok_or_else(|| invalid("cursor: Not of a listing with these filters."))?;
        }
        Ok(query)
    }

    /// What tells this listing from others: a cursor is good for one only.
    fn mark(&self) -> String {
        let text: String = self.filters.iter().map(|(key, value)| format!("{key}={value}&")).collect();
        format!("{:016x}", hash(&text, 0))
    }

    /// The values of a filter; `None` where it is not asked for.
    pub fn list(&self, key: &str) -> Option<Vec<&str>> {
        self.filters.get(key).map(|values| values.split(',').collect())
    }

    /// Refuses values of a filter that the vendor does not have.
    pub fn only(&self, key: &str, allowed: &[&str]) -> Result<(), No> {
        match self.list(key).unwrap_or_default().into_iter().find(|value| !allowed.contains(value)) {
            Some(_) => Err(invalid(format!("{key}: Not a valid choice."))),
            None => Ok(()),
        }
    }

    /// Whether a value is one of those that a filter asks for; it is looked at only if there is one.
    pub fn allows<T: AsRef<str>>(&self, key: &str, value: impl FnOnce() -> T) -> bool {
        self.list(key).is_none_or(|wanted| wanted.contains(&value().as_ref()))
    }

    /// One page of what was found, which is in the order of its keys, and its place.
    pub fn page<T>(&self, found: &[(u64, T)], row: impl Fn(&T) -> Value) -> (Vec<Value>, Value) {
        let rest = &found[found.partition_point(|(key, _)| *key <= self.after)..];
        let page = &rest[..rest.len().min(self.limit)];
        let more = page.last().filter(|_| rest.len() > page.len());
        let next = more.map(|(last, _)| format!("{}.{last:x}", self.mark()));
        let rows = page.iter().map(|(_, one)| row(one)).collect();
        (rows, json!({ "totalItems": found.len(), "nextCursor": next }))
    }
}
