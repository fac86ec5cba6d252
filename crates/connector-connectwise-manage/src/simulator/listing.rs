//! Reading: listings with their paging, conditions and fields, and single records.

use std::collections::HashMap;

use integration::{Request, Vendor};
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Business, Person},
};

use super::{
    Reply, State,
    rows::{self, BOARDS, COMMUNICATIONS, COUNTRIES, PRIORITIES, STATES},
};
use crate::ConnectwiseManage;

/// Records on a page, when none are asked for, and at most.
const USUAL: usize = 25;
const MOST: usize = 1000;

type Rows<'a> = Box<dyn Iterator<Item = Value> + 'a>;

pub(super) fn get(world: &World, state: &State, request: &Request, path: &[&str]) -> Reply {
    let query: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
    let after = match query.get("pageId").map(|id| id.parse::<u64>()) {
        None => 0,
        Some(Ok(id)) => id,
        Some(Err(_)) => return Reply::no(400, "InvalidRequest", "pageId must be a number"),
    };
    let id = |text: &str| text.parse::<u64>().unwrap_or(0);
    let found = match path {
        ["system", "info"] => return Reply::new(200, json!({ "version": "v2025.1.0", "isCloud": true })),
        ["company", "companies", of, "sites"] => match rows::business(world, id(of)) {
            Some(of) => {
                Box::new(of.locations.iter().filter(move |s| s.key > after).map(move |s| rows::site(state, of, s)))
            }
            None => return Reply::unknown("Company"),
        },
        ["service", "boards", board, "statuses"] => match BOARDS.iter().find(|(known, _)| *known == id(board)) {
            Some(board) => choices(statuses(*board), after),
            None => return Reply::unknown("Board"),
        },
        ["service", "tickets", ticket, "notes"] => match world.ticket(id(ticket)) {
            Some((_, ticket)) => Box::new(ticket.notes.iter().enumerate().map(|(at, (text, public))| {
                json!({ "id": at + 1, "text": text, "detailDescriptionFlag": public, "internalAnalysisFlag": !public })
            })),
            None => return Reply::unknown("Ticket"),
        },
        [shelf, what, number] if number.parse::<u64>().is_ok() => {
            return match one(world, state, &[shelf, what], id(number)) {
                Some(row) => Reply::new(200, cut(row, query.get("fields"))),
                None => Reply::unknown("Record"),
            };
        }
        path => match all(world, state, path, after) {
            Some(rows) => rows,
            None => return Reply::unknown("Resource"),
        },
    };
    page(request, &query, found)
}

fn all<'a>(world: &'a World, state: &'a State, path: &[&str], after: u64) -> Option<Rows<'a>> {
    let known = move || world.known_to(ConnectwiseManage::ID);
    Some(match path {
        ["company", "companies"] => {
            Box::new(known().filter(move |b| rows::company_id(b.key) > after).map(move |b| rows::company(state, b)))
        }
        ["company", "contacts"] => {
            let mut all: Vec<(&Business, &Person)> =
                known().flat_map(|b| b.people.iter().map(move |p| (b, p))).filter(|(_, p)| p.key > after).collect();
            all.sort_by_key(|(_, person)| person.key);
            Box::new(all.into_iter().map(move |(of, person)| rows::contact(state, of, person)))
        }
        ["service", "tickets"] => {
            let all = world.tickets_after(ConnectwiseManage::ID, after);
            Box::new(all.into_iter().map(move |(of, ticket)| rows::ticket(state, of, ticket)))
        }
        ["finance", "invoices"] => {
            let all = world.invoices_after(ConnectwiseManage::ID, after);
            Box::new(all.into_iter().map(move |(of, invoice)| rows::invoice(state, of, invoice)))
        }
        ["company", "companies", "statuses"] => choices(
            vec![
                json!({ "id": 1, "name": "Active", "defaultFlag": true, "inactiveFlag": false }),
                json!({ "id": 2, "name": "Inactive", "defaultFlag": false, "inactiveFlag": true }),
            ],
            after,
        ),
        ["company", "companies", "types"] => choices(
            vec![
                json!({ "id": 1, "name": "Client", "defaultFlag": false, "vendorFlag": false }),
                json!({ "id": 2, "name": "Prospect", "defaultFlag": true, "vendorFlag": false }),
            ],
            after,
        ),
        ["company", "countries"] => {
            let row = |(id, code, name)| json!({ "id": id, "name": name, "countryCode": code });
            choices(COUNTRIES.map(row).into(), after)
        }
        ["company", "communicationTypes"] => {
            let row = |(id, name, mail, voice): (u64, &str, bool, bool)| {
                json!({
                    "id": id, "description": name, "emailFlag": mail, "phoneFlag": voice, "defaultFlag": id < 3,
                    "faxFlag": !mail && !voice,
                })
            };
            choices(COMMUNICATIONS.map(row).into(), after)
        }
        ["service", "boards"] => {
            let row = |(id, name)| json!({ "id": id, "name": name, "inactiveFlag": false, "projectFlag": false });
            let mut boards: Vec<Value> = BOARDS.map(row).into();
            boards.push(json!({ "id": 3, "name": "Projects", "inactiveFlag": false, "projectFlag": true }));
            boards.push(json!({ "id": 4, "name": "Old desk", "inactiveFlag": true, "projectFlag": false }));
            choices(boards, after)
        }
        ["service", "priorities"] => {
            let row = |(id, _, name)| json!({ "id": id, "name": name, "color": "Red", "sortOrder": id });
            choices(PRIORITIES.map(row).into(), after)
        }
        _ => return None,
    })
}

