//! What the product tells other programs: the catalogue of its events, and which change is which event. Rules only.
//!
//! An event holds ids and a small picture that anyone of the MSP may see: no secrets, no texts that people wrote, no
//! addresses of people. It names one client at most, so that a subscription limited to some clients learns nothing of
//! the others.
//!
//! **A new event**: a line in the catalogue, and a branch in [`events_of`], or a call of `Tx::events_emit` where no
//! journalled change stands for it.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{Change, ClientId};

/// Since when an event is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventStanding {
    /// It is sent.
    Sent,
    /// Its name is kept for what is to come: it can be subscribed to, and is not sent yet.
    Reserved,
}

macro_rules! events {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $standing:ident);+ $(;)?) => {
        /// Something that other programs can be told. The names are stable: what stands here is never renamed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventType { $( $(#[doc = $doc])+ $name ),+ }

        impl EventType {
            /// All of them, in the order of the catalogue.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name on the wire and in columns.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// What it says, in people's words.
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii()),+ }
            }

            /// Whether it is sent yet.
            pub fn standing(self) -> EventStanding {
                match self { $(Self::$name => EventStanding::$standing),+ }
            }

            /// The event of this name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|event| event.as_str() == name)
            }
        }
    };
}

events! {
    /// A client was made.
    ClientCreated = "client.created", Sent;
    /// Something about a client was changed.
    ClientUpdated = "client.updated", Sent;
    /// A client was archived.
    ClientArchived = "client.archived", Sent;
    /// A client that was archived or deleted is there again.
    ClientRestored = "client.restored", Sent;
    /// A client was deleted.
    ClientDeleted = "client.deleted", Sent;
    /// A vendor's entity was mapped to a client, or taken from it: one event for each of the clients.
    MappingChanged = "mapping.changed", Sent;
    /// A connection stopped working, wholly or in part.
    ConnectionFailed = "connection.failed", Sent;
    /// A connection that had stopped works again.
    ConnectionRecovered = "connection.recovered", Sent;
    /// A sync was held because what the vendor listed is not plausible: a person decides.
    SyncHeld = "sync.held", Sent;
    /// A vendor lists a device that it did not list before; not those of its first listing.
    DeviceAppeared = "device.appeared", Sent;
    /// A vendor lists a device no more.
    DeviceRemoved = "device.removed", Sent;
    /// A vendor reports a threat that it did not report before; not those of its first listing.
    ThreatFound = "threat.found", Sent;
    /// Someone of a client asked for a service.
    ServiceRequestCreated = "service_request.created", Sent;
    /// A service request has another state.
    ServiceRequestChanged = "service_request.changed", Sent;
    /// An agreement was sent to a client.
    AgreementSent = "agreement.sent", Sent;
    /// A client signed an agreement.
    AgreementSigned = "agreement.signed", Sent;
    /// A client declined an agreement.
    AgreementDeclined = "agreement.declined", Sent;
    /// A client's onboarding began.
    OnboardingStarted = "onboarding.started", Sent;
    /// A client's onboarding is done.
    OnboardingCompleted = "onboarding.completed", Sent;
    /// Someone of a client was invited to ClientOne.
    PortalUserInvited = "portal_user.invited", Sent;
    /// Someone of a client can sign in to ClientOne, for the first time or again.
    PortalUserActivated = "portal_user.activated", Sent;
    /// Someone of a client can sign in to ClientOne no more.
    PortalUserDeactivated = "portal_user.deactivated", Sent;
    /// A ticket was made.
    TicketCreated = "ticket.created", Sent;
    /// A ticket has another state.
    TicketChanged = "ticket.changed", Sent;
    /// Someone replied to a ticket.
    TicketReplied = "ticket.replied", Sent;
    /// A document was published to clients.
    DocumentPublished = "document.published", Sent;
    /// A try: sent to one subscription because a person asked for it.
    Ping = "ping", Sent;
}

/// An event that is to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct EventDraft {
    /// Which.
    pub kind: EventType,
    /// The one client that it is about; none where it is about no single one.
    pub client: Option<ClientId>,
    /// What it says: ids and a small picture.
    pub data: Map<String, Value>,
}

impl EventDraft {
    /// An event about the thing of this id. `fields` that are null are left out.
    pub fn new(kind: EventType, id: Uuid, client: Option<ClientId>, fields: Value) -> Self {
        let mut data = Map::new();
        data.insert("id".to_owned(), json!(id));
        if let Some(client) = client {
            data.insert("client_id".to_owned(), json!(client));
        }
        if let Value::Object(fields) = fields {
            data.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
        }
        Self { kind, client, data }
    }
}

