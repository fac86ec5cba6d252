//! The vendor's manners: its token, its addresses, its errors.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use integration::{
    Checked, CredentialsForm, Error, Http, Kind, Request, Response, Result, Secret, Transport, Vendor,
    oauth::{Token, TokenCache, claims},
};
use url::{Url, form_urlencoded::byte_serialize};

use crate::{Credentials, Threecx, calls, extensions, system, wire};

/// The vendor's name in messages.
pub(crate) const NAME: &str = Threecx::NAME;

/// A token is used up to this long before its end …
const SPARE: TimeDelta = TimeDelta::seconds(5);
/// … while the kit stops a minute before the end that it is told, which is all the life that 3CX announces.
const KIT_STOPS_BEFORE: TimeDelta = TimeDelta::seconds(60);
/// No token is believed to live longer.
const LONGEST_LIFE: TimeDelta = TimeDelta::hours(24);

const CHECK_KEY: &str = "3CX does not accept this Client ID with this API key: check both, and that the key has \
                         \"3CX Configuration API Access\"";
const NO_API: &str = "there is no 3CX version 20 with its configuration API at this address: check the PBX address and its \
                      port";
const RESTRICTED: &str = "3CX gives no token to this address: allow the internet address that PanelOne calls from in the \
                          console restrictions of 3CX";
const KEY_SHARED: &str = "3CX does not accept the token that it just gave: the API key may have been removed, or another \
                          program uses the same Client ID, and each new token ends the one before it";
const NO_RIGHT: &str = "3CX refuses this to the role of the API key: give it the role System Owner in the department \
                        DEFAULT; its configuration API also needs an Enterprise or AI licence";
const NO_SYSTEM: &str = "The state of the phone system cannot be read: the API key needs the role System Owner or System \
                         Administrator";
const NO_HISTORY: &str = "Calls are not counted, because the call history cannot be read: the API key needs the role \
                          System Owner, System Administrator is not enough";
const NO_EXTENSION: &str = "3CX shows no extension to this API key: its role may be limited to an empty department";

/// How to reach one PBX.
pub(crate) struct Api {
    pub(crate) http: Http,
    tokens: TokenCache,
    base: Url,
    client_id: String,
    key: Secret,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self {
            http: Http::new(NAME, transport, credentials.secrets()),
            tokens: TokenCache::default(),
            base: root(credentials.url),
            client_id: credentials.client_id,
            key: credentials.api_key,
        }
    }

    /// The name by which the PBX is reached.
    pub(crate) fn host(&self) -> &str {
        self.base.host_str().unwrap_or_default()
    }

    /// One extension, the name of the system and one call: what each role may see differs.
    pub(crate) async fn check(&self) -> Result<Checked> {
        let extensions = self.probe(&extensions::USERS).await?;
        let mut checked = Checked::default();
        if extensions == 0 {
            checked.warnings.push(NO_EXTENSION.to_owned());
        }
        match system::status(self).await {
            Ok(status) => checked.account = status.get("FQDN").and_then(|name| name.as_str()).map(str::to_owned),
            Err(error) => checked.warnings.push(lacking(error, NO_SYSTEM)?),
        }
        if let Err(error) = self.probe(&calls::HISTORY).await {
            checked.warnings.push(lacking(error, NO_HISTORY)?);
        }
        Ok(checked)
    }

    /// Asks below `/xapi/v1`, with the options of OData as they are.
    pub(crate) async fn get(&self, path: &str, options: &[(&str, String)]) -> Result<Response> {
        let mut url = below(&self.base, &["xapi", "v1", path]);
        // By hand, because 3CX wants a space as %20 and not as a plus.
        let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
        let pairs: Vec<String> = options.iter().map(|(key, value)| format!("{key}={}", encode(value))).collect();
        url.set_query(Some(pairs.join("&").as_str()));
        let request = Request::get(url).header("accept", "application/json");
        let sent = self.tokens.send(&self.http, "", request, || self.new_token()).await;
        let response = sent.map_err(unreached)?;
        if response.is_success() { Ok(response) } else { Err(self.failure(&response, false)) }
    }

    /// Asks for a token. Each ends the one before it, so there is one for the connection, and whoever needs it
    /// meanwhile waits.
    async fn new_token(&self) -> Result<Token> {
        let request = Request::post(below(&self.base, &["connect", "token"]))
            .header("accept", "application/json")
            .form([
                ("grant_type", "client_credentials"),
                ("client_id", &self.client_id),
                ("client_secret", self.key.expose()),
            ])
            .idempotent();
        let response = self.http.send(request).await?;
        if !response.is_success() {
            return Err(self.failure(&response, true));
        }
        let mut token = Token::from_response(NAME, &response).map_err(|error| self.http.scrub(error))?;
        // `expires_in` says 60 and the manual 60 minutes: what the token says of itself counts, if it says anything.
        let said = claims(&token.access).and_then(|claims| DateTime::<Utc>::from_timestamp(claims["exp"].as_i64()?, 0));
        let end = said.map_or(token.expires_at, |end| end.max(token.expires_at));
        token.expires_at = end.min(response.received_at + LONGEST_LIFE) + KIT_STOPS_BEFORE - SPARE;
        Ok(token)
    }

    /// The one place where the vendor's error bodies are read.
    fn failure(&self, response: &Response, at_token: bool) -> Error {
        let words = response.json_bytes(NAME).map(wire::words).unwrap_or_default();
        self.http.failure(response, |error| {
            let error = error.vendor_says(words);
            match (response.status, at_token) {
                (400 | 401, true) => restate(error, Kind::Credentials, CHECK_KEY),
                (404 | 405, true) => restate(error, Kind::Credentials, NO_API),
                (403, true) => restate(error, Kind::Forbidden, RESTRICTED),
                (401, false) => restate(error, Kind::Credentials, KEY_SHARED),
                (403, false) => restate(error, Kind::Forbidden, NO_RIGHT),
                _ => error,
            }
        })
    }
}

/// What a role may lack is a warning; anything that says more than that is an error.
fn lacking(error: Error, warning: &str) -> Result<String> {
    match error.kind {
        Kind::Credentials | Kind::Throttled => Err(error),
        Kind::Forbidden => Ok(warning.to_owned()),
        _ => Ok(format!("{warning} ({error})")),
    }
}

fn restate(mut error: Error, kind: Kind, message: &str) -> Error {
    error.kind = kind;
    error.message = message.to_owned();
    error
}

/// No answer at all may be the wrong one of the two usual ports.
fn unreached(mut error: Error) -> Error {
    if error.kind == Kind::Unavailable && error.status.is_none() {
        error.message.push_str("; hosted 3CX systems answer on port 443, self-hosted ones often on 5001");
    }
    error
}

/// The root of an address as people paste it: with the path of the API, or of the web client.
fn root(mut url: Url) -> Url {
    let ours = |part: &&str| !["xapi", "connect", "webclient"].contains(part);
    let kept: Vec<&str> = url.path().split('/').filter(|part| !part.is_empty()).take_while(ours).collect();
    let path = kept.join("/");
    url.set_path(&path);
    url
}

fn below(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}
