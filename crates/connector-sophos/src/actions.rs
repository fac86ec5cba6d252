//! What can be done about an alert: the one write. Sophos Central lists open alerts only, so one that was acknowledged
//! is gone from its list.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{ActOnThreats, Choice, Error, Kind, Pull, Result, Retry, Threat, Vendor};
use serde_json::json;

use crate::{Sophos, wire};

/// Every action: as the vendor names it, case and all, and as people read it.
const ACTIONS: [(&str, &str); 8] = [
    ("acknowledge", "Acknowledge"),
    ("cleanVirus", "Clean up the malware"),
    ("cleanPua", "Clean up the unwanted application"),
    ("authPua", "Allow the unwanted application"),
    ("clearThreat", "Clear the threat from the list"),
    ("clearHmpa", "Clear the exploit detection from the list"),
    ("sendMsgPua", "Tell the user of the unwanted application"),
    ("sendMsgThreat", "Tell the user of the threat"),
];

#[async_trait]
impl ActOnThreats for Sophos {
    fn actions(&self) -> Vec<Choice> {
        ACTIONS.iter().map(|(id, label)| Choice { id: (*id).to_owned(), label: (*label).to_owned() }).collect()
    }

    fn refusal(&self, threat: &Threat, action: &str) -> Option<String> {
        if !ACTIONS.iter().any(|(id, _)| *id == action) {
            return Some("Sophos Central has no such action on alerts".to_owned());
        }
        // An alert that was stored before its actions were read is left to the vendor.
        let offered = threat.allowed_actions.as_ref()?;
        (!offered.iter().any(|one| one == action))
            .then(|| "Sophos Central does not offer this for this alert".to_owned())
    }

    async fn act(&self, tenant: &str, alert: &str, action: &str) -> Result<()> {
        if !ACTIONS.iter().any(|(id, _)| *id == action) {
            let message = format!("Sophos Central has no action \"{action}\" on alerts");
            return Err(Error::new(Kind::Refused, message));
        }
        let path = ["common", "v1", "alerts", known(alert)?, "actions"];
        let response = self.api.to_tenant(tenant, &path, json!({ "action": action })).await?;
        // It was taken, or not: to send it again would be a guess.
        let done: wire::Done = self.api.parse(&response).map_err(|error| error.retry(Retry::No))?;
        match done.status.0.as_deref() {
            Some("failed" | "denied") => Err(Error::new(Kind::Refused, "Sophos Central did not do this")),
            _ if done.alert_id.0.as_deref().is_some_and(|named| named != alert) => {
                Err(Error::unreadable(Self::NAME, "what was done is of another alert"))
            }
            _ => Ok(()),
        }
    }

    async fn fetch(&self, tenant: &str, alert: &str) -> Result<Bytes> {
        let asked = [("ids", known(alert)?)];
        let page = self.api.page_by_key(tenant, &["common", "v1", "alerts"], 1, &asked, None).await?;
        let Some(raw) = page.records.into_iter().next() else {
            return Err(Error::new(Kind::NotFound, "Sophos Central lists this alert no more: it is settled"));
        };
        // Only what was asked for: a filter that is not understood must not show another alert.
        let is_it = Pull::<Threat>::read(self, &raw).is_ok_and(|item| item.id == alert);
        if is_it { Ok(raw) } else { Err(Error::unreadable(Self::NAME, "another alert than the one asked for")) }
    }
}

/// An id, and one only: a comma would make it several, and dots another path.
fn known(id: &str) -> Result<&str> {
    let plain = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if plain { Ok(id) } else { Err(Error::new(Kind::NotFound, "this is not an id of an alert of Sophos Central")) }
}
