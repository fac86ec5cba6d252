//! What is asked of a company: its own record, queries, and what changed since.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use integration::{Request, Vendor as _};
use serde_json::{Map, Value, json};
use vendorkit::{World, world::Changed};

use super::{
    Answer, COMPANY,
    records::{self, Row},
    statement::{self, Statement},
};
use crate::QuickbooksOnline;

/// The most objects in one answer to the question what changed, of all types together.
const MOST_CHANGES: usize = 1000;

/// Answers a request for the company. `revision` tells how far the world was at a moment.
pub(super) fn answer(
    world: &World,
    path: &[&str],
    request: &Request,
    revision: impl Fn(DateTime<Utc>) -> u64,
) -> Answer {
    let query: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
    let known: &[&str] = match path {
        ["query"] => &["query", "minorversion"],
        ["cdc"] => &["entities", "changedSince", "minorversion"],
        _ => &["minorversion"],
    };
    if let Some(strange) = query.keys().find(|key| !known.contains(&key.as_str())) {
        return fault(400, "2000", "Invalid request", &format!("{strange} is not known"));
    }
    // Versions 1 to 74 are gone.
    if query.get("minorversion").and_then(|text| text.parse::<u32>().ok()).is_none_or(|version| version < 75) {
        return fault(400, "2000", "Invalid request", "minorversion must be at least 75");
    }
    match path {
        ["companyinfo", COMPANY] => whole(
            world,
            "CompanyInfo",
            json!({
                "CompanyName": "Northwind Managed Services", "LegalName": "Northwind Managed Services Pty Ltd",
                "Country": "US", "Id": "1", "SyncToken": "4", "domain": "QBO", "sparse": false,
            }),
        ),
        ["query"] => match query.get("query").map(|text| Statement::read(text)) {
            Some(Ok(statement)) => select(world, &statement),
            Some(Err(why)) => fault(400, "4000", "Error parsing query", &format!("QueryParserError: {why}")),
            None => fault(400, "2020", "Required parameter query is missing in the request", "query"),
        },
        ["cdc"] => match (query.get("entities"), query.get("changedSince")) {
            (Some(entities), Some(since)) => changes(world, entities, since, revision),
            _ => fault(400, "2020", "Required parameter is missing in the request", "entities, changedSince"),
        },
        _ => fault(400, "500", "Unsupported Operation", "this path is not known"),
    }
}

fn select(world: &World, statement: &Statement) -> Answer {
    let Some(mut rows) = records::all(world, &statement.entity) else {
        let detail = format!("Invalid context declaration: {}", statement.entity);
        return fault(400, "4001", "Invalid query", &detail);
    };
    for (property, allowed) in &statement.conditions {
        let value = |row: &Row<'_>| match property.as_str() {
            "Active" => Some(statement::Value::Flag(row.active)),
            "Job" => Some(statement::Value::Flag(row.job)),
            "Id" => Some(statement::Value::Text(row.id.to_string())),
            _ => None,
        };
        if rows.first().is_some_and(|row| value(row).is_none()) {
            return fault(400, "4001", "Invalid query", &format!("property {property} cannot be filtered by"));
        }
        rows.retain(|row| value(row).is_some_and(|value| allowed.contains(&value)));
    }
    if !statement.conditions.iter().any(|(property, _)| property == "Active") {
        rows.retain(|row| row.active);
    }
    match &statement.order {
        None => {}
        Some((property, falls)) if property == "Id" && statement.entity != "RecurringTransaction" => {
            rows.sort_by_key(|row| row.id);
            if *falls {
                rows.reverse();
            }
        }
        Some((property, _)) => {
            return fault(400, "4001", "Invalid query", &format!("property {property} cannot be sorted by"));
        }
    }
    let (skip, most) = (statement.start as usize - 1, statement.most as usize);
    let page: Vec<Value> = rows.iter().skip(skip).take(most).map(|row| (row.make)()).collect();
    whole(world, "QueryResponse", listed(&statement.entity, page, statement.start))
}

