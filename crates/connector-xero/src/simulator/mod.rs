//! Xero, simulated: its wire format over the shared world, its sign-in page, and its custom connections.
//!
//! `login.rs` is the authorization server, `tokens.rs` what it gives out; `records.rs` answers listings, `bodies.rs`
//! writes what they hold; `answers.rs` is what all of them answer with.

mod answers;
mod bodies;
mod login;
mod records;
mod tokens;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use integration::{Field, Grant, RecordKind, Request, Response, Secret, Vendor};
use serde_json::{Map, Value};
use vendorkit::{SharedWorld, World};

use self::{
    answers::{Answer, expired, forbidden, reached, tenants},
    login::Login,
    tokens::{FAR, Token},
};
use crate::Xero;

/// The app that people connect with.
const CLIENT: &str = "xero-simulated-app";
/// An app made before 2 March 2026.
const OLDER: &str = "xero-simulated-older-app";
/// An app whose user may not see the books.
const GUEST: &str = "xero-simulated-guest-app";
/// An app whose user connected two organisations.
const SEVERAL: &str = "xero-simulated-several-app";
/// A custom connection.
const CUSTOM: &str = "xero-simulated-custom";
/// A custom connection of a user who may not see the books.
const CUSTOM_GUEST: &str = "xero-simulated-custom-guest";
/// A custom connection that was ended at Xero.
const CUSTOM_ENDED: &str = "xero-simulated-custom-ended";
const SECRET: &str = "xero-simulated-secret";
/// The organisations, and a practice, which has no books.
const ORGANISATION: &str = "59712f8f-45a3-4d45-a705-5d0c97483101";
const OTHER: &str = "8e1c7d20-6b0a-4a6f-9e58-3c41b7f0d202";
const PRACTICE: &str = "c40f9a13-2d77-4f1e-8c0b-91a5e6d3f303";

/// Xero over the shared world.
#[derive(Default)]
pub struct Simulator {
    login: Mutex<Login>,
}

impl Simulator {
    /// Credentials of an app made before 2 March 2026, which asks for the older scopes.
    pub fn older_credentials(&self, base: &str) -> Map<String, Value> {
        with(form(base, OLDER, SECRET), "scopes", "broad")
    }

    /// Credentials of an app whose user connected two organisations.
    pub fn ambiguous_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, SEVERAL, SECRET)
    }

    /// Credentials of a custom connection.
    pub fn custom_credentials(&self, base: &str) -> Map<String, Value> {
        with(form(base, CUSTOM, SECRET), "way", "custom")
    }

    /// Credentials of a custom connection of a user who may not see the books.
    pub fn powerless_custom_credentials(&self, base: &str) -> Map<String, Value> {
        with(form(base, CUSTOM_GUEST, SECRET), "way", "custom")
    }

    /// Credentials of a custom connection that was ended at Xero.
    pub fn ended_custom_credentials(&self, base: &str) -> Map<String, Value> {
        with(form(base, CUSTOM_ENDED, SECRET), "way", "custom")
    }

    /// How often refresh tokens were exchanged.
    pub fn renewals(&self) -> u64 {
        self.login().renewals
    }

    fn login(&self) -> MutexGuard<'_, Login> {
        self.login.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn route(&self, world: &World, request: &Request) -> Answer {
        let path = request.url.path();
        let is = |end: &str| path.ends_with(end);
        match (request.method.as_str(), path.split_once("/api.xro/2.0/")) {
            ("GET", None) if is("/identity/connect/authorize") => self.login().authorize(world.now, request),
            ("POST", None) if is("/connect/token") => self.login().token(world.now, request),
            ("GET", None) if is("/connections") => {
                self.user(world, request).map_or_else(expired, |user| tenants(&user))
            }
            ("GET", Some((_, resource))) => {
                let Some(user) = self.user(world, request) else { return expired() };
                let theirs = reached(&user.client);
                let tenant = request.header_value("xero-tenant-id").unwrap_or_default();
                if user.client == GUEST || user.client == CUSTOM_GUEST || !theirs.iter().any(|(id, _)| *id == tenant) {
                    return forbidden();
                }
                records::answer(world, resource, request, &user.rights).limited()
            }
            _ => Answer::plain(404, "The resource you're looking for cannot be found"),
        }
    }

    fn user(&self, world: &World, request: &Request) -> Option<Token> {
        let token = request.header_value("authorization")?.strip_prefix("Bearer ")?;
        self.login().user(world.now, token)
    }
}

impl vendorkit::Simulator for Simulator {
    fn id(&self) -> &'static str {
        Xero::ID
    }

    fn answer(&self, world: &SharedWorld, request: &Request) -> Response {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let Answer { status, mut headers, body } = self.route(&world, request);
        if !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".to_owned(), "application/json; charset=utf-8".to_owned()));
        }
        Response { status, headers, body: body.into(), received_at: world.now }
    }

    fn credentials(&self, base: &str) -> Map<String, Value> {
        form(base, CLIENT, SECRET)
    }

    fn wrong_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, "xero-simulated-mistake", "xero-simulated-wrong-secret")
    }

    fn powerless_credentials(&self, base: &str) -> Map<String, Value> {
        form(base, GUEST, SECRET)
    }

    fn consented(&self, mut credentials: Map<String, Value>) -> Map<String, Value> {
        if credentials.get("way").is_some_and(|way| way == "custom") {
            return credentials;
        }
        let client = credentials["client_id"].as_str().unwrap_or_default().to_owned();
        let token = Token { client, number: 0, stamp: 0, until: FAR, rights: "csio".to_owned() };
        let grant = Grant {
            refresh: Secret::new(token.write("refresh")),
            access: Secret::new(token.write("access")),
            ends_at: chrono::DateTime::from_timestamp(FAR, 0).unwrap_or_default(),
            extra: BTreeMap::from([(Grant::ACCOUNT.to_owned(), ORGANISATION.to_owned())]),
        };
        credentials.extend(grant.store().map(|text| ("grant".to_owned(), Value::String(text))));
        credentials
    }

    fn expire_tokens(&self) {
        self.login().epoch += 1;
    }

    fn expected(&self, world: &World, kind: RecordKind) -> Option<usize> {
        let businesses = world.known_to(Xero::ID);
        match kind {
            RecordKind::Contact => Some(businesses.map(|b| b.people.len().clamp(1, 6)).sum()),
            RecordKind::RepeatingInvoice => Some(businesses.filter(|b| !b.subscriptions.is_empty()).count()),
            _ => world.expected(Xero::ID, kind),
        }
    }

    fn unpaged(&self, kind: RecordKind) -> bool {
        kind == RecordKind::RepeatingInvoice
    }
}

fn with(mut form: Map<String, Value>, name: &str, value: &str) -> Map<String, Value> {
    form.insert(name.to_owned(), value.into());
    form
}

fn form(base: &str, client: &str, secret: &str) -> Map<String, Value> {
    let fields = [
        ("client_id", client),
        ("client_secret", secret),
        ("api_url", base),
        ("identity_url", base),
        ("login_url", base),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}
