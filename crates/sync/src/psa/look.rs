//! One company held against its client: what is agreed, taken, sent, or left to a person.

use std::collections::HashMap;

use domain::{
    Client, ConnectionId, EntityId, PsaConflict, PsaConflictId, PsaConflictKind, PsaConflictState, PsaDirection,
    PsaField, PsaSettings, Timestamp,
    psa::{Agreement, Decision, Sides, decide, same},
};
use persistence::Agreed;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::values::{Company, ours, rules};

/// What is to be done about one company.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub agree: Vec<Agreed>,
    pub take: Vec<(PsaField, Option<String>)>,
    pub send: Vec<(PsaField, String)>,
    pub note: Vec<PsaConflict>,
    pub close: Vec<PsaConflictId>,
}

/// The id of what waits about a field of a company; about the company or the client as a whole without a field.
pub(super) fn conflict_id(connection: ConnectionId, of: Uuid, field: Option<PsaField>) -> PsaConflictId {
    let mut hasher = Sha256::new();
    for part in [connection.0.as_bytes().as_slice(), of.as_bytes(), field.map_or("", PsaField::as_str).as_bytes()] {
        hasher.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize()[..16]);
    PsaConflictId(Builder::from_custom_bytes(bytes).into_uuid())
}

/// Values that both sides agree on from now on.
pub(super) fn agreed(
    entity: EntityId,
    client: &Client,
    field: PsaField,
    ours: Option<String>,
    theirs: Option<String>,
    sent: bool,
) -> Agreed {
    Agreed { entity_id: entity, client_id: client.id, field, values: Agreement { ours, theirs, sent } }
}

/// A field that waits for a person.
pub(super) fn waits(
    settings: &PsaSettings,
    (company, client): (&Company, &Client),
    field: PsaField,
    (kind, message): (PsaConflictKind, Option<String>),
    now: Timestamp,
) -> PsaConflict {
    PsaConflict {
        id: conflict_id(settings.connection_id, company.row.id.0, Some(field)),
        connection_id: settings.connection_id,
        entity_id: Some(company.row.id),
        client_id: Some(client.id),
        field: Some(field),
        kind,
        state: PsaConflictState::Open,
        ours: ours(client, field),
        theirs: company.value(field).flatten(),
        ours_at: None,
        ours_by: None,
        theirs_at: None,
        message,
        created_at: now,
    }
}

/// Holds a company against its client. Pure.
pub(super) fn look(
    settings: &PsaSettings,
    client: &Client,
    company: &Company,
    known: &[Agreed],
    conflicts: &HashMap<PsaConflictId, PsaConflict>,
    now: Timestamp,
) -> Found {
    let mut found = Found::default();
    let entity = company.row.id;
    for field in PsaField::ALL {
        let Some(theirs) = company.value(field) else { continue };
        let ours = ours(client, field);
        let id = conflict_id(settings.connection_id, entity.0, Some(field));
        // What waited about another client says nothing of this one.
        let (waiting, stray): (Vec<_>, Vec<_>) =
            conflicts.get(&id).into_iter().partition(|waiting| waiting.client_id == Some(client.id));
        found.close.extend(stray.into_iter().map(|stray| stray.id));
        let waiting = waiting.first().copied();
        // What was agreed with another client says nothing of this one.
        let before = known.iter().find(|one| one.field == field && one.client_id == client.id).map(|one| &one.values);
        let sides = Sides { ours: ours.as_deref(), theirs: theirs.as_deref() };
        let decision = decide(rules(settings, field), before, sides);
        let since = waiting.map_or(now, |waiting| waiting.created_at);
        let conflict = |kind, message| waits(settings, (company, client), field, (kind, message), since);
        if let Some(waiting) = waiting {
            let as_seen = waiting.ours == ours && waiting.theirs == theirs;
            match (decision, waiting.state) {
                (Decision::Agree | Decision::Nothing, _) => found.close.push(id),
                // A person decided for ours, against what they saw at the PSA; where nothing is sent any more they are
                // asked again.
                (_, PsaConflictState::Sending)
                    if settings.direction == PsaDirection::Both
                        && same(field, waiting.theirs.as_deref(), theirs.as_deref()) =>
                {
                    found.send.extend(ours.clone().map(|ours| (field, ours)));
                    continue;
                }
                // A value that was refused is tried again when it is another.
                (Decision::SendOurs | Decision::TakeTheirs, _)
                    if waiting.kind == PsaConflictKind::Refused && !as_seen =>
                {
                    found.close.push(id);
                }
                (Decision::Conflict(kind), _) if !as_seen || waiting.state == PsaConflictState::Sending => {
                    found.note.push(conflict(kind, None));
                    continue;
                }
                (_, PsaConflictState::Sending) => {
                    found.note.push(conflict(PsaConflictKind::BothChanged, None));
                    continue;
                }
                _ if !as_seen => {
                    found.note.push(conflict(waiting.kind, waiting.message.clone()));
                    continue;
                }
                _ => continue,
            }
        }
        let sent = before.is_some_and(|before| before.sent);
        match decision {
            Decision::Nothing => {}
            Decision::Agree => found.agree.push(agreed(entity, client, field, ours, theirs, sent)),
            Decision::TakeTheirs => found.take.push((field, theirs)),
            Decision::SendOurs => found.send.extend(ours.map(|ours| (field, ours))),
            Decision::Conflict(kind) => found.note.push(conflict(kind, None)),
        }
    }
    found
}
