//! Reading an ID token. Nothing of it is believed before its signature is; what the crate does not check, or checks
//! laxly, is checked here on the very bytes that were signed.

use std::{collections::BTreeSet, fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use domain::{SsoKind, SsoProvider, Timestamp, shows_mfa, tenant_of, valid_email};
use openidconnect::{
    ClaimsVerificationError, ClientId, IssuerUrl, Nonce, SignatureVerificationError,
    core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm as Alg},
};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Longest token, in bytes.
pub(crate) const LONGEST: usize = 16 * 1024;
/// By how much clocks may differ.
const SKEW: TimeDelta = TimeDelta::seconds(120);
/// Longest subject, as the specification has it.
const SUBJECT: usize = 255;
/// What a header may hold: nothing that brings or names a key of its own, nothing that must be understood.
const HEADER: [&str; 5] = ["alg", "kid", "typ", "x5t", "x5t#S256"];

/// Algorithms that are taken: by a public key, and by no other.
const ALGORITHMS: [(&str, Alg); 8] = [
    ("RS256", Alg::RsaSsaPkcs1V15Sha256),
    ("RS384", Alg::RsaSsaPkcs1V15Sha384),
    ("RS512", Alg::RsaSsaPkcs1V15Sha512),
    ("PS256", Alg::RsaSsaPssSha256),
    ("PS384", Alg::RsaSsaPssSha384),
    ("PS512", Alg::RsaSsaPssSha512),
    ("ES256", Alg::EcdsaP256Sha256),
    ("ES384", Alg::EcdsaP384Sha384),
];

/// What a token must agree with.
pub(crate) struct Expected<'a> {
    pub provider: &'a SsoProvider,
    pub keys: &'a CoreJsonWebKeySet,
    pub nonce: &'a str,
    /// When the sign-in was begun: no token of it is older.
    pub begun_at: Timestamp,
    pub now: Timestamp,
}

/// Who somebody is, as the provider vouches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub issuer: String,
    pub tenant: Option<String>,
    pub subject: String,
    /// Whether more than one factor was shown to the provider.
    pub mfa: bool,
    /// An address that the provider vouches for: a label of a new account, and never what one is found by.
    pub email: Option<String>,
    pub name: Option<String>,
}

/// Why a token is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No key of this id is known: perhaps it is new.
    UnknownKey,
    /// Anything else, in words for the journal.
    Wrong(&'static str),
}

type Checked<T> = Result<T, Refused>;

fn wrong<T>(why: &'static str) -> Checked<T> {
    Err(Refused::Wrong(why))
}

/// Checks a token wholly.
pub(crate) fn verify(token: &str, expected: &Expected<'_>) -> Checked<Identity> {
    if token.len() > LONGEST {
        return wrong("the token is too long");
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { return wrong("the token is not signed in three parts") };
    if signature.is_empty() {
        return wrong("the token is not signed");
    }
    let (header, claims) = (object(header)?, object(payload)?);
    check_header(&header)?;
    let (issuer, tenant) = check_issuer(&claims, expected.provider)?;
    signed(token, &issuer, expected)?;
    check_claims(&claims, expected)?;
    let subject = match claims.get("sub") {
        Some(Value::String(subject)) if !subject.is_empty() && subject.len() <= SUBJECT && sound(subject) => subject,
        _ => return wrong("the subject is missing, empty or too long"),
    };
    let methods = claims.get("amr").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    Ok(Identity {
        issuer,
        tenant,
        subject: subject.clone(),
        mfa: shows_mfa(methods.iter().filter_map(Value::as_str)),
        email: email(&claims, expected.provider),
        name: claims.get("name").and_then(Value::as_str).map(str::to_owned),
    })
}

fn sound(text: &str) -> bool {
    text.chars().all(|c| !c.is_control())
}

fn object(part: &str) -> Checked<Map<String, Value>> {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(part) else { return wrong("a part of the token is not base64") };
    match serde_json::from_slice::<Strict>(&bytes) {
        Ok(Strict(Value::Object(object))) => Ok(object),
        Ok(_) | Err(_) => wrong("a part of the token is not a JSON object, or says something twice"),
    }
}

fn check_header(header: &Map<String, Value>) -> Checked<()> {
    if header.keys().any(|name| !HEADER.contains(&name.as_str())) {
        return wrong("the token's header holds more than algorithm and key id");
    }
    let algorithm = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    if !ALGORITHMS.iter().any(|(name, _)| *name == algorithm) {
        return wrong("the token is not signed by an algorithm that we take");
    }
    match header.get("kid") {
        None => Ok(()),
        Some(Value::String(kid)) if !kid.is_empty() && kid.len() <= SUBJECT => Ok(()),
        Some(_) => wrong("the token's key id is not one"),
    }
}

/// The issuer that the token must name, and its tenant: each must be what the other says.
fn check_issuer(claims: &Map<String, Value>, provider: &SsoProvider) -> Checked<(String, Option<String>)> {
    let tenant = match provider.kind {
        SsoKind::Oidc => None,
        SsoKind::Entra => {
            let said = claims.get("tid").and_then(Value::as_str).unwrap_or_default();
            match tenant_of(said).filter(|tenant| tenant == said) {
                Some(tenant) => Some(tenant),
                None => return wrong("the token names no tenant, or that of personal accounts"),
            }
        }
    };
    let issuer = provider.issuer_of(tenant.as_deref());
    let issuer = issuer.filter(|issuer| claims.get("iss").and_then(Value::as_str) == Some(issuer));
    match issuer {
        Some(issuer) => Ok((issuer, tenant)),
        None => wrong("the token is of another issuer, or issuer and tenant disagree"),
    }
}

/// Signature, issuer, audience, expiry and nonce, by the crate.
fn signed(token: &str, issuer: &str, expected: &Expected<'_>) -> Checked<()> {
    let Ok(parsed) = CoreIdToken::from_str(token) else { return wrong("the token cannot be read") };
    let Ok(issuer) = IssuerUrl::new(issuer.to_owned()) else { return wrong("the issuer is not an address") };
    let now = expected.now;
    let client = ClientId::new(expected.provider.app_id.clone());
    // As of a public client: no secret of ours is ever a key that a token is signed with.
    let verifier = CoreIdTokenVerifier::new_public_client(client, issuer, expected.keys.clone())
        .set_allowed_algs(ALGORITHMS.into_iter().map(|(_, algorithm)| algorithm))
        .set_time_fn(move || now - SKEW);
    match parsed.claims(&verifier, &Nonce::new(expected.nonce.to_owned())) {
        Ok(_) => Ok(()),
        Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
            Err(Refused::UnknownKey)
        }
        Err(ClaimsVerificationError::SignatureVerification(_)) => wrong("the token's signature is not the provider's"),
        Err(ClaimsVerificationError::InvalidAudience(_)) => wrong("the token is for another app"),
        Err(ClaimsVerificationError::InvalidIssuer(_)) => wrong("the token is of another issuer"),
        Err(ClaimsVerificationError::Expired(_)) => wrong("the token is over"),
        Err(ClaimsVerificationError::InvalidNonce(_)) => wrong("the token is of another sign-in"),
        Err(_) => wrong("the token is not one that we take"),
    }
}

