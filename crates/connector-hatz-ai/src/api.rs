//! The vendor's manners: its key, its addresses, its errors.

use std::sync::Arc;

use integration::{Checked, CredentialsForm, Error, Http, Kind, Request, Response, Result, Secret, Transport, Vendor};
use url::Url;

use crate::{Credentials, HatzAi, wire};

/// The vendor's name in messages.
pub(crate) const NAME: &str = HatzAi::NAME;

/// One address for all accounts.
const BASE: &str = "https://ai.hatz.ai/v1";

/// How to reach one account.
pub(crate) struct Api {
    pub(crate) http: Http,
    base: Url,
    key: Secret,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let usual = || Url::parse(BASE).expect("the constant is an address");
        Self {
            http: Http::new(NAME, transport, credentials.secrets()),
            base: with_version(credentials.api_url.unwrap_or_else(usual)),
            key: credentials.api_key,
        }
    }

    /// The MSP's own account names the connection and proves the right; a tenant, that some can be seen.
    pub(crate) async fn check(&self) -> Result<Checked> {
        let own = match self.call(&["tenants", "msp"], &[]).await {
            Ok(response) => self.parse::<wire::Msp>(&response)?,
            // Older editions have it under another name; it is only wanted for people.
            Err(error) if error.kind == Kind::NotFound => wire::Msp::default(),
            Err(error) => return Err(error),
        };
        let tenants = self.slice(&["tenants"], 0, 1).await?;
        let mut warnings = Vec::new();
        // The list is empty also for a key whose user may not see the tenants.
        if tenants.is_empty() && own.tenant_user_count.0.is_some_and(|count| count > 0) {
            warnings.push(TENANTS_HIDDEN.to_owned());
        }
        Ok(Checked { account: own.name.0, warnings })
    }

    /// Asks for something of the administration; only a success comes back.
    pub(crate) async fn call(&self, path: &[&str], query: &[(&str, u64)]) -> Result<Response> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push("admin").extend(path);
        }
        let request = Request::get(url).header("accept", "application/json").header("x-api-key", self.key.expose());
        let request = query.iter().fold(request, |request, (name, value)| request.query(name, value));
        let response = self.http.send(request).await?;
        if response.is_success() { Ok(response) } else { Err(self.failure(&response)) }
    }

    fn parse<T: serde::de::DeserializeOwned>(&self, response: &Response) -> Result<T> {
        response.json(NAME).map_err(|error| self.http.scrub(error))
    }

    /// The one place where the vendor's error bodies are read.
    fn failure(&self, response: &Response) -> Error {
        let words = if response.is_html() { String::new() } else { wire::words(&response.body) };
        self.http.failure(response, |mut error| {
            match error.kind {
                Kind::Credentials => error.message = KEY_WRONG.to_owned(),
                Kind::Forbidden => error.message = NO_RIGHT.to_owned(),
                Kind::NotFound => error.message = NOT_THERE.to_owned(),
                _ => {}
            }
            error.vendor_says(words).request_id(response.header("x-request-id"))
        })
    }
}

const KEY_WRONG: &str = "Hatz AI does not accept the API key: it was mistyped or has ended, or its user was removed. Make a \
                         new one and save it here";
const NO_RIGHT: &str = "Hatz AI refuses this to the API key: its user must be an MSP administrator (admin.hatz.ai)";
const NOT_THERE: &str = "Hatz AI does not know this: check the API address; else it is gone there";
const TENANTS_HIDDEN: &str = "Hatz AI counts users in your tenants, but shows no tenant to this API key: check which \
                              tenants its user may see";

/// The address as people paste it, with or without `/v1` at its end.
fn with_version(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/');
    let path = if path.ends_with("/v1") { path.to_owned() } else { format!("{path}/v1") };
    url.set_path(&path);
    url
}
