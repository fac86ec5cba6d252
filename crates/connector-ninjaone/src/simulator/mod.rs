//! NinjaOne, simulated: its wire format over the shared world. Ids are the world's keys.
//!
//! * `oauth.rs`: client apps, tokens with scopes and an end, and what is said without one.
//! * `answers.rs`: queries, bodies, refusals. `filter.rs`: the device filter `df`.
//! * `organizations.rs` (with locations and installers), `devices.rs`, `alerts.rs`, `end_users.rs`, `documents.rs`:
//!   listings and rows, and how they are changed; `device_row.rs`: the shape of a device's row.
//! * `custom_fields.rs`: fields of locations, which the world does not know. `shelves.rs`: templates, roles, tabs.

mod alerts;
mod answers;
mod custom_fields;
mod device_row;
mod devices;
mod documents;
mod end_users;
mod filter;
mod oauth;
mod organizations;
mod shelves;
#[cfg(test)]
mod strictness;
#[cfg(test)]
mod tests;

use std::sync::{
    PoisonError, RwLockReadGuard,
    atomic::{AtomicU64, Ordering},
};

use integration::{Method, RecordKind, Request, Response, Vendor};
use serde_json::{Map, Value};
use vendorkit::{SharedWorld, World};

use self::{
    answers::{Query, Refusal, incident, no_such_path},
    custom_fields::Places,
    end_users::Phones,
    oauth::Apps,
};
use crate::NinjaOne;

/// NinjaOne over the shared world.
#[derive(Default)]
pub struct Simulator {
    apps: Apps,
    phones: Phones,
    places: Places,
    requests: AtomicU64,
}

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        NinjaOne::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let (status, body) = match self.route(world, request) {
            // What has nothing to say says so.
            Ok(body) if body.is_empty() => (204, body),
            Ok(body) => (200, body),
            Err(refusal) => (refusal.status, refusal.body(number)),
        };
        Response {
            status,
            headers: vec![
                ("content-type".to_owned(), "application/json".to_owned()),
                ("x-nj-request-id".to_owned(), incident(number)),
            ],
            body: body.into(),
            received_at: look(world).now,
        }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, oauth::READER.id, oauth::READER.secret)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, oauth::READER.id, "sim-ninjaone-not-the-secret")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, oauth::POWERLESS.id, oauth::POWERLESS.secret)
    }

    fn expire_tokens(&self) {
        self.apps.expire_tokens();
    }

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        match kind {
            RecordKind::Alert => Some(world.known_to(NinjaOne::ID).map(alerts::count).sum()),
            RecordKind::Document => Some(documents::listed(world).count()),
            kind => world.expected(NinjaOne::ID, kind),
        }
    }

    fn unpaged(&self, kind: RecordKind) -> bool {
        matches!(kind, RecordKind::Contact | RecordKind::Alert | RecordKind::Document)
    }
}

impl Simulator {
    fn route(&self, world: &SharedWorld, request: &Request) -> Result<Vec<u8>, Refusal> {
        let now = look(world).now;
        let path = request.url.path();
        if path.ends_with("/oauth/token") {
            return self.apps.grant(now, request);
        }
        // The base may hold a path of its own, in front of the version.
        let (_, path) = path.rsplit_once("/v2/").ok_or_else(no_such_path)?;
        let parts: Vec<&str> = path.split('/').collect();
        let reads = request.method == Method::Get && !parts.contains(&"installer");
        self.apps.admit(now, request, if reads { "monitoring" } else { "management" })?;
        let query = Query::of(request);
        if request.method == Method::Get {
            self.read(&look(world), &parts, &query)
        } else {
            self.write(&mut world.write().unwrap_or_else(PoisonError::into_inner), &parts, &query, request)
        }
    }

    fn read(&self, world: &World, parts: &[&str], query: &Query) -> Result<Vec<u8>, Refusal> {
        match parts {
            ["organizations"] => organizations::list(world, query, organizations::brief),
            ["organizations-detailed"] => organizations::list(world, query, organizations::detailed),
            ["organization", "documents"] => documents::list(world, query),
            ["organization", id] => organizations::one(world, id),
            ["organization", id, "locations"] => organizations::locations_of(world, id),
            ["organization", id, "location", place, "installer", kind] => {
                organizations::installer(world, id, place, kind)
            }
            ["organization", id, "location", place, "custom-fields"] => self.places.values(world, id, place),
            ["locations"] => organizations::locations(world, query),
            ["devices"] => devices::list(world, query, false),
            ["devices-detailed"] => devices::list(world, query, true),
            ["device", id] => devices::one(world, id),
            ["alerts"] => alerts::list(world, query),
            ["user", "end-users"] => self.phones.list(world),
            ["user", "end-user", id] => self.phones.one(world, id),
            ["device-custom-fields"] => custom_fields::definitions(query),
            ["roles"] => shelves::roles(),
            ["document-templates", id] => shelves::document_template(id),
            ["document-templates"] => shelves::document_templates(query),
            ["checklist", "templates"] => shelves::checklist_templates(query),
            ["tab", "summary", of @ ("organization" | "end-user" | "global")] => shelves::tabs(of),
            ["tab", id] => shelves::tab(id),
            _ => Err(no_such_path()),
        }
    }

    fn write(&self, world: &mut World, parts: &[&str], query: &Query, request: &Request) -> Result<Vec<u8>, Refusal> {
        match (request.method, parts) {
            (Method::Post, ["user", "end-users"]) => self.phones.create(world, query, request),
            (Method::Patch, ["user", "end-user", id]) => self.phones.change(world, id, request),
            (Method::Delete, ["user", "end-user", id]) => self.phones.remove(world, id),
            (Method::Post, ["organization", "document", id, "archive"]) => documents::set_archived(world, id, true),
            (Method::Post, ["organization", "document", id, "restore"]) => documents::set_archived(world, id, false),
            (Method::Patch, ["organization", id, "location", place, "custom-fields"]) => {
                self.places.change(world, id, place, request)
            }
            _ => Err(no_such_path()),
        }
    }
}

fn look(world: &SharedWorld) -> RwLockReadGuard<'_, World> {
    world.read().unwrap_or_else(PoisonError::into_inner)
}

fn form(base: &str, client_id: &str, client_secret: &str) -> Map<String, Value> {
    let fields = [("region", "other"), ("client_id", client_id), ("client_secret", client_secret), ("base_url", base)];
    fields.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
}