/// Kinds of rows whose changes can be events.
pub const EVENT_KINDS: [&str; 11] = [
    "client",
    "mapping",
    "connection",
    "service_request",
    "agreement_instance",
    "onboarding",
    "portal_user",
    "portal_ticket",
    "portal_ticket_message",
    "file",
    "library_document",
];

/// The events that a journalled change stands for; most changes stand for none.
pub fn events_of(change: &Change) -> Vec<EventDraft> {
    let one = |draft: Option<EventDraft>| draft.into_iter().collect();
    match change.kind.as_str() {
        "client" => one(client(change)),
        "mapping" => mapping(change),
        "connection" => one(connection(change)),
        "service_request" => one(service_request(change)),
        "agreement_instance" => one(agreement(change)),
        "onboarding" => one(onboarding(change)),
        "portal_user" => one(portal_user(change)),
        "portal_ticket" => one(ticket(change)),
        "portal_ticket_message" => one(ticket_reply(change)),
        "file" => file(change),
        "library_document" => one(library_document(change)),
        _ => Vec::new(),
    }
}

/// A field of what was before or is after; null where there is none.
fn field<'v>(view: &'v Option<Value>, name: &str) -> &'v Value {
    view.as_ref().and_then(|view| view.get(name)).unwrap_or(&Value::Null)
}

fn is(view: &Option<Value>, name: &str, text: &str) -> bool {
    field(view, name).as_str() == Some(text)
}

/// Whether a state is another one than before, and which.
fn moved<'v>(change: &'v Change, to: &str) -> Option<&'v Value> {
    (is(&change.after, "state", to) && !is(&change.before, "state", to)).then(|| field(&change.before, "state"))
}

fn client(change: &Change) -> Option<EventDraft> {
    use EventType as E;
    let Change { before, after, .. } = change;
    let there = |view: &Option<Value>| view.is_some() && field(view, "deleted_at").is_null();
    let archived = |view: &Option<Value>| !field(view, "archived_at").is_null();
    let mut changed = Vec::new();
    let kind = match (there(before), there(after)) {
        (false, true) if before.is_none() => E::ClientCreated,
        (false, true) => E::ClientRestored,
        (true, false) => E::ClientDeleted,
        (false, false) => return None,
        (true, true) if !archived(before) && archived(after) => E::ClientArchived,
        (true, true) if archived(before) && !archived(after) => E::ClientRestored,
        (true, true) => {
            let told = ["name", "status", "notes", "contact_email", "phone", "address"];
            changed.extend(told.into_iter().filter(|name| field(before, name) != field(after, name)));
            if changed.is_empty() {
                return None;
            }
            E::ClientUpdated
        }
    };
    let shown = if after.is_some() { after } else { before };
    let changed = if changed.is_empty() { Value::Null } else { json!(changed) };
    let fields = json!({ "name": field(shown, "name"), "status": field(shown, "status"), "changed": changed });
    Some(EventDraft::new(kind, change.id, Some(ClientId(change.id)), fields))
}

/// One event for each client that a re-mapping touches: neither is told of the other.
fn mapping(change: &Change) -> Vec<EventDraft> {
    let owner = |view: &Option<Value>| field(view, "client_id").as_str().and_then(|id| id.parse::<ClientId>().ok());
    let (left, joined) = (owner(&change.before), owner(&change.after));
    if left == joined {
        return Vec::new();
    }
    let shown = if change.after.is_some() { &change.after } else { &change.before };
    let told = |client: ClientId, mapped: bool| {
        let fields = json!({
            "entity_id": change.id, "connection_id": field(shown, "connection_id"),
            "integration": field(shown, "integration"), "name": field(shown, "name"), "mapped": mapped,
        });
        EventDraft::new(EventType::MappingChanged, change.id, Some(client), fields)
    };
    left.map(|client| told(client, false)).into_iter().chain(joined.map(|client| told(client, true))).collect()
}

fn connection(change: &Change) -> Option<EventDraft> {
    let failing = |view: &Option<Value>| is(view, "state", "degraded") || is(view, "state", "reauth_required");
    let Change { before, after, .. } = change;
    let moved = field(before, "state") != field(after, "state");
    let kind = match (failing(before), failing(after)) {
        (_, true) if moved => EventType::ConnectionFailed,
        (true, false) if is(after, "state", "connected") => EventType::ConnectionRecovered,
        _ => return None,
    };
    let fields = json!({
        "integration": field(after, "integration"), "name": field(after, "name"), "state": field(after, "state"),
        "previous_state": field(before, "state"),
    });
    Some(EventDraft::new(kind, change.id, None, fields))
}

