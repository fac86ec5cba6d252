//! What can be done at a vendor: one [`Act`] for each thing, all of them sent by the same code (`send.rs`).
//!
//! An act says what it is about, what of it stands in the journal, why it would be refused, and how it is sent.
//! Everything else is the engine's: rights and scope, the preview, the note before it is sent, keeping what came.
//!
//! **Another act**: a struct with `impl Act` here, exported in `lib.rs`; its handler in the API is one call.

mod contacts;
mod documents;
mod live;
mod places;
mod send;
mod store;
mod threats;
mod tickets;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    ChangeSet, ClientId, Connection, Entity, EntityId, Error, Permission, Record, RecordId, Result, Timestamp,
};
use integration::{Connector, Installer, RecordKind, RecordType};
use persistence::Apply;
use serde_json::{Map, Value};

pub(crate) use self::send::may_be_done;
pub use self::{
    contacts::{ContactCreate, ContactRemove, ContactUpdate},
    documents::DocumentArchive,
    live::{Shelf, ThreatAction},
    places::{CustomFieldsSet, InstallerLinkMake},
    threats::ThreatAct,
    tickets::{TicketCreate, TicketFileAttach, TicketNoteAdd, TicketUpdate},
};

/// What an act is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A stored record.
    Record(RecordKind, RecordId),
    /// Something new under an entity.
    Under(EntityId),
}

/// Where an act happens: found, in scope, and through a connection that works.
#[derive(Clone, Debug)]
pub struct Place {
    /// Whose it is.
    pub client: ClientId,
    /// Through which connection.
    pub connection: Connection,
    /// The vendor in people's words.
    pub vendor: &'static str,
    /// Under which entity.
    pub entity: Entity,
    /// The stored record that it is about.
    pub record: Option<Record>,
    /// The other record that it names.
    pub beside: Option<Record>,
    /// When.
    pub now: Timestamp,
}

impl Place {
    /// The vendor's id of the record.
    pub fn vendor_id(&self) -> &str {
        self.record.as_ref().map_or("", |record| &record.vendor_id)
    }

    /// The vendor's id of the other record.
    fn beside_id(&self) -> Option<String> {
        self.beside.as_ref().map(|record| record.vendor_id.clone())
    }

    /// The stored record, read.
    pub fn read<T: RecordType>(&self) -> Result<T> {
        let record = self.record.as_ref().ok_or_else(|| Error::internal("an act on a record has none"))?;
        serde_json::from_str(&record.body).map_err(Error::internal)
    }

    /// The same as plain JSON.
    fn body(&self) -> Value {
        self.record.as_ref().and_then(|record| serde_json::from_str(&record.body).ok()).unwrap_or_default()
    }

    /// What the connector has for this, or that it has nothing.
    pub(crate) fn able<T>(&self, found: Option<T>, doing: &str) -> Result<T> {
        found.ok_or_else(|| unable(doing, self.vendor))
    }
}

/// A vendor's connector has nothing for this.
fn unable(doing: &str, vendor: &str) -> Error {
    Error::conflict("not_supported", format!("PanelOne cannot {doing} at {vendor}: do it there."))
}

/// One change as the journal shows it.
#[derive(Clone, Debug)]
pub struct Noted {
    /// Kind of thing.
    pub kind: &'static str,
    /// Before; `None` where it is made.
    pub before: Option<Value>,
    /// After; `None` where it is removed.
    pub after: Option<Value>,
}

/// What a vendor did.
#[derive(Clone)]
pub enum Sent {
    /// The record as the vendor has it now, raw: to be stored.
    Record(Bytes),
    /// Done, and the vendor says no more: the stored record is as wanted until it is read again.
    AsWanted {
        /// The record as JSON.
        body: String,
        /// See [`RecordType::fingerprint`].
        fingerprint: Vec<u8>,
    },
    /// Done; nothing of it is stored.
    Done,
    /// The record is no more.
    Gone,
    /// To be shown once, and never stored.
    Shown(Installer),
}

impl Sent {
    /// Done as wanted: the stored record is this from now on.
    fn as_wanted<T: RecordType>(record: &T) -> Self {
        let body = serde_json::to_string(record).unwrap_or_default();
        Self::AsWanted { body, fingerprint: record.fingerprint() }
    }
}

