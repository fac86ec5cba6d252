//! Signatures after Standard Webhooks (standardwebhooks.com): HMAC-SHA-256 over `id.timestamp.body`, in base64 after
//! `v1,`; while a secret is exchanged, one of each.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Chance, Error, Result, Timestamp};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// Random bytes of a secret.
const BYTES: usize = 32;

/// A new secret.
pub fn new_secret(chance: &dyn Chance) -> String {
    let mut bytes = [0; BYTES];
    chance.fill(&mut bytes);
    format!("{PREFIX}{}", STANDARD.encode(bytes))
}

/// The id of a message: of an event at every address and at every try the same.
pub fn message_id(event: Uuid) -> String {
    format!("evt_{}", event.simple())
}

/// The headers of a message that is sent at an instant.
pub(super) fn headers(event: Uuid, at: Timestamp, body: &str, secrets: &[String]) -> Result<Vec<(String, String)>> {
    let (id, timestamp) = (message_id(event), at.timestamp().to_string());
    let mut signatures = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let key = secret.strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok());
        let key = key.ok_or_else(|| Error::internal("a webhook's secret has another form"))?;
        let mut mac = <Hmac<Sha256>>::new_from_slice(&key).map_err(Error::internal)?;
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        signatures.push(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
    }
    let headers = [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signatures.join(" "))];
    Ok(headers.map(|(name, value)| (name.to_owned(), value)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl Chance for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            (0u8..).zip(bytes).for_each(|(n, byte)| *byte = n);
        }
    }

    /// Computed with Python's hmac, hashlib and base64.
    #[test]
    fn a_signature_is_the_one_that_others_compute() {
        let secret = new_secret(&Counting);
        assert_eq!(secret, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let at = Timestamp::from_timestamp(1_700_000_000, 0).expect("valid");
        let headers = headers(Uuid::from_u128(1), at, "{\"type\":\"ping\"}", &[secret.clone(), secret]).expect("signs");
        let expected = "v1,qp5399nWM0mrPdoR9pNuNEm+WCmapkRmZg5d0dzh0MY=";
        assert_eq!(
            headers,
            [
                ("webhook-id".to_owned(), "evt_00000000000000000000000000000001".to_owned()),
                ("webhook-timestamp".to_owned(), "1700000000".to_owned()),
                ("webhook-signature".to_owned(), format!("{expected} {expected}")),
            ]
        );
    }
}
