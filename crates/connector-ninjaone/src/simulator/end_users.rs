//! End users: the people of a business. The world knows no telephone of theirs: those are kept here.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use integration::{Request, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{
    World,
    world::{Business, MfaState, Person},
};

use super::answers::{Query, Refusal, json as to_json, object};
use crate::NinjaOne;

/// Telephones of end users that were made over the API, by key.
#[derive(Default)]
pub(super) struct Phones(Mutex<HashMap<u64, String>>);

impl Phones {
    fn kept(&self) -> MutexGuard<'_, HashMap<u64, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn list(&self, world: &World) -> Result<Vec<u8>, Refusal> {
        let all = world.known_to(NinjaOne::ID).flat_map(|b| b.people.iter().map(move |person| (b, person)));
        to_json(&all.map(|(business, person)| self.row(business, person)).collect::<Vec<_>>())
    }

    pub(super) fn one(&self, world: &World, id: &str) -> Result<Vec<u8>, Refusal> {
        let (business, person) = find(world, id)?;
        to_json(&self.row(business, person))
    }

    pub(super) fn create(&self, world: &mut World, query: &Query, request: &Request) -> Result<Vec<u8>, Refusal> {
        if !matches!(query.text("sendInvitation"), None | Some("true" | "false")) {
            return Err(Refusal::api(400, "sendInvitation must be true or false"));
        }
        let body = object(request)?;
        let (given, family) = (named(body, "firstName")?, named(body, "lastName")?);
        let (given, family) = given.zip(family).ok_or_else(|| Refusal::api(400, "First and last name are required"))?;
        let home = body.get("organizationId").and_then(Value::as_u64).and_then(|key| world.business(key));
        let home = home.filter(|business| business.vendors.contains(NinjaOne::ID));
        let home = home.ok_or_else(|| Refusal::api(400, "Organization not found"))?.key;
        let email = text(body, "email")?.filter(|email| email.contains('@'));
        let email = email.ok_or_else(|| Refusal::api(400, "Email is not valid"))?;
        if world.known_to(NinjaOne::ID).flat_map(|business| &business.people).any(|one| one.email == email) {
            return Err(Refusal::api(400, "A user with this email exists"));
        }
        let phone = text(body, "phone")?;
        let id = world.add_person(home).ok_or_else(|| Refusal::api(400, "Organization not found"))?;
        world.change_person(id, |person| {
            (person.given, person.family, person.email) = (given, family, email);
            (person.enabled, person.guest, person.admin) = (true, false, false);
        });
        let made = world.person(id).ok_or_else(|| Refusal::api(500, "The user is gone"))?;
        // An empty one is kept too: there is none then.
        self.kept().insert(made.1.key, phone.unwrap_or_default());
        to_json(&self.row(made.0, made.1))
    }

    pub(super) fn change(&self, world: &mut World, id: &str, request: &Request) -> Result<Vec<u8>, Refusal> {
        let body = object(request)?;
        // Keys it does not know are ignored; an e-mail address is one of them.
        let (given, family) = (named(body, "firstName")?, named(body, "lastName")?);
        if body.contains_key("organizationId") {
            return Err(Refusal::api(400, "organizationId is not simulated"));
        }
        let person = find(world, id)?.1.id;
        world.change_person(person, |person| {
            person.given = given.unwrap_or_else(|| person.given.clone());
            person.family = family.unwrap_or_else(|| person.family.clone());
        });
        self.one(world, id)
    }

    pub(super) fn remove(&self, world: &mut World, id: &str) -> Result<Vec<u8>, Refusal> {
        let person = find(world, id)?.1.id;
        world.remove_person(person);
        Ok(Vec::new())
    }

    fn row(&self, business: &Business, person: &Person) -> Value {
        let kept = self.kept().get(&person.key).cloned();
        let phone = kept.unwrap_or_else(|| format!("+44 20 7946 {:04}", person.key % 1000));
        let devices = business.devices.iter().filter(|device| device.person == Some(person.key));
        json!({
            "id": person.key,
            "uid": person.id.to_string(),
            "enabled": person.enabled,
            "firstName": person.given,
            "lastName": person.family,
            "email": person.email,
            "phone": Some(phone).filter(|phone| !phone.is_empty()),
            "organizationId": business.key,
            "fullPortalAccess": false,
            "mustChangePw": false,
            "mfaConfigured": person.mfa == MfaState::Registered,
            "scimUser": false,
            "authType": "NATIVE",
            "invitationStatus": if person.enabled { "REGISTERED" } else { "PENDING" },
            "assignedDeviceIds": devices.map(|device| device.key).collect::<Vec<_>>(),
            "accessibleDeviceIds": [],
        })
    }
}

fn find<'a>(world: &'a World, id: &str) -> Result<(&'a Business, &'a Person), Refusal> {
    let key: Option<u64> = id.parse().ok();
    let found = key.and_then(|key| world.known_to(NinjaOne::ID).find_map(|b| Some((b, b.person(key)?))));
    found.ok_or_else(|| Refusal::api(404, "User not found"))
}

fn text(body: &Map<String, Value>, key: &str) -> Result<Option<String>, Refusal> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::api(400, format!("{key} must be a text"))),
    }
}

/// A name of 1 to 150 characters.
fn named(body: &Map<String, Value>, key: &str) -> Result<Option<String>, Refusal> {
    let name = text(body, key)?;
    match name.as_ref().is_none_or(|name| (1..=150).contains(&name.chars().count())) {
        true => Ok(name),
        false => Err(Refusal::api(400, format!("{key} should be between 1 and 150 characters"))),
    }
}
