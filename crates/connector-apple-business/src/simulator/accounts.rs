//! API accounts and their tokens. An assertion is believed only when the public key says so.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use integration::{Body, Method, Request, Vendor};
use p256::ecdsa::{Signature, signature::Verifier};
use serde_json::{Value, json};
use uuid::Uuid;
use vendorkit::world::{key_of, uuid};

use super::{Answer, No};
use crate::{AppleBusiness, PrivateKey, assertion};

/// An account that may read nothing.
pub(super) const POWERLESS: &str = "BUSINESSAPI.00000000-0000-4000-8000-0000000000fe";
/// The id of the one key that every account has here: [`PrivateKey::of_examples`].
pub(super) const KEY_ID: &str = "00000000-0000-4000-8000-0000000000aa";
const LIFE: TimeDelta = TimeDelta::hours(1);

#[derive(Default)]
pub(super) struct Accounts {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    given: u64,
    live: HashMap<String, (Account, DateTime<Utc>)>,
    /// Ids of assertions that were used.
    used: HashSet<String>,
}

/// Whose a token is.
#[derive(Clone, Copy)]
pub(super) struct Account {
    /// Key of its business; the account that may read nothing has none.
    pub business: Option<u64>,
    pub school: bool,
}

/// The client ID of a business's account.
pub(super) fn client_of(business: u64) -> String {
    format!("BUSINESSAPI.{}", uuid(AppleBusiness::ID, business))
}

fn account_of(client_id: &str) -> Option<Account> {
    if client_id == POWERLESS {
        return Some(Account { business: None, school: false });
    }
    let school = client_id.starts_with("SCHOOLAPI.");
    let id = client_id.strip_prefix("SCHOOLAPI.").or_else(|| client_id.strip_prefix("BUSINESSAPI."))?;
    let business = key_of(AppleBusiness::ID, Uuid::parse_str(id).ok()?)?;
    Some(Account { business: Some(business), school })
}

impl Accounts {
    pub fn expire_tokens(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).live.clear();
    }

    /// A token for a request that proves whose it is.
    pub fn grant(&self, now: DateTime<Utc>, request: &Request) -> Answer {
        let no = |code| No(400, code, String::new());
        let (Method::Post, Body::Form(pairs)) = (request.method, &request.body) else {
            return Err(no("invalid_request"));
        };
        let said = |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
        if said("grant_type") != "client_credentials" || said("client_assertion_type") != assertion::KIND {
            return Err(no("unsupported_grant_type"));
        }
        let account = account_of(said("client_id")).ok_or_else(|| no("invalid_client"))?;
        let scope = if account.school { "school.api" } else { "business.api" };
        if said("scope") != scope {
            return Err(no("invalid_scope"));
        }
        let claims = verified(said("client_assertion"), said("client_id"), now).ok_or_else(|| no("invalid_client"))?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.used.insert(claims) {
            return Err(no("invalid_client"));
        }
        state.given += 1;
        let token = format!("apple-simulated-token-{}", state.given);
        state.live.insert(token.clone(), (account, now + LIFE));
        Ok(json!({ "access_token": token, "token_type": "Bearer", "expires_in": LIFE.num_seconds(), "scope": scope }))
    }

    /// Whose the token of a request is, if it may read at all.
    pub fn admit(&self, now: DateTime<Utc>, request: &Request) -> Result<Account, No> {
        let token = request.header_value("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match token.and_then(|token| state.live.get(token)).filter(|(_, until)| *until > now) {
            None => Err(No(401, "NOT_AUTHORIZED", String::new())),
            Some((account, _)) if account.business.is_none() => {
                Err(No(403, "FORBIDDEN_ERROR", "this API account may not read".to_owned()))
            }
            Some((account, _)) => Ok(*account),
        }
    }
}

/// The id of an assertion in which everything is as it must be.
fn verified(jwt: &str, client_id: &str, now: DateTime<Utc>) -> Option<String> {
    let (text, signature) = jwt.rsplit_once('.')?;
    let (header, claims) = text.split_once('.')?;
    let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    let key = *PrivateKey::of_examples().verifying_key();
    key.verify(text.as_bytes(), &signature).ok()?;
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    let (header, claims) = (read(header)?, read(claims)?);
    let (since, until, now) = (claims["iat"].as_i64()?, claims["exp"].as_i64()?, now.timestamp());
    let right = header == json!({ "alg": "ES256", "kid": KEY_ID, "typ": "JWT" })
        && claims["iss"] == client_id
        && claims["sub"] == client_id
        && claims["aud"] == assertion::AUDIENCE
        && since <= now + 60
        && until > now
        && until - since <= 180 * 86_400;
    let id = Uuid::parse_str(claims["jti"].as_str()?).ok()?;
    right.then(|| id.to_string())
}
