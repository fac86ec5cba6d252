//! The vendor's manners: its token, its addresses, its errors.

use std::sync::Arc;

use integration::{
    CredentialsForm, Error, Http, Kind, Request, Response, Result, Secret, Transport, Vendor,
    oauth::{Token, TokenCache},
};
use serde_json::json;
use url::Url;

use crate::{Credentials, Pax8, wire};

/// Where the partner API lives; there is one region only.
const BASE: &str = "https://api.pax8.com/v1";
/// What a token is asked for. It names the API, not the address it is reached at.
const AUDIENCE: &str = "https://api.pax8.com";

/// Sends with a token, and turns every answer that is not a success into an error.
pub(crate) struct Api {
    pub(crate) http: Http,
    tokens: TokenCache,
    client_id: String,
    client_secret: Secret,
    base: Url,
    token_url: Url,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let http = Http::new(Pax8::NAME, transport, credentials.secrets());
        let usual = Url::parse(BASE).expect("the constant is an address");
        let base = credentials.api_url.map_or(usual, |url| completed(url, "v1"));
        let token_url =
            credentials.token_url.map_or_else(|| below(&base, &["token"]), |url| completed(url, "v1/token"));
        Self {
            http,
            tokens: TokenCache::default(),
            client_id: credentials.client_id,
            client_secret: credentials.client_secret,
            base,
            token_url,
        }
    }

    /// An address of the API; each segment is percent-encoded.
    pub(crate) fn url(&self, path: &[&str]) -> Url {
        below(&self.base, path)
    }

    /// Sends a request; only a success comes back.
    pub(crate) async fn call(&self, request: Request) -> Result<Response> {
        let request = request.header("accept", "application/json");
        let response = self.tokens.send(&self.http, &self.client_id, request, || self.new_token()).await?;
        if response.is_success() { Ok(response) } else { Err(self.failure(&response)) }
    }

    /// Asks for a token. The vendor wants JSON here, not a form, and gives no refresh token.
    async fn new_token(&self) -> Result<Token> {
        let request = Request::post(self.token_url.clone())
            .header("accept", "application/json")
            .json(json!({
                "client_id": self.client_id,
                "client_secret": self.client_secret.expose(),
                "audience": AUDIENCE,
                "grant_type": "client_credentials",
            }))
            .idempotent();
        let response = self.http.send(request).await?;
        if response.is_success() {
            return Token::from_response(Pax8::NAME, &response).map_err(|error| self.http.scrub(error));
        }
        let error = self.failure(&response);
        // A refused token request leaves only the credentials to blame, whichever status says so.
        match error.kind {
            Kind::Forbidden | Kind::Refused | Kind::NotFound => Err(Error {
                kind: Kind::Credentials,
                message: "Pax8 gives no token for these credentials: check them and the token address".into(),
                ..error
            }),
            _ => Err(error),
        }
    }

    /// The one place where the vendor's error bodies are read.
    fn failure(&self, response: &Response) -> Error {
        let words = response.json_bytes(Pax8::NAME).map(wire::words).unwrap_or_default();
        self.http.failure(response, |error| error.vendor_says(words))
    }
}

/// An address entered as a bare host gets the usual path: the version is easily forgotten.
fn completed(mut url: Url, path: &str) -> Url {
    if url.path() == "/" {
        url.set_path(path);
    }
    url
}

fn below(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}
