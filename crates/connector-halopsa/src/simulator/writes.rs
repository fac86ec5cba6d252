//! What can be changed: an array of records, made without an id and changed with one.

use integration::{Body, Vendor};
use serde_json::{Map, Value};
use vendorkit::World;

use super::{Answer, No, State, records, refused, tickets, unknown};
use crate::Halopsa;

pub(super) type Record = Map<String, Value>;

pub(super) fn write(state: &mut State, world: &mut World, resource: &str, body: &Body) -> Answer {
    let Body::Json(Value::Array(all)) = body else { return Err(refused("Value cannot be null.")) };
    let mut last = Err(refused("Value cannot be null."));
    for record in all {
        let record = record.as_object().ok_or_else(|| refused("Value cannot be null."))?;
        last = Ok(match resource {
            "client" => client(state, world, record),
            "site" => site(state, world, record),
            "users" => user(state, world, record),
            "tickets" => tickets::ticket(state, world, record),
            "actions" => tickets::action(state, world, record),
            _ => Err(unknown()),
        }?);
    }
    last
}

fn client(state: &mut State, world: &mut World, record: &Record) -> Answer {
    let name = text(record, "name").filter(|name| !name.is_empty());
    let key = match number(record, "id")? {
        Some(id) => home(world, id)?,
        None => {
            let name = name.as_deref().ok_or_else(|| refused("A client needs a name."))?;
            let key = world.add_business(name, &[Halopsa::ID]);
            state.written.entry(("client", key)).or_default().insert("inactive".to_owned(), false.into());
            key
        }
    };
    if let Some(name) = name {
        world.rename_business(key, &name);
        state.typed.insert(key, name);
    }
    world.change_business(key, |business| {
        if let Some(phone) = text(record, "newclient_phonenumber") {
            business.phone = phone;
        }
        take_address(business, record.get("newclient_delivery_address"));
    });
    keep(state, "client", key, record, &["website", "inactive"]);
    show_client(state, world, key)
}

fn show_client(state: &State, world: &World, key: u64) -> Answer {
    Ok(records::client(state, world.business(key).ok_or_else(unknown)?, true))
}

/// The key of a client by its number.
pub(super) fn home(world: &World, id: u64) -> Result<u64, No> {
    let found = world.known_to(Halopsa::ID).find(|business| records::client_id(business) == id);
    Ok(found.ok_or_else(unknown)?.key)
}

fn take_address(business: &mut vendorkit::world::Business, address: Option<&Value>) {
    let Some(address) = address.and_then(Value::as_object) else { return };
    let line = |key| text(address, key).unwrap_or_default();
    let region = [line("line3"), line("line4")].join("\n").trim_end().to_owned();
    (business.street, business.city, business.region) = (line("line1"), line("line2"), region);
    business.post_code = line("postcode");
    business.locations[0].address = format!("{}, {} {}", business.street, business.city, business.post_code);
}

fn site(state: &mut State, world: &mut World, record: &Record) -> Answer {
    let id = number(record, "id")?.ok_or_else(|| refused("Sites are not made here."))?;
    let at = world.known_to(Halopsa::ID).find(|business| business.locations[0].key == id).map(|business| business.key);
    let key = at.ok_or_else(unknown)?;
    world.change_business(key, |business| {
        if let Some(phone) = text(record, "phonenumber") {
            business.phone = phone;
        }
        take_address(business, record.get("delivery_address"));
    });
    keep(state, "site", id, record, &["country_code"]);
    let business = world.business(key).ok_or_else(unknown)?;
    Ok(records::site(state, business, &business.locations[0], true, true))
}

fn user(state: &mut State, world: &mut World, record: &Record) -> Answer {
    let id = match number(record, "id")? {
        Some(id) => records::find_user(world, id).ok_or_else(unknown)?.1.id,
        None => {
            let site = number(record, "site_id")?.ok_or_else(|| refused("Please select a Site"))?;
            text(record, "name").filter(|name| !name.is_empty()).ok_or_else(|| refused("Please enter a name"))?;
            let home = world.known_to(Halopsa::ID).find(|b| b.locations.iter().any(|place| place.key == site));
            let home = home.ok_or_else(|| refused("Please select a Site"))?.key;
            world.add_person(home).ok_or_else(unknown)?
        }
    };
    let new = !record.contains_key("id");
    world.change_person(id, |person| {
        if new {
            (person.given, person.family, person.email) = Default::default();
            (person.enabled, person.guest, person.admin) = (true, false, false);
        }
        let set = |field: &mut String, key| *field = text(record, key).unwrap_or_else(|| field.clone());
        set(&mut person.given, "firstname");
        set(&mut person.family, "surname");
        set(&mut person.email, "emailaddress");
        person.enabled = record.get("inactive").and_then(Value::as_bool).map_or(person.enabled, |inactive| !inactive);
    });
    let (_, person) = world.person(id).ok_or_else(unknown)?;
    keep(state, "user", person.key, record, &["phonenumber", "mobilenumber"]);
    let (business, person) = world.person(id).ok_or_else(unknown)?;
    Ok(records::user(business, person, state.written.get(&("user", person.key))))
}

pub(super) fn keep(state: &mut State, kind: &'static str, key: u64, record: &Record, fields: &[&str]) {
    let kept = state.written.entry((kind, key)).or_default();
    for field in fields {
        if let Some(value) = record.get(*field) {
            kept.insert((*field).to_owned(), value.clone());
        }
    }
}

pub(super) fn text(record: &Record, key: &str) -> Option<String> {
    record.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// A number, as a number: the vendor does not take a text for one.
pub(super) fn number(record: &Record, key: &str) -> Result<Option<u64>, No> {
    match record.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| refused("Error converting value to type Int32.")),
    }
}
