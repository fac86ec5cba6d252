//! Tokens that are not right in one way each: none makes an account, a session or a link. The provider makes accounts just
//! in time, so that a token that was taken would show.

use access::OutsideAnswer;
use domain::{Outcome, PortalAuthMode, SsoAudience};
use openidconnect::{
    JsonWebKeyId, PrivateSigningKey,
    core::{CoreJwsSigningAlgorithm as Alg, CoreRsaPrivateSigningKey},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testkit::{both_databases, coded};

use super::provider::{APP, ISSUER, SECRET, SUBJECT, Stage, Traveller, conflict, oidc};

const RSA: &str = include_str!("rsa_for_tests.pem");

/// What a case does with a right token: header and claims to begin with.
type Forge = fn(&Stage<'_>, &mut Value, &mut Value) -> Option<String>;

/// Changes the claims, and signs them rightly.
macro_rules! claim {
    ($name:literal, |$claims:ident, $now:ident| $change:expr) => {
        ($name, |stage, _, $claims| {
            #[allow(unused_variables, reason = "not every case is about time")]
            let $now = stage.db.now().timestamp();
            $change;
            None
        })
    };
}

/// Changes the header, and signs it rightly.
macro_rules! header {
    ($name:literal, |$header:ident| $change:expr) => {
        ($name, |_, $header, _| {
            $change;
            None
        })
    };
}

fn without(value: &mut Value, name: &str) {
    value.as_object_mut().expect("an object").remove(name);
}

fn hmac(key: &[u8], text: &str) -> String {
    // HMAC-SHA256 by hand: nothing else in this crate needs it.
    let mut block = [0u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|b| b ^ 0x36)).chain_update(text).finalize();
    coded(Sha256::new().chain_update(block.map(|b| b ^ 0x5c)).chain_update(inner).finalize())
}

fn hs256(key: &[u8], claims: &Value, kid: Option<&str>) -> String {
    let header = match kid {
        Some(kid) => json!({ "alg": "HS256", "kid": kid }),
        None => json!({ "alg": "HS256" }),
    };
    let text = format!("{}.{}", coded(header.to_string()), coded(claims.to_string()));
    format!("{text}.{}", hmac(key, &text))
}

fn rsa() -> CoreRsaPrivateSigningKey {
    CoreRsaPrivateSigningKey::from_pem(RSA, Some(JsonWebKeyId::new("rsa".to_owned()))).expect("a key")
}

fn rsa_signed(algorithm: (&str, Alg), claims: &Value) -> String {
    let header = json!({ "alg": algorithm.0, "kid": "rsa" });
    let text = format!("{}.{}", coded(header.to_string()), coded(claims.to_string()));
    format!("{text}.{}", coded(rsa().sign(&algorithm.1, text.as_bytes()).expect("signs")))
}

fn signed_by_text(stage: &Stage<'_>, header: &str, claims: &str) -> Option<String> {
    Some(stage.provider.key.token(header, claims))
}

/// Every case. `None` signs the header and the claims as the case left them, by the right key.
static CASES: &[(&str, Forge)] = &[
    // The signature.
    ("alg none, unsigned", |_, _, claims| {
        Some(format!("{}.{}.", coded(r#"{"alg":"none"}"#), coded(claims.to_string())))
    }),
    ("alg None, unsigned", |_, _, claims| {
        Some(format!("{}.{}.", coded(r#"{"alg":"None"}"#), coded(claims.to_string())))
    }),
    ("alg none with a signature", |stage, _, claims| signed_by_text(stage, r#"{"alg":"none"}"#, &claims.to_string())),
    ("alg missing", |stage, _, claims| signed_by_text(stage, r#"{"kid":"first"}"#, &claims.to_string())),
    ("alg a number", |stage, _, claims| signed_by_text(stage, r#"{"alg":256,"kid":"first"}"#, &claims.to_string())),
    ("HS256 with the public key", |stage, _, claims| {
        Some(hs256(stage.provider.key.public().to_string().as_bytes(), claims, Some("first")))
    }),
    ("HS256 with the public key's x", |stage, _, claims| {
        Some(hs256(stage.provider.key.public()["x"].as_str().expect("x").as_bytes(), claims, Some("first")))
    }),
    ("HS256 with the client secret", |_, _, claims| Some(hs256(SECRET.as_bytes(), claims, None))),
    ("HS256 with the client secret, with a key id", |_, _, claims| {
        Some(hs256(SECRET.as_bytes(), claims, Some("first")))
    }),
    ("HS256 with nothing", |_, _, claims| Some(hs256(b"", claims, None))),
    ("HS384 said, ES256 signed", |stage, _, claims| {
        signed_by_text(stage, r#"{"alg":"HS384","kid":"first"}"#, &claims.to_string())
    }),
    ("RS256 said, ES256 signed", |stage, _, claims| {
        signed_by_text(stage, r#"{"alg":"RS256","kid":"first"}"#, &claims.to_string())
    }),
    ("ES384 said, ES256 signed", |stage, _, claims| {
        signed_by_text(stage, r#"{"alg":"ES384","kid":"first"}"#, &claims.to_string())
    }),
    ("ES256K said", |stage, _, claims| signed_by_text(stage, r#"{"alg":"ES256K","kid":"first"}"#, &claims.to_string())),
    ("es256 said", |stage, _, claims| signed_by_text(stage, r#"{"alg":"es256","kid":"first"}"#, &claims.to_string())),
    ("another key under the right id", |stage, header, claims| {
        Some(stage.provider.other_key.token(&header.to_string(), &claims.to_string()))
    }),
    ("another key without an id", |stage, header, claims| {
        without(header, "kid");
        Some(stage.provider.other_key.token(&header.to_string(), &claims.to_string()))
    }),
    ("another key under its own id", |stage, _, claims| Some(stage.provider.other_key.sign(claims))),
    ("RS256 by a key that the provider does not have", |_, _, claims| {
        Some(rsa_signed(("RS256", Alg::RsaSsaPkcs1V15Sha256), claims))
    }),
    header!("a wrong key id", |header| header["kid"] = "second".into()),
    header!("an empty key id", |header| header["kid"] = "".into()),
    header!("a key id that is no text", |header| header["kid"] = json!(["first"])),
    header!("a key id that is a path", |header| header["kid"] = "../../dev/null".into()),
    ("a signature of another text", |stage, header, claims| {
        let other = stage.provider.key.sign(&json!({ "iss": ISSUER }));
        let text = format!("{}.{}", coded(header.to_string()), coded(claims.to_string()));
        Some(format!("{text}.{}", other.rsplit('.').next().expect("a signature")))
    }),
    ("a signature that is too short", |stage, _, claims| {
        let token = stage.provider.key.sign(claims);
        Some(token[..token.len() - 8].to_owned())
    }),
    ("a signature with one bit turned", |stage, _, claims| {
        let token = stage.provider.key.sign(claims);
        let at = token.len() - 20;
        let turned = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
        Some(format!("{}{turned}{}", &token[..at], &token[at + 1..]))
    }),
    ("a signature of zeros", |_, header, claims| {
        Some(format!("{}.{}.{}", coded(header.to_string()), coded(claims.to_string()), coded([0u8; 64])))
    }),
    ("claims changed after signing", |stage, _, claims| {
        let token = stage.provider.key.sign(&json!({ "iss": ISSUER, "sub": "somebody" }));
        let parts: Vec<&str> = token.split('.').collect();
        Some(format!("{}.{}.{}", parts[0], coded(claims.to_string()), parts[2]))
    }),
    ("an empty signature", |_, header, claims| {
        Some(format!("{}.{}.", coded(header.to_string()), coded(claims.to_string())))
    }),
    // What the header brings along.
    ("jwk: a key of its own", |stage, header, claims| {
        header["jwk"] = stage.provider.other_key.public();
        Some(stage.provider.other_key.token(&header.to_string(), &claims.to_string()))
    }),
    header!("jwk: the right key", |header| header["jwk"] = json!({ "kty": "EC" })),
    header!("jku", |header| header["jku"] = "https://evil.example/keys".into()),
    header!("x5u", |header| header["x5u"] = "https://evil.example/cert".into()),
    header!("x5c", |header| header["x5c"] = json!(["MIIB"])),
    header!("crit", |header| header["crit"] = json!(["exp"])),
    header!("crit, empty", |header| header["crit"] = json!([])),
    header!("b64", |header| header["b64"] = false.into()),
    header!("zip", |header| header["zip"] = "DEF".into()),
    header!("a content type", |header| header["cty"] = "JWT".into()),
    header!("an access token's type", |header| header["typ"] = "at+jwt".into()),
    header!("a logout token's type", |header| header["typ"] = "logout+jwt".into()),
    ("alg twice", |stage, _, claims| {
        signed_by_text(stage, r#"{"alg":"none","alg":"ES256","kid":"first"}"#, &claims.to_string())
    }),
    // The form.
    ("nothing", |_, _, _| Some(String::new())),
    ("three dots", |_, _, _| Some("...".to_owned())),
    ("two parts", |stage, _, claims| {
        Some(stage.provider.key.sign(claims).rsplit_once('.').expect("parts").0.to_owned())
    }),
    ("four parts", |stage, _, claims| Some(format!("{}.x", stage.provider.key.sign(claims)))),
    ("five parts: encrypted", |_, _, _| Some(format!("{}.a.b.c.d", coded(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#)))),
    ("alg of an encryption", |stage, _, claims| {
        signed_by_text(stage, r#"{"alg":"RSA-OAEP","enc":"A256GCM","kid":"first"}"#, &claims.to_string())
    }),
    ("truncated", |stage, _, claims| {
        let token = stage.provider.key.sign(claims);
        Some(token[..token.len() / 2].to_owned())
    }),
    ("oversized", |stage, _, claims| {
        claims["padding"] = "x".repeat(20_000).into();
        Some(stage.provider.key.sign(claims))
    }),
    ("padded base64", |stage, _, claims| Some(format!("{}==", stage.provider.key.sign(claims)))),
    ("not base64", |stage, _, claims| Some(format!("*{}", stage.provider.key.sign(claims)))),
    ("claims that are a list", |stage, header, _| signed_by_text(stage, &header.to_string(), "[1]")),
    ("claims that are no JSON", |stage, header, _| signed_by_text(stage, &header.to_string(), "sub=1")),
    ("a subject twice", |stage, header, claims| {
        let text = claims.to_string();
        signed_by_text(stage, &header.to_string(), &format!(r#"{{"sub":"somebody else",{}"#, &text[1..]))
    }),
    ("an audience twice", |stage, header, claims| {
        let text = claims.to_string();
        signed_by_text(stage, &header.to_string(), &format!(r#"{{"aud":"another",{}"#, &text[1..]))
    }),
    ("a name twice, deep inside", |stage, header, claims| {
        let text = claims.to_string();
        signed_by_text(stage, &header.to_string(), &format!(r#"{{"deep":{{"a":1,"a":2}},{}"#, &text[1..]))
    }),
    // The claims.
    claim!("no issuer", |claims, now| without(claims, "iss")),
    claim!("another issuer", |claims, now| claims["iss"] = "https://id.evil.example".into()),
    claim!("the issuer with a slash", |claims, now| claims["iss"] = format!("{ISSUER}/").into()),
    claim!("the issuer in capitals", |claims, now| claims["iss"] = ISSUER.to_uppercase().into()),
    claim!("the issuer over http", |claims, now| claims["iss"] = ISSUER.replace("https", "http").into()),
    claim!("the issuer with a port", |claims, now| claims["iss"] = format!("{ISSUER}:443").into()),
    claim!("the issuer in a list", |claims, now| claims["iss"] = json!([ISSUER])),
    claim!("no audience", |claims, now| without(claims, "aud")),
    claim!("another audience", |claims, now| claims["aud"] = "another-app".into()),
    claim!("no audience in the list", |claims, now| claims["aud"] = json!([])),
    claim!("two audiences without a party", |claims, now| claims["aud"] = json!([APP, "another-app"])),
    claim!("two audiences, the party ours", |claims, now| {
        claims["aud"] = json!([APP, "another-app"]);
        claims["azp"] = APP.into();
    }),
    claim!("the audience twice", |claims, now| claims["aud"] = json!([APP, APP])),
    claim!("another party", |claims, now| claims["azp"] = "another-app".into()),
    claim!("a party that is no text", |claims, now| claims["azp"] = json!([APP])),
    claim!("no end", |claims, now| without(claims, "exp")),
    claim!("expired", |claims, now| claims["exp"] = (now - 121).into()),
    claim!("expired this very moment, clocks considered", |claims, now| claims["exp"] = (now - 120).into()),
    claim!("an end that is a text", |claims, now| claims["exp"] = "tomorrow".into()),
    claim!("an end before all time", |claims, now| claims["exp"] = (-1).into()),
    claim!("not made yet", |claims, now| claims["iat"] = (now + 121).into()),
    claim!("made before the sign-in began", |claims, now| claims["iat"] = (now - 121).into()),
    claim!("no time of making", |claims, now| without(claims, "iat")),
    claim!("not valid yet", |claims, now| claims["nbf"] = (now + 121).into()),
    claim!("valid from a text on", |claims, now| claims["nbf"] = "now".into()),
    claim!("no nonce", |claims, now| without(claims, "nonce")),
    claim!("another nonce", |claims, now| claims["nonce"] = "of another sign-in".into()),
    claim!("an empty nonce", |claims, now| claims["nonce"] = "".into()),
    claim!("nonces in a list", |claims, now| claims["nonce"] = json!([claims["nonce"].clone()])),
    claim!("no subject", |claims, now| without(claims, "sub")),
    claim!("an empty subject", |claims, now| claims["sub"] = "".into()),
    claim!("a subject that is too long", |claims, now| claims["sub"] = "s".repeat(256).into()),
    claim!("a subject that is a number", |claims, now| claims["sub"] = 7.into()),
    claim!("a subject with a control character", |claims, now| claims["sub"] = "right\u{0}".into()),
];

async fn stage_of(db: &testkit::TestDb) -> Stage<'_> {
    let stage = Stage::build(db).await;
    let quay = stage.client("Quay", PortalAuthMode::PasswordSso).await;
    stage.set_up(access::NewSsoProvider { just_in_time: true, ..oidc(SsoAudience::Portal, Some(quay)) }).await;
    stage
}

async fn begin(stage: &Stage<'_>) -> Traveller {
    stage.start(stage.ask(SsoAudience::Portal, Some("nova@quay.example"))).await.expect("begins")
}

both_databases! {
    async fn no_forged_token_is_taken(db: TestDb) {
        let stage = stage_of(&db).await;
        let before = stage.made().await;
        assert!(CASES.len() >= 60, "{}", CASES.len());
        for (at, (name, forge)) in CASES.iter().enumerate() {
            let traveller = begin(&stage).await;
            let mut header = json!({ "alg": "ES256", "kid": "first", "typ": "JWT" });
            let mut claims = stage.claims(&traveller, SUBJECT);
            let forged = forge(&stage, &mut header, &mut claims);
            let token = forged.unwrap_or_else(|| stage.provider.key.token(&header.to_string(), &claims.to_string()));
            stage.provider.gives(&token);
            // From an address of its own each: none is refused only for being the twentieth.
            let back = stage.back(SsoAudience::Portal, &traveller, &format!("198.51.100.{at}"));
            match stage.finish(back).await {
                Err(domain::Error::Conflict { code: "sso_refused", .. }) => {}
                other => panic!("{name}: {other:?}"),
            }
            assert_eq!(stage.made().await, before, "{name} made something");
            db.clock.advance(1);
        }
        let entries = stage.house.journal("sso_session_create").await;
        assert!(entries.len() >= 60 && entries.iter().all(|entry| entry.outcome == Outcome::Denied));
        // The same with nothing wrong comes in: it was for these faults that the others did not.
        let traveller = begin(&stage).await;
        stage.provider.gives(&stage.provider.key.sign(&stage.claims(&traveller, SUBJECT)));
        stage.finish(stage.back(SsoAudience::Portal, &traveller, "192.0.2.1")).await.expect("comes in");
        assert_ne!(stage.made().await, before);
    }

    async fn right_tokens_of_every_kind_of_key_are_taken(db: TestDb) {
        let stage = stage_of(&db).await;
        let key = serde_json::to_value(rsa().as_verification_key()).expect("a public key");
        stage.provider.says().keys = json!({ "keys": [stage.provider.key.public(), key, { "kty": "oct", "k": "c2VjcmV0", "kid": "mac" }] });
        for algorithm in [("RS256", Alg::RsaSsaPkcs1V15Sha256), ("PS256", Alg::RsaSsaPssSha256)] {
            let traveller = begin(&stage).await;
            stage.provider.gives(&rsa_signed(algorithm, &stage.claims(&traveller, SUBJECT)));
            stage.finish(stage.back(SsoAudience::Portal, &traveller, "192.0.2.1")).await.expect("comes in");
        }
        let traveller = begin(&stage).await;
        // By whom nothing says: the one key of its kind is meant. An end in a fraction of a second, and a list of one.
        let mut claims = stage.claims(&traveller, SUBJECT);
        claims["aud"] = json!([APP]);
        claims["azp"] = APP.into();
        stage.provider.gives(&stage.provider.key.token(r#"{"alg":"ES256"}"#, &claims.to_string()));
        stage.finish(stage.back(SsoAudience::Portal, &traveller, "192.0.2.1")).await.expect("comes in");
        // A symmetric key in the set is no key at all.
        let traveller = begin(&stage).await;
        stage.provider.gives(&hs256(b"secret", &stage.claims(&traveller, SUBJECT), Some("mac")));
        conflict(stage.finish(stage.back(SsoAudience::Portal, &traveller, "192.0.2.1")).await, "sso_refused");
    }

    async fn answers_that_are_no_token_are_not_taken(db: TestDb) {
        let stage = stage_of(&db).await;
        let before = stage.made().await;
        for (at, (status, body)) in [
            (400, r#"{"error":"invalid_grant"}"#), (401, r#"{"error":"invalid_client"}"#), (200, "{}"), (200, "[]"),
            (200, "no JSON"), (200, r#"{"id_token":7}"#), (302, ""), (500, "<html>"), (201, r#"{"id_token":"a.b.c"}"#),
        ].into_iter().enumerate() {
            let traveller = begin(&stage).await;
            stage.provider.says().token = OutsideAnswer { status, body: body.as_bytes().to_vec() };
            conflict(stage.finish(stage.back(SsoAudience::Portal, &traveller, &format!("198.51.100.{at}"))).await, "sso_refused");
        }
        assert_eq!(stage.made().await, before);
    }
}