fn choices<'a>(rows: Vec<Value>, after: u64) -> Rows<'a> {
    Box::new(rows.into_iter().filter(move |row| row["id"].as_u64() > Some(after)))
}

fn statuses((board, name): (u64, &str)) -> Vec<Value> {
    let row = |(state, word): &(_, &str)| {
        let id = rows::state_id(board, *state);
        json!({
            "id": id, "name": word, "board": { "id": board, "name": name }, "inactive": false,
            "closedStatus": *word == "Closed", "defaultFlag": *word == "New",
        })
    };
    let old = json!({ "id": board * 40 + 9, "name": "Old state", "inactive": true, "defaultFlag": false });
    STATES.iter().map(row).chain([old]).collect()
}

/// One record as it is now.
pub(super) fn one(world: &World, state: &State, path: &[&str], id: u64) -> Option<Value> {
    let ours = |of: &&Business| of.vendors.contains(ConnectwiseManage::ID);
    match path {
        ["company", "companies"] => rows::business(world, id).map(|of| rows::company(state, of)),
        ["company", "contacts"] => {
            let mut known = world.known_to(ConnectwiseManage::ID);
            known.find_map(|of| of.person(id).map(|person| rows::contact(state, of, person)))
        }
        ["service", "tickets"] => {
            let found = world.ticket(id).filter(|(of, _)| ours(of));
            found.map(|(of, ticket)| rows::ticket(state, of, ticket))
        }
        ["finance", "invoices"] => {
            let found = world.invoice(id).filter(|(of, _)| ours(of));
            found.map(|(of, invoice)| rows::invoice(state, of, invoice))
        }
        _ => None,
    }
}

fn page(request: &Request, query: &HashMap<String, String>, found: Rows<'_>) -> Reply {
    let number = |key: &str, usual: usize| query.get(key).map_or(Ok(usual), |text| text.parse::<usize>());
    let (Ok(size), Ok(page)) = (number("pageSize", USUAL), number("page", 1)) else {
        return Reply::no(400, "InvalidRequest", "page and pageSize must be numbers");
    };
    if !(1..=MOST).contains(&size) || page == 0 {
        return Reply::no(400, "InvalidRequest", "pageSize must be between 1 and 1000");
    }
    let forward = request.header_value("pagination-type") == Some("forward-only");
    if forward && (query.contains_key("orderBy") || query.contains_key("page")) {
        return Reply::no(400, "InvalidRequest", "forward-only pages are ordered by id");
    }
    let conditions = match query.get("conditions").map(|text| read_conditions(text)).transpose() {
        Ok(conditions) => conditions.unwrap_or_default(),
        Err(why) => return Reply::no(400, "InvalidRequest", &why),
    };
    let mut found = found.filter(|row| conditions.iter().all(|one| holds(one, row))).skip((page - 1) * size);
    let rows: Vec<Value> = found.by_ref().take(size).collect();
    let more = found.next().is_some();
    let link = rows.last().filter(|_| more).map(|last| {
        let mut url = request.url.clone();
        let kept: Vec<(String, String)> = query
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "page" | "pageId"))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let next = if forward { ("pageId", last["id"].to_string()) } else { ("page", (page + 1).to_string()) };
        url.query_pairs_mut().clear().extend_pairs(kept).append_pair(next.0, &next.1);
        format!("<{url}>; rel=\"next\"")
    });
    let rows: Vec<Value> = rows.into_iter().map(|row| cut(row, query.get("fields"))).collect();
    Reply { status: 200, body: rows.into(), link }
}

fn cut(mut row: Value, fields: Option<&String>) -> Value {
    if let (Some(fields), Some(row)) = (fields, row.as_object_mut()) {
        row.retain(|name, _| fields.split(',').any(|field| field == name));
    }
    row
}

/// A condition: path, operator, value.
type Condition = (String, &'static str, Value);

/// Reads the part of the condition language that is in use: comparisons joined by `and`.
fn read_conditions(text: &str) -> Result<Vec<Condition>, String> {
    let read = |one: &str| {
        let found = [" like ", "!=", "="].into_iter().find_map(|op| Some((op, one.split_once(op)?)));
        let (op, (path, value)) = found.ok_or_else(|| format!("cannot read the condition {one}"))?;
        let value = serde_json::from_str(value.trim()).map_err(|_| format!("texts must be in double quotes: {one}"))?;
        Ok((path.trim().to_owned(), op, value))
    };
    text.split(" and ").map(read).collect()
}

fn holds((path, op, value): &Condition, row: &Value) -> bool {
    let found = row.pointer(&format!("/{path}")).unwrap_or(&Value::Null);
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned).to_lowercase();
    match *op {
        " like " => text(found).starts_with(text(value).trim_end_matches('%')),
        "!=" => text(found) != text(value),
        _ => text(found) == text(value),
    }
}
