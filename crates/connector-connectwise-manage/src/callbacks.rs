//! Callbacks: ConnectWise's webhooks. Two things must be right: our own secret in the address, because
//! all MSPs of one cloud are signed for alike, and the signature, because addresses get known.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use integration::{Delivery, Error, HearWebhooks, Heard, Kind, Method, RecordKind, Request, Result, Secret};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::Url;

use crate::{ConnectwiseManage, api::NAME, wire};

/// The name of our secret in the address that callbacks are sent to.
const SECRET: &str = "secret";

/// The key that signed last, and where it is told.
#[derive(Default)]
pub(crate) struct Signing(Mutex<Option<(Url, Secret)>>);

impl Signing {
    fn known(&self, at: &Url) -> Option<Secret> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|(from, _)| from == at).map(|(_, key)| key.clone())
    }

    fn learn(&self, at: Url, key: Secret) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, key));
    }
}

#[async_trait]
impl HearWebhooks for ConnectwiseManage {
    fn address(&self, ours: &str, secret: &Secret) -> String {
        let secret: String = url::form_urlencoded::byte_serialize(secret.expose().as_bytes()).collect();
        // ConnectWise adds the record's id at the end.
        format!("{ours}?{SECRET}={secret}&id=")
    }

    async fn hear(&self, delivery: &Delivery, secret: &Secret) -> Result<Vec<Heard>> {
        let given = delivery.query.iter().find(|(name, _)| name == SECRET).map_or("", |(_, value)| value.as_str());
        if !bool::from(given.as_bytes().ct_eq(secret.expose().as_bytes())) {
            return Err(unsigned("it does not carry our secret in its address"));
        }
        let signature = delivery.header("x-content-signature").and_then(|text| STANDARD.decode(text.trim()).ok());
        let signature = signature.ok_or_else(|| unsigned("it has no signature"))?;
        let callback: wire::Callback =
            serde_json::from_slice(&delivery.body).map_err(|_| unsigned("its body is not a callback"))?;
        // A number would be an id of ConnectWise's own, which is not known here.
        let foreign = |id: &wire::Id| id.0.parse::<i64>().is_err() && !id.0.eq_ignore_ascii_case(&self.api.company);
        if callback.company.as_ref().is_some_and(foreign) {
            return Err(unsigned("it comes from another company"));
        }
        let address = callback.metadata.and_then(|metadata| metadata.key_url).and_then(|url| Url::parse(&url).ok());
        let address = address.filter(|url| self.trusts(url)).ok_or_else(|| unsigned("its key is told elsewhere"))?;
        let known = self.signing.known(&address);
        if !known.is_some_and(|key| signs(&key, &delivery.body, &signature)) {
            // Keys change: the one we know may be an old one.
            let key = self.signing_key(&address).await?;
            if !signs(&key, &delivery.body, &signature) {
                return Err(unsigned("its signature is wrong"));
            }
            self.signing.learn(address, key);
        }
        let kind = match callback.kind.as_deref().map(str::to_lowercase).as_deref() {
            Some("company") => RecordKind::Entity,
            Some("contact") => RecordKind::Contact,
            Some("ticket") => RecordKind::Ticket,
            Some("invoice") => RecordKind::Invoice,
            _ => return Ok(Vec::new()),
        };
        let delivery_id = hex::encode(Sha256::digest(&delivery.body));
        Ok(vec![Heard { delivery_id, kind, id: callback.id.map(|id| id.0) }])
    }
}

impl ConnectwiseManage {
    /// Whether a key may be fetched there: from our own server, or from ConnectWise's cloud.
    fn trusts(&self, url: &Url) -> bool {
        let cloud = url.host_str().is_some_and(|host| host.ends_with(".myconnectwise.net"));
        url.origin() == self.api.site.origin() || (cloud && url.scheme() == "https" && url.port().is_none())
    }

    /// Asks for a signing key, without our own keys: whoever asks is told.
    async fn signing_key(&self, at: &Url) -> Result<Secret> {
        let response = self.api.http.send(Request::get(at.clone()).header("accept", "application/json")).await?;
        if !response.is_success() {
            return Err(self.api.failure(&response, Method::Get));
        }
        let told: wire::SigningKey = response.json(NAME)?;
        let key = told.signing_key.filter(|key| !key.is_empty());
        let key = Secret::new(key.ok_or_else(|| Error::unreadable(NAME, "no signing key"))?);
        self.api.http.learn_secret(key.clone());
        Ok(key)
    }
}

/// Whether this key signed the body; compared in constant time.
fn signs(key: &Secret, body: &[u8], signature: &[u8]) -> bool {
    let key = Sha256::digest(key.expose().as_bytes());
    Hmac::<Sha256>::new_from_slice(&key).is_ok_and(|mac| mac.chain_update(body).verify_slice(signature).is_ok())
}

fn unsigned(why: &str) -> Error {
    Error::new(Kind::Credentials, format!("this is no callback of {NAME}: {why}"))
}
