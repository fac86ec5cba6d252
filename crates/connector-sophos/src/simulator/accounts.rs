//! Credentials of three kinds, and their tokens.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use integration::{Body, Request, Vendor};
use serde_json::{Map, Value, json};
use vendorkit::{World, world::Business};

use super::{Answer, No};
use crate::Sophos;

pub(super) const PARTNER: &str = "sophos-simulated-partner";
/// A partner's too, but without a role that may read.
pub(super) const GUEST: &str = "sophos-simulated-guest";
pub(super) const SECRET: &str = "sophos-simulated-secret";
/// The partner's, or the organization's, id.
pub(super) const ID: &str = "d41c7e02-5a0b-4c7e-8f4e-2b7a9e6c1f30";

const LIFE: TimeDelta = TimeDelta::seconds(3600);

/// What the credentials are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Partner,
    Organization,
    Tenant,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Organization => "organization",
            Self::Tenant => "tenant",
        }
    }
}

/// Credentials as somebody made them.
pub(super) struct Account {
    client: &'static str,
    pub kind: Kind,
    reads: bool,
}

static ACCOUNTS: [Account; 4] = [
    Account { client: PARTNER, kind: Kind::Partner, reads: true },
    Account { client: GUEST, kind: Kind::Partner, reads: false },
    Account { client: "sophos-simulated-organization", kind: Kind::Organization, reads: true },
    Account { client: "sophos-simulated-tenant", kind: Kind::Tenant, reads: true },
];

impl Account {
    pub fn may_read(&self) -> Result<(), No> {
        if self.reads { Ok(()) } else { Err(No(403, "Forbidden", "Forbidden".to_owned())) }
    }

    pub fn sees(&self, world: &World, business: &Business) -> bool {
        self.kind != Kind::Tenant || own_tenant(world).is_some_and(|own| own.key == business.key)
    }
}

/// The tenant of the credentials that are of one only.
pub(super) fn own_tenant(world: &World) -> Option<&Business> {
    world.known_to(Sophos::ID).next()
}

/// The tokens given out.
#[derive(Default)]
pub(super) struct Accounts(Mutex<Tokens>);

#[derive(Default)]
struct Tokens {
    given: u64,
    live: HashMap<String, (&'static Account, DateTime<Utc>)>,
}

impl Accounts {
    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn expire_tokens(&self) {
        self.tokens().live.clear();
    }

    /// Answers the token address.
    pub fn grant(&self, now: DateTime<Utc>, body: &Body) -> Answer {
        let Body::Form(pairs) = body else {
            return Err(No(400, "oauth.invalid_request", "the body must be a form".to_owned()));
        };
        let field = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        if field("grant_type") != Some("client_credentials") || field("scope") != Some("token") {
            return Err(No(400, "oauth.invalid_request", "Bad Request".to_owned()));
        }
        let account = ACCOUNTS.iter().find(|account| field("client_id") == Some(account.client));
        let account = account.ok_or_else(|| No(401, "oauth.client_app_does_not_exist", "Unauthorized".to_owned()))?;
        if field("client_secret") != Some(SECRET) {
            return Err(No(401, "oauth.invalid_client_secret", "Unauthorized".to_owned()));
        }
        let mut tokens = self.tokens();
        tokens.given += 1;
        let token = format!("sophos-simulated-token-{}", tokens.given);
        tokens.live.insert(token.clone(), (account, now + LIFE));
        Ok(json!({
            "access_token": token, "refresh_token": format!("{token}-refresh"), "token_type": "bearer",
            "expires_in": LIFE.num_seconds(), "errorCode": "success", "message": "OK", "trackingId": "sim-track-0001",
        }))
    }

    /// Whose token a request carries.
    pub fn admit(&self, now: DateTime<Utc>, request: &Request) -> Result<&'static Account, No> {
        let token = request.header_value("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let tokens = self.tokens();
        let found = token.and_then(|token| tokens.live.get(token)).filter(|(_, until)| *until > now);
        found.map(|(account, _)| *account).ok_or_else(|| No(401, "Unauthorized", "Unauthorized".to_owned()))
    }
}

pub(super) fn form(base: &str, client: &str, secret: &str) -> Map<String, Value> {
    let fields = [
        ("client_id", client.to_owned()),
        ("client_secret", secret.to_owned()),
        ("sign_in_url", format!("{base}/id")),
        ("api_url", format!("{base}/api")),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}
