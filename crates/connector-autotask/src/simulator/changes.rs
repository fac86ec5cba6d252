//! Writing: what is written is true in the world afterwards. Answers say no more than an id.

use integration::Vendor;
use serde_json::{Map, Value, json};
use vendorkit::{World, world::Business};

use super::{
    Answer, No, State,
    desk::{change_ticket, new_file, new_note, new_ticket},
    no,
    people::{change_contact, new_contact, person},
    query, rows,
};
use crate::Autotask;

pub(super) fn number(text: &str) -> u64 {
    text.parse().unwrap_or(u64::MAX)
}

pub(super) fn post(world: &mut World, state: &mut State, path: &[&str], body: &Value) -> Answer {
    let fields = fields(body)?;
    let id = match path {
        ["Companies"] => new_company(world, state, fields)?,
        ["Companies", company, "Contacts"] => {
            let of = query::company(world, company)?;
            new_contact(world, state, of, fields)?
        }
        ["Tickets"] => new_ticket(world, state, fields)?,
        ["Tickets", ticket, "Attachments"] => new_file(world, state, number(ticket), fields)?,
        ["Tickets", ticket, "Notes"] => new_note(world, state, number(ticket), fields)?,
        _ => return Err(No(405, "The requested resource does not support this method".to_owned())),
    };
    Ok(json!({ "itemId": id }))
}

pub(super) fn patch(world: &mut World, state: &mut State, path: &[&str], body: &Value) -> Answer {
    let mut fields = fields(body)?.clone();
    let Some(id) = fields.remove("id").and_then(|id| id.as_u64()) else { return no("id is required") };
    match path {
        ["Companies"] => {
            let key = query::company(world, &id.to_string()).or_else(|_| no("The company does not exist"))?;
            change_company(world, state, key, &fields)?;
        }
        ["Companies", company, "Contacts"] => {
            let of = query::company(world, company)?;
            let person = person(world, of, id)?;
            change_contact(world, state, of, id, person, &fields)?;
        }
        ["Tickets"] => {
            if query::one(world, state, "Tickets", id).is_none() {
                return no("The ticket does not exist");
            }
            change_ticket(world, state, id, &fields)?;
        }
        _ => return Err(No(405, "The requested resource does not support this method".to_owned())),
    }
    Ok(json!({ "itemId": id }))
}

pub(super) fn delete(world: &mut World, state: &mut State, path: &[&str]) -> Answer {
    let ["Companies", company, "Contacts", id] = path else {
        return Err(No(405, "The requested resource does not support this method".to_owned()));
    };
    let of = query::company(world, company)?;
    let person = person(world, of, number(id))?;
    state.reached.remove(&number(id));
    world.remove_person(person);
    Ok(json!({ "itemId": number(id) }))
}

fn fields(body: &Value) -> Result<&Map<String, Value>, No> {
    body.as_object().ok_or_else(|| No(500, "The body must be an object.".to_owned()))
}

pub(super) fn required(fields: &Map<String, Value>, names: &[&str]) -> Result<(), No> {
    match names.iter().find(|name| fields.get(**name).is_none_or(|value| value.is_null() || value == "")) {
        Some(name) => no(format!("Required field {name} missing on the request.")),
        None => Ok(()),
    }
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn new_company(world: &mut World, state: &mut State, fields: &Map<String, Value>) -> Result<u64, No> {
    required(fields, &["companyName", "companyType", "ownerResourceID", "phone"])?;
    let name = text(&fields["companyName"]);
    if name.chars().count() > 100 || fields["companyType"] != 1 || fields["ownerResourceID"] != 29682885 {
        return no("The name is too long, or the type or the owner is not valid.");
    }
    let key = world.add_business(&name, &[Autotask::ID]);
    let mut rest = fields.clone();
    rest.retain(|name, _| !matches!(name.as_str(), "companyType" | "ownerResourceID"));
    change_company(world, state, key, &rest)?;
    Ok(rows::company_id(key))
}

fn change_company(world: &mut World, state: &mut State, key: u64, fields: &Map<String, Value>) -> Result<(), No> {
    for (name, value) in fields {
        let said = text(value);
        let set = |world: &mut World, change: fn(&mut Business, String)| {
            world.change_business(key, |of| change(of, said.clone()));
        };
        match name.as_str() {
            "companyName" => {
                world.rename_business(key, &said);
                state.names.insert(key, (said.clone(), said));
            }
            "phone" => set(world, |of, said| of.phone = said),
            "address1" => set(world, |of, said| of.change_street_line(true, &said)),
            "address2" => set(world, |of, said| of.change_street_line(false, &said)),
            "city" => set(world, |of, said| of.city = said),
            "state" => set(world, |of, said| of.region = said),
            "postalCode" => set(world, |of, said| of.post_code = said),
            "webAddress" => set(world, |of, said| {
                let host = said.split("://").last().unwrap_or_default().trim_start_matches("www.");
                of.domain = host.split('/').next().unwrap_or_default().to_owned();
            }),
            "countryID" => {
                let known = rows::COUNTRIES.iter().find(|(id, _)| value.as_u64() == Some(*id));
                let Some((_, code)) = known else { return no("countryID is not valid.") };
                world.change_business(key, |of| of.country = (*code).to_owned());
            }
            "isActive" => match value.as_bool() {
                Some(true) => drop(state.inactive.remove(&key)),
                Some(false) => drop(state.inactive.insert(key)),
                None => return no("isActive must be true or false."),
            },
            other => return no(format!("Unable to find {other} in the Company entity.")),
        }
    }
    Ok(())
}
