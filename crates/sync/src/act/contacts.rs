//! Contacts made, changed and removed.

use async_trait::async_trait;
use bytes::Bytes;
use domain::{EntityId, Error, Permission, RecordId, Result};
use integration::{Connector, Contact, ContactDraft, RecordKind, WriteContacts};
use serde_json::{Map, Value, json};

use super::{Act, Noted, Place, Sent, Target, fields_moved, fields_noted, given, lost, made_noted};

const KIND: &str = "contact";

/// Makes a contact under an entity.
#[derive(Clone, Debug)]
pub struct ContactCreate {
    /// Where.
    pub entity: EntityId,
    /// The place where they work: a stored location.
    pub location: Option<RecordId>,
    /// What it is to be; [`ContactDraft::location_id`] is filled in from `location`.
    pub draft: ContactDraft,
}

/// Changes a contact.
#[derive(Clone, Debug)]
pub struct ContactUpdate {
    /// Which.
    pub id: RecordId,
    /// Another place where they work: a stored location.
    pub location: Option<RecordId>,
    /// What is to change; [`ContactDraft::location_id`] is filled in from `location`.
    pub draft: ContactDraft,
}

/// Removes a contact at the vendor.
#[derive(Clone, Copy, Debug)]
pub struct ContactRemove {
    /// Which.
    pub id: RecordId,
}

fn writes<'c>(place: &Place, connector: &'c dyn Connector) -> Result<&'c dyn WriteContacts> {
    place.able(connector.contact_writes(), "change contacts")
}

/// The draft with the vendor's id of the place.
fn placed(draft: &ContactDraft, place: &Place) -> ContactDraft {
    ContactDraft { location_id: place.beside_id(), ..draft.clone() }
}

fn wanted(draft: &ContactDraft, location: Option<RecordId>) -> String {
    json!({ "draft": given(draft), "location": location }).to_string()
}

#[async_trait]
impl Act for ContactCreate {
    fn action(&self) -> &'static str {
        "contact_create"
    }
    fn announced(&self) -> &'static str {
        "contact_create_send"
    }
    fn permission(&self) -> Permission {
        Permission::ContactsEdit
    }
    fn target(&self) -> Target {
        Target::Under(self.entity)
    }
    fn beside(&self) -> Option<(RecordKind, RecordId)> {
        self.location.map(|id| (RecordKind::Location, id))
    }
    fn stores(&self) -> RecordKind {
        RecordKind::Contact
    }
    fn wanted(&self) -> String {
        wanted(&self.draft, self.location)
    }
    fn check(&self, place: &Place, connector: &dyn Connector) -> Result<()> {
        writes(place, connector).map(drop)
    }
    fn noted(&self, place: &Place, _: Option<&Value>) -> Noted {
        made_noted(KIND, place, given(&placed(&self.draft, place)))
    }
    async fn send(&self, place: &Place, connector: &dyn Connector) -> integration::Result<Sent> {
        let writes = connector.contact_writes().ok_or_else(lost)?;
        writes.create(&place.entity.vendor_id, &placed(&self.draft, place)).await.map(Sent::Record)
    }
}

#[async_trait]
impl Act for ContactUpdate {
    fn action(&self) -> &'static str {
        "contact_update"
    }
    fn announced(&self) -> &'static str {
        "contact_update_send"
    }
    fn permission(&self) -> Permission {
        Permission::ContactsEdit
    }
    fn target(&self) -> Target {
        Target::Record(RecordKind::Contact, self.id)
    }
    fn beside(&self) -> Option<(RecordKind, RecordId)> {
        self.location.map(|id| (RecordKind::Location, id))
    }
    fn stores(&self) -> RecordKind {
        RecordKind::Contact
    }
    fn wanted(&self) -> String {
        wanted(&self.draft, self.location)
    }
    fn check(&self, place: &Place, connector: &dyn Connector) -> Result<()> {
        writes(place, connector).map(drop)
    }
    fn noted(&self, place: &Place, fresh: Option<&Value>) -> Noted {
        fields_noted(KIND, place, &given(&placed(&self.draft, place)), fresh)
    }
    async fn fetch(&self, place: &Place, connector: &dyn Connector) -> Option<integration::Result<Bytes>> {
        Some(connector.contact_writes()?.fetch(&place.entity.vendor_id, place.vendor_id()).await)
    }
    fn moved(&self, place: &Place, fresh: &str) -> Result<bool> {
        fields_moved(place, &given(&placed(&self.draft, place)), fresh)
    }
    async fn send(&self, place: &Place, connector: &dyn Connector) -> integration::Result<Sent> {
        let writes = connector.contact_writes().ok_or_else(lost)?;
        let draft = placed(&self.draft, place);
        writes.update(&place.entity.vendor_id, place.vendor_id(), &draft).await.map(Sent::Record)
    }
}

#[async_trait]
impl Act for ContactRemove {
    fn action(&self) -> &'static str {
        "contact_remove"
    }
    fn announced(&self) -> &'static str {
        "contact_remove_send"
    }
    fn permission(&self) -> Permission {
        Permission::ContactsEdit
    }
    fn target(&self) -> Target {
        Target::Record(RecordKind::Contact, self.id)
    }
    fn stores(&self) -> RecordKind {
        RecordKind::Contact
    }
    fn wanted(&self) -> String {
        "removed".to_owned()
    }
    fn check(&self, place: &Place, connector: &dyn Connector) -> Result<()> {
        if writes(place, connector)?.removable() {
            return Ok(());
        }
        let message = format!("{} does not let contacts be removed from outside: do it there.", place.vendor);
        Err(Error::conflict("not_supported", message))
    }
    fn noted(&self, place: &Place, _: Option<&Value>) -> Noted {
        let contact: Contact = place.read().unwrap_or_default();
        let view = json!({ "name": contact.name, "email": contact.email, "vendor_id": place.vendor_id() });
        Noted { kind: KIND, before: Some(view), after: None }
    }
    async fn fetch(&self, place: &Place, connector: &dyn Connector) -> Option<integration::Result<Bytes>> {
        Some(connector.contact_writes()?.fetch(&place.entity.vendor_id, place.vendor_id()).await)
    }
    fn moved(&self, place: &Place, fresh: &str) -> Result<bool> {
        // Another person under the same id must not be removed for the one that was seen.
        let seen = ["name", "email"].map(|key| (key.to_owned(), Value::Null));
        fields_moved(place, &Map::from_iter(seen), fresh)
    }
    async fn send(&self, place: &Place, connector: &dyn Connector) -> integration::Result<Sent> {
        let writes = connector.contact_writes().ok_or_else(lost)?;
        writes.remove(&place.entity.vendor_id, place.vendor_id()).await.map(|()| Sent::Gone)
    }
}
