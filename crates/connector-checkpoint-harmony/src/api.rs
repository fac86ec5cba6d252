//! What the three products share: the login of the Infinity Portal, ids of requests, and every error.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use integration::{
    CredentialsForm, Error, Http, Kind, Request, Response, Result, Secret, Transport, Vendor,
    oauth::{Token, TokenCache},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use url::Url;

use crate::{
    CheckpointHarmony, Credentials,
    keys::{Key, Keys},
    wire,
};

pub(crate) const NAME: &str = CheckpointHarmony::NAME;

/// One of the three APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    Msp,
    Email,
    Endpoint,
}

impl Product {
    /// In the order in which their tenants are listed.
    pub(crate) const ALL: [Self; 3] = [Self::Msp, Self::Email, Self::Endpoint];

    /// As people know it, and as the token cache names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Msp => "MSP",
            Self::Email => "Email",
            Self::Endpoint => "Endpoint",
        }
    }
}

/// How to reach one account.
pub(crate) struct Api {
    pub(crate) http: Http,
    pub(crate) tokens: TokenCache,
    pub(crate) keys: Keys,
    /// Scopes of the Email key, as the newest listing of events found them.
    pub(crate) scopes: Mutex<Option<Vec<String>>>,
    requests: AtomicU64,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self {
            http: Http::new(NAME, transport, credentials.secrets()),
            tokens: TokenCache::default(),
            keys: Keys::of(credentials),
            scopes: Mutex::default(),
            requests: AtomicU64::new(0),
        }
    }

    /// A success, or the error that the answer is.
    pub(crate) fn done(&self, product: Product, response: Response) -> Result<Response> {
        if response.is_success() { Ok(response) } else { Err(self.failure(product, &response)) }
    }

    /// A token of the portal. Keys for different services log in alike; what they open differs.
    pub(crate) async fn portal_token(&self, product: Product, key: &Key) -> Result<Token> {
        let request = Request::post(below(&self.keys.gateway, &["auth", "external"]))
            .header("accept", "application/json")
            .json(json!({ "clientId": key.id, "accessKey": key.secret.expose() }));
        let response = self.http.send(request.idempotent()).await?;
        if !response.is_success() {
            return Err(self.no_token(product, &response));
        }
        let login: wire::Login = wire::parse(response.json_bytes(NAME)?).map_err(|error| self.http.scrub(error))?;
        match login.data {
            Some(data) if login.success != Some(false) => {
                let life = wire::seconds(&data.expires_in).unwrap_or(300);
                Ok(token(data.token, &response, life))
            }
            // Refused with status 200.
            _ => Err(self.http.scrub(wrong_key(product).vendor_says(login.message.unwrap_or_default()))),
        }
    }

    /// The error for a login that was refused: only the key is to blame, whichever status says so.
    pub(crate) fn no_token(&self, product: Product, response: &Response) -> Error {
        let error = self.failure(product, response);
        match error.kind {
            Kind::Credentials | Kind::Forbidden | Kind::Refused | Kind::NotFound => {
                let Error { kind, message, .. } = wrong_key(product);
                Error { kind, message, ..error }
            }
            _ => error,
        }
    }

    /// The one place where error bodies are read, whichever product sent them.
    pub(crate) fn failure(&self, product: Product, response: &Response) -> Error {
        let said = response.json_bytes(NAME).map(wire::Said::read).unwrap_or_default();
        let name = product.name();
        self.http.failure(response, |mut error| {
            match error.kind {
                Kind::Credentials => error.message = wrong_key(product).message,
                Kind::Forbidden => {
                    error.message = format!("{NAME} refuses this to the {name} key: check its service and its role");
                }
                _ => {}
            }
            error.vendor_says(said.words).request_id(said.id.as_deref()).at("product", name)
        })
    }

    /// A fresh id for one request: no two of this process are alike.
    pub(crate) fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let instant = self.http.now().timestamp_micros();
        let digest = Sha256::digest(format!("{instant} {number}").as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}

/// A token that lives this long from now.
pub(crate) fn token(access: String, response: &Response, seconds: i64) -> Token {
    let life = chrono::TimeDelta::seconds(seconds.clamp(1, 86_400));
    Token { access: Secret::new(access), expires_at: response.received_at + life }
}

fn wrong_key(product: Product) -> Error {
    let message = match product {
        Product::Msp => "the MSP key is not accepted: check application ID, secret key and region".to_owned(),
        Product::Email | Product::Endpoint => format!(
            "the {} key is not accepted: it must be an account key for that service, made in this region and not expired",
            product.name()
        ),
    };
    Error::new(Kind::Credentials, format!("{NAME}: {message}"))
}

/// An address below another; each segment is percent-encoded.
pub(crate) fn below(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

/// The id of a tenant, which tells whose it is: the three spaces of ids do not join.
pub(crate) fn entity_id(product: Product, id: &str) -> String {
    format!("{}/{id}", product.name().to_ascii_lowercase())
}
