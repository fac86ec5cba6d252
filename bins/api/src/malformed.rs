//! Where a body does not fit its schema: every place, by pointer. poem-openapi alone names neither the field nor
//! more than the first mistake, and takes a number for a text.

use std::sync::OnceLock;

use poem::http::{Method, Uri};
use serde_json::{Map, Value};

use crate::{document, problem::Mistake, server};

/// What the document says of bodies.
struct Bodies {
    schemas: Map<String, Value>,
    /// Method, path in segments, schema.
    operations: Vec<(String, Vec<String>, Value)>,
}

/// Every mistake of a JSON body; none where the body is not JSON or the path takes none. Values are not repeated:
/// one may be a secret in the wrong field.
pub fn in_body(method: &Method, uri: &Uri, body: &[u8]) -> Vec<Mistake> {
    let mut found = Vec::new();
    let segments: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
    let fits = |path: &[String]| {
        path.len() == segments.len()
            && path.iter().zip(&segments).all(|(known, given)| known.starts_with('{') || known == given)
    };
    let bodies = bodies(uri.path());
    let operation =
        bodies.operations.iter().find(|(known, path, _)| known.eq_ignore_ascii_case(method.as_str()) && fits(path));
    if let (Some((_, _, schema)), Ok(body)) = (operation, serde_json::from_slice::<Value>(body)) {
        bodies.check(schema, &body, "", &mut found);
    }
    found
}

/// The parameters that hold a NUL character, which no database keeps.
pub fn in_query(uri: &Uri) -> Vec<Mistake> {
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| pair.contains("%00"));
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().chars().take(100).collect();
    let mistake = |pair| Mistake { pointer: name(pair), code: "malformed".to_owned(), message: NUL.to_owned() };
    pairs.map(mistake).collect()
}

const NUL: &str = "must not hold the character NUL";

/// What the document says that this path is in: the staff's, or ClientOne's.
fn bodies(path: &str) -> &'static Bodies {
    static STAFF: OnceLock<Bodies> = OnceLock::new();
    static PORTAL: OnceLock<Bodies> = OnceLock::new();
    if path.strip_prefix(server::PORTAL).is_some_and(|rest| rest.starts_with('/')) {
        PORTAL.get_or_init(|| Bodies::of(&server::portal_service().spec()))
    } else {
        STAFF.get_or_init(|| Bodies::of(&server::service().spec()))
    }
}

impl Bodies {
    fn of(spec: &str) -> Self {
        let document = document::normalised(spec);
        let mut operations = Vec::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
                if !schema.is_null() {
                    let path = path.trim_matches('/').split('/').map(str::to_owned).collect();
                    operations.push((method.clone(), path, schema.clone()));
                }
            }
        }
        Self { schemas: document["components"]["schemas"].as_object().cloned().unwrap_or_default(), operations }
    }

    /// The schema that a reference leads to.
    fn settled<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
        let name = reference.and_then(|path| path.rsplit('/').next());
        name.and_then(|name| self.schemas.get(name)).unwrap_or(schema)
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, found: &mut Vec<Mistake>) {
        let schema = self.settled(schema);
        let mut wrong = |code: &str, message: String| {
            found.push(Mistake { pointer: at.to_owned(), code: code.to_owned(), message });
        };
        let fits = match schema["type"].as_str() {
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            Some("array") => value.is_array(),
            Some("object") => value.is_object(),
            _ => true,
        };
        if !fits {
            let wanted = schema["type"].as_str().unwrap_or_default();
            let article = if wanted.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
            return wrong("wrong_type", format!("must be {article} {wanted}"));
        }
        match value {
            Value::String(text) => {
                if text.contains('\0') {
                    wrong("malformed", NUL.to_owned());
                } else if let Some(choices) = schema["enum"].as_array().filter(|choices| !choices.contains(value)) {
                    let choices: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
                    wrong("unknown_value", format!("must be one of {}", choices.join(", ")));
                } else if schema["format"] == "uuid" && uuid::Uuid::parse_str(text).is_err() {
                    wrong("not_an_id", "must be an id: a UUID".to_owned());
                }
            }
            Value::Number(_) if out_of_range(schema, value) => wrong("out_of_range", "is out of range".to_owned()),
            Value::Array(items) => {
                for (nth, item) in items.iter().enumerate() {
                    self.check(&schema["items"], item, &format!("{at}/{nth}"), found);
                }
            }
            Value::Object(fields) => self.object(schema, fields, at, found),
            _ => {}
        }
    }

    fn object(&self, schema: &Value, fields: &Map<String, Value>, at: &str, found: &mut Vec<Mistake>) {
        let Some(known) = schema["properties"].as_object() else { return };
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let place = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        let mut wrong = |name: &str, code: &str, message: &str| {
            found.push(Mistake { pointer: place(name), code: code.to_owned(), message: message.to_owned() });
        };
        for name in &required {
            if fields.get(*name).is_none_or(Value::is_null) {
                wrong(name, "required", "must be given");
            }
        }
        for name in fields.keys().filter(|name| !known.contains_key(*name)) {
            wrong(&name.chars().take(100).collect::<String>(), "unknown_field", "is not a field of this body");
        }
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            if let Some(schema) = known.get(name) {
                self.check(schema, value, &place(name), found);
            }
        }
    }
}

/// Whether a whole number does not fit its format.
fn out_of_range(schema: &Value, value: &Value) -> bool {
    match schema["format"].as_str() {
        Some("int32") => value.as_i64().is_none_or(|number| i32::try_from(number).is_err()),
        Some("uint32") => value.as_u64().is_none_or(|number| u32::try_from(number).is_err()),
        Some("uint64") => value.as_u64().is_none(),
        _ => false,
    }
}
