//! What providers say of themselves, and their keys: fetched when needed, kept for an hour, and bounded in number.
//!
//! A token of an unknown key makes the keys be fetched anew, at most once a minute for each provider: a provider that
//! changed its key is followed, and whoever sends made-up key ids makes us fetch no more than that.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::TimeDelta;
use domain::{Error, Result, SsoKind, SsoProvider, Timestamp};
use openidconnect::{core::CoreJsonWebKeySet, url::Url};
use serde::Deserialize;
use serde_json::{Value, json};

use super::outside::{Outside, OutsideRequest};

/// How long a document and its keys are taken to be true.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// For how long keys are not fetched again for the sake of an unknown one.
const AGAIN: TimeDelta = TimeDelta::minutes(1);
/// Providers that are kept.
const MOST: usize = 256;
/// Requests to one provider at a time.
const AT_ONCE: usize = 8;
/// Keys of one provider.
const MOST_KEYS: usize = 100;
/// Shortest RSA key, in bits.
const RSA_BITS: usize = 2_048;

/// What a provider says of itself.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    /// Where people are sent.
    pub authorization: Url,
    /// Where codes are exchanged.
    pub token: Url,
    /// Where its keys are.
    pub keys: Url,
    /// Whether it always says who it is when people come back (RFC 9207).
    pub says_issuer: bool,
    /// Whether the secret goes into the form, and not into the header.
    pub secret_in_form: bool,
}

/// A provider as it is known now.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub metadata: Arc<Metadata>,
    pub keys: Arc<CoreJsonWebKeySet>,
    at: Timestamp,
    keys_at: Timestamp,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// Identity providers as this process knows them.
pub struct Sso {
    pub(crate) outside: Arc<dyn Outside>,
    known: Mutex<HashMap<String, Known>>,
    /// How many ask a provider at this moment.
    asking: Mutex<HashMap<String, usize>>,
}

/// One who asks a provider, until dropped.
struct Asking<'a>(&'a Sso, String);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut asking = self.0.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = asking.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                asking.remove(&self.1);
            }
        }
    }
}

/// What of looking a provider up failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    Unreachable,
    Document,
    Issuer,
    Keys,
}

impl Sso {
    /// Over a way to the network.
    pub fn new(outside: Arc<dyn Outside>) -> Self {
        Self { outside, known: Mutex::default(), asking: Mutex::default() }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Strangers may begin a sign-in: however many do, a provider that does not answer is asked by few at a time.
    fn ask(&self, address: &str) -> Result<Asking<'_>> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let count = asking.entry(address.to_owned()).or_default();
        if *count >= AT_ONCE {
            return Err(Error::Busy("the identity provider is being asked by others".to_owned()));
        }
        *count += 1;
        drop(asking);
        Ok(Asking(self, address.to_owned()))
    }

    /// A provider as it is known, or as it says now.
    pub(crate) async fn known(&self, provider: &SsoProvider, now: Timestamp) -> Result<Known> {
        let address = name(provider);
        let kept = self.kept().get(&address).cloned();
        if let Some(kept) = kept.filter(|kept| now - kept.at < KEPT && now - kept.keys_at < KEPT) {
            return Ok(kept);
        }
        let _asking = self.ask(&address)?;
        let metadata = self.metadata(provider).await.map_err(unreachable)?;
        let keys = self.keys(provider, &metadata).await.map_err(unreachable)?;
        let known = Known { metadata: Arc::new(metadata), keys: Arc::new(keys), at: now, keys_at: now };
        self.keep(address, known.clone());
        Ok(known)
    }

    /// The same with keys that were just fetched; none where they were already, a moment ago.
    pub(crate) async fn refreshed(
        &self,
        provider: &SsoProvider,
        known: &Known,
        now: Timestamp,
    ) -> Result<Option<Known>> {
        let address = name(provider);
        {
            let mut kept = self.kept();
            let Some(kept) = kept.get_mut(&address).filter(|kept| now - kept.keys_at >= AGAIN) else { return Ok(None) };
            // Marked before it is done: of many at once one goes.
            kept.keys_at = now;
        }
        let keys = self.keys(provider, &known.metadata).await.map_err(unreachable)?;
        let known = Known { keys: Arc::new(keys), keys_at: now, ..known.clone() };
        self.keep(address, known.clone());
        Ok(Some(known))
    }

    fn keep(&self, address: String, known: Known) {
        let mut kept = self.kept();
        if kept.len() >= MOST && !kept.contains_key(&address) {
            let oldest = kept.iter().min_by_key(|(_, known)| known.at).map(|(address, _)| address.clone());
            oldest.map(|address| kept.remove(&address));
        }
        kept.insert(address, known);
    }

