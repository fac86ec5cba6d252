//! Alerts: one listing of the vendor's that is two of ours. What was detected is a threat; what is wrong with
//! the protection itself (an update that failed, a lost connection) is an alert.
//!
//! The vendor could filter by category, but its form for several is not documented, and categories that are
//! new to us would be lost. So both listings fetch everything, and each keeps its own.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Alert, Item, Page, Position, Pull, Reach, Result, Severity, Threat};

use crate::{Sophos, wire};

/// Records asked for at once: half of what the vendor would give.
const SIZE: u32 = 500;

/// Categories that speak of the state of the installation. All others, also those we never heard of, are taken
/// for detections: none may be overlooked.
const CONDITIONS: [&str; 12] = [
    "adSync",
    "azure",
    "connectivity",
    "denc",
    "fenc",
    "iaas",
    "iaasAzure",
    "smc",
    "systemHealth",
    "updating",
    "virt",
    "wireless",
];

fn is_condition(alert: &wire::Alert) -> bool {
    let detection = alert.class.0.as_deref().is_some_and(|class| class.contains("::Threat::"));
    !detection && alert.category.0.as_deref().is_some_and(|category| CONDITIONS.contains(&category))
}

fn severity(word: Option<&str>) -> Option<Severity> {
    match word {
        Some("high") => Some(Severity::High),
        Some("medium") => Some(Severity::Medium),
        Some("low") => Some(Severity::Low),
        _ => None,
    }
}

impl Sophos {
    /// A page of what belongs to one of the two listings. What cannot be read belongs to the threats, so that it
    /// is counted as rejected once.
    async fn alert_page(&self, at: Position<'_>, conditions: bool) -> Result<Page> {
        let tenant = at.entity.unwrap_or_default();
        let mut page = self.api.page_by_key(tenant, &["common", "v1", "alerts"], SIZE, &[], at.cursor).await?;
        // The vendor's total is of both together. It still tells whether a listing of one page is whole.
        let whole = at.cursor.is_none() && page.next.is_none() && page.total == Some(page.records.len() as u64);
        let ours = |raw: &Bytes| wire::read(raw, "an alert").is_ok_and(|alert| is_condition(&alert)) == conditions;
        page.records.retain(ours);
        page.total = whole.then_some(page.records.len() as u64);
        Ok(page)
    }
}

#[async_trait]
impl Pull<Threat> for Sophos {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.alert_page(at, false).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Threat>, String> {
        let alert: wire::Alert = wire::read(raw, "an alert")?;
        let id = alert.id.0.ok_or("an alert without an id")?;
        let agent = alert.managed_agent.0.unwrap_or_default();
        let record = Threat {
            title: alert.description.0.or(alert.class.0).unwrap_or_else(|| format!("Alert {id}")),
            severity: severity(alert.severity.0.as_deref()),
            severity_word: alert.severity.0,
            // Sophos Central lists open ones only.
            active: Some(true),
            category: alert.category.0,
            device_id: agent.id.0,
            device_name: agent.name.0,
            user: alert.person.0.and_then(|person| person.via_login.0.or(person.name.0)),
            detected_at: alert.raised_at.0,
            allowed_actions: alert.allowed_actions.0,
            ..Threat::default()
        };
        Ok(Item { id, entity: None, record })
    }
}

#[async_trait]
impl Pull<Alert> for Sophos {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.alert_page(at, true).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Alert>, String> {
        let alert: wire::Alert = wire::read(raw, "an alert")?;
        let id = alert.id.0.ok_or("an alert without an id")?;
        let agent = alert.managed_agent.0.unwrap_or_default();
        let record = Alert {
            title: alert.description.0.or(alert.class.0).unwrap_or_else(|| format!("Alert {id}")),
            severity: severity(alert.severity.0.as_deref()),
            severity_word: alert.severity.0,
            active: Some(true),
            category: alert.category.0,
            device_id: agent.id.0,
            device_name: agent.name.0,
            raised_at: alert.raised_at.0,
            ..Alert::default()
        };
        Ok(Item { id, entity: None, record })
    }
}