/// The records of a type with their counts; nothing where there are none.
fn listed(entity: &str, rows: Vec<Value>, start: u64) -> Value {
    let mut found = Map::new();
    if !rows.is_empty() {
        let count = rows.len();
        found.insert(entity.to_owned(), rows.into());
        found.insert("startPosition".to_owned(), start.into());
        found.insert("maxResults".to_owned(), count.into());
    }
    found.into()
}

fn changes(world: &World, entities: &str, since: &str, revision: impl Fn(DateTime<Utc>) -> u64) -> Answer {
    let Ok(since) = DateTime::parse_from_rfc3339(since).map(|since| since.with_timezone(&Utc)) else {
        return fault(400, "2010", "Request has invalid or unsupported property", "changedSince");
    };
    let too_old = || fault(400, "2010", "Request has invalid or unsupported property", "changedSince is too far back");
    if world.now - since > TimeDelta::days(30) {
        return too_old();
    }
    let Some(history) = world.changes_since(revision(since)) else { return too_old() };
    let (mut businesses, mut invoices) = (BTreeSet::new(), BTreeSet::new());
    for change in history {
        match change.what {
            Changed::Business => {
                businesses.insert(change.key);
                let theirs = world.business(change.key).into_iter().flat_map(|business| &business.invoices);
                invoices.extend(theirs.map(|invoice| invoice.key));
            }
            // The customer shows its first person.
            Changed::Person => drop(businesses.insert(change.business)),
            Changed::Invoice => drop(invoices.insert(change.key)),
            _ => {}
        }
    }
    let known = |business: &&vendorkit::world::Business| business.vendors.contains(QuickbooksOnline::ID);
    let mut left = MOST_CHANGES;
    let mut found = Vec::new();
    for entity in entities.split(',') {
        // By id, so that what is cut is the same every time.
        let mut rows: BTreeMap<u64, Value> = BTreeMap::new();
        match entity {
            "Customer" => {
                for key in &businesses {
                    match world.business(*key).filter(known) {
                        Some(business) => {
                            rows.extend(records::customers(business).iter().map(|row| (row.id, (row.make)())));
                        }
                        // Also of those below it that never were: a deletion may be told of what nobody knew.
                        None => {
                            rows.extend((0..=records::MOST_BELOW).map(|at| deleted(world, records::below(*key, at))))
                        }
                    }
                }
            }
            "Invoice" => {
                rows.extend(invoices.iter().map(|key| match world.invoice(*key).filter(|(home, _)| known(home)) {
                    Some((business, invoice)) => (*key, records::invoice(business, invoice)),
                    None => deleted(world, *key),
                }));
            }
            _ => return fault(400, "2010", "Request has invalid or unsupported property", entity),
        }
        let rows: Vec<Value> = rows.into_values().take(left).collect();
        left -= rows.len();
        found.push(listed(entity, rows, 1));
    }
    whole(world, "CDCResponse", json!([{ "QueryResponse": found }]))
}

fn deleted(world: &World, id: u64) -> (u64, Value) {
    let meta = json!({ "LastUpdatedTime": records::instant(world.now) });
    (id, json!({ "domain": "QBO", "status": "Deleted", "Id": id.to_string(), "MetaData": meta }))
}

/// An answer with its one part and the vendor's clock.
fn whole(world: &World, part: &str, body: Value) -> Answer {
    let mut answer = Map::new();
    answer.insert(part.to_owned(), body);
    answer.insert("time".to_owned(), records::instant(world.now).into());
    Answer::ok(&answer.into())
}

fn fault(status: u16, code: &str, message: &str, detail: &str) -> Answer {
    let error = json!({ "Message": message, "Detail": detail, "code": code, "element": "" });
    let body =
        json!({ "Fault": { "Error": [error], "type": "ValidationFault" }, "time": "2026-05-05T05:20:00.000-07:00" });
    Answer { status, body: body.to_string(), location: None }
}
