//! Alerts of the whole account: the open ones first, then the resolved ones, so that one that is resolved
//! meanwhile comes twice rather than not at all.

use async_trait::async_trait;
use integration::{Alert, Item, Page, Position, Pull, Result, Severity};

use crate::{DattoRmm, loose::as_text, wire};

/// Longest title, in characters: diagnostics can be a whole log.
const TITLE: usize = 200;

#[async_trait]
impl Pull<Alert> for DattoRmm {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let lists: [&[&str]; 2] = [&["account", "alerts", "open"], &["account", "alerts", "resolved"]];
        self.api.list(&lists, at.cursor, |_| None).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Alert>, String> {
        let row: wire::Alert = wire::read(raw, "alert")?;
        let source = |key: &str| as_text(&row.alert_source_info[key]);
        let site = source("siteUid").ok_or("an alert that names no site")?;
        // "perf_disk_usage_ctx": the ending says nothing.
        let category = as_text(&row.alert_context["@class"]);
        let category = category.map(|class| class.strip_suffix("_ctx").unwrap_or(&class).to_owned());
        let title = title(row.diagnostics.as_deref(), category.as_deref());
        Ok(Item {
            id: row.alert_uid,
            entity: Some(site),
            record: Alert {
                description: row.diagnostics.filter(|text| *text != title),
                title,
                severity: row.priority.as_deref().and_then(severity),
                severity_word: row.priority,
                active: row.resolved.map(|resolved| !resolved),
                category,
                device_id: source("deviceUid"),
                device_name: source("deviceName"),
                raised_at: row.timestamp,
                resolved_at: row.resolved_on,
                url: None,
            },
        })
    }
}

/// The first line of the diagnostics; without them, the class in words.
fn title(diagnostics: Option<&str>, category: Option<&str>) -> String {
    let line = diagnostics.into_iter().flat_map(str::lines).map(str::trim).find(|line| !line.is_empty());
    match (line, category) {
        (Some(line), _) => line.chars().take(TITLE).collect(),
        (None, Some(category)) => category.replace('_', " "),
        (None, None) => "Alert".to_owned(),
    }
}

/// `Unknown`, and words that are new to us, are no severity.
fn severity(priority: &str) -> Option<Severity> {
    Some(match priority.to_ascii_lowercase().as_str() {
        "critical" => Severity::Critical,
        "high" => Severity::High,
        "moderate" => Severity::Medium,
        "low" => Severity::Low,
        "information" => Severity::Info,
        _ => return None,
    })
}
