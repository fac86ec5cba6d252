//! What can be changed of customers and contacts.

use integration::{Body, Method, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::World;

use super::{Answer, No, State, lists, records, refused, tickets, unknown};
use crate::Syncro;

pub(super) type Fields = Map<String, Value>;

pub(super) fn write(state: &mut State, world: &mut World, method: Method, path: &[&str], body: &Body) -> Answer {
    let none = Map::new();
    let fields = match body {
        Body::Json(Value::Object(fields)) => fields,
        Body::Empty if method == Method::Delete => &none,
        _ => return Err(No(400, json!({ "error": "the body is not a JSON object" }))),
    };
    match (method, path) {
        (Method::Post, ["customers"]) => {
            let name = text(fields, "business_name").filter(|name| !name.is_empty());
            let name = name.ok_or_else(|| refused("Business name or first name is required"))?;
            let key = world.add_business(&name, &[Syncro::ID]);
            customer(state, world, key, fields)
        }
        (Method::Put, ["customers", id]) => {
            let key = lists::home(world, lists::key(id)?)?.key;
            customer(state, world, key, fields)
        }
        (Method::Post, ["contacts"]) => {
            let customer = number(fields, "customer_id")?.ok_or_else(|| bad_contact("Customer can't be blank"))?;
            let key = lists::home(world, customer)?.key;
            mail_is_one(fields)?;
            let id = world.add_person(key).ok_or_else(unknown)?;
            world.change_person(id, |person| {
                (person.given, person.family, person.email) = Default::default();
                (person.enabled, person.guest, person.admin) = (true, false, false);
            });
            let key = world.person(id).ok_or_else(unknown)?.1.key;
            contact(state, world, key, fields)
        }
        (Method::Put, ["contacts", id]) => {
            text(fields, "name").filter(|name| !name.is_empty()).ok_or_else(|| bad_contact("Name can't be blank"))?;
            mail_is_one(fields)?;
            contact(state, world, lists::key(id)?, fields)
        }
        (Method::Delete, ["contacts", id]) => {
            let id = records::find_person(world, lists::key(id)?).ok_or_else(unknown)?.1.id;
            world.remove_person(id);
            Ok(json!({ "message": "We deleted the contact" }))
        }
        (Method::Post, ["tickets"]) => tickets::make(state, world, fields),
        (Method::Put, ["tickets", id]) => tickets::change(state, world, lists::key(id)?, fields),
        (Method::Post, ["tickets", id, "comment"]) => tickets::comment(state, world, lists::key(id)?, fields),
        _ => Err(unknown()),
    }
}

fn customer(state: &mut State, world: &mut World, key: u64, fields: &Fields) -> Answer {
    if let Some(name) = text(fields, "business_name") {
        world.rename_business(key, &name);
        state.typed.insert(key, name);
    }
    world.change_business(key, |business| {
        let set = |field: &mut String, key| *field = text(fields, key).unwrap_or_else(|| field.clone());
        set(&mut business.phone, "phone");
        set(&mut business.street, "address");
        set(&mut business.city, "city");
        set(&mut business.region, "state");
        set(&mut business.post_code, "zip");
    });
    Ok(json!({ "customer": records::customer(state, world.business(key).ok_or_else(unknown)?) }))
}

fn contact(state: &mut State, world: &mut World, key: u64, fields: &Fields) -> Answer {
    let id = records::find_person(world, key).ok_or_else(unknown)?.1.id;
    world.change_person(id, |person| {
        if let Some(name) = text(fields, "name") {
            let (given, family) = name.split_once(' ').unwrap_or((name.as_str(), ""));
            (person.given, person.family) = (given.to_owned(), family.to_owned());
        }
        person.email = text(fields, "email").unwrap_or_else(|| person.email.clone());
    });
    let kept = state.written.entry(("contact", key)).or_default();
    for field in ["phone", "mobile", "title"] {
        if let Some(value) = fields.get(field) {
            kept.insert(field.to_owned(), value.clone());
        }
    }
    let (business, person) = records::find_person(world, key).ok_or_else(unknown)?;
    Ok(records::contact(business, person, state.written.get(&("contact", key))))
}

fn mail_is_one(fields: &Fields) -> Result<(), No> {
    match text(fields, "email") {
        Some(mail) if !mail.contains('@') => Err(bad_contact("Email is not an email")),
        _ => Ok(()),
    }
}

/// Contacts are refused in a form of their own.
fn bad_contact(words: &str) -> No {
    No(422, json!({ "record": { "id": null }, "errors": words }))
}

pub(super) fn text(fields: &Fields, key: &str) -> Option<String> {
    fields.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// A number, as a number: the vendor's description allows nothing else.
pub(super) fn number(fields: &Fields, key: &str) -> Result<Option<u64>, No> {
    match fields.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| refused("a number is expected")),
    }
}
