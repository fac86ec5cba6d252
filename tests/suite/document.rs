//! The published document, as far as the suite asks it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its name.
    pub id: String,
    /// HTTP method.
    pub method: reqwest::Method,
    /// Path with names in braces.
    pub path: String,
    /// Names of parameters, with where they are ("query", "header", "path").
    pub parameters: Vec<(String, String)>,
    /// Schema of its body, resolved; null when it takes none.
    pub body: Value,
    /// Statuses that it declares.
    pub statuses: BTreeSet<u16>,
}

impl Operation {
    /// Whether it takes this query parameter.
    pub fn asks(&self, name: &str) -> bool {
        self.parameters.iter().any(|(known, place)| known == name && place == "query")
    }
}

/// Every operation of the staff's document.
pub fn operations() -> Vec<Operation> {
    let operations = operations_of(&api::server::openapi());
    assert!(operations.len() > 30, "the document has lost its operations");
    operations
}

/// Every operation of ClientOne's document.
pub fn portal_operations() -> Vec<Operation> {
    let operations = operations_of(&api::server::portal_openapi());
    assert!(operations.iter().all(|one| one.path.starts_with("/api/clientone/")), "it reaches out of ClientOne");
    operations
}

fn operations_of(document: &str) -> Vec<Operation> {
    let document: Value = serde_json::from_str(document).expect("the document is JSON");
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap_or_else(|| panic!("{path} has no operationId")).to_owned(),
                method: method.to_uppercase().parse().expect("a method"),
                path: if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path.clone() },
                parameters: parameters.iter().map(|one| (text(&one["name"]), text(&one["in"]))).collect(),
                body: resolved(&document, &operation["requestBody"]["content"]["application/json"]["schema"]),
                statuses: responses(operation).keys().filter_map(|status| status.parse().ok()).collect(),
            });
        }
    }
    operations
}

fn responses(operation: &Value) -> &Map<String, Value> {
    operation["responses"].as_object().expect("responses")
}

/// A schema with every reference in it replaced by what it refers to.
fn resolved(document: &Value, schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                let pointer = reference.trim_start_matches('#');
                return resolved(document, document.pointer(pointer).expect("a reference leads somewhere"));
            }
            if let Some(Value::Array(parts)) = fields.get("allOf") {
                return resolved(document, &parts[0]);
            }
            fields.iter().map(|(name, value)| (name.clone(), resolved(document, value))).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(|item| resolved(document, item)).collect(),
        other => other.clone(),
    }
}
