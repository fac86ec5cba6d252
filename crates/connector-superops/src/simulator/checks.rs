//! The checks that a GraphQL server makes against its schema: unknown fields, missing and superfluous
//! selections, types of inputs.

use serde_json::{Map, Value};

use super::{
    graphql::{Document, Selection},
    schema::{ENUMS, INPUTS, MUTATIONS, OBJECTS, QUERIES},
};

/// Checks a document with its input. The error is what the vendor says.
pub(super) fn check(document: &Document, input: &Value) -> Result<(), String> {
    let roots = if document.mutation { MUTATIONS } else { QUERIES };
    let name = &document.root.name;
    let root = roots.iter().find(|(root, ..)| root == name).ok_or_else(|| format!("FieldUndefined: {name}"))?;
    if document.given == root.1.is_empty() || document.input.as_deref().unwrap_or_default() != root.1 {
        return Err(format!("VariableTypeMismatch or MissingFieldArgument: {name}"));
    }
    if document.given {
        value(root.1, input)?;
    }
    selection(root.2, &document.root)
}

fn selection(of: &str, selected: &Selection) -> Result<(), String> {
    let Some((_, fields)) = OBJECTS.iter().find(|(name, _)| *name == of.trim_matches(['[', ']'])) else {
        let scalar = selected.of.is_empty();
        return if scalar { Ok(()) } else { Err(format!("SubSelectionNotAllowed: {}", selected.name)) };
    };
    if selected.of.is_empty() {
        return Err(format!("SubSelectionRequired: {}", selected.name));
    }
    for field in &selected.of {
        let mut known = fields.split_whitespace().map(|field| field.split_once(':').unwrap_or((field, "")));
        let (_, of) = known.find(|(name, _)| *name == field.name).ok_or(format!("FieldUndefined: {}", field.name))?;
        selection(of, field)?;
    }
    Ok(())
}

fn value(wanted: &str, given: &Value) -> Result<(), String> {
    let required = wanted.ends_with('!');
    let wanted = wanted.trim_end_matches('!');
    if given.is_null() {
        return if required { Err(format!("a null where {wanted} must be")) } else { Ok(()) };
    }
    if let Some(item) = wanted.strip_prefix('[').and_then(|item| item.strip_suffix(']')) {
        let items = given.as_array().ok_or_else(|| format!("no list of {item}"))?;
        return items.iter().try_for_each(|one| value(item, one));
    }
    let fits = match wanted {
        "ID" => given.is_string() || given.is_u64(),
        "String" => given.is_string(),
        "Int" => given.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "Boolean" => given.is_boolean(),
        "JSON" => true,
        _ => match ENUMS.iter().find(|(name, _)| *name == wanted) {
            Some((_, words)) => given.as_str().is_some_and(|word| words.contains(&word)),
            None => return object(wanted, given.as_object().ok_or_else(|| format!("no object of {wanted}"))?),
        },
    };
    if fits { Ok(()) } else { Err(format!("not of type {wanted}")) }
}

fn object(wanted: &str, given: &Map<String, Value>) -> Result<(), String> {
    let found = INPUTS.iter().find(|(name, _)| *name == wanted).ok_or_else(|| format!("UnknownType: {wanted}"))?;
    let fields: Vec<(&str, &str)> = found.1.split_whitespace().filter_map(|field| field.split_once(':')).collect();
    if let Some(strange) = given.keys().find(|key| !fields.iter().any(|(name, _)| name == key)) {
        return Err(format!("{wanted} has no field {strange}"));
    }
    fields.iter().try_for_each(|(name, of)| value(of, given.get(*name).unwrap_or(&Value::Null)))
}

/// Of a whole answer, what was selected. JSON scalars come whole.
pub(super) fn project(whole: Value, selected: &Selection) -> Value {
    if selected.of.is_empty() {
        return whole;
    }
    match whole {
        Value::Array(items) => items.into_iter().map(|item| project(item, selected)).collect(),
        Value::Object(mut fields) => {
            let taken = selected
                .of
                .iter()
                .map(|field| (field.name.clone(), project(fields.remove(&field.name).unwrap_or_default(), field)));
            Value::Object(taken.collect())
        }
        other => other,
    }
}
