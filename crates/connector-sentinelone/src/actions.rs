//! What can be done about a threat. Each action is one request for one threat, sent once; the agent carries a
//! mitigation out in its own time, so what came of it shows in a later read.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{ActOnThreats, Choice, Error, Kind, Pull, Result, Retry, Threat, raw_slice};
use serde_json::{Map, Value, json, value::RawValue};

use crate::{SentinelOne, api::NAME, wire};

/// What an action asks of the vendor.
enum Ask {
    /// The agent is to do this.
    Mitigate(&'static str),
    /// The incident is to have this status, and this verdict if one is given.
    Status(&'static str, Option<&'static str>),
    /// The analyst's verdict is this.
    Verdict(&'static str),
}

/// Every action: as it is named here, as people read it, and what it asks of the vendor.
const ACTIONS: [(&str, &str, Ask); 13] = [
    ("kill", "Kill the process", Ask::Mitigate("kill")),
    ("quarantine", "Quarantine the file", Ask::Mitigate("quarantine")),
    ("remediate", "Remediate", Ask::Mitigate("remediate")),
    ("rollback", "Roll back (Windows only)", Ask::Mitigate("rollback-remediation")),
    ("un-quarantine", "Take out of quarantine", Ask::Mitigate("un-quarantine")),
    ("mark-threat", "Mark as threat", Ask::Verdict("true_positive")),
    ("mark-suspicious", "Mark as suspicious", Ask::Verdict("suspicious")),
    ("mark-benign", "Mark as benign", Ask::Verdict("false_positive")),
    ("begin", "Set to in progress", Ask::Status("in_progress", None)),
    ("resolve", "Resolve", Ask::Status("resolved", None)),
    ("resolve-threat", "Resolve as threat", Ask::Status("resolved", Some("true_positive"))),
    ("resolve-benign", "Resolve as benign", Ask::Status("resolved", Some("false_positive"))),
    ("reopen", "Set to unresolved", Ask::Status("unresolved", None)),
];

fn find(action: &str) -> Option<&'static Ask> {
    ACTIONS.iter().find(|(id, ..)| *id == action).map(|(.., ask)| ask)
}

#[async_trait]
impl ActOnThreats for SentinelOne {
    fn actions(&self) -> Vec<Choice> {
        ACTIONS.iter().map(|(id, label, _)| Choice { id: (*id).to_owned(), label: (*label).to_owned() }).collect()
    }

    fn refusal(&self, threat: &Threat, action: &str) -> Option<String> {
        let on = |path: &str| threat.path.as_deref().is_some_and(|known| known.starts_with(path));
        let refused = match find(action) {
            None => "SentinelOne has no such action on threats",
            Some(Ask::Mitigate("rollback-remediation")) if on("/") => "SentinelOne rolls back on Windows only",
            Some(Ask::Mitigate("un-quarantine")) if threat.status.as_deref() == Some("not_mitigated") => {
                "nothing was put in quarantine"
            }
            Some(Ask::Verdict(verdict)) if threat.verdict.as_deref() == Some(*verdict) => {
                "the threat has this verdict already"
            }
            Some(Ask::Status("resolved", _)) if threat.active == Some(false) => "the threat is resolved already",
            Some(_) => return None,
        };
        Some(refused.to_owned())
    }

    async fn act(&self, _entity_id: &str, threat_id: &str, action: &str) -> Result<()> {
        let ask = find(action)
            .ok_or_else(|| Error::new(Kind::Refused, format!("SentinelOne has no action \"{action}\" on threats")))?;
        let filter = self.filter(threat_id)?;
        let (path, data) = match ask {
            Ask::Mitigate(what) => (vec!["threats", "mitigate", what], json!({})),
            Ask::Status(status, None) => (vec!["threats", "incident"], json!({ "incidentStatus": status })),
            Ask::Status(status, Some(verdict)) => {
                (vec!["threats", "incident"], json!({ "incidentStatus": status, "analystVerdict": verdict }))
            }
            Ask::Verdict(verdict) => (vec!["threats", "analyst-verdict"], json!({ "analystVerdict": verdict })),
        };
        let request = self.api.post(&path, json!({ "filter": filter, "data": data }));
        let response = self.api.send(request).await.map_err(once)?;
        let outcome: wire::Outcome = self.api.parse(&response, serde_json::from_slice).map_err(once)?;
        judge(outcome.data, &wire::words(&response.body)).map_err(|error| self.api.scrub(error))
    }

    async fn fetch(&self, _entity_id: &str, threat_id: &str) -> Result<Bytes> {
        let request = self.api.get(&["threats"]).query("limit", 1).query("ids", known(threat_id)?);
        let response = self.api.send(request).await?;
        let listing = self.api.listing(&response)?;
        // Only what was asked for: a filter that is not understood must not show another client's threat.
        let is_it =
            |raw: &&&RawValue| Pull::<Threat>::read(self, raw.get().as_bytes()).is_ok_and(|item| item.id == threat_id);
        match listing.records.iter().find(is_it) {
            Some(raw) => Ok(raw_slice(&response.body, raw)),
            None => Err(Error::new(Kind::NotFound, "SentinelOne does not know this threat (any more)")),
        }
    }
}

impl SentinelOne {
    /// Names the one threat. To SentinelOne an empty filter means everything that the token can see.
    fn filter(&self, threat_id: &str) -> Result<Map<String, Value>> {
        let mut filter = Map::from_iter([("ids".to_owned(), json!([known(threat_id)?]))]);
        if let Some(account) = self.api.account() {
            filter.insert("accountIds".to_owned(), json!([account]));
        }
        Ok(filter)
    }
}

/// An id, and one only: a comma would make it several.
fn known(id: &str) -> Result<&str> {
    let plain = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if plain { Ok(id) } else { Err(Error::new(Kind::NotFound, "this is not an id of a SentinelOne threat")) }
}

/// An error of a request that must not be repeated: only one turned away at the door did nothing.
fn once(error: Error) -> Error {
    if error.kind == Kind::Throttled { error } else { error.retry(Retry::No) }
}

/// A status of 200 says little: it also comes when nothing was done.
fn judge(done: wire::Affected, errors: &str) -> Result<()> {
    let details = done.details.0.unwrap_or_default();
    let result = details.iter().find_map(|detail| detail.result.0.as_deref());
    let skipped = details.iter().flat_map(|detail| detail.skipped.0.iter().flatten()).next();
    let reason = skipped.and_then(|skipped| skipped.reason.0.as_deref());
    if result == Some("missing_permissions") || reason == Some("permissions") {
        return Err(Error::new(Kind::Forbidden, NO_RIGHT));
    }
    match (done.affected.0, result) {
        // What was asked for is so, if not by this.
        (Some(1..), _) | (_, Some("updated" | "already_set")) => return Ok(()),
        (None, None) => return Err(Error::unreadable(NAME, "an action without its outcome")),
        _ => {}
    }
    let description = skipped.and_then(|skipped| skipped.description.0.as_deref());
    let words: Vec<&str> = [result, reason, description].into_iter().flatten().chain(Some(errors)).collect();
    Err(Error::new(Kind::Refused, NOT_DONE).vendor_says(words.join("; ").trim_end_matches("; ")))
}

const NO_RIGHT: &str = "SentinelOne refuses this action to the API token: give its user a role that may act on threats";
const NOT_DONE: &str = "SentinelOne did not do this: it knows no such threat, or not in its present state";
