//! Writing to contacts.

use integration::Vendor;
use serde_json::Value;
use uuid::Uuid;
use vendorkit::World;

use super::{
    Reply, State,
    changes::text,
    rows::{self, COMMUNICATIONS},
};
use crate::ConnectwiseManage;

/// The business and the directory id of a contact.
pub(super) fn person(world: &World, key: u64) -> Option<(u64, Uuid)> {
    world.known_to(ConnectwiseManage::ID).find_map(|of| of.person(key).map(|person| (of.key, person.id)))
}

pub(super) fn new_contact(world: &mut World, state: &mut State, body: &Value) -> Result<u64, Reply> {
    if text(&body["firstName"]).is_empty() {
        return Err(Reply::invalid("contact", "firstName", "MissingRequired", "is required"));
    }
    let of = body["company"]["id"].as_u64().and_then(|id| rows::business(world, id)).map(|of| of.key);
    let made = of.and_then(|of| world.add_person(of));
    let Some(id) = made else { return Err(Reply::invalid("contact", "company", "NotFound", "no such company")) };
    world.change_person(id, |person| {
        (person.given, person.family, person.title, person.enabled) =
            (String::new(), String::new(), String::new(), true);
    });
    let key = world.person(id).map(|(_, person)| person.key).unwrap_or_default();
    let known = ["firstName", "lastName", "title", "inactiveFlag", "site"];
    let changes: Vec<(&str, &Value)> = known.into_iter().map(|field| (field, &body[field])).collect();
    let named: Vec<(&str, &Value)> = changes.into_iter().filter(|(_, value)| !value.is_null()).collect();
    change_contact(world, state, key, &named)?;
    for item in body["communicationItems"].as_array().into_iter().flatten() {
        reach(world, state, key, item)?;
    }
    Ok(key)
}

pub(super) fn change_contact(
    world: &mut World,
    state: &mut State,
    key: u64,
    changes: &[(&str, &Value)],
) -> Result<(), Reply> {
    let Some((home, id)) = person(world, key) else { return Err(Reply::unknown("Contact")) };
    for &(path, value) in changes {
        let said = text(value);
        let known = match path {
            "firstName" => world.change_person(id, |person| person.given = said),
            "lastName" => world.change_person(id, |person| person.family = said),
            "title" => world.change_person(id, |person| person.title = said),
            "inactiveFlag" => world.change_person(id, |person| person.enabled = value == false),
            "site" => {
                let site = value["id"].as_u64();
                let there = world.business(home).is_some_and(|of| of.locations.iter().any(|at| Some(at.key) == site));
                state.reached.entry(key).or_default().site = site;
                there
            }
            _ => false,
        };
        if !known {
            return Err(Reply::invalid("contact", path, "InvalidField", "no such field or value"));
        }
    }
    Ok(())
}

/// Sets how a contact is reached, by an item of communication.
pub(super) fn reach(world: &mut World, state: &mut State, key: u64, item: &Value) -> Result<(), Reply> {
    let Some((_, id)) = person(world, key) else { return Err(Reply::unknown("Contact")) };
    let value = text(&item["value"]);
    let kind = COMMUNICATIONS.iter().find(|(kind, ..)| item["type"]["id"].as_u64() == Some(*kind));
    if value.is_empty() {
        return Err(Reply::invalid("communication", "value", "MissingRequired", "is required"));
    }
    match kind {
        Some((1, ..)) => {
            world.change_person(id, |person| person.email = value);
        }
        Some((2, ..)) => state.reached.entry(key).or_default().phone = Some(value),
        Some((4, ..)) => state.reached.entry(key).or_default().mobile = Some(value),
        _ => return Err(Reply::invalid("communication", "type", "NotFound", "no such type")),
    }
    Ok(())
}
