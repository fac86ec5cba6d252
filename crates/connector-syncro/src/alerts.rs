//! Alerts of the agents.

use async_trait::async_trait;
use integration::{Alert, Item, Page, Position, Pull, Result};

use crate::{Syncro, wire};

#[async_trait]
impl Pull<Alert> for Syncro {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        // Without a word the vendor lists those that still hold, and one that ended would seem to have vanished.
        self.api.list("rmm_alerts", "rmm_alerts", &[("status", "all")], at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Alert>, String> {
        let alert: wire::Alert = wire::read("an alert", raw)?;
        let customer = alert.customer_id.ok_or("an alert of Syncro names no customer")?;
        let title = alert.description.as_deref().or(alert.formatted_output.as_deref()).and_then(first_line);
        let record = Alert {
            title: title.unwrap_or_else(|| format!("Alert {}", alert.id)),
            description: alert.formatted_output.or(alert.description),
            active: alert.resolved.map(|resolved| !resolved),
            device_id: alert.asset_id,
            device_name: alert.computer_name,
            raised_at: alert.created_at,
            ..Alert::default()
        };
        Ok(Item { id: alert.id, entity: Some(customer), record })
    }
}

fn first_line(text: &str) -> Option<String> {
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}
