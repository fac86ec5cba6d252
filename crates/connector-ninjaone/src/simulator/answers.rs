//! What is asked for and what is answered: queries, bodies, refusals.

use std::collections::HashMap;

use integration::{Body, Request};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::filter::Filter;

/// Rows of a page when none are asked for: the reason why integrations that do not page lose rows.
pub(super) const DEFAULT_PAGE: usize = 50;

/// An answer that is not a success; its body names the incident.
pub(super) struct Refusal {
    pub status: u16,
    pub body: Value,
}

impl Refusal {
    /// Of the OAuth layer.
    pub(super) fn oauth(status: u16, error: &str, words: &str, code: u32) -> Self {
        Self { status, body: json!({"error": error, "error_description": words, "error_code": code}) }
    }

    /// Of the API layer.
    pub(super) fn api(status: u16, words: impl Into<String>) -> Self {
        Self { status, body: json!({"resultCode": "FAILURE", "errorMessage": words.into(), "incidentId": ""}) }
    }

    pub(super) fn body(mut self, number: u64) -> Vec<u8> {
        if let Some(id) = self.body.get_mut("incidentId") {
            *id = incident(number).into();
        }
        self.body.to_string().into_bytes()
    }
}

pub(super) fn no_such_path() -> Refusal {
    Refusal::api(404, "Not found")
}

/// An id for a request's support, shaped like a UUID.
pub(super) fn incident(number: u64) -> String {
    format!("{:08x}-51a0-4000-8000-{number:012x}", number.wrapping_mul(0x9E37_79B9) as u32)
}

/// The query of one listing.
pub(super) struct Query(HashMap<String, String>);

impl Query {
    pub(super) fn of(request: &Request) -> Self {
        Self(request.url.query_pairs().into_owned().collect())
    }

    /// The value of a key.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Refuses what NinjaOne knows, but this simulator does not: ignoring it would answer something else.
    pub(super) fn without(&self, keys: &[&str]) -> Result<(), Refusal> {
        match keys.iter().find(|key| self.0.contains_key(**key)) {
            Some(key) => Err(Refusal::api(400, format!("{key} is not simulated"))),
            None => Ok(()),
        }
    }

    fn number(&self, key: &str) -> Result<Option<u64>, Refusal> {
        let read = |text: &String| {
            text.parse::<i32>()
                .ok()
                .and_then(|number| u64::try_from(number).ok())
                .ok_or_else(|| Refusal::api(400, format!("{key} must be a number")))
        };
        self.0.get(key).map(read).transpose()
    }

    /// Id after which the page begins.
    pub(super) fn after(&self) -> Result<u64, Refusal> {
        Ok(self.number("after")?.unwrap_or(0))
    }

    pub(super) fn page_size(&self) -> Result<usize, Refusal> {
        match self.number("pageSize")? {
            None => Ok(DEFAULT_PAGE),
            Some(0) => Err(Refusal::api(400, "pageSize must be above 0")),
            Some(size) => Ok(size as usize),
        }
    }

    pub(super) fn filter(&self) -> Result<Filter, Refusal> {
        Filter::parse(self.text("df").unwrap_or_default()).map_err(|words| Refusal::api(400, words))
    }
}

pub(super) fn json<T: Serialize>(rows: &T) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(rows).map_err(|why| Refusal::api(500, why.to_string()))
}

/// The object that a request carries.
pub(super) fn object(request: &Request) -> Result<&Map<String, Value>, Refusal> {
    match &request.body {
        Body::Json(Value::Object(object)) => Ok(object),
        _ => Err(Refusal::api(400, "The body must be a JSON object")),
    }
}