/// Something that can be done at a vendor.
#[async_trait]
pub trait Act: Send + Sync + 'static {
    /// Name of the operation, in the journal and of the vendor write.
    fn action(&self) -> &'static str;

    /// Action of the entry that stands before the vendor is asked.
    fn announced(&self) -> &'static str;

    /// Right that it takes.
    fn permission(&self) -> Permission;

    /// What it is about.
    fn target(&self) -> Target;

    /// Another record of the same entity that it names: a ticket's contact, a contact's place.
    fn beside(&self) -> Option<(RecordKind, RecordId)> {
        None
    }

    /// Kind of the records that [`Sent::Record`] holds.
    fn stores(&self) -> RecordKind;

    /// What is wanted, for the note of the vendor write. No secrets.
    fn wanted(&self) -> String;

    /// Refuses as far as that can be known without asking the vendor.
    fn check(&self, place: &Place, connector: &dyn Connector) -> Result<()>;

    /// The change as the journal shows it. `fresh` is what the vendor has afterwards; a preview has none. What is
    /// the same before and after is not sent.
    fn noted(&self, place: &Place, fresh: Option<&Value>) -> Noted;

    /// Reads the record as the vendor has it now, where nothing must be overwritten that moved meanwhile.
    async fn fetch(&self, _place: &Place, _connector: &dyn Connector) -> Option<integration::Result<Bytes>> {
        None
    }

    /// Whether what was fetched is not what the caller saw.
    fn moved(&self, _place: &Place, _fresh: &str) -> Result<bool> {
        Ok(false)
    }

    /// Does it, once.
    async fn send(&self, place: &Place, connector: &dyn Connector) -> integration::Result<Sent>;
}

/// A key under which a caller may send the same request again.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// Who calls.
    pub caller: String,
    /// The key.
    pub key: String,
    /// The request, whole: operation, path and body.
    pub request: Vec<u8>,
}

/// How the answer to be kept under an idempotency key is made: status and body.
pub type Keep = Arc<dyn Fn(&Acted) -> (u16, String) + Send + Sync>;

/// How an act is asked for.
#[derive(Clone)]
pub struct Asking {
    /// Of which client.
    pub client: ClientId,
    /// Preview, digest, reason.
    pub apply: Apply,
    /// Key of the request, with how its answer is made.
    pub key: Option<(Idempotency, Keep)>,
}

/// What an act came to.
#[derive(Clone)]
pub struct Acted {
    /// What changed, or would.
    pub set: ChangeSet,
    /// The record as it is stored now; none for a preview, and where nothing is stored.
    pub record: Option<Record>,
    /// What is shown once.
    pub installer: Option<Installer>,
}

impl std::fmt::Debug for Acted {
    /// Without the installer: its address enrols whoever has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acted").field("set", &self.set).field("record", &self.record).finish_non_exhaustive()
    }
}

/// An act, or the answer that its key had before.
#[derive(Debug)]
pub enum Acting {
    /// Done, or previewed.
    Acted(Box<Acted>),
    /// The request was answered before: this was the answer.
    Repeated {
        /// HTTP status.
        status: u16,
        /// Body as JSON.
        answer: String,
    },
}

/// The fields of a draft that are to be set, by name.
fn given(draft: &impl serde::Serialize) -> Map<String, Value> {
    match serde_json::to_value(draft) {
        Ok(Value::Object(fields)) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}

/// A change of some fields of a stored record: what they are, and what they are to be or are afterwards.
fn fields_noted(kind: &'static str, place: &Place, wanted: &Map<String, Value>, fresh: Option<&Value>) -> Noted {
    let stored = place.body();
    let named = [
        ("title", place.record.as_ref().map(|record| record.title.clone())),
        ("vendor_id", Some(place.vendor_id().to_owned())),
    ];
    let named = named.map(|(key, value)| (key.to_owned(), Value::from(value)));
    let mut before = Map::from_iter(named.clone());
    let mut after = Map::from_iter(named);
    for (key, value) in wanted {
        before.insert(key.clone(), stored.get(key).cloned().unwrap_or_default());
        let now = fresh.and_then(|fresh| fresh.get(key)).filter(|now| !now.is_null());
        after.insert(key.clone(), now.unwrap_or(value).clone());
    }
    Noted { kind, before: Some(before.into()), after: Some(after.into()) }
}

/// Whether one of these fields is not what is stored.
fn fields_moved(place: &Place, wanted: &Map<String, Value>, fresh: &str) -> Result<bool> {
    let (stored, fresh) = (place.body(), serde_json::from_str::<Value>(fresh).map_err(Error::internal)?);
    Ok(wanted.keys().any(|key| stored.get(key) != fresh.get(key)))
}

/// Something new: what is wanted of it, under which entity.
fn made_noted(kind: &'static str, place: &Place, wanted: Map<String, Value>) -> Noted {
    let mut after = wanted;
    after.insert("entity_id".to_owned(), place.entity.id.to_string().into());
    after.insert("at".to_owned(), place.entity.name.clone().into());
    Noted { kind, before: None, after: Some(after.into()) }
}

/// A connector without what it had when the act was planned.
pub(crate) fn lost() -> integration::Error {
    integration::Error::new(integration::Kind::Refused, "the connector lost a capability")
}
