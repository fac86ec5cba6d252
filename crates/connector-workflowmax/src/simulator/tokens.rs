//! Tokens that say what they are, so that those of a simulator that was started anew are still known.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use integration::oauth::challenge;
use serde_json::{Value, json};

/// The end of what has no end, in seconds: the year 2100.
pub(super) const FAR: i64 = 4_102_444_800;

/// One consent: through which app, and which one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Family {
    pub client: String,
    pub number: u64,
}

/// What a refresh token says.
pub(super) struct Refresh {
    pub family: Family,
    pub generation: u64,
    pub until: i64,
}

/// What an access token says.
pub(super) struct Access {
    pub family: Family,
    pub epoch: u64,
    pub until: i64,
}

fn seal(text: &str) -> String {
    challenge(&format!("workflowmax-simulated/{text}")).chars().take(20).collect()
}

pub(super) fn refresh(family: &Family, generation: u64, until: i64) -> String {
    let text = format!("wfm~{}~{}~{generation}~{until}", family.client, family.number);
    format!("{text}~{}", seal(&text))
}

pub(super) fn read_refresh(token: &str) -> Option<Refresh> {
    let (text, sealed) = token.rsplit_once('~')?;
    let parts: Vec<&str> = text.split('~').collect();
    let ["wfm", client, number, generation, until] = parts[..] else { return None };
    let family = Family { client: client.to_owned(), number: number.parse().ok()? };
    let read = Refresh { family, generation: generation.parse().ok()?, until: until.parse().ok()? };
    (seal(text) == sealed).then_some(read)
}

pub(super) fn access(family: &Family, epoch: u64, until: i64, organisations: &[&str]) -> String {
    let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "org_ids": organisations, "exp": until, "client": family.client, "number": family.number, "epoch": epoch,
    });
    let text = format!("{}.{}", encode(json!({ "alg": "simulated", "typ": "JWT" })), encode(claims));
    format!("{text}.{}", seal(&text))
}

pub(super) fn read_access(token: &str) -> Option<Access> {
    let (text, sealed) = token.rsplit_once('.')?;
    let claims = URL_SAFE_NO_PAD.decode(text.split_once('.')?.1).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let family = Family { client: claims["client"].as_str()?.to_owned(), number: claims["number"].as_u64()? };
    let read = Access { family, epoch: claims["epoch"].as_u64()?, until: claims["exp"].as_i64()? };
    (seal(text) == sealed).then_some(read)
}
