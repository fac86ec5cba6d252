//! Webhooks. The vendor signs nothing: a delivery carries the agreed secret as a password or as a bearer
//! token, and says only which ticket is to be read again.

use std::slice;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use integration::{Delivery, Error, HearWebhooks, Heard, Kind, RecordKind, Result, Secret, Vendor};
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Halopsa;

#[async_trait]
impl HearWebhooks for Halopsa {
    fn covers_body(&self) -> bool {
        false
    }

    async fn hear(&self, delivery: &Delivery, secret: &Secret) -> Result<Vec<Heard>> {
        let shown = delivery.header("authorization").and_then(shown).unwrap_or_default();
        // Digests of both, so that not even the length of the secret shows in the time it takes.
        let same = Sha256::digest(&shown).ct_eq(&Sha256::digest(secret.expose()));
        if shown.is_empty() || !bool::from(same) {
            return Err(Error::new(Kind::Credentials, "this webhook does not carry the secret agreed with HaloPSA"));
        }
        let body: Value = serde_json::from_slice(&delivery.body).map_err(|why| Error::unreadable(Self::NAME, why))?;
        let mut ids = Vec::new();
        for one in body.as_array().map_or(slice::from_ref(&body), Vec::as_slice) {
            let id = ticket_of(one);
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        // The vendor gives no id of a delivery: the body, which holds the time of the change, stands for it.
        let digest = hex::encode(Sha256::digest(&delivery.body));
        let heard = |(at, id)| Heard { delivery_id: format!("{digest}-{at}"), kind: RecordKind::Ticket, id };
        Ok(ids.into_iter().enumerate().map(heard).collect())
    }
}

/// The secret that a delivery shows.
fn shown(header: &str) -> Option<Vec<u8>> {
    let (scheme, rest) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().as_bytes().to_vec());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = STANDARD.decode(rest.trim()).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    Some(pair[colon + 1..].to_vec())
}

/// The ticket that an event is about, where it names one: `None` asks for all tickets to be read again.
fn ticket_of(event: &Value) -> Option<String> {
    let places = [&event["ticket"]["id"], &event["ticket_id"], &event["action"]["ticket_id"], &event["object_id"]];
    places.into_iter().find_map(|place| {
        let number = place.as_i64().or_else(|| place.as_str()?.trim().parse().ok())?;
        (number > 0).then(|| number.to_string())
    })
}
