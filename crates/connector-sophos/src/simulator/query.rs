//! What a listing is asked for, and its pages: by number for tenants, by key for the rest.

use std::collections::BTreeMap;

use integration::Request;
use serde_json::{Value, json};

use super::{Answer, No, bad};

/// Rows of a page when none are asked for.
const DEFAULT: usize = 50;

/// The query of one listing.
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads the query; `known` is what this listing takes besides its place.
    pub fn of(request: &Request, known: &[&str]) -> Result<Self, No> {
        let mut pairs = BTreeMap::new();
        for (key, value) in request.url.query_pairs().into_owned() {
            let ours = ["page", "pageSize", "pageTotal", "pageFromKey"].contains(&key.as_str());
            if !ours && !known.contains(&key.as_str()) {
                return Err(bad(format!("{key} is not known")));
            }
            if pairs.insert(key.clone(), value).is_some() {
                return Err(bad(format!("{key} is given twice")));
            }
        }
        let query = Self(pairs);
        query.one_of("view", &["basic", "summary", "full"])?;
        query.one_of("pageTotal", &["true", "false"])?;
        Ok(query)
    }

    /// What is asked for under a name.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn one_of(&self, key: &str, choices: &[&str]) -> Result<(), No> {
        match self.0.get(key) {
            Some(value) if !choices.contains(&value.as_str()) => Err(bad(format!("{key} has no such value"))),
            _ => Ok(()),
        }
    }

    fn number(&self, key: &str, default: usize, most: usize) -> Result<usize, No> {
        match self.0.get(key).map(|text| text.parse::<usize>()) {
            None => Ok(default),
            Some(Ok(number)) if (1..=most).contains(&number) => Ok(number),
            Some(_) => Err(bad(format!("{key} must be a number from 1 to {most}"))),
        }
    }

    /// Adds the totals, if they are asked for.
    fn total(&self, pages: &mut Value, size: usize, items: usize) {
        if self.0.get("pageTotal").is_some_and(|asked| asked == "true") {
            pages["total"] = items.div_ceil(size).into();
            pages["items"] = items.into();
        }
    }

    /// A page by its number, of 100 rows at most.
    pub fn by_number<T>(&self, found: Vec<T>, row: impl Fn(&T) -> Value) -> Answer {
        let (number, size) = (self.number("page", 1, usize::MAX)?, self.number("pageSize", DEFAULT, 100)?);
        if self.0.contains_key("pageFromKey") {
            return Err(bad("pageFromKey is not known here"));
        }
        let items: Vec<Value> = found.iter().skip((number - 1).saturating_mul(size)).take(size).map(row).collect();
        let mut pages = json!({ "current": number, "size": size, "maxSize": 100 });
        self.total(&mut pages, size, found.len());
        Ok(json!({ "items": items, "pages": pages }))
    }

    /// A page by the key of its first row. What was found is in the order of its keys.
    pub fn by_key<T>(&self, most: usize, found: &[(u64, T)], row: impl Fn(&T) -> Value) -> Answer {
        let size = self.number("pageSize", DEFAULT, most)?;
        if self.0.contains_key("page") {
            return Err(bad("page is not known here"));
        }
        let from = match self.0.get("pageFromKey").map(|key| key.strip_prefix("key-")?.parse::<u64>().ok()) {
            None => 0,
            Some(Some(from)) => from,
            Some(None) => return Err(bad("pageFromKey is of no listing")),
        };
        let rest = &found[found.partition_point(|(key, _)| *key < from)..];
        let items: Vec<Value> = rest.iter().take(size).map(|(_, one)| row(one)).collect();
        let mut pages = json!({ "fromKey": format!("key-{from}"), "size": size, "maxSize": most });
        if let Some((next, _)) = rest.get(size) {
            pages["nextKey"] = format!("key-{next}").into();
        }
        self.total(&mut pages, size, found.len());
        Ok(json!({ "items": items, "pages": pages }))
    }
}
