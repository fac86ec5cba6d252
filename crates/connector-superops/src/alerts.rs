//! Alerts of all clients, settled ones included. Each names its asset, and the asset its client.

use async_trait::async_trait;
use integration::{Alert, Item, Page, Position, Pull, Result, Severity};
use serde::Deserialize;

use crate::{
    Superops,
    loose::{self, Maybe, Text, Tie, Time},
    paging::List,
};

const LIST: List = List {
    name: "getAlertList",
    input: "ListInfoInput!",
    items: "alerts",
    fields: "id message createdTime status severity description asset policy",
    sort: Some("createdTime"),
    owned: |raw| serde_json::from_slice::<Row>(raw).map_or(true, |row| row.client().is_some()),
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Row {
    id: Text,
    message: Text,
    created_time: Time,
    status: Text,
    severity: Text,
    description: Text,
    asset: Maybe<Asset>,
    policy: Maybe<Policy>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Asset {
    asset_id: Text,
    name: Text,
    client: Maybe<Tie>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Policy {
    policy_type: Text,
}

impl Row {
    fn client(&self) -> Option<String> {
        self.asset.0.as_ref()?.client.id()
    }
}

#[async_trait]
impl Pull<Alert> for Superops {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&LIST, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Alert>, String> {
        let row: Row = loose::read("an alert", raw)?;
        let entity = row.client();
        let id = row.id.own_id("an alert")?;
        let asset = row.asset.0.unwrap_or_default();
        let title = row.message.0.or_else(|| row.description.0.clone());
        let record = Alert {
            title: title.unwrap_or_else(|| format!("Alert {id}")),
            description: row.description.0,
            severity: row.severity.0.as_deref().and_then(severity),
            severity_word: row.severity.0,
            active: match row.status.0.as_deref() {
                Some("Created") => Some(true),
                Some("Resolved") => Some(false),
                _ => None,
            },
            category: row.policy.0.and_then(|policy| policy.policy_type.0),
            device_id: asset.asset_id.0,
            device_name: asset.name.0,
            raised_at: row.created_time.0,
            ..Alert::default()
        };
        Ok(Item { id, entity, record })
    }
}

/// SuperOps's own scale has our words; what is not on it is unknown.
fn severity(word: &str) -> Option<Severity> {
    match word.to_lowercase().as_str() {
        "info" | "information" | "informational" => Some(Severity::Info),
        "low" => Some(Severity::Low),
        "medium" => Some(Severity::Medium),
        "high" => Some(Severity::High),
        "critical" => Some(Severity::Critical),
        _ => None,
    }
}
