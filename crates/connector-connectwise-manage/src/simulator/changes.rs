//! Writing: what is written is true in the world afterwards.

use integration::Vendor;
use serde_json::{Value, json};
use vendorkit::{World, world::Business};

use super::{
    Reply, State,
    desk::{change_ticket, new_note, new_ticket},
    listing,
    people::{change_contact, new_contact, person, reach},
    rows::{self, COUNTRIES},
};
use crate::ConnectwiseManage;

pub(super) fn post(world: &mut World, state: &mut State, path: &[&str], body: &Value) -> Reply {
    let made = match path {
        ["company", "companies"] => new_company(world, state, body),
        ["company", "contacts"] => new_contact(world, state, body),
        ["company", "contacts", id, "communications"] => reach(world, state, number(id), body).map(|()| number(id)),
        ["service", "tickets"] => new_ticket(world, state, body),
        ["service", "tickets", id, "notes"] => return new_note(world, state, number(id), body),
        _ => return Reply::unknown("Resource"),
    };
    match made {
        Ok(id) if path.len() == 4 => Reply::new(201, json!({ "id": id * 10 + 3, "value": body["value"] })),
        Ok(id) => Reply::new(201, listing::one(world, state, path, id).unwrap_or_default()),
        Err(refusal) => refusal,
    }
}

pub(super) fn patch(world: &mut World, state: &mut State, path: &[&str], body: &Value) -> Reply {
    let Some(changes) = body.as_array().filter(|changes| !changes.is_empty()) else {
        return Reply::no(400, "InvalidRequest", "a patch is an array of operations");
    };
    let mut read = Vec::new();
    for change in changes {
        match (change["op"].as_str(), change["path"].as_str()) {
            (Some("replace" | "add"), Some(path)) => read.push((path, &change["value"])),
            _ => return Reply::no(400, "InvalidRequest", "an operation has op, path and value"),
        }
    }
    let (Some(id), shelf) = (path.get(2).map(|id| number(id)), &path[..path.len().min(2)]) else {
        return Reply::unknown("Resource");
    };
    if listing::one(world, state, shelf, id).is_none() {
        return Reply::unknown("Record");
    }
    let done = match path {
        ["company", "companies", _] => change_company(world, state, id, &read),
        ["company", "contacts", _] => change_contact(world, state, id, &read),
        ["company", "contacts", _, "communications", item] => {
            let kind = match number(item) % 10 {
                1 => 1,
                2 => 2,
                _ => 4,
            };
            let item = json!({ "type": { "id": kind }, "value": read[0].1 });
            return match reach(world, state, id, &item) {
                Ok(()) => Reply::new(200, json!({ "id": number(path[4]), "value": read[0].1 })),
                Err(refusal) => refusal,
            };
        }
        ["service", "tickets", _] => change_ticket(world, state, id, &read),
        _ => return Reply::unknown("Resource"),
    };
    match done {
        Ok(()) => Reply::new(200, listing::one(world, state, shelf, id).unwrap_or_default()),
        Err(refusal) => refusal,
    }
}

pub(super) fn delete(world: &mut World, state: &mut State, path: &[&str]) -> Reply {
    let ["company", "contacts", id] = path else { return Reply::no(405, "MethodNotAllowed", "not to be deleted") };
    let Some(found) = person(world, number(id)).map(|(_, person)| person) else { return Reply::unknown("Contact") };
    state.reached.remove(&number(id));
    world.remove_person(found);
    Reply::new(204, Value::Null)
}

pub(super) fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn new_company(world: &mut World, state: &mut State, body: &Value) -> Result<u64, Reply> {
    let (code, name) = (text(&body["identifier"]), text(&body["name"]));
    for (field, value, longest) in [("identifier", &code, 25), ("name", &name, 50)] {
        if value.is_empty() || value.chars().count() > longest {
            let message = format!("{field} must have 1 to {longest} characters");
            return Err(Reply::invalid("company", field, "InvalidField", &message));
        }
    }
    if !code.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Err(Reply::invalid("company", "identifier", "InvalidField", "letters and digits only"));
    }
    if world.known_to(ConnectwiseManage::ID).any(|of| rows::code(state, of).eq_ignore_ascii_case(&code)) {
        return Err(Reply::invalid("company", "identifier", "ObjectExists", "The identifier is already in use"));
    }
    for needed in ["status", "types", "site"] {
        if body[needed].is_null() {
            return Err(Reply::invalid("company", needed, "MissingRequired", "is required"));
        }
    }
    let key = world.add_business(&name, &[ConnectwiseManage::ID]);
    state.codes.insert(key, code);
    let site = text(&body["site"]["name"]);
    world.change_business(key, |of| of.locations[0].name = site);
    let known =
        ["name", "status", "addressLine1", "addressLine2", "city", "state", "zip", "country", "phoneNumber", "website"];
    let changes: Vec<(&str, &Value)> = known.into_iter().map(|field| (field, &body[field])).collect();
    let named: Vec<(&str, &Value)> = changes.into_iter().filter(|(_, value)| !value.is_null()).collect();
    change_company(world, state, rows::company_id(key), &named)?;
    Ok(rows::company_id(key))
}

fn change_company(world: &mut World, state: &mut State, id: u64, changes: &[(&str, &Value)]) -> Result<(), Reply> {
    let Some(key) = rows::business(world, id).map(|of| of.key) else { return Err(Reply::unknown("Company")) };
    for &(path, value) in changes {
        let said = text(value);
        let set = |world: &mut World, change: fn(&mut Business, String)| {
            world.change_business(key, |of| change(of, said.clone()));
        };
        match path {
            "name" => {
                world.rename_business(key, &said);
                state.names.insert(key, (said.clone(), said.clone()));
            }
            "phoneNumber" => set(world, |of, said| of.phone = said),
            "addressLine1" => set(world, |of, said| of.change_street_line(true, &said)),
            "addressLine2" => set(world, |of, said| of.change_street_line(false, &said)),
            "city" => set(world, |of, said| of.city = said),
            "state" => set(world, |of, said| of.region = said),
            "zip" => set(world, |of, said| of.post_code = said),
            "website" => set(world, |of, said| {
                let host = said.split("://").last().unwrap_or_default().trim_start_matches("www.");
                of.domain = host.split('/').next().unwrap_or_default().to_owned();
            }),
            "country" => {
                let known = COUNTRIES.iter().find(|(id, ..)| value["id"].as_u64() == Some(*id));
                let (_, code, _) =
                    known.ok_or_else(|| Reply::invalid("company", path, "NotFound", "no such country"))?;
                world.change_business(key, |of| of.country = (*code).to_owned());
            }
            "status" => match value["id"].as_u64() {
                Some(1) => drop(state.inactive.remove(&key)),
                Some(2) => drop(state.inactive.insert(key)),
                _ => return Err(Reply::invalid("company", path, "NotFound", "no such status")),
            },
            other => return Err(Reply::invalid("company", other, "InvalidField", "no such field")),
        }
    }
    Ok(())
}
