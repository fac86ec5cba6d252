//! Keys of users, and the tokens they were given.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use integration::{Body, Method, Request};
use serde_json::json;

use super::{Answer, No, no};

/// Key and secret key of a user who may read.
pub(super) const READER: (&str, &str) = ("SIMULATED0DATTO0RMM0READER0KEY00", "SIMULATED0DATTO0RMM0READER0SECRET");
/// Of one who may sign in, and nothing else.
pub(super) const POWERLESS: (&str, &str) = ("SIMULATED0DATTO0RMM0GUEST0KEY000", "SIMULATED0DATTO0RMM0GUEST0SECRET0");
/// The public client, as Basic wants it.
const CLIENT: &str = "Basic cHVibGljLWNsaWVudDpwdWJsaWM=";
/// Life of a token.
const LIFE: TimeDelta = TimeDelta::hours(100);

#[derive(Default)]
pub(super) struct Access(Mutex<Tokens>);

#[derive(Default)]
struct Tokens {
    given: u64,
    live: HashMap<String, Grant>,
}

struct Grant {
    may_read: bool,
    until: DateTime<Utc>,
}

impl Access {
    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn expire_tokens(&self) {
        self.tokens().live.clear();
    }

    /// Answers the token address.
    pub(super) fn grant(&self, now: DateTime<Utc>, request: &Request) -> Answer {
        if request.method != Method::Post {
            return Err(no(405, "Method Not Allowed"));
        }
        if request.header_value("authorization") != Some(CLIENT) {
            return Err(oauth(401, "unauthorized", "the client is not known"));
        }
        let Body::Form(pairs) = &request.body else {
            return Err(oauth(400, "invalid_request", "a form is needed"));
        };
        let field = |key: &str| pairs.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str());
        if field("grant_type") != "password" {
            return Err(oauth(400, "unsupported_grant_type", "this grant type is not offered"));
        }
        let keys = (field("username"), field("password"));
        if keys != READER && keys != POWERLESS {
            return Err(oauth(400, "invalid_grant", "Bad credentials"));
        }
        let mut tokens = self.tokens();
        tokens.given += 1;
        let token = format!("datto-rmm-simulated-token-{}", tokens.given);
        tokens.live.insert(token.clone(), Grant { may_read: keys == READER, until: now + LIFE });
        Ok(json!({
            "access_token": token, "token_type": "bearer", "expires_in": LIFE.num_seconds(), "scope": "public",
        }))
    }

    /// Lets a request through whose token is alive and may read.
    pub(super) fn admit(&self, now: DateTime<Utc>, request: &Request) -> Result<(), No> {
        let token = request.header_value("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let tokens = self.tokens();
        match token.and_then(|token| tokens.live.get(token)).filter(|grant| grant.until > now) {
            None => Err(no(401, "Unauthorized")),
            Some(grant) if !grant.may_read => Err(no(403, "Forbidden")),
            Some(_) => Ok(()),
        }
    }
}

fn oauth(status: u16, error: &str, words: &str) -> No {
    No(status, json!({ "error": error, "error_description": words }))
}
