//! The client assertion: a JWT that the account's private key signs, instead of a client secret.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use integration::{Error, Kind, Result, Secret};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde_json::{Value, json};

/// Who an assertion is for, wherever the token is asked for.
pub(crate) const AUDIENCE: &str = "https://account.apple.com/auth/oauth2/v2/token";
/// What kind of proof it is.
pub(crate) const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long it is good for, in seconds: as long as it takes to send it. Apple allows 180 days.
const LIFE: i64 = 600;

/// A new assertion, good for one request.
pub(crate) fn sign(client_id: &str, key_id: &str, key: &SigningKey, now: DateTime<Utc>) -> Result<Secret> {
    let mut number = [0; 16];
    getrandom::fill(&mut number).map_err(|_| {
        Error::new(Kind::Unavailable, "this machine gives no random numbers to ask Apple Business with")
    })?;
    let claims = json!({
        "iss": client_id,
        "sub": client_id,
        "aud": AUDIENCE,
        "iat": now.timestamp(),
        "exp": now.timestamp() + LIFE,
        "jti": uuid::Builder::from_random_bytes(number).into_uuid(),
    });
    let text = format!("{}.{}", part(&json!({ "alg": "ES256", "kid": key_id, "typ": "JWT" })), part(&claims));
    // Both numbers of the signature one after the other, as JOSE wants it, not the usual DER.
    let signature: Signature = key.sign(text.as_bytes());
    Ok(Secret::new(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))))
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
