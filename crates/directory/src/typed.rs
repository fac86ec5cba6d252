//! Ids that people type for a client: mapped at once where the vendor lists them, kept as unverified until it does.

use domain::{ClientId, ClientScope, Entity, Error, MappingState, Result, UnverifiedMapping, UnverifiedMappingId};
use persistence::{MappingWrite, Tx};

use crate::aliases::learn;

/// Longest id that may be typed, in characters.
const LONGEST: usize = 255;

/// What became of a typed id.
#[derive(Clone, Debug)]
pub enum Typed {
    /// The vendor lists it: it is mapped.
    Mapped(Box<Entity>),
    /// Nobody lists it yet: the first sync that meets it will map it.
    Unverified(UnverifiedMapping),
}

/// Takes an id that a person typed for a client. Only for callers who see every client: the id may turn out to be
/// anybody's.
pub async fn mapping_type(tx: &Tx, client: ClientId, integration: &str, vendor_id: &str) -> Result<Typed> {
    if tx.context().scope != ClientScope::All {
        return Err(Error::conflict(
            "scope_limited",
            "Only who sees every client may type ids: map it in the dialog, or ask an admin.",
        ));
    }
    let vendor_id = vendor_id.trim();
    let sound = !vendor_id.is_empty()
        && vendor_id.chars().count() <= LONGEST
        && vendor_id.chars().all(|character| !character.is_control());
    if !sound {
        let message = format!("must have 1 to {LONGEST} characters on one line");
        return Err(Error::invalid("/vendor_id", "not_an_id", message));
    }
    let mut found = tx.entities_by_vendor_id(integration, None, vendor_id).await?;
    if tx.clients_by_id(&[client]).await?.is_empty() {
        return Err(Error::NotFound { what: "client" });
    }
    if let Some(entity) = found.iter().find(|entity| entity.client_id == Some(client)) {
        return Ok(Typed::Mapped(Box::new(entity.clone())));
    }
    if found.len() > 1 {
        let message = "Several connections list this id: map the right one in the dialog.";
        return Err(Error::conflict("ambiguous", message));
    }
    let Some(entity) = found.pop() else { return keep(tx, client, integration, vendor_id).await };
    if let Some(owner) = entity.client_id {
        let owner = tx.client(owner).await?;
        return Err(Error::conflict("taken", format!("“{}” belongs to the client “{}”.", entity.name, owner.name)));
    }
    let reason = Some("its id was typed for the client".to_owned());
    let write = MappingWrite { client: Some(client), state: MappingState::Mapped, reason };
    let mapped = tx.mapping_write(entity.id, &write).await?;
    // Typing its id is deciding about it. An id that no vendor lists yet teaches nothing: there is no name to learn,
    // and it is a sync that maps it then.
    learn(tx, &[(entity, Some(client))]).await?;
    Ok(Typed::Mapped(Box::new(mapped)))
}

async fn keep(tx: &Tx, client: ClientId, integration: &str, vendor_id: &str) -> Result<Typed> {
    if let Some(known) = tx.unverified_by_vendor_id(integration, vendor_id).await? {
        if known.client_id == client {
            return Ok(Typed::Unverified(known));
        }
        let owner = tx.client_even_deleted(known.client_id).await?;
        if owner.deleted_at.is_none() {
            let message = format!("This id was typed for the client “{}” already.", owner.name);
            return Err(Error::conflict("taken", message));
        }
        tx.unverified_delete(&known).await?;
    }
    let mapping = UnverifiedMapping {
        id: tx.new_id(),
        client_id: client,
        integration: integration.to_owned(),
        vendor_id: vendor_id.to_owned(),
        problem: None,
        created_at: tx.now(),
        created_by: tx.context().actor.staff(),
    };
    tx.unverified_insert(&mapping).await?;
    Ok(Typed::Unverified(mapping))
}

/// Takes a typed id back.
pub async fn typed_remove(tx: &Tx, client: ClientId, id: UnverifiedMappingId) -> Result<UnverifiedMapping> {
    let mapping = tx.unverified_mapping(client, id).await?;
    tx.unverified_delete(&mapping).await?;
    Ok(mapping)
}
