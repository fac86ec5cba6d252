//! Acting on threats.

use async_trait::async_trait;
use domain::{Error, Permission, RecordId, Result};
use integration::{Connector, Kind, RecordKind};
use serde_json::{Map, Value, json};

use super::{Act, Noted, Place, Sent, Target, fields_noted, lost};

/// Acts on a threat.
#[derive(Clone, Debug)]
pub struct ThreatAct {
    /// Which.
    pub id: RecordId,
    /// The vendor's id of the action.
    pub action: String,
}

#[async_trait]
impl Act for ThreatAct {
    fn action(&self) -> &'static str {
        "threat_act"
    }
    fn announced(&self) -> &'static str {
        "threat_act_send"
    }
    fn permission(&self) -> Permission {
        Permission::ThreatsAct
    }
    fn target(&self) -> Target {
        Target::Record(RecordKind::Threat, self.id)
    }
    fn stores(&self) -> RecordKind {
        RecordKind::Threat
    }
    fn wanted(&self) -> String {
        self.action.clone()
    }
    fn check(&self, place: &Place, connector: &dyn Connector) -> Result<()> {
        let actions = place.able(connector.threat_actions(), "act on threats")?;
        let known = actions.actions();
        if !known.iter().any(|action| action.id == self.action) {
            let ids: Vec<&str> = known.iter().map(|action| action.id.as_str()).collect();
            let message = format!("must be one of {}", ids.join(", "));
            return Err(Error::invalid("/action", "unknown_value", message));
        }
        match actions.refusal(&place.read()?, &self.action) {
            Some(why) => Err(Error::invalid("/action", "refused_by_vendor", why)),
            None => Ok(()),
        }
    }
    fn noted(&self, place: &Place, _: Option<&Value>) -> Noted {
        // What came of it shows later: this is what was asked for.
        fields_noted("threat", place, &Map::from_iter([("asked_action".to_owned(), json!(self.action))]), None)
    }
    async fn send(&self, place: &Place, connector: &dyn Connector) -> integration::Result<Sent> {
        let actions = connector.threat_actions().ok_or_else(lost)?;
        let (entity, threat) = (&place.entity.vendor_id, place.vendor_id());
        actions.act(entity, threat, &self.action).await?;
        // It was asked for whatever this says; the next sync brings the threat otherwise.
        Ok(match actions.fetch(entity, threat).await {
            Ok(raw) => Sent::Record(raw),
            // The vendor lists open ones only, and this one is settled by what was done.
            Err(gone) if gone.kind == Kind::NotFound => Sent::Gone,
            Err(_) => Sent::Done,
        })
    }
}