    /// Forgets a provider: what is asked next is asked anew.
    pub(crate) fn forget(&self, provider: &SsoProvider) {
        self.kept().remove(&name(provider));
    }

    pub(crate) async fn metadata(&self, provider: &SsoProvider) -> Result<Metadata, (Failed, String)> {
        let document = self.json(&provider.discovery()).await?;
        let document: Document = serde_json::from_value(document)
            .map_err(|_| (Failed::Document, "The discovery document lacks what signing in needs.".to_owned()))?;
        let expected = provider.announced_issuer();
        if document.issuer != expected {
            let found: String = document.issuer.chars().filter(|c| !c.is_control()).take(200).collect();
            let text = format!("The discovery document names the issuer {found}, and {expected} is set up.");
            return Err((Failed::Issuer, text));
        }
        let url = |what: &str, text: &str| {
            // Browsers are sent there: no other scheme may stand there.
            let web =
                |url: &Url| matches!(url.scheme(), "https" | "http") && url.fragment().is_none() && url.has_host();
            let sound = Url::parse(text).ok().filter(web);
            sound.ok_or_else(|| (Failed::Document, format!("The discovery document's {what} is not an address.")))
        };
        let methods = document.token_endpoint_auth_methods_supported.unwrap_or_default();
        let takes = |method: &str| methods.iter().any(|one| one == method);
        Ok(Metadata {
            authorization: url("authorization_endpoint", &document.authorization_endpoint)?,
            token: url("token_endpoint", &document.token_endpoint)?,
            keys: url("jwks_uri", &document.jwks_uri)?,
            says_issuer: document.authorization_response_iss_parameter_supported,
            secret_in_form: takes("client_secret_post") && !takes("client_secret_basic"),
        })
    }

    pub(crate) async fn keys(
        &self,
        provider: &SsoProvider,
        metadata: &Metadata,
    ) -> Result<CoreJsonWebKeySet, (Failed, String)> {
        let set = self.json(metadata.keys.as_str()).await.map_err(|(_, text)| (Failed::Keys, text))?;
        let found = set["keys"].as_array().cloned().unwrap_or_default();
        let template = provider.announced_issuer();
        let usable: Vec<Value> = found
            .into_iter()
            .take(MOST_KEYS)
            .filter(strong)
            // Entra says of some keys whose they are: those of one tenant sign for no other.
            .filter(|key| provider.kind != SsoKind::Entra || key["issuer"].as_str().is_none_or(|of| of == template))
            .collect();
        if usable.is_empty() {
            return Err((Failed::Keys, "The provider has no key that we can check signatures with.".to_owned()));
        }
        serde_json::from_value(json!({ "keys": usable }))
            .map_err(|_| (Failed::Keys, "The provider's keys cannot be read.".to_owned()))
    }

    async fn json(&self, address: &str) -> Result<Value, (Failed, String)> {
        let url = Url::parse(address).map_err(|_| (Failed::Document, format!("{address} is not an address.")))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let request = OutsideRequest { url, form: None, authorization: None };
        let answer = self.outside.send(request).await.map_err(|text| (Failed::Unreachable, text))?;
        if answer.status != 200 {
            return Err((Failed::Unreachable, format!("{host} answered {} instead of a document.", answer.status)));
        }
        serde_json::from_slice(&answer.body).map_err(|_| (Failed::Document, format!("{host} did not answer JSON.")))
    }
}

/// One entry for each provider that is set up alike, whosever it is: what is kept is public.
fn name(provider: &SsoProvider) -> String {
    format!("{} {}", provider.kind.as_str(), provider.discovery())
}

fn unreachable((failed, text): (Failed, String)) -> Error {
    let code = match failed {
        Failed::Unreachable => "sso_unreachable",
        Failed::Document | Failed::Keys => "sso_unreadable",
        Failed::Issuer => "sso_issuer",
    };
    Error::Vendor { code, message: format!("The identity provider cannot be used now: {text}"), retry_after: None }
}

/// Whether a key can sign tokens: of a kind that we take, for signatures, and long enough.
fn strong(key: &Value) -> bool {
    let text = |name: &str| key[name].as_str().unwrap_or_default();
    let signs = key["use"].is_null() || text("use") == "sig";
    // Six bits in each character; leading zeros are not written.
    let long = text("n").trim_end_matches('=').len() * 6 >= RSA_BITS;
    signs
        && match text("kty") {
            "RSA" => long,
            "EC" => matches!(text("crv"), "P-256" | "P-384"),
            _ => false,
        }
}
