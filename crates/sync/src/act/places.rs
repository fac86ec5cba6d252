//! Custom fields of places, and links to installers for them.

use async_trait::async_trait;
use domain::{EntityId, Error, Permission, RecordId, Result};
use integration::{Connector, RecordKind};
use serde_json::{Map, Value, json};

use super::{Act, Noted, Place, Sent, Target, fields_noted, lost, made_noted};

/// Sets custom fields of a place.
#[derive(Clone)]
pub struct CustomFieldsSet {
    /// Of which place: a stored location.
    pub id: RecordId,
    /// Name and value; `None` empties one.
    pub values: Vec<(String, Option<String>)>,
}

impl CustomFieldsSet {
    /// What becomes of each field. A field may hold a secret, which only its vendor knows: so no value is
    /// journalled, noted or logged.
    fn told(&self) -> Value {
        let word = |value: &Option<String>| if value.is_some() { "set" } else { "emptied" };
        self.values.iter().map(|(name, value)| (name.clone(), Value::from(word(value)))).collect::<Map<_, _>>().into()
    }
}

#[async_trait]
impl Act for CustomFieldsSet {
    fn action(&self) -> &'static str {
        "custom_fields_set"
    }
    fn announced(&self) -> &'static str {
        "custom_fields_send"
    }
    fn permission(&self) -> Permission {
        Permission::DocumentsEdit
    }
    fn target(&self) -> Target {
        Target::Record(RecordKind::Location, self.id)
    }
    fn stores(&self) -> RecordKind {
        RecordKind::Location
    }
    fn wanted(&self) -> String {
        self.told().to_string()
    }
    fn check(&self, place: &Place, connector: &dyn Connector) -> Result<()> {
        place.able(connector.custom_fields(), "change custom fields").map(drop)
    }
    fn noted(&self, place: &Place, _: Option<&Value>) -> Noted {
        let fields = if self.values.is_empty() {
            Map::new()
        } else {
            Map::from_iter([("custom_fields".to_owned(), self.told())])
        };
        fields_noted("location", place, &fields, None)
    }
    async fn send(&self, place: &Place, connector: &dyn Connector) -> integration::Result<Sent> {
        let fields = connector.custom_fields().ok_or_else(lost)?;
        fields.set_fields(&place.entity.vendor_id, place.vendor_id(), &self.values).await.map(|()| Sent::Done)
    }
}

/// Makes a link to an agent's installer. The link is in what the act came to, and nowhere else.
#[derive(Clone, Debug)]
pub struct InstallerLinkMake {
    /// For which entity.
    pub entity: EntityId,
    /// For which of its places: a stored location; its first where `None`.
    pub location: Option<RecordId>,
    /// The vendor's id of the kind of installer.
    pub platform: String,
}

#[async_trait]
impl Act for InstallerLinkMake {
    fn action(&self) -> &'static str {
        "installer_link_make"
    }
    fn announced(&self) -> &'static str {
        "installer_link_ask"
    }
    fn permission(&self) -> Permission {
        Permission::InstallersMake
    }
    fn target(&self) -> Target {
        Target::Under(self.entity)
    }
    fn beside(&self) -> Option<(RecordKind, RecordId)> {
        self.location.map(|id| (RecordKind::Location, id))
    }
    fn stores(&self) -> RecordKind {
        RecordKind::Location
    }
    fn wanted(&self) -> String {
        json!({ "platform": self.platform, "location": self.location }).to_string()
    }
    fn check(&self, place: &Place, connector: &dyn Connector) -> Result<()> {
        let known = place.able(connector.installer_links(), "make links to installers")?.platforms();
        if known.iter().any(|platform| platform.id == self.platform) {
            return Ok(());
        }
        let ids: Vec<&str> = known.iter().map(|platform| platform.id.as_str()).collect();
        Err(Error::invalid("/platform", "unknown_value", format!("must be one of {}", ids.join(", "))))
    }
    fn noted(&self, place: &Place, _: Option<&Value>) -> Noted {
        let location = place.beside.as_ref().map(|record| record.title.clone());
        let made = [("platform", json!(self.platform)), ("location", json!(location))];
        made_noted("installer_link", place, made.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }
    async fn send(&self, place: &Place, connector: &dyn Connector) -> integration::Result<Sent> {
        let links = connector.installer_links().ok_or_else(lost)?;
        let location = place.beside_id();
        links.installer(&place.entity.vendor_id, location.as_deref(), &self.platform).await.map(Sent::Shown)
    }
}
