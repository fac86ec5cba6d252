//! The shape of an exchange file: one object, or an array of them.
//!
//! ```json
//! { "source": "vendors/pax8.md, section A sample",
//!   "capability": "subscription",
//!   "request":  { "method": "GET", "path": "/v1/subscriptions", "query": { "page": "0", "sort": null } },
//!   "response": { "status": 200, "headers": { "content-type": "application/json" }, "body": { "content": [] } } }
//! ```

use std::{collections::BTreeMap, fmt, fs, path::Path};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use integration::Response;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// One request and its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Where this shape comes from: the page of a specification, a fact sheet, a recording.
    #[serde(default)]
    pub source: String,
    /// The capability it belongs to ("device", "subscription_quantity"); "token" for what every
    /// capability may need. Without one, only tests that name the file play it. The answers of a
    /// capability with a status of 2xx must together be one whole listing.
    #[serde(default)]
    pub capability: Option<String>,
    /// The entity whose listing it is, where each entity has its own listing. Without it, the first
    /// entity of the "entity" exchanges is meant.
    #[serde(default)]
    pub entity: Option<String>,
    /// For "subscription_quantity": `{"subscription": id, "quantity": "12"}`, what is to be set. For
    /// other writes: `{"call": "create", "entity": id, "title": "…"}`, the call with its draft.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
    /// What the connector asks.
    pub request: Ask,
    /// What the vendor answers.
    pub response: Answer,
    /// Name of the file.
    #[serde(skip)]
    pub file: String,
}

/// The part of a request that an exchange names. What it does not name may be anything.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// In capitals.
    pub method: String,
    /// Path of the address; the host is not compared.
    pub path: String,
    /// Query pairs that must be there; `null` means that the key must not be there.
    #[serde(default)]
    pub query: BTreeMap<String, Option<String>>,
    /// Headers that must be there.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The whole JSON body; of a form body the pairs that must be there; of an XML body the whole text.
    #[serde(default)]
    pub body: Option<Value>,
}

/// The answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body, if it is JSON: sent as it is written, so that 22.00 stays 22.00.
    #[serde(default)]
    pub body: Option<Box<RawValue>>,
    /// The body, if it is not JSON.
    #[serde(default)]
    pub text: Option<String>,
}

impl Exchange {
    /// Whether it comes from the file of this name, with or without `.json`.
    pub fn is_from(&self, name: &str) -> bool {
        self.file == name || self.file.strip_suffix(".json") == Some(name)
    }

    /// Whether it belongs to this capability.
    pub fn is_for(&self, capability: &str) -> bool {
        self.capability.as_deref() == Some(capability)
    }

    /// Whether it gives a token: it says so, or it is for no capability and has an address for tokens.
    pub fn gives_token(&self) -> bool {
        self.is_for("token")
            || (self.capability.is_none() && self.request.method == "POST" && self.request.path.contains("token"))
    }

    /// Whether the answer is a success.
    pub fn succeeds(&self) -> bool {
        (200..300).contains(&self.response.status)
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.request.method, self.request.path, self.file)
    }
}

impl Ask {
    /// How much it names: the more, the closer it fits.
    pub(super) fn named(&self) -> usize {
        self.query.len() + self.headers.len() + usize::from(self.body.is_some())
    }
}

impl Answer {
    pub(super) fn to_response(&self, now: DateTime<Utc>) -> Response {
        let body = match (&self.body, &self.text) {
            (Some(json), _) => Bytes::copy_from_slice(json.get().as_bytes()),
            (None, Some(text)) => Bytes::copy_from_slice(text.as_bytes()),
            (None, None) => Bytes::new(),
        };
        let headers = self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        Response { status: self.status, headers, body, received_at: now }
    }
}

/// All exchanges of a folder, in the order of the file names.
pub fn load(dir: impl AsRef<Path>) -> Result<Vec<Exchange>, String> {
    let dir = dir.as_ref();
    let listing = fs::read_dir(dir).map_err(|why| format!("{}: {why}", dir.display()))?;
    let mut files: Vec<_> = listing.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "json"));
    files.sort();
    let mut exchanges = Vec::new();
    for path in files {
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let text = fs::read_to_string(&path).map_err(|why| format!("{file}: {why}"))?;
        let read: Result<Vec<Exchange>, _> = if text.trim_start().starts_with('[') {
            serde_json::from_str(&text)
        } else {
            serde_json::from_str(&text).map(|one| vec![one])
        };
        for mut exchange in read.map_err(|why| format!("{file}: {why}"))? {
            exchange.file.clone_from(&file);
            exchanges.push(exchange);
        }
    }
    Ok(exchanges)
}
