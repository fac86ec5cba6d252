//! Pages as the vendor gives them, in its shapes.

use std::collections::HashMap;

use integration::Request;
use serde_json::{Value, json};

use super::No;

/// Rows on a page, when more are asked for.
const MOST: usize = 100;

/// Which page is asked for.
pub(super) struct Asked {
    page: usize,
    size: usize,
}

impl Asked {
    pub(super) fn read(request: &Request) -> Result<Self, No> {
        let mut query: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
        let mut number = |name: &str, usual: usize| match query.remove(name).map(|text| text.parse::<usize>()) {
            None => Ok(usual),
            Some(Ok(number)) if number > 0 => Ok(number),
            Some(_) => Err(No(422, "page and per_page are numbers from 1")),
        };
        let asked = Self { page: number("page", 1)?, size: number("per_page", 25)?.min(MOST) };
        if query.is_empty() { Ok(asked) } else { Err(No(422, "there is a parameter that is not known")) }
    }

    fn of<T>(&self, all: Vec<T>) -> (Vec<T>, usize) {
        let count = all.len();
        (all.into_iter().skip((self.page - 1) * self.size).take(self.size).collect(), count)
    }

    /// The shape with all numbers.
    pub(super) fn result_set<T>(&self, all: Vec<T>, row: impl Fn(T) -> Value) -> Value {
        let (rows, count) = self.of(all);
        let rows: Vec<Value> = rows.into_iter().map(row).collect();
        let pages = count.div_ceil(self.size);
        let place = json!({ "current_page": self.page, "total_pages": pages, "total_entries": count });
        json!({ "result_set": rows, "pagination": place })
    }

    /// The shape that says only whether there is another page.
    pub(super) fn data(&self, all: Vec<Value>) -> Value {
        let (rows, count) = self.of(all);
        let mut place = json!({ "current_page": self.page, "per_page": self.size });
        if self.page * self.size < count {
            place["next_page"] = json!(self.page + 1);
            place["next_url"] = json!(format!("https://dropsuite.example/api/onedrives?page={}", self.page + 1));
        }
        json!({ "data": rows, "pagination": place })
    }
}
