//! The vendor's listings: which page, of what size, in which order.

use std::collections::HashMap;

use bytes::Bytes;
use integration::Request;
use serde::Serialize;

use super::{No, bodies, text};

/// What a listing was asked for.
pub(super) struct Asked {
    pub(super) pairs: HashMap<String, String>,
    number: usize,
    size: usize,
}

impl Asked {
    pub(super) fn read(request: &Request) -> Result<Self, No> {
        let pairs: HashMap<_, _> = request.url.query_pairs().into_owned().collect();
        let count = |key: &str, default| {
            let text = pairs.get(key).map(String::as_str).unwrap_or(default);
            text.parse::<usize>().map_err(|_| No(400, format!("{key} must be a number")))
        };
        let (number, size) = (count("page", "0")?, count("size", "10")?.clamp(1, 200));
        Ok(Self { number, size, pairs })
    }

    pub(super) fn wants(&self, key: &str, value: &str) -> bool {
        self.pairs.get(key).is_none_or(|wanted| wanted == value)
    }

    /// As it was asked for: some listings know the field alone, others want its direction too.
    pub(super) fn sort(&self) -> Option<&str> {
        self.pairs.get("sort").map(String::as_str)
    }

    pub(super) fn page<T, B: Serialize>(&self, found: Vec<T>, body: impl Fn(T) -> B) -> Bytes {
        let total = found.len();
        let start = self.number.saturating_mul(self.size);
        let content = found.into_iter().skip(start).take(self.size).map(body).collect();
        let page = bodies::Place {
            size: self.size,
            total_elements: total,
            total_pages: total.div_ceil(self.size),
            number: self.number,
        };
        text(&bodies::Listing { content, page })
    }
}
