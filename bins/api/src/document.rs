//! The OpenAPI document as it is published: what poem-openapi writes, made plain enough that the
//! generators of clients for TypeScript, Python and Rust all understand it.

use std::collections::BTreeSet;

use domain::PageRequest;
use serde_json::{Map, Value, json};

use crate::asking::can_be_asked_for;

/// The published document.
pub fn normalised(raw: &str) -> Value {
    let mut document: Value = serde_json::from_str(raw).unwrap_or_default();
    settle(&mut document);
    nulls(&mut document);
    if let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) {
        // poem writes path parameters as it routes them; the document wants braces.
        let renamed = std::mem::take(paths).into_iter().map(|(path, item)| (braces(&path), item));
        *paths = renamed.collect();
        paths.values_mut().for_each(waiting);
    }
    document
}

/// Says of operations that can be asked for what whoever may do them with approval only is answered: it is given around
/// them. It stands in the text, because generators of clients know one good answer for each operation.
fn waiting(item: &mut Value) {
    for (method, operation) in item.as_object_mut().into_iter().flatten() {
        if can_be_asked_for(method, operation) && operation["responses"].is_object() {
            let text = operation["description"].as_str().map(|text| format!("{text}\n\n")).unwrap_or_default();
            operation["description"] = format!(
                "{text}Whoever has the permission with approval only is answered 202 with an `Approval` and its address \
                 in `Location`: nothing is changed until somebody else agrees."
            )
            .into();
        }
    }
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

/// What a body may leave out it may also send as null: only in schemas that no answer uses, where nothing is null.
fn nulls(document: &mut Value) {
    let (mut sent, mut answered) = (BTreeSet::new(), BTreeSet::new());
    for item in document["paths"].as_object().into_iter().flat_map(Map::values) {
        for operation in item.as_object().into_iter().flat_map(Map::values) {
            named(&operation["requestBody"], &document["components"]["schemas"], &mut sent);
            named(&operation["responses"], &document["components"]["schemas"], &mut answered);
        }
    }
    for name in sent.difference(&answered) {
        let schema = &mut document["components"]["schemas"][name.as_str()];
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let Some(Value::Object(properties)) = schema.get_mut("properties") else { continue };
        for (_, property) in properties.iter_mut().filter(|(name, _)| !required.iter().any(|one| one == name.as_str()))
        {
            // Beside a reference nothing else counts.
            if let Some(reference) = property.get("$ref").cloned() {
                *property = json!({ "allOf": [{ "$ref": reference }] });
            }
            property["nullable"] = true.into();
        }
    }
}

/// The schemas that a part of the document leads to.
fn named(part: &Value, schemas: &Value, found: &mut BTreeSet<String>) {
    match part {
        Value::Array(items) => items.iter().for_each(|item| named(item, schemas, found)),
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            if let Some(name) = name.filter(|name| found.insert((*name).to_owned())) {
                named(&schemas[name], schemas, found);
            }
            fields.values().for_each(|field| named(field, schemas, found));
        }
        _ => {}
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

    #[test]
    fn what_a_body_may_leave_out_it_may_send_as_null_and_answers_hold_none() {
        let to = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let raw = json!({
            "paths": { "/x": { "post": {
                "requestBody": { "content": { "application/json": { "schema": to("Make") } } },
                "responses": { "200": { "content": { "application/json": { "schema": to("Made") } } } },
            } } },
            "components": { "schemas": {
                "Make": { "required": ["name"], "properties": {
                    "name": { "type": "string" }, "phone": { "type": "string" }, "place": to("Place"),
                } },
                "Made": { "properties": { "phone": { "type": "string" }, "place": to("Place") } },
                "Place": { "properties": { "street": { "type": "string" } } },
            } },
        });
        let settled = normalised(&raw.to_string());
        let schemas = &settled["components"]["schemas"];
        let place = json!({ "allOf": [to("Place")], "nullable": true });
        let phone = json!({ "type": "string", "nullable": true });
        let make = json!({ "name": { "type": "string" }, "phone": phone, "place": place });
        assert_eq!(schemas["Make"]["properties"], make);
        for both in ["Made", "Place"] {
            assert_eq!(schemas[both], raw["components"]["schemas"][both], "{both}");
        }
    }
}
