//! OAuth 2 tokens for connectors: cached for each account, asked for once however many calls wait,
//! and asked for anew once when the vendor says 401 in mid-life.
//!
//! * [`TokenCache`]: tokens that our own credentials are enough for.
//! * [`CodeFlow`] and [`Grants`]: tokens that a person consents to at the vendor's page, with a refresh
//!   token that rotates.

mod code;
mod grants;

use std::{collections::HashMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use tokio::sync::Mutex;

pub use self::{
    code::{ClientProof, CodeFlow, CodeSettings, challenge, claims},
    grants::Grants,
};
use crate::{Http, Request, Response, Result, Secret};

/// An access token with its end.
#[derive(Clone, Debug)]
pub struct Token {
    /// The token.
    pub access: Secret,
    /// When the vendor stops accepting it.
    pub expires_at: DateTime<Utc>,
}

impl Token {
    /// Reads `{"access_token":…,"expires_in":…}`. A missing life counts as five minutes.
    pub fn from_response(vendor: &str, response: &Response) -> Result<Self> {
        #[derive(Deserialize)]
        struct Wire {
            access_token: String,
            expires_in: Option<serde_json::Value>,
        }
        let wire: Wire = response.json(vendor)?;
        let life = TimeDelta::seconds(seconds(wire.expires_in.as_ref()));
        Ok(Self { access: Secret::new(wire.access_token), expires_at: response.received_at + life })
    }
}

/// How long a token lives, as a number or a text; a missing life counts as five minutes.
fn seconds(expires_in: Option<&serde_json::Value>) -> i64 {
    let seconds = match expires_in {
        Some(serde_json::Value::Number(number)) => number.as_f64().unwrap_or(300.0) as i64,
        Some(serde_json::Value::String(text)) => text.parse().unwrap_or(300),
        _ => 300,
    };
    seconds.clamp(1, 7 * 86_400)
}

type Slot = Arc<Mutex<Option<Token>>>;

/// Tokens by account (a tenant, a resource, or `""`).
#[derive(Default)]
pub struct TokenCache {
    slots: Mutex<HashMap<String, Slot>>,
}

impl TokenCache {
    /// How long before its end a token is no longer used.
    const MARGIN: TimeDelta = TimeDelta::seconds(60);

    /// The token of `account`: cached, or from `obtain`. Callers of one account wait for one
    /// request; other accounts are not held up.
    pub async fn token<F>(&self, http: &Http, account: &str, obtain: impl FnOnce() -> F) -> Result<Token>
    where
        F: Future<Output = Result<Token>>,
    {
        let slot = self.slots.lock().await.entry(account.to_owned()).or_default().clone();
        let mut held = slot.lock().await;
        if let Some(token) = held.as_ref().filter(|t| t.expires_at - Self::MARGIN > http.now()) {
            return Ok(token.clone());
        }
        let token = obtain().await?;
        http.learn_secret(token.access.clone());
        *held = Some(token.clone());
        Ok(token)
    }

    /// Forgets a token that the vendor refused, unless another caller replaced it meanwhile.
    pub async fn forget(&self, account: &str, refused: &Token) {
        let slot = self.slots.lock().await.get(account).cloned();
        if let Some(slot) = slot {
            let mut held = slot.lock().await;
            if held.as_ref().is_some_and(|token| token.access == refused.access) {
                *held = None;
            }
        }
    }

    /// Sends `request` with the token of `account`. A 401 gets one new token and one more try.
    pub async fn send<F>(
        &self,
        http: &Http,
        account: &str,
        request: Request,
        obtain: impl Fn() -> F,
    ) -> Result<Response>
    where
        F: Future<Output = Result<Token>>,
    {
        let token = self.token(http, account, &obtain).await?;
        let response = http.send(request.clone().bearer(&token.access)).await?;
        if response.status != 401 {
            return Ok(response);
        }
        self.forget(account, &token).await;
        let token = self.token(http, account, &obtain).await?;
        http.send(request.bearer(&token.access)).await
    }
}