fn check_claims(claims: &Map<String, Value>, expected: &Expected<'_>) -> Checked<()> {
    let app = expected.provider.app_id.as_str();
    let sole = match claims.get("aud") {
        Some(Value::String(audience)) => audience == app,
        Some(Value::Array(all)) => matches!(&all[..], [Value::String(audience)] if audience == app),
        _ => false,
    };
    if !sole {
        return wrong("the token is for other apps too");
    }
    if claims.get("azp").is_some_and(|party| party.as_str() != Some(app)) {
        return wrong("the token was given to another app");
    }
    if claims.get("nonce").and_then(Value::as_str) != Some(expected.nonce) {
        return wrong("the token is of another sign-in");
    }
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => match value.as_f64().filter(|seconds| (0.0..1e11).contains(seconds)) {
            Some(seconds) => Ok(Timestamp::from_timestamp(seconds as i64, 0)),
            None => wrong("a time of the token is not one"),
        },
    };
    let (expires, issued, from) = (time("exp")?, time("iat")?, time("nbf")?);
    if expires.is_none_or(|at| at + SKEW <= expected.now) {
        return wrong("the token is over");
    }
    if issued.is_none_or(|at| at > expected.now + SKEW || at < expected.begun_at - SKEW) {
        return wrong("the token was not made in this sign-in");
    }
    if from.is_some_and(|at| at > expected.now + SKEW) {
        return wrong("the token does not hold yet");
    }
    Ok(())
}

/// The address that the provider vouches for. Entra's `email` is whatever a tenant wrote there; the name that one signs
/// in by is of a domain that the tenant has proved, unless it is a guest's.
fn email(claims: &Map<String, Value>, provider: &SsoProvider) -> Option<String> {
    let claim = match provider.kind {
        SsoKind::Entra => claims.get("preferred_username"),
        SsoKind::Oidc => claims.get("email").filter(|_| claims.get("email_verified") == Some(&Value::Bool(true))),
    };
    let text = claim.and_then(Value::as_str).filter(|text| !text.contains('#'))?;
    valid_email("/email", text).ok()
}

/// JSON in which nothing is said twice: of two values, whoever reads next might take the other.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Strict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated names")
    }
    fn visit_bool<E>(self, value: bool) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }
    fn visit_str<E>(self, value: &str) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }
    fn visit_unit<E>(self) -> Result<Strict, E> {
        Ok(Strict(Value::Null))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Strict, A::Error> {
        let mut all = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Strict(Value::Array(all)))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Strict, A::Error> {
        let (mut all, mut seen) = (Map::new(), BTreeSet::new());
        while let Some((name, Strict(value))) = fields.next_entry::<String, Strict>()? {
            if !seen.insert(name.clone()) {
                return Err(serde::de::Error::custom("a name is there twice"));
            }
            all.insert(name, value);
        }
        Ok(Strict(Value::Object(all)))
    }
}
