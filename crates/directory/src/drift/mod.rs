//! Drift: what vendors did to entities after a person had decided about them. Items are found by looking, one for each
//! cause; what is stored is what a person did about them. Nothing is re-attributed by itself.
//!
//! * `find.rs` finds them, `hands.rs` those that are about domains, `fix.rs` carries out what a person chose.
//!
//! An entity that moved under another parent at its vendor is not told: no connector says which parent an entity has.
//!
//! **A new kind**: a variant of [`DriftKind`], what finds it in `find.rs`, and its fixes in [`DriftItem::fixes`].

mod find;
mod fix;
mod hands;

use domain::{
    ClientId, ConnectionId, DriftId, DriftKind, Entity, Error, Listed, PageRequest, Result, Timestamp, name_key,
};
use persistence::Tx;
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

pub use fix::{DriftWish, drift_dismiss, drift_fix};

use crate::{
    mappings::{matcher, suggest},
    matching::{Decision, Suggestion, decide},
};

/// What can be done about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriftFix {
    /// The client takes the entity's new name.
    RenameClient,
    /// It is as it should be: the item goes, nothing else changes.
    Acknowledge,
    /// The entity that vanished belongs to nobody any more.
    Unmap,
    /// The entity belongs to a client: the one of the entity it follows, or the one suggested or named.
    Map,
    /// The new entity deliberately belongs to nobody.
    Exclude,
}

/// One thing that drifted.
#[derive(Clone, Debug)]
pub struct DriftItem {
    /// Made of the cause: another cause has another id.
    pub id: DriftId,
    /// What happened.
    pub kind: DriftKind,
    /// The entity that it is about: of a re-created one the new one, of a domain the one that tells it now.
    pub entity: Entity,
    /// The entity before it: the one that vanished, or that told the domain.
    pub former: Option<Entity>,
    /// The client that is concerned: whose the entity is, or whose the former one was.
    pub client_id: Option<ClientId>,
    /// The name by which a person knew the entity.
    pub known_name: Option<String>,
    /// The domain.
    pub domain: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// What is proposed; `None` where nothing fits.
    pub proposed: Option<DriftFix>,
    /// Clients that a new entity may belong to; told on pages and for single items only.
    pub suggestions: Vec<Suggestion>,
}

impl DriftItem {
    /// Everything that can be done about it.
    pub fn fixes(&self) -> &'static [DriftFix] {
        match self.kind {
            DriftKind::Renamed => &[DriftFix::RenameClient, DriftFix::Acknowledge],
            DriftKind::Vanished => &[DriftFix::Unmap, DriftFix::Acknowledge],
            DriftKind::Recreated => &[DriftFix::Map, DriftFix::Unmap],
            DriftKind::NewUnmapped => &[DriftFix::Map, DriftFix::Exclude],
            DriftKind::DomainMoved => &[DriftFix::Acknowledge, DriftFix::Map],
        }
    }

    fn concerns(&self, client: ClientId) -> bool {
        let whose = |entity: &Entity| entity.client_id == Some(client);
        self.client_id == Some(client) || whose(&self.entity) || self.former.as_ref().is_some_and(whose)
    }

    fn place(&self) -> (String, Uuid) {
        (name_key(&self.entity.name), self.id.0)
    }
}

/// The id of an item: the same for the same cause.
fn id(kind: DriftKind, entity: &Entity, cause: &[&[u8]]) -> DriftId {
    let mut hasher = Sha256::new();
    hasher.update(kind.as_str());
    hasher.update(entity.id.0.as_bytes());
    for part in cause {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hasher.finalize()[..16]);
    DriftId(Builder::from_custom_bytes(bytes).into_uuid())
}

/// Which items are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct DriftFilter {
    /// Of this connection.
    pub connection: Option<ConnectionId>,
    /// That concern this client.
    pub client: Option<ClientId>,
    /// Of this kind.
    pub kind: Option<DriftKind>,
}

/// A page of what drifted and waits for a person, by the entity's name.
pub async fn drift_list(tx: &Tx, filter: &DriftFilter, page: &PageRequest) -> Result<Listed<DriftItem>> {
    let mut items = find::items(tx, filter.connection).await?;
    items.retain(|item| {
        filter.client.is_none_or(|client| item.concerns(client)) && filter.kind.is_none_or(|kind| item.kind == kind)
    });
    let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let mut places: Vec<((String, Uuid), DriftItem)> = items.into_iter().map(|item| (item.place(), item)).collect();
    if let Some(after) = &page.after {
        places.retain(|(place, _)| place > after);
    }
    places.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let limit = page.limit as usize;
    let next =
        (places.len() > limit).then(|| places.get(limit.saturating_sub(1)).map(|(place, _)| place.clone())).flatten();
    places.truncate(limit);
    let mut items: Vec<DriftItem> = places.into_iter().map(|(_, item)| item).collect();
    propose(tx, &mut items).await?;
    Ok(Listed { items, next, total })
}

/// One item. One that was settled, or never was, is not found.
pub async fn drift_get(tx: &Tx, id: DriftId) -> Result<DriftItem> {
    let found = find::items(tx, None).await?.into_iter().find(|item| item.id == id);
    let mut items = vec![found.ok_or(Error::NotFound { what: "drift item" })?];
    propose(tx, &mut items).await?;
    items.pop().ok_or(Error::NotFound { what: "drift item" })
}

/// Adds to new entities which clients they may belong to.
async fn propose(tx: &Tx, items: &mut [DriftItem]) -> Result<()> {
    if !items.iter().any(|item| item.kind == DriftKind::NewUnmapped) {
        return Ok(());
    }
    let matcher = matcher(tx).await?;
    let threshold = tx.matching_settings().await?.threshold.score();
    for item in items.iter_mut().filter(|item| item.kind == DriftKind::NewUnmapped) {
        item.suggestions = suggest(&matcher, &item.entity, 5);
        let sure = matches!(decide(&item.suggestions, threshold), Decision::Accept(_));
        item.proposed = sure.then_some(DriftFix::Map);
    }
    Ok(())
}
