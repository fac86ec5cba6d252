//! Webhooks: signed with a secret that the MSP enters at Autotask.

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use integration::{Delivery, Error, HearWebhooks, Heard, Kind, RecordKind, Result, Secret};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::{Autotask, api::NAME, wire};

#[async_trait]
impl HearWebhooks for Autotask {
    async fn hear(&self, delivery: &Delivery, secret: &Secret) -> Result<Vec<Heard>> {
        let given = delivery.header("x-hook-signature").and_then(|header| header.trim().strip_prefix("sha1="));
        let signature = given.and_then(|text| STANDARD.decode(text.trim()).ok());
        let signature = signature.ok_or_else(|| unsigned("it has no signature"))?;
        // Over the bytes as they came: Autotask escapes more than it must. Compared in constant time.
        let signed = Hmac::<Sha1>::new_from_slice(secret.expose().as_bytes())
            .is_ok_and(|mac| mac.chain_update(&delivery.body).verify_slice(&signature).is_ok());
        if !signed {
            return Err(unsigned("its signature is wrong"));
        }
        let hook: wire::Hook = serde_json::from_slice(&delivery.body)
            .map_err(|why| Error::unreadable(NAME, format!("a webhook of another shape: {why}")))?;
        if hook.action.as_deref().is_some_and(|action| action.eq_ignore_ascii_case("deactivated")) {
            return Ok(Vec::new());
        }
        let id = hook.id.map(|id| id.0);
        let (kind, id) = match hook.entity_type.as_deref().map(str::to_lowercase).as_deref() {
            Some("account" | "company") => (RecordKind::Entity, id),
            Some("contact") => (RecordKind::Contact, id),
            Some("ticket") => (RecordKind::Ticket, id),
            // The id is the note's; its ticket is told only where the webhook was made to show it.
            Some("ticketnote") => (RecordKind::Ticket, hook.fields.and_then(ticket_of)),
            _ => return Ok(Vec::new()),
        };
        // The same event sent again has the same number, and so the same body.
        let delivery_id = hex::encode(Sha256::digest(&delivery.body));
        Ok(vec![Heard { delivery_id, kind, id }])
    }
}

fn ticket_of(fields: std::collections::BTreeMap<String, Value>) -> Option<String> {
    let (_, value) = fields.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("ticketid"))?;
    let text = value.as_str().map(str::to_owned).or_else(|| Some(value.as_i64()?.to_string()))?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text)
}

fn unsigned(why: &str) -> Error {
    Error::new(Kind::Credentials, format!("this is no webhook of {NAME}: {why}"))
}
