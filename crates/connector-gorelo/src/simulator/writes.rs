//! What can be changed of clients and contacts.

use integration::{Method, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::World;

use super::{No, State, account, bodies, ids, no, rows, unknown};
use crate::Gorelo;

pub(super) fn run(
    world: &mut World,
    state: &mut State,
    method: Method,
    path: &[&str],
    body: &Value,
) -> Result<Value, No> {
    match (method, path) {
        (Method::Post, ["clients"]) => new_client(world, state, body),
        (Method::Patch, ["clients", id]) => {
            bodies::check(body, bodies::CLIENT)?;
            let key = ids::number(ids::CLIENT, id.parse().ok())?;
            account::business(world, key)?;
            match body["StatusId"].as_u64() {
                Some(status @ (1 | 2)) => {
                    state.statuses.insert(key, status == 1);
                }
                Some(_) => return Err(no(400, "070203", "Unknown status", "StatusId")),
                None => {}
            }
            if let Some(shown) = said(body, "Name") {
                set_name(world, state, key, shown);
            }
            Ok(rows::client(state, account::business(world, key)?))
        }
        (Method::Post, ["contacts"]) => {
            bodies::check(body, bodies::CONTACT)?;
            let home = ids::number(ids::CLIENT, body["ClientId"].as_u64())?;
            account::business(world, home)?;
            let email = said(body, "PrimaryEmail").unwrap_or_default();
            if world.known_to(Gorelo::ID).any(|known| known.people.iter().any(|person| person.email == email)) {
                return Err(no(409, "090101", "A contact with this e-mail exists", "PrimaryEmail"));
            }
            let id = world.add_person(home).ok_or_else(unknown)?;
            let key = world.person(id).map_or(0, |(_, person)| person.key);
            world.change_person(id, |person| person.enabled = true);
            set_contact(world, state, key, body)
        }
        (Method::Patch, ["contacts", id]) => {
            bodies::check(body, bodies::CONTACT)?;
            if body["ClientId"].is_null() {
                return Err(no(400, "070202", "The field is required", "ClientId"));
            }
            set_contact(world, state, ids::number(ids::CONTACT, id.parse().ok())?, body)
        }
        (Method::Delete, ["contacts", id]) => {
            let (_, person) = account::person(world, ids::number(ids::CONTACT, id.parse().ok())?)?;
            let (key, person) = (person.key, person.id);
            world.remove_person(person);
            Ok(json!({ "Id": ids::CONTACT + key }))
        }
        // What has a path, but not for this.
        (_, ["clients" | "contacts"]) => Err(no(405, "060501", "Method not allowed", "")),
        _ => Err(unknown()),
    }
}

pub(super) fn said<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body[name].as_str()
}

fn set_name(world: &mut World, state: &mut State, key: u64, shown: &str) {
    world.rename_business(key, shown);
    state.names.insert(key, (shown.to_owned(), shown.to_owned()));
}

fn new_client(world: &mut World, state: &mut State, body: &Value) -> Result<Value, No> {
    bodies::check(body, bodies::NEW_CLIENT)?;
    let location = &body["Location"];
    bodies::check(location, bodies::LOCATION)?;
    check_phone(location, "Phone")?;
    let shown = said(body, "Name").unwrap_or_default();
    if shown.chars().count() > 150 {
        return Err(no(400, "070204", "The name is too long", "Name"));
    }
    let key = world.add_business(shown, &[Gorelo::ID]);
    set_name(world, state, key, shown);
    state.statuses.insert(key, true);
    let text = |name: &str| said(location, name).map(str::to_owned);
    world.change_business(key, |business| {
        let place = &mut business.locations[0];
        place.name = text("Name").unwrap_or_default();
        place.address = text("Address1").unwrap_or_default();
        business.city = text("City").unwrap_or_default();
        business.phone = text("Phone").unwrap_or_default();
        if let Some(domain) = said(body, "Domain") {
            domain.clone_into(&mut business.domain);
        }
    });
    Ok(rows::client(state, account::business(world, key)?))
}

/// A number needs a region of two letters beside it.
fn check_phone(body: &Value, field: &str) -> Result<(), No> {
    let country = said(body, &format!("{field}CountryCode")).unwrap_or_default();
    let valid = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    if said(body, field).is_some() && !valid {
        return Err(no(400, "070205", "Missing or invalid default region", field));
    }
    Ok(())
}

/// The body is the whole contact: what it does not name is emptied.
fn set_contact(world: &mut World, state: &mut State, key: u64, body: &Value) -> Result<Value, No> {
    check_phone(body, "OfficePhone")?;
    check_phone(body, "MobilePhone")?;
    let (business, person) = account::person(world, key)?;
    let (home, id) = (business.key, person.id);
    let text = |name: &str| said(body, name).unwrap_or_default().to_owned();
    world.change_person(id, |person| {
        person.given = text("FirstName");
        person.family = text("LastName");
        person.email = text("PrimaryEmail");
        person.title = text("JobTitle");
        person.department = text("Department");
    });
    let names =
        ["OfficePhone", "OfficePhoneCountryCode", "MobilePhone", "MobilePhoneCountryCode", "Description", "TimeZone"];
    let mut kept: Map<String, Value> = names.map(|name| (name.to_owned(), json!(text(name)))).into_iter().collect();
    kept.insert("LocationId".to_owned(), body["LocationId"].clone());
    state.contacts.insert(key, kept);
    let business = account::business(world, home)?;
    business.person(key).map(|person| rows::contact(state, business, person)).ok_or_else(unknown)
}
