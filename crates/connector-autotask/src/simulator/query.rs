//! Queries: filters, fields and pages.

use integration::{Request, Vendor};
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Business, Location},
};

use super::{Answer, No, OWNER, State, changes::number, no, rows};
use crate::Autotask;

/// Records on a page at most.
const MOST: u64 = 500;

/// A row made only when it is reached: id, and how.
type Rows<'a> = Vec<(u64, Box<dyn Fn() -> Value + 'a>)>;

fn all<'a>(world: &'a World, state: &'a State, entity: &str) -> Option<Rows<'a>> {
    let known = || world.known_to(Autotask::ID);
    let mut rows: Rows<'a> = match entity {
        "Companies" => {
            let own = json!({ "id": 0, "companyName": "Panel MSP", "companyType": 1, "isActive": true });
            let own: Box<dyn Fn() -> Value> = Box::new(move || own.clone());
            let clients = known().map(|of| (rows::company_id(of.key), boxed(move || rows::company(state, of))));
            [(0, own)].into_iter().chain(clients).collect()
        }
        "CompanyLocations" => {
            let one = |(of, place): (&'a Business, &'a Location)| (place.key, boxed(move || rows::location(of, place)));
            known().flat_map(|of| of.locations.iter().map(move |place| (of, place))).map(one).collect()
        }
        "Contacts" => known()
            .flat_map(|of| of.people.iter().map(move |person| (of, person)))
            .map(|(of, person)| (person.key, boxed(move || rows::contact(state, of, person))))
            .collect(),
        "Tickets" => world
            .tickets_after(Autotask::ID, 0)
            .into_iter()
            .map(|(of, ticket)| (ticket.key, boxed(move || rows::ticket(state, of, ticket))))
            .collect(),
        "Invoices" => world
            .invoices_after(Autotask::ID, 0)
            .into_iter()
            .map(|(of, invoice)| (invoice.key, boxed(move || rows::invoice(of, invoice))))
            .collect(),
        "Countries" => rows::COUNTRIES
            .iter()
            .map(|(id, code)| (*id, boxed(move || json!({ "id": id, "countryCode": code, "isActive": true }))))
            .collect(),
        "Resources" => vec![
            (29682885, boxed(|| json!({ "id": 29682885, "email": OWNER, "isActive": true }))),
            (29682886, boxed(|| json!({ "id": 29682886, "email": "gone@panelmsp.example", "isActive": false }))),
        ],
        _ => return None,
    };
    rows.sort_by_key(|(id, _)| *id);
    Some(rows)
}

fn boxed<'a>(row: impl Fn() -> Value + 'a) -> Box<dyn Fn() -> Value + 'a> {
    Box::new(row)
}

/// One record as it is now.
pub(super) fn one(world: &World, state: &State, entity: &str, id: u64) -> Option<Value> {
    let rows = all(world, state, entity)?;
    rows.iter().find(|(key, _)| *key == id).map(|(_, row)| row())
}

pub(super) fn page(world: &World, state: &State, request: &Request, entity: &str, body: &Value) -> Answer {
    let Some(rows) = all(world, state, entity) else { return Err(No(404, format!("no entity {entity}"))) };
    let filter = body["filter"].as_array().filter(|filter| !filter.is_empty());
    let Some(filter) = filter else { return no("The filter property is required and must not be empty.") };
    let most = body["MaxRecords"].as_u64().unwrap_or(MOST);
    if !(1..=MOST).contains(&most) {
        return no("MaxRecords must be between 1 and 500.");
    }
    let wanted: Option<Vec<&str>> =
        body["IncludeFields"].as_array().map(|fields| fields.iter().filter_map(Value::as_str).collect());
    if wanted.as_ref().is_some_and(|fields| !fields.contains(&"id")) {
        return no("IncludeFields must hold id.");
    }
    let after = match request.url.query_pairs().find(|(name, _)| name == "paging") {
        Some((_, place)) => place.parse::<u64>().map_err(|_| No(500, "The paging value is not valid.".to_owned()))?,
        None if request.url.path().ends_with("/next") => return no("The paging value is missing."),
        None => 0,
    };
    let (mut items, mut more) = (Vec::new(), None);
    for (id, row) in rows.into_iter().filter(|(id, _)| *id >= after) {
        let row = row();
        if !holds(filter, &row)? {
            continue;
        }
        if items.len() as u64 == most {
            more = Some(id);
            break;
        }
        items.push(cut(entity, row, wanted.as_deref())?);
    }
    let next = more.map(|id| {
        let mut url = request.url.clone();
        let path = url.path().trim_end_matches("/next").to_owned();
        url.set_path(&format!("{path}/next"));
        url.set_query(Some(&format!("paging={id}")));
        url
    });
    let count = items.len();
    let details = json!({ "count": count, "requestCount": most, "prevPageUrl": null, "nextPageUrl": next });
    Ok(json!({ "items": items, "pageDetails": details }))
}

fn holds(filter: &[Value], row: &Value) -> Result<bool, No> {
    for one in filter {
        let field = one["field"].as_str().unwrap_or_default();
        let (found, value) = (&row[field], &one["value"]);
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_lowercase);
        let fits = match one["op"].as_str() {
            Some("exist") => !found.is_null(),
            Some("eq") => text(found) == text(value),
            Some("noteq") => text(found) != text(value),
            Some("gt") => found.as_i64() > value.as_i64(),
            other => return no(format!("The operator {other:?} is not known.")),
        };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Only the wanted fields; one that the entity does not have is refused.
fn cut(entity: &str, mut row: Value, wanted: Option<&[&str]>) -> Answer {
    let (Some(wanted), Some(fields)) = (wanted, row.as_object_mut()) else { return Ok(row) };
    let own = entity == "Companies" && fields.get("id").and_then(Value::as_u64) == Some(0);
    if let Some(strange) = wanted.iter().find(|name| !own && !fields.contains_key(**name)) {
        return no(format!("Unable to find {strange} in the {entity} entity."));
    }
    fields.retain(|name, _| wanted.contains(&name.as_str()));
    Ok(row)
}

/// The company of an id in a path.
pub(super) fn company(world: &World, id: &str) -> Result<u64, No> {
    rows::business(world, number(id)).map(|of| of.key).ok_or_else(|| No(404, "no such company".to_owned()))
}
