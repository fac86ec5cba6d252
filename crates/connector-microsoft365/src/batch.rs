//! Several questions in one request (`$batch`), all of one tenant, because they go out under one token.
//!
//! Each part has a status of its own, and is throttled by itself. That is not swallowed: the caller gets it as the
//! answer to that part, with the wait that Microsoft asks for.

use std::collections::BTreeMap;

use bytes::Bytes;
use integration::{Error, Request, Response, Result, loose::Text};
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};

use crate::{
    Guid,
    api::{Api, NAME, below},
};

/// Questions of one request: the most that Microsoft takes.
pub(crate) const MOST: usize = 20;

#[derive(Deserialize)]
struct Answers<'a> {
    #[serde(borrow)]
    responses: Vec<Part<'a>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    id: Text,
    status: u16,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

impl Api {
    /// Asks for these addresses below the version, such as `/users/…?$select=id`, and gives the answers in their order.
    /// At most [`MOST`]. `right` is what to grant when all is refused.
    pub async fn batch(&self, tenant: Guid, addresses: &[String], right: &str) -> Result<Vec<Response>> {
        let asked: Vec<Value> = addresses
            .iter()
            .enumerate()
            .map(|(at, url)| {
                let headers = json!({ "x-ms-throttle-priority": "low" });
                json!({ "id": at.to_string(), "method": "GET", "url": url, "headers": headers })
            })
            .collect();
        // Nothing but questions: it may be asked again.
        let request = Request::post(below(&self.graph, "$batch", None)).json(json!({ "requests": asked })).idempotent();
        let response = self.ask(tenant, request, right).await?;
        let unreadable = |why: &str| Error::unreadable(NAME, why);
        let told: Answers<'_> = serde_json::from_slice(response.json_bytes(NAME)?)
            .map_err(|why| self.http.scrub(Error::unreadable(NAME, why)))?;
        let mut parts: BTreeMap<usize, Response> = BTreeMap::new();
        for part in told.responses {
            let at = part.id.0.and_then(|id| id.parse().ok()).ok_or_else(|| unreadable("a part without its id"))?;
            let mut headers: Vec<(String, String)> = part
                .headers
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.as_str()?.to_owned())))
                .collect();
            if !headers.iter().any(|(name, _)| name == "content-type") {
                headers.push(("content-type".to_owned(), "application/json".to_owned()));
            }
            let body = part.body.map_or_else(Bytes::new, |body| integration::raw_slice(&response.body, body));
            let received_at = response.received_at;
            parts.insert(at, Response { status: part.status, headers, body, received_at });
        }
        // They come in any order, but they all come.
        (0..addresses.len())
            .map(|at| parts.remove(&at).ok_or_else(|| unreadable("a batch that lacks the answer to one of its parts")))
            .collect()
    }
}
