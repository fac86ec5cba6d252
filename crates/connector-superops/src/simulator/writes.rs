//! What can be changed: clients with their sites, and users.

use integration::Vendor;
use serde_json::Value;
use vendorkit::World;

use super::{Problem, State, ids, rows, tickets};
use crate::Superops;

pub(super) fn run(world: &mut World, state: &mut State, name: &str, input: &Value) -> Result<Value, Problem> {
    match name {
        "createClientV2" => create_client(world, state, input),
        "updateClient" => update_client(world, state, input),
        "updateClientSite" => update_site(world, state, input),
        "createClientUser" => create_user(world, state, input),
        "updateClientUser" => {
            let key = ids::named(ids::USER, &input["userId"])?;
            write_user(world, state, key, input)?;
            rows::user(world, state, key)
        }
        "deleteClientUser" => {
            let (_, person) = rows::person(world, ids::named(ids::USER, &input["userId"])?)?;
            let id = person.id;
            world.remove_person(id);
            Ok(input["userId"].clone())
        }
        "createTicket" => tickets::create(world, state, input),
        "updateTicket" => tickets::update(world, state, input),
        _ => tickets::note(world, state, input),
    }
}

pub(super) fn said<'a>(input: &'a Value, name: &str) -> Option<&'a str> {
    input[name].as_str()
}

/// Gives a business its name, which nobody else may have.
fn set_name(world: &mut World, state: &mut State, key: u64, shown: &str) -> Result<(), Problem> {
    if world.known_to(Superops::ID).any(|other| other.key != key && rows::name(state, other) == shown) {
        return Err(Problem("unique_validation_failed", "name"));
    }
    world.rename_business(key, shown);
    state.names.insert(key, (shown.to_owned(), shown.to_owned()));
    Ok(())
}

fn create_client(world: &mut World, state: &mut State, input: &Value) -> Result<Value, Problem> {
    let shown = said(input, "name").unwrap_or_default();
    if shown.trim().is_empty() {
        return Err(Problem("mandatory_validation_failed", "name"));
    }
    if world.known_to(Superops::ID).any(|other| rows::name(state, other) == shown) {
        return Err(Problem("unique_validation_failed", "name"));
    }
    let key = world.add_business(shown, &[Superops::ID]);
    set_name(world, state, key, shown)?;
    set_site(world, key, 0, &input["hqSite"]);
    rows::client(world, state, key)
}

fn update_client(world: &mut World, state: &mut State, input: &Value) -> Result<Value, Problem> {
    let key = ids::named(ids::CLIENT, &input["accountId"])?;
    rows::business(world, key)?;
    if let Some(shown) = said(input, "name") {
        set_name(world, state, key, shown)?;
    }
    rows::client(world, state, key)
}

fn set_site(world: &mut World, key: u64, at: usize, site: &Value) {
    let text = |name: &str| said(site, name).map(str::to_owned);
    world.change_business(key, |business| {
        let place = &mut business.locations[at];
        place.name = text("name").unwrap_or_else(|| place.name.clone());
        place.address = text("line1").unwrap_or_else(|| place.address.clone());
        business.city = text("city").unwrap_or_else(|| business.city.clone());
        business.post_code = text("postalCode").unwrap_or_else(|| business.post_code.clone());
        business.country = text("countryCode").unwrap_or_else(|| business.country.clone());
        business.phone = text("contactNumber").unwrap_or_else(|| business.phone.clone());
    });
}

fn update_site(world: &mut World, state: &State, input: &Value) -> Result<Value, Problem> {
    let key = ids::named(ids::SITE, &input["id"])?;
    let found = world
        .known_to(Superops::ID)
        .find_map(|business| Some((business.key, business.locations.iter().position(|location| location.key == key)?)));
    let (home, at) = found.ok_or(Problem("entity_does_not_exist", ""))?;
    set_site(world, home, at, input);
    let business = rows::business(world, home)?;
    Ok(rows::site(state, business, &business.locations[at]))
}

fn create_user(world: &mut World, state: &mut State, input: &Value) -> Result<Value, Problem> {
    ids::named(ids::ROLE, &input["role"]["roleId"])?;
    let association = &input["addAssociations"][0];
    let home = ids::named(ids::CLIENT, &association["client"]["accountId"])?;
    let business = rows::business(world, home)?;
    let site = ids::named(ids::SITE, &association["site"]["id"])?;
    if !business.locations.iter().any(|location| location.key == site) {
        return Err(Problem("referred_value_does_not_exist", "site"));
    }
    let email = said(input, "email").unwrap_or_default();
    if world.known_to(Superops::ID).any(|known| known.people.iter().any(|person| person.email == email)) {
        return Err(Problem("unique_validation_failed", "email"));
    }
    let id = world.add_person(home).ok_or(Problem("entity_does_not_exist", ""))?;
    let key = world.person(id).map_or(0, |(_, person)| person.key);
    world.change_person(id, |person| person.family.clear());
    state.sites.insert(key, site);
    write_user(world, state, key, input)?;
    rows::user(world, state, key)
}

fn write_user(world: &mut World, state: &mut State, key: u64, input: &Value) -> Result<(), Problem> {
    let id = rows::person(world, key)?.1.id;
    world.change_person(id, |person| {
        for (name, field) in
            [("firstName", &mut person.given), ("lastName", &mut person.family), ("email", &mut person.email)]
        {
            if let Some(text) = said(input, name) {
                text.clone_into(field);
            }
        }
    });
    if let Some(phone) = said(input, "contactNumber") {
        state.phones.insert(key, phone.to_owned());
    }
    if !input["site"].is_null() {
        state.sites.insert(key, ids::named(ids::SITE, &input["site"]["id"])?);
    }
    Ok(())
}
