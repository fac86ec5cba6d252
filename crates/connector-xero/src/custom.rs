//! A custom connection: tokens for client id and secret alone, good for one organisation.

use base64::{Engine, engine::general_purpose::STANDARD};
use integration::{
    Error, Http, Kind, Request, Response, Result, Retry, Secret,
    oauth::{Token, TokenCache},
};
use serde::Deserialize;
use tokio::sync::OnceCell;
use url::Url;

use crate::api::NAME;

/// A custom connection of one organisation.
pub(crate) struct Client {
    token_url: Url,
    /// Client id and secret, as the header has them.
    proof: Secret,
    scope: &'static str,
    tokens: TokenCache,
    /// The organisation, once it was asked for.
    pub(crate) tenant: OnceCell<String>,
}

impl Client {
    pub(crate) fn new(http: &Http, token_url: Url, id: &str, secret: &Secret, scope: &'static str) -> Self {
        let proof = Secret::new(STANDARD.encode(format!("{id}:{}", secret.expose())));
        http.learn_secret(proof.clone());
        Self { token_url, proof, scope, tokens: TokenCache::default(), tenant: OnceCell::new() }
    }

    /// Sends with an access token; one that ended early is replaced once.
    pub(crate) async fn send(&self, http: &Http, request: Request) -> Result<Response> {
        self.tokens.send(http, "", request, || self.obtain(http)).await
    }

    async fn obtain(&self, http: &Http) -> Result<Token> {
        let request = Request::post(self.token_url.clone())
            .header("accept", "application/json")
            .header("authorization", format!("Basic {}", self.proof.expose()))
            .form([("grant_type", "client_credentials"), ("scope", self.scope)])
            // A second token harms nobody.
            .idempotent();
        let response = http.send(request).await?;
        if !response.is_success() {
            return Err(refusal(http, &response));
        }
        Token::from_response(NAME, &response).map_err(|error| http.scrub(error))
    }
}

/// The one place where refusals of the token address are read (RFC 6749, section 5.2).
fn refusal(http: &Http, response: &Response) -> Error {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Wire {
        error: String,
        error_description: Option<String>,
    }
    let body = response.json_bytes(NAME).ok();
    let wire: Wire = body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    http.failure(response, |error| {
        let (kind, message) = match (wire.error.as_str(), error.kind) {
            ("invalid_scope", _) => (
                Kind::Forbidden,
                format!("the app at {NAME} lacks a scope: grant it at developer.xero.com, or choose other Scopes here"),
            ),
            ("invalid_client" | "unauthorized_client", _) | (_, Kind::Credentials | Kind::Refused) => (
                Kind::Credentials,
                format!(
                    "{NAME} does not accept client id and secret as a custom connection: check and save them again"
                ),
            ),
            (_, kind) => (kind, error.message.clone()),
        };
        let retry = if kind == error.kind { error.retry } else { Retry::No };
        let words = wire.error_description.as_ref().unwrap_or(&wire.error);
        Error { kind, message, retry, ..error }.vendor_says(words)
    })
}
