//! What an identity provider of a test says and signs. How it is reached is each test's own.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde_json::{Value, json};

/// A key by which a provider of a test signs, always the same for the same seed.
pub struct IdentityKey {
    /// Its id.
    pub kid: String,
    key: SigningKey,
}

/// Base64 as tokens have it.
pub fn coded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl IdentityKey {
    /// The key of a seed, under an id.
    pub fn new(kid: &str, seed: u8) -> Self {
        let key = SigningKey::from_slice(&[seed.max(1); 32]).expect("a number within the curve's order");
        Self { kid: kid.to_owned(), key }
    }

    /// Its public half, as a key set holds it.
    pub fn public(&self) -> Value {
        let point = self.key.verifying_key().to_sec1_point(false);
        let half = |from: usize| coded(&point.as_bytes()[from..from + 32]);
        json!({ "kty": "EC", "use": "sig", "alg": "ES256", "crv": "P-256", "kid": self.kid, "x": half(1), "y": half(33) })
    }

    /// What it signs these texts with.
    pub fn signature(&self, text: &str) -> String {
        let signature: Signature = self.key.sign(text.as_bytes());
        coded(signature.to_bytes())
    }

    /// A token of a header and claims, each as it is given.
    pub fn token(&self, header: &str, claims: &str) -> String {
        let text = format!("{}.{}", coded(header), coded(claims));
        format!("{text}.{}", self.signature(&text))
    }

    /// A token of these claims.
    pub fn sign(&self, claims: &Value) -> String {
        self.token(&json!({ "alg": "ES256", "kid": self.kid, "typ": "JWT" }).to_string(), &claims.to_string())
    }
}

/// The discovery document of a provider whose pages are below `base`.
pub fn discovery(issuer: &str, base: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    })
}
