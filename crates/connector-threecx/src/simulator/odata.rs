//! Listings as OData has them: pages, filters, orders and selected fields, checked as strictly as the vendor does.

use std::collections::HashMap;

use chrono::DateTime;
use integration::Request;
use serde_json::{Map, Value, json};

use super::{Answer, no, rows::Row};

const OPTIONS: [&str; 8] = ["$top", "$skip", "$search", "$filter", "$count", "$orderby", "$select", "$expand"];

/// The options by name; any other key, and a plus for a space, is refused.
pub(super) fn options(request: &Request) -> Result<HashMap<String, String>, (u16, Value)> {
    if request.url.query().is_some_and(|query| query.contains('+')) {
        return Err(no(400, "The query cannot be parsed."));
    }
    let options: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
    if options.keys().any(|key| !OPTIONS.contains(&key.as_str())) {
        return Err(no(400, "The query holds an unknown option."));
    }
    Ok(options)
}

/// One page of a set. Without `$top` all of it; without an order, none to rely on.
pub(super) fn list(mut rows: Vec<Row<'_>>, options: &HashMap<String, String>, set: &str) -> Answer {
    let number = |key: &str| match options.get(key).map(|text| text.parse::<usize>()) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err(no(400, "A number was expected.")),
    };
    let (top, skip) = (number("$top")?, number("$skip")?.unwrap_or(0));
    if top.is_some_and(|top| top > 100) {
        return Err(no(400, "The limit of '100' for Top query has been exceeded."));
    }
    if let Some(filter) = options.get("$filter") {
        retain(&mut rows, set, filter).ok_or_else(|| no(400, "The filter cannot be parsed."))?;
    }
    match (set, options.get("$orderby").map(String::as_str)) {
        (_, None) => rows.reverse(),
        ("CallHistoryView", Some("SegmentStartTime,SegmentId")) | ("Users" | "Peers", Some("Number")) => {
            rows.sort_by(|one, other| one.order.cmp(&other.order));
        }
        _ => return Err(no(400, "Could not find a property of this name.")),
    }
    let page = rows.iter().skip(skip).take(top.unwrap_or(usize::MAX));
    let value: Vec<Value> = page.map(|row| select((row.make)(), options)).collect::<Result<_, _>>()?;
    let mut body = json!({ "@odata.context": format!("$metadata#{set}"), "value": value });
    if options.get("$count").is_some_and(|count| count == "true") {
        body["@odata.count"] = rows.len().into();
    }
    Ok(body)
}

/// The two filters that are understood: without hot desks, and a span of time.
fn retain(rows: &mut Vec<Row<'_>>, set: &str, filter: &str) -> Option<()> {
    if set == "Users" {
        let prefix = filter.strip_prefix("not startsWith(Number,'")?.strip_suffix("')")?;
        rows.retain(|row| !row.order.starts_with(prefix));
    } else {
        let (from, to) = filter.strip_prefix("SegmentStartTime ge ")?.split_once(" and SegmentStartTime lt ")?;
        let [from, to] = [from, to].map(|at| DateTime::parse_from_rfc3339(at).ok());
        let (from, to) = (from?, to?);
        rows.retain(|row| row.at.is_some_and(|at| from <= at && at < to));
    }
    Some(())
}

/// The fields that were selected; one that is not there is refused.
pub(super) fn select(row: Value, options: &HashMap<String, String>) -> Answer {
    let Some(fields) = options.get("$select") else { return Ok(row) };
    let field = |name: &str| match row.get(name) {
        Some(value) => Ok((name.to_owned(), value.clone())),
        None => Err(no(400, "Could not find a property of this name.")),
    };
    fields.split(',').map(field).collect::<Result<Map<_, _>, _>>().map(Value::Object)
}
