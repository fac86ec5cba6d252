//! Alerts of all clients. Those without a client (most of uptime checks and scripts) are left out.

use async_trait::async_trait;
use integration::{Alert, Item, Page, Position, Pull, Result, Severity};
use serde::Deserialize;

use crate::{
    Gorelo,
    loose::{self, Code, Text, Time},
    paging::List,
};

const LIST: List = List { path: &["alerts"], query: &[("SortOrder", "asc")], owned: loose::names_client };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Row {
    id: Text,
    title: Text,
    #[serde(rename = "Type")]
    class: Code,
    severity: Code,
    status: Code,
    message: Text,
    client_id: Text,
    device_id: Text,
    created_on: Time,
    dismissed_on: Time,
}

#[async_trait]
impl Pull<Alert> for Gorelo {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&LIST, at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Alert>, String> {
        let row: Row = loose::read("an alert", raw)?;
        let id = row.id.own_id("an alert")?;
        let title = row.title.0.or_else(|| row.class.name.clone());
        let record = Alert {
            title: title.unwrap_or_else(|| format!("Alert {id}")),
            description: row.message.0,
            severity: severity(&row.severity),
            severity_word: row.severity.name,
            active: match row.status.word().as_str() {
                _ if row.dismissed_on.0.is_some() => Some(false),
                "new" | "ticketed" => Some(true),
                "ignored" => Some(false),
                _ => None,
            },
            category: row.class.name,
            device_id: row.device_id.0,
            raised_at: row.created_on.0,
            resolved_at: row.dismissed_on.0,
            ..Alert::default()
        };
        Ok(Item { id, entity: row.client_id.other_id(), record })
    }
}

/// Gorelo has four grades; ours between Medium and Info is not used.
fn severity(code: &Code) -> Option<Severity> {
    match code.word().as_str() {
        "critical" => Some(Severity::Critical),
        "error" => Some(Severity::High),
        "warning" => Some(Severity::Medium),
        "information" => Some(Severity::Info),
        _ => None,
    }
}
