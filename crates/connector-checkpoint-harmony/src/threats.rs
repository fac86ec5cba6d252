//! Security events of Email & Collaboration.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use integration::{Cursor, Error, Item, Kind, Page, Position, Pull, Result, Severity, Threat};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    CheckpointHarmony,
    api::{NAME, Product, entity_id},
    wire::{self, said},
};

/// How far back events are listed, in days: the vendor wants a beginning.
const DAYS: i64 = 90;

/// Where a listing goes on.
#[derive(Deserialize, Serialize)]
struct Place {
    since: String,
    scroll: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    event_id: String,
    farm: String,
    customer_id: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    state: Option<String>,
    #[serde(default, deserialize_with = "wire::text")]
    severity: Option<String>,
    description: Option<String>,
    confidence_indicator: Option<String>,
    #[serde(default, deserialize_with = "wire::instant")]
    event_created: Option<DateTime<Utc>>,
    /// What has been done, newest last.
    #[serde(default)]
    actions: Value,
}

/// From 5 (critical) to 1 (very low); some places write the words.
fn severity(word: &str) -> Option<Severity> {
    match word.to_ascii_lowercase().as_str() {
        "5" | "critical" => Some(Severity::Critical),
        "4" | "high" => Some(Severity::High),
        "3" | "medium" => Some(Severity::Medium),
        "2" | "low" => Some(Severity::Low),
        "1" | "very low" | "lowest" => Some(Severity::Info),
        _ => None,
    }
}

fn active(state: &str) -> Option<bool> {
    match state.to_ascii_lowercase().as_str() {
        "new" | "detected" | "pending" => Some(true),
        "remediated" | "dismissed" | "exception" => Some(false),
        _ => None,
    }
}

/// The last of the actions, by whichever name it goes.
fn last_action(actions: &Value) -> Option<String> {
    let last = actions.as_array()?.last()?;
    let name = ["actionName", "actionType"].into_iter().find_map(|key| last[key].as_str()).or(last.as_str());
    said(name.map(str::to_owned))
}

#[async_trait]
impl Pull<Threat> for CheckpointHarmony {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let place: Option<Place> = match at.cursor.map(Cursor::as_str).map(serde_json::from_str).transpose() {
            Ok(place) => place,
            Err(_) => {
                let message = format!("{NAME}: this place in the list of events is not known: list anew");
                return Err(Error::new(Kind::Expired, message));
            }
        };
        // From a midnight on, so that a listing that begins twice on one day is the same one.
        let begin = || (self.api.http.now() - TimeDelta::days(DAYS)).format("%Y-%m-%dT00:00:00Z").to_string();
        let (since, scroll) = match place {
            Some(place) => (place.since, Some(place.scroll)),
            None => (begin(), None),
        };
        let Some(listing) = self.api.email_events(&since, scroll.as_deref()).await? else {
            return Ok(Page::default());
        };
        let next = listing.scroll.map(|scroll| Place { since, scroll });
        let next = next.and_then(|place| serde_json::to_string(&place).ok()).map(Cursor::new);
        Ok(Page { records: listing.records, next, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Threat>, String> {
        let wire: Wire = wire::read(raw, "a security event")?;
        let entity = entity_id(Product::Email, &format!("{}:{}", wire.farm, wire.customer_id));
        let (category, status, severity_word) = (said(wire.kind), said(wire.state), said(wire.severity));
        let title = said(wire.description).or_else(|| category.clone()).unwrap_or_else(|| wire.event_id.clone());
        let record = Threat {
            title,
            severity: severity_word.as_deref().and_then(severity),
            severity_word,
            active: status.as_deref().and_then(active),
            status,
            category,
            verdict: said(wire.confidence_indicator),
            action: last_action(&wire.actions),
            detected_at: wire.event_created,
            ..Threat::default()
        };
        Ok(Item { id: wire.event_id, entity: Some(entity), record })
    }
}
