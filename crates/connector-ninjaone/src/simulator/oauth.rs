//! Client apps and their tokens.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use integration::{Body, Request};
use serde_json::json;

use super::answers::Refusal;

/// A client app as a system administrator made it.
pub(super) struct App {
    pub id: &'static str,
    pub secret: &'static str,
    scopes: &'static [&'static str],
}

/// May read and change.
pub(super) const READER: App =
    App { id: "sim-ninjaone-app-0001", secret: "sim-ninjaone-secret-0001", scopes: &["monitoring", "management"] };

/// May read, but change nothing.
pub(super) const WATCHER: App =
    App { id: "sim-ninjaone-app-0003", secret: "sim-ninjaone-secret-0003", scopes: &["monitoring"] };

/// Is known, but may not read.
pub(super) const POWERLESS: App =
    App { id: "sim-ninjaone-app-0002", secret: "sim-ninjaone-secret-0002", scopes: &["management"] };

/// Life of a token.
const LIFE: TimeDelta = TimeDelta::seconds(3600);

/// The apps, and the tokens they were given.
#[derive(Default)]
pub(super) struct Apps(Mutex<Tokens>);

#[derive(Default)]
struct Tokens {
    given: u64,
    valid: HashMap<String, Granted>,
}

struct Granted {
    scopes: Vec<&'static str>,
    ends: DateTime<Utc>,
}

impl Apps {
    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn expire_tokens(&self) {
        self.tokens().valid.clear();
    }

    /// Answers the token endpoint.
    pub(super) fn grant(&self, now: DateTime<Utc>, request: &Request) -> Result<Vec<u8>, Refusal> {
        let Body::Form(pairs) = &request.body else {
            return Err(Refusal::oauth(400, "invalid_request", "The body must be a form", 3));
        };
        let field = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        if field("grant_type") != Some("client_credentials") {
            return Err(Refusal::oauth(400, "unsupported_grant_type", "Grant type is not allowed", 4));
        }
        let Some(app) = [READER, WATCHER, POWERLESS].into_iter().find(|app| field("client_id") == Some(app.id)) else {
            return Err(Refusal { status: 404, body: json!({"resultCode": "Client app not exist", "incidentId": ""}) });
        };
        if field("client_secret") != Some(app.secret) {
            return Err(Refusal::oauth(401, "not_authenticated", "Invalid credentials", 10));
        }
        let asked: Option<Vec<&str>> = field("scope").map(|scopes| scopes.split_whitespace().collect());
        if asked.iter().flatten().any(|scope| !app.scopes.contains(scope)) {
            return Err(Refusal::oauth(400, "invalid_scope", "The client app does not have this scope", 5));
        }
        let wanted = |scope: &&str| asked.as_ref().is_none_or(|asked| asked.contains(scope));
        let scopes: Vec<&str> = app.scopes.iter().copied().filter(wanted).collect();
        let mut tokens = self.tokens();
        tokens.given += 1;
        let token = format!("sim-ninjaone-token-{:06}", tokens.given);
        let body = json!({
            "access_token": token, "expires_in": LIFE.num_seconds(), "scope": scopes.join(" "), "token_type": "Bearer",
        });
        tokens.valid.insert(token, Granted { scopes, ends: now + LIFE });
        Ok(body.to_string().into_bytes())
    }

    /// Lets a request through whose token is valid and has the scope.
    pub(super) fn admit(&self, now: DateTime<Utc>, request: &Request, scope: &str) -> Result<(), Refusal> {
        let Some(header) = request.header_value("authorization") else {
            return Err(Refusal::oauth(400, "missing_header", "Authorization header is missing", 2));
        };
        let Some(token) = header.strip_prefix("Bearer ") else {
            return Err(Refusal::oauth(400, "invalid_header", "Authorization header is malformed", 1));
        };
        let tokens = self.tokens();
        let granted = tokens.valid.get(token).filter(|granted| granted.ends > now);
        let granted = granted.ok_or_else(|| Refusal::oauth(401, "not_authenticated", "Invalid credentials", 10))?;
        if granted.scopes.contains(&scope) {
            Ok(())
        } else {
            Err(Refusal::api(403, format!("The scope {scope} is missing")))
        }
    }
}
