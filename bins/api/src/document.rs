//! The OpenAPI document as it is published: what poem-openapi writes, made plain enough that the
//! generators of clients for TypeScript, Python and Rust all understand it.

use domain::PageRequest;
use serde_json::{Map, Value};

/// The published document.
pub fn normalised(raw: &str) -> Value {
    let mut document: Value = serde_json::from_str(raw).unwrap_or_default();
    settle(&mut document);
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        // poem writes path parameters as it routes them; the document wants braces.
        let renamed = std::mem::take(paths).into_iter().map(|(path, item)| (braces(&path), item));
        *paths = renamed.collect();
    }
    document
}

fn braces(path: &str) -> String {
    let part = |part: &str| part.strip_prefix(':').map_or_else(|| part.to_owned(), |name| format!("{{{name}}}"));
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn settle(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::Object(fields) => {
            hoist(fields);
            strip_charset(fields);
            whole_bounds(fields);
            page_bounds(fields);
            event_streams(fields);
            header_names(fields);
            if fields.get("format").is_some_and(|format| format == "naive-date") {
                fields.insert("format".to_owned(), "date".into());
            }
            fields.values_mut().for_each(settle);
        }
        _ => {}
    }
}

/// `allOf: [{$ref}, {description}]` → `allOf: [{$ref}]` with the rest beside it: one generator
/// drops schemas whose allOf holds anything but objects.
fn hoist(fields: &mut Map<String, Value>) {
    let Some(Value::Array(parts)) = fields.get_mut("allOf") else { return };
    if !parts.iter().any(|part| part.get("$ref").is_some()) {
        return;
    }
    let (kept, rest): (Vec<Value>, Vec<Value>) =
        std::mem::take(parts).into_iter().partition(|p| p.get("$ref").is_some());
    *parts = kept;
    for part in rest {
        if let Value::Object(extra) = part {
            for (key, value) in extra {
                fields.entry(key).or_insert(value);
            }
        }
    }
}

fn strip_charset(fields: &mut Map<String, Value>) {
    let Some(Value::Object(content)) = fields.get_mut("content") else { return };
    let plain = |name: String| name.split(';').next().unwrap_or_default().trim().to_owned();
    *content = std::mem::take(content).into_iter().map(|(name, value)| (plain(name), value)).collect();
}

/// Header names are written in capitals: equal, but not as anyone knows them.
fn header_names(fields: &mut Map<String, Value>) {
    let Some(Value::Object(headers)) = fields.get_mut("headers") else { return };
    let known = |name: String| match name.as_str() {
        "ETAG" => "ETag".to_owned(),
        "CONTENT-DISPOSITION" => "Content-Disposition".to_owned(),
        "LINK" => "Link".to_owned(),
        "RETRY-AFTER" => "Retry-After".to_owned(),
        _ => name,
    };
    *headers = std::mem::take(headers).into_iter().map(|(name, value)| (known(name), value)).collect();
}

/// A stream of events is a text to generators of clients: one that knows the type of an event still cannot read it
/// from a stream.
fn event_streams(fields: &mut Map<String, Value>) {
    if let Some(Value::Object(stream)) = fields.get_mut("text/event-stream") {
        let description = "Server-sent events; the data of each is an object as JSON, described at the operation";
        stream.insert("schema".to_owned(), serde_json::json!({ "type": "string", "description": description }));
    }
}

/// The bounds of `limit`, which the server checks itself to answer with a problem.
fn page_bounds(fields: &mut Map<String, Value>) {
    let pages =
        fields.get("name").is_some_and(|name| name == "limit") && fields.get("in").is_some_and(|at| at == "query");
    if let Some(Value::Object(schema)) = fields.get_mut("schema").filter(|_| pages) {
        schema.insert("minimum".to_owned(), 1.into());
        schema.insert("maximum".to_owned(), PageRequest::MOST.into());
        schema.insert("default".to_owned(), PageRequest::DEFAULT.into());
    }
}

/// Bounds of integers are written as floats.
fn whole_bounds(fields: &mut Map<String, Value>) {
    for bound in ["minimum", "maximum"] {
        if let Some(number) = fields.get(bound).and_then(Value::as_f64).filter(|n| n.fract() == 0.0 && n.abs() < 1e15) {
            fields.insert(bound.to_owned(), (number as i64).into());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_breaks_generators_is_settled() {
        let raw = json!({
            "paths": { "/api/clients/:client_id/devices": { "get": { "content": { "application/json; charset=utf-8": {} } } } },
            "a": { "allOf": [{ "$ref": "#/x" }, { "description": "d" }] },
            "b": { "minimum": 1.0, "maximum": 100.0, "format": "naive-date" },
        });
        let settled = normalised(&raw.to_string());
        assert_eq!(settled["a"], json!({ "allOf": [{ "$ref": "#/x" }], "description": "d" }));
        assert_eq!(settled["b"], json!({ "minimum": 1, "maximum": 100, "format": "date" }));
        assert!(settled["paths"]["/api/clients/{client_id}/devices"]["get"]["content"]["application/json"].is_object());
    }
}
