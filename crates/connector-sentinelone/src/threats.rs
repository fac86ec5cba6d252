//! Threats: what was detected, settled or not.

use async_trait::async_trait;
use integration::{Item, Page, Position, Pull, Result, Severity, Threat, loose::Text};

use crate::{SentinelOne, wire};

/// Records asked for at once: each has several thousand bytes.
const SIZE: u32 = 250;

#[async_trait]
impl Pull<Threat> for SentinelOne {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        // Without a filter on status, so that one that was settled is seen to be, and is not just gone.
        self.api.page(self.api.get(&["threats"]).query("limit", SIZE), at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Threat>, String> {
        let threat: wire::Threat = wire::read(raw, "a threat")?;
        let id = threat.id.0.ok_or("a threat without an id")?;
        let info = threat.threat_info.0.unwrap_or_default();
        let now = threat.agent_realtime_info.0.unwrap_or_default();
        let then = threat.agent_detection_info.0.unwrap_or_default();
        let site = now.site_id.0.or(then.site_id.0).ok_or("a threat names no site")?;
        let record = Threat {
            severity: severity(&info),
            active: match info.incident_status.0.as_deref() {
                Some("unresolved" | "in_progress") => Some(true),
                Some("resolved") => Some(false),
                _ => None,
            },
            title: info.threat_name.0.unwrap_or_else(|| format!("Threat {id}")),
            severity_word: info.confidence_level.0,
            status: info.mitigation_status.0,
            category: info.classification.0,
            verdict: info.analyst_verdict.0.filter(|verdict| verdict != "undefined"),
            action: done(&threat.mitigation_status.0.unwrap_or_default()),
            device_id: now.agent_id.0.or(then.agent_id.0),
            device_name: now.agent_computer_name.0.or(then.agent_computer_name.0),
            user: info.process_user.0,
            path: info.file_path.0,
            detected_at: info.identified_at.0.or(info.created_at.0),
            // The vendor does not say when one was resolved.
            resolved_at: None,
            url: None,
            allowed_actions: None,
        };
        Ok(Item { id, entity: Some(site), record })
    }
}

/// Our rule, as the vendor has no severity (it stands in the README too). Settled is low: resolved, or found
/// to be benign. Otherwise ransomware is critical; of what is malicious, that which was mitigated is high and
/// that which was not is critical; what is suspicious is medium. Without a level of confidence it is unknown.
fn severity(info: &wire::ThreatInfo) -> Option<Severity> {
    let is = |field: &Text, word: &str| field.0.as_deref() == Some(word);
    if is(&info.incident_status, "resolved")
        || is(&info.mitigation_status, "marked_as_benign")
        || is(&info.analyst_verdict, "false_positive")
    {
        return Some(Severity::Low);
    }
    if info.classification.0.as_deref().is_some_and(|class| class.eq_ignore_ascii_case("ransomware")) {
        return Some(Severity::Critical);
    }
    match info.confidence_level.0.as_deref() {
        Some("malicious") if is(&info.mitigation_status, "not_mitigated") => Some(Severity::Critical),
        Some("malicious") => Some(Severity::High),
        Some("suspicious") => Some(Severity::Medium),
        _ => None,
    }
}

/// What was done, in the order it was begun; what did not succeed, with its state.
fn done(mitigations: &[wire::Mitigation]) -> Option<String> {
    let one = |mitigation: &wire::Mitigation| {
        let action = mitigation.action.0.as_deref()?;
        Some(match mitigation.status.0.as_deref() {
            None | Some("success") => action.to_owned(),
            Some(status) => format!("{action} ({status})"),
        })
    };
    let all: Vec<String> = mitigations.iter().filter_map(one).collect();
    (!all.is_empty()).then(|| all.join(", "))
}
