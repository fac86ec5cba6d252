//! Tokens for service accounts: OAuth 2.0 client credentials (RFC 6749, sections 4.4, 2.3.1 and 5). Not part of the
//! document: a form and errors of its own, as every OAuth library knows them.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use access::{TokenAsk, TokenRefusal};
use base64::{Engine, engine::general_purpose::STANDARD};
use poem::{
    Body, IntoResponse, Request, Response,
    http::{StatusCode, header},
    web::Data,
};
use secrecy::ExposeSecret;
use serde_json::json;
use url::form_urlencoded;

use crate::{app::App, auth::meta, problem::Failure};

/// The address.
pub const ADDRESS: &str = "/oauth/token";
/// Largest form, in bytes.
const LARGEST: usize = 16 * 1024;

/// A refusal in the words of RFC 6749, section 5.2.
struct Refused {
    status: StatusCode,
    error: &'static str,
    description: String,
    retry_after: Option<u64>,
}

impl Refused {
    fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into(), retry_after: None }
    }

    fn invalid_request(description: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    fn invalid_client() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", "These credentials do not open a service account.")
    }

    fn into_response(self) -> Response {
        let mut response = answer(self.status, &json!({ "error": self.error, "error_description": self.description }));
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Basic realm=\"PanelOne\""));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, wait.into());
        }
        response
    }
}

/// Gives a token for the secret of a service account, shown as `client_secret_basic` or `client_secret_post`.
#[poem::handler]
pub async fn token(app: Data<&Arc<App>>, request: &Request, body: Body) -> Response {
    let ask = match read(request, body).await {
        Ok(ask) => ask,
        Err(refused) => return refused.into_response(),
    };
    match access::machine_token_issue(&app.store, &app.gate, ask).await {
        Ok(issued) => {
            let token = issued.token.expose_secret();
            let body = json!({
                "access_token": token, "token_type": "Bearer", "expires_in": issued.expires_in, "scope": issued.scope,
            });
            answer(StatusCode::OK, &body)
        }
        Err(TokenRefusal::InvalidClient) => Refused::invalid_client().into_response(),
        Err(TokenRefusal::InvalidScope(why)) => {
            Refused::new(StatusCode::BAD_REQUEST, "invalid_scope", why).into_response()
        }
        Err(TokenRefusal::TooMany { retry_after }) => {
            let why = format!("Too many tries or tokens. Wait {retry_after} s.");
            let refused = Refused::new(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", why);
            Refused { retry_after: Some(retry_after), ..refused }.into_response()
        }
        Err(TokenRefusal::Failed(error)) => Failure::from(error).into_response(),
    }
}

async fn read(request: &Request, body: Body) -> Result<TokenAsk, Refused> {
    let kind = request.header("content-type").unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Refused::invalid_request("Send a form (application/x-www-form-urlencoded)."));
    }
    let unread = |_| Refused::invalid_request("The form cannot be read.");
    let form = body.into_bytes_limit(LARGEST).await.map_err(unread)?;
    let form = fields(&form)?;
    let taken = |name: &str| form.get(name).filter(|value| !value.is_empty()).cloned();
    let (client_id, secret) = match (basic(request)?, taken("client_secret")) {
        (Some(_), Some(_)) => return Err(Refused::invalid_request("Show the secret in one way, not in two.")),
        (Some((id, secret)), None) => {
            if taken("client_id").is_some_and(|named| named != id) {
                return Err(Refused::invalid_request("The form and the header name two clients."));
            }
            (id, secret)
        }
        (None, Some(secret)) => (taken("client_id").ok_or_else(Refused::invalid_client)?, secret),
        (None, None) => return Err(Refused::invalid_client()),
    };
    match taken("grant_type").as_deref() {
        Some("client_credentials") => {}
        Some(_) => {
            let why = "Only client_credentials is given here.";
            return Err(Refused::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", why));
        }
        None => return Err(Refused::invalid_request("The parameter grant_type is missing.")),
    }
    Ok(TokenAsk { client_id, secret: secret.into(), scope: taken("scope"), request: meta(request) })
}

/// The fields of a form; one that stands there twice is refused, as the RFC wants it.
fn fields(form: &[u8]) -> Result<BTreeMap<String, String>, Refused> {
    let mut found = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(form) {
        if found.insert(name.into_owned(), value.into_owned()).is_some() {
            return Err(Refused::invalid_request("A parameter stands in the form twice."));
        }
    }
    Ok(found)
}

/// Client id and secret of `Authorization: Basic`, each encoded like a form's value before they are joined.
fn basic(request: &Request) -> Result<Option<(String, String)>, Refused> {
    let Some(header) = request.header("authorization") else { return Ok(None) };
    let encoded = match header.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("basic") => rest.trim(),
        _ => return Err(Refused::invalid_client()),
    };
    let plain = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let plain = plain.ok_or_else(Refused::invalid_client)?;
    let (id, secret) = plain.split_once(':').ok_or_else(Refused::invalid_client)?;
    Ok(Some((decoded(id), decoded(secret))))
}

fn decoded(text: &str) -> String {
    let whole = format!("v={text}");
    // An ampersand would begin another field: encoded as it must be, there is none.
    let value = form_urlencoded::parse(whole.as_bytes()).next().map(|(_, value)| value);
    value.map(Cow::into_owned).unwrap_or_default()
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    Response::builder()
        .status(status)
        .content_type("application/json")
        .header("cache-control", "no-store")
        .header("pragma", "no-cache")
        .body(body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_header(value: &str) -> Request {
        Request::builder().header("authorization", value).finish()
    }

    #[test]
    fn basic_credentials_are_read_as_the_rfc_writes_them() {
        let read = |plain: &str| basic(&with_header(&format!("Basic {}", STANDARD.encode(plain))));
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(read("psvc_1:psec_a-b_c").ok().flatten(), pair("psvc_1", "psec_a-b_c"));
        assert_eq!(read("a%3Ab:c+d%2B").ok().flatten(), pair("a:b", "c d+"));
        assert_eq!(read("a:b:c").ok().flatten(), pair("a", "b:c"));
        assert!(read("no colon").is_err());
        assert!(basic(&with_header("Basic %%%")).is_err());
        assert!(basic(&with_header("Bearer x")).is_err());
        assert!(matches!(basic(&Request::builder().finish()), Ok(None)));
    }

    #[test]
    fn a_field_that_stands_twice_is_refused() {
        assert!(fields(b"grant_type=client_credentials&scope=read").is_ok());
        assert!(fields(b"scope=read&scope=admin").is_err());
    }
}
