//! Which exchange answers a request, and if none does, why.

use std::collections::BTreeMap;

use integration::{Body, Request};
use serde_json::Value;

use super::{Ask, Exchange};

/// Everything in which a request is not what an exchange asks for.
pub(super) fn differences(ask: &Ask, request: &Request) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |what: String, wanted: &str, got: &str| {
        if wanted != got {
            found.push(format!("{what}: the exchange has {wanted}, the request {got}"));
        }
    };
    differ("method".into(), &ask.method, request.method.as_str());
    differ("path".into(), &ask.path, request.url.path());
    let query: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
    for (key, wanted) in &ask.query {
        let got = query.get(key).map_or("(absent)", String::as_str);
        differ(format!("query {key}"), wanted.as_deref().unwrap_or("(absent)"), got);
    }
    for (name, wanted) in &ask.headers {
        differ(format!("header {name}"), wanted, request.header_value(name).unwrap_or("(absent)"));
    }
    match (&ask.body, &request.body) {
        (None, _) => {}
        (Some(Value::Object(pairs)), Body::Form(sent)) => {
            for (key, wanted) in pairs {
                let got = sent.iter().find(|(name, _)| name == key).map_or("(absent)", |(_, value)| value.as_str());
                differ(format!("form field {key}"), wanted.as_str().unwrap_or("(not a text)"), got);
            }
        }
        (Some(wanted), Body::Json(sent)) => differ("body".into(), &wanted.to_string(), &sent.to_string()),
        (Some(Value::String(wanted)), Body::Xml(sent)) => differ("body".into(), wanted, sent),
        (Some(wanted), Body::Empty | Body::Form(_) | Body::Xml(_)) => {
            differ("body".into(), &wanted.to_string(), "no JSON")
        }
    }
    found
}

/// Why nothing answers this request: the closest exchanges and where each differs.
pub(super) fn explain(exchanges: &[Exchange], used: &[bool], request: &Request) -> String {
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut text = format!("no exchange answers {} {}{query}", request.method.as_str(), request.url.path());
    let mut close: Vec<(Vec<String>, &Exchange, bool)> = exchanges
        .iter()
        .zip(used)
        .map(|(exchange, &used)| (differences(&exchange.request, request), exchange, used))
        .collect();
    close.sort_by_key(|(differences, ..)| differences.len());
    for (differences, exchange, used) in close.into_iter().take(3) {
        let why = if differences.is_empty() && used { "already used".to_owned() } else { differences.join("; ") };
        text.push_str(&format!("\n  {}: {why}", exchange.file));
    }
    text
}