fn service_request(change: &Change) -> Option<EventDraft> {
    let Change { before, after, .. } = change;
    let kind = match (before, after) {
        (_, None) => return None,
        (None, _) => EventType::ServiceRequestCreated,
        _ if field(before, "state") != field(after, "state") => EventType::ServiceRequestChanged,
        _ => return None,
    };
    let fields = json!({
        "type_id": field(after, "type_id"), "type_name": field(after, "type_name"),
        "requester_id": field(after, "requester"), "state": field(after, "state"),
        "previous_state": field(before, "state"),
    });
    Some(EventDraft::new(kind, change.id, change.client_id, fields))
}

fn agreement(change: &Change) -> Option<EventDraft> {
    let kind = if change.before.is_none() && change.after.is_some() {
        EventType::AgreementSent
    } else if moved(change, "signed").is_some() {
        EventType::AgreementSigned
    } else if moved(change, "declined").is_some() {
        EventType::AgreementDeclined
    } else {
        return None;
    };
    let after = &change.after;
    let fields = json!({
        "agreement_id": field(after, "agreement_id"), "series_id": field(after, "series_id"),
        "state": field(after, "state"),
    });
    Some(EventDraft::new(kind, change.id, change.client_id, fields))
}

fn onboarding(change: &Change) -> Option<EventDraft> {
    let kind = if change.before.is_none() && change.after.is_some() {
        EventType::OnboardingStarted
    } else {
        moved(change, "completed").map(|_| EventType::OnboardingCompleted)?
    };
    let after = &change.after;
    let fields = json!({
        "template_id": field(after, "template_id"), "name": field(after, "name"), "state": field(after, "state"),
        "steps": field(after, "total"),
    });
    Some(EventDraft::new(kind, change.id, change.client_id, fields))
}

fn portal_user(change: &Change) -> Option<EventDraft> {
    let kind = if let Some(before) = moved(change, "active") {
        // One that is made active at once was never invited.
        if before.is_null() { EventType::PortalUserInvited } else { EventType::PortalUserActivated }
    } else if moved(change, "invited").is_some() {
        EventType::PortalUserInvited
    } else {
        moved(change, "deactivated").map(|_| EventType::PortalUserDeactivated)?
    };
    let fields = json!({
        "role": field(&change.after, "role"), "state": field(&change.after, "state"),
        "previous_state": field(&change.before, "state"),
    });
    Some(EventDraft::new(kind, change.id, change.client_id, fields))
}

fn ticket(change: &Change) -> Option<EventDraft> {
    let Change { before, after, .. } = change;
    let kind = match (before, after) {
        (_, None) => return None,
        (None, _) => EventType::TicketCreated,
        _ if field(before, "state") != field(after, "state") => EventType::TicketChanged,
        _ => return None,
    };
    let fields = json!({
        "number": field(after, "number"), "requester_id": field(after, "requester"), "state": field(after, "state"),
        "previous_state": field(before, "state"), "service_request_id": field(after, "service_request_id"),
    });
    Some(EventDraft::new(kind, change.id, change.client_id, fields))
}

/// What was said to the other side; notes among staff are told to nobody.
fn ticket_reply(change: &Change) -> Option<EventDraft> {
    let Change { before, after, .. } = change;
    (before.is_none() && is(after, "kind", "reply")).then_some(())?;
    let fields = json!({
        "ticket_id": field(after, "ticket_id"), "number": field(after, "number"),
        "portal_user_id": field(after, "portal_user_id"), "staff_id": field(after, "staff_id"),
    });
    Some(EventDraft::new(EventType::TicketReplied, change.id, change.client_id, fields))
}

/// One event for each client that a file is published to and was not before; one about no client where it is for all.
fn file(change: &Change) -> Vec<EventDraft> {
    let reached = |view: &Option<Value>| -> Vec<Option<ClientId>> {
        let published = field(view, "published");
        let id = |value: &Value| value.as_str().and_then(|id| id.parse::<ClientId>().ok());
        match published["reach"].as_str() {
            Some("client") => id(field(view, "client_id")).map(Some).into_iter().collect(),
            Some("chosen") => published["clients"].as_array().into_iter().flatten().map(id).collect(),
            Some("all") => vec![None],
            _ => Vec::new(),
        }
    };
    let (old, new) = (reached(&change.before), reached(&change.after));
    let told = |client: Option<ClientId>| {
        let fields = json!({ "document": "file", "media_type": field(&change.after, "media_type") });
        EventDraft::new(EventType::DocumentPublished, change.id, client, fields)
    };
    new.into_iter().filter(|client| !old.contains(client)).map(told).collect()
}

fn library_document(change: &Change) -> Option<EventDraft> {
    let Change { before, after, .. } = change;
    let shown = |view: &Option<Value>| !field(view, "published_at").is_null() && field(view, "deleted_at").is_null();
    (shown(after) && !shown(before)).then(|| {
        let fields = json!({ "document": "text" });
        EventDraft::new(EventType::DocumentPublished, change.id, change.client_id, fields)
    })
}

#[cfg(test)]
mod tests;
