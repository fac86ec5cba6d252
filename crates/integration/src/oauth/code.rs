//! The authorization code with PKCE (RFC 6749, 7636): the page, the exchange of the code, and the
//! renewal of what it gave.

use std::{collections::BTreeMap, sync::Arc};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::{Url, form_urlencoded::byte_serialize};

use crate::{ConsentAnswer, ConsentAsk, Error, Grant, Http, Kind, Request, Response, Result, Secret};

/// The challenge of a verifier, method S256.
pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// The claims of a JWT, whose signature is **not** checked: only for a token that the vendor itself just
/// gave over TLS, to read what it says of the account. `None` when it is no JWT.
pub fn claims(token: &Secret) -> Option<Value> {
    let body = token.expose().split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body.trim_end_matches('=')).ok()?).ok()
}

/// How the vendor wants client id and secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientProof {
    /// As pairs of the form.
    Form,
    /// As the header `authorization: Basic …`.
    Header,
}

/// The vendor's addresses and manners.
pub struct CodeSettings {
    /// The page.
    pub authorize_url: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token_url: Url,
    /// Client id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: Secret,
    /// How both are sent.
    pub proof: ClientProof,
    /// What is asked for.
    pub scope: &'static str,
    /// Whether the scope is named at renewals too.
    pub scope_at_renewal: bool,
    /// Further pairs of the page's address.
    pub page_pairs: &'static [(&'static str, &'static str)],
}

/// The authorization code flow of one connection.
pub struct CodeFlow {
    pub(super) http: Arc<Http>,
    settings: CodeSettings,
}

/// Which exchange failed: what a person must do differs.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Code,
    Renewal,
}

impl CodeFlow {
    /// The flow over the connector's own kit, so that its tokens are scrubbed from every error.
    pub fn new(http: Arc<Http>, settings: CodeSettings) -> Self {
        Self { http, settings }
    }

    /// The vendor's page.
    pub fn page(&self, ask: &ConsentAsk<'_>) -> Url {
        let mut url = self.settings.authorize_url.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", ask.redirect_uri)
            .append_pair("scope", self.settings.scope)
            .append_pair("state", ask.state)
            .append_pair("code_challenge", ask.code_challenge)
            .append_pair("code_challenge_method", "S256")
            .extend_pairs(self.settings.page_pairs);
        url
    }

    /// Exchanges a code for a grant; [`Grant::extra`] is empty.
    pub async fn exchange(&self, answer: &ConsentAnswer) -> Result<Grant> {
        self.http.learn_secret(answer.code.clone());
        self.http.learn_secret(answer.verifier.clone());
        let form = vec![
            ("grant_type", "authorization_code"),
            ("code", answer.code.expose()),
            ("redirect_uri", answer.redirect_uri.as_str()),
            ("code_verifier", answer.verifier.expose()),
        ];
        let tokens = self.ask(form, Step::Code).await?;
        let Some(refresh) = tokens.refresh else {
            let vendor = self.http.vendor();
            let message = format!("{vendor} gave no refresh token: allow offline access for the app at {vendor}");
            return Err(Error::new(Kind::Refused, message));
        };
        Ok(Grant { refresh, access: tokens.access, ends_at: tokens.ends_at, extra: BTreeMap::new() })
    }

    /// Asks for new tokens. What it gives must be stored before it is used: see [`super::Grants`].
    pub async fn renew(&self, grant: &Grant) -> Result<Grant> {
        self.http.learn_secret(grant.refresh.clone());
        let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", grant.refresh.expose())];
        if self.settings.scope_at_renewal {
            form.push(("scope", self.settings.scope));
        }
        let tokens = self.ask(form, Step::Renewal).await?;
        Ok(Grant {
            // A vendor that does not rotate gives none.
            refresh: tokens.refresh.unwrap_or_else(|| grant.refresh.clone()),
            access: tokens.access,
            ends_at: tokens.ends_at,
            extra: grant.extra.clone(),
        })
    }

    /// Not marked as repeatable: a refresh token that was taken twice may end the whole grant.
    async fn ask(&self, mut form: Vec<(&'static str, &str)>, step: Step) -> Result<Tokens> {
        let CodeSettings { token_url, client_id, client_secret, proof, .. } = &self.settings;
        let mut request = Request::post(token_url.clone()).header("accept", "application/json");
        match proof {
            ClientProof::Form => {
                form.extend([("client_id", client_id.as_str()), ("client_secret", client_secret.expose())]);
            }
            ClientProof::Header => {
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(client_secret.expose())));
                self.http.learn_secret(Secret::new(pair.clone()));
                request = request.header("authorization", format!("Basic {pair}"));
            }
        }
        let response = self.http.send(request.form(form)).await?;
        if !response.is_success() {
            return Err(self.refusal(&response, step));
        }
        let tokens = Tokens::read(self.http.vendor(), &response).map_err(|error| self.http.scrub(error))?;
        self.http.learn_secret(tokens.access.clone());
        if let Some(refresh) = &tokens.refresh {
            self.http.learn_secret(refresh.clone());
        }
        Ok(tokens)
    }

    /// The one place where refusals of the token address are read (RFC 6749, section 5.2).
    fn refusal(&self, response: &Response, step: Step) -> Error {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Wire {
            error: Option<Value>,
            error_description: Option<String>,
        }
        let vendor = self.http.vendor();
        let body = response.json_bytes(vendor).ok();
        let wire: Wire = body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
        let code = wire.error.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        let words = wire.error_description.unwrap_or_else(|| code.clone());
        self.http.failure(response, |error| {
            let (kind, message) = match (code.as_str(), error.kind) {
                ("invalid_client" | "unauthorized_client", _) => (
                    Kind::Credentials,
                    format!("{vendor} does not accept client id and secret: check and save them again"),
                ),
                (_, Kind::Credentials | Kind::Forbidden | Kind::Refused | Kind::NotFound) => match step {
                    Step::Code => {
                        (Kind::Refused, format!("{vendor} did not accept the code it gave: start the consent anew"))
                    }
                    Step::Renewal => (
                        Kind::Credentials,
                        format!(
                            "{vendor} no longer honours the consent: reconnect, by signing in at {vendor}'s page again"
                        ),
                    ),
                },
                _ => return error.vendor_says(words),
            };
            Error { kind, message, retry: crate::Retry::No, ..error }.vendor_says(words)
        })
    }
}

/// What the token address gives.
struct Tokens {
    access: Secret,
    refresh: Option<Secret>,
    ends_at: DateTime<Utc>,
}

impl Tokens {
    fn read(vendor: &str, response: &Response) -> Result<Self> {
        #[derive(Deserialize)]
        struct Wire {
            access_token: String,
            refresh_token: Option<String>,
            expires_in: Option<Value>,
        }
        let wire: Wire = response.json(vendor)?;
        let seconds = super::seconds(wire.expires_in.as_ref());
        Ok(Self {
            access: Secret::new(wire.access_token),
            refresh: wire.refresh_token.filter(|token| !token.is_empty()).map(Secret::new),
            ends_at: response.received_at + TimeDelta::seconds(seconds),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn claims_are_read_from_a_jwt_and_from_nothing_else() {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let token = |text: String| Secret::new(text);
        let jwt = format!("{}.{}.signature", encode("{}"), encode(r#"{"org_ids":["a"]}"#));
        assert_eq!(claims(&token(jwt)).map(|claims| claims["org_ids"][0] == "a"), Some(true));
        for strange in ["", "opaque", "a.b.c", "..", "a.!.c"] {
            assert_eq!(claims(&token(strange.to_owned())), None, "{strange}");
        }
    }
}
