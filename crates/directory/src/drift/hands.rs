//! Domains that changed hands: an entity of one client told a domain, and no longer does; one of another client does.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::{ConnectionId, DriftKind, Entity, EntityId, Result, Timestamp};
use persistence::Tx;

use super::{DriftFix, DriftItem, id};
use crate::mappings::identifiers;

/// A domain that an entity lost: by saying so no more, or by vanishing.
struct Lost {
    entity: EntityId,
    /// Since when it had told it, where that was noted.
    since: Option<Timestamp>,
    /// When it was lost.
    at: Timestamp,
}

/// Items about domains that are told by an entity of `connection`, or of any. `vanished` are the mapped entities of it
/// that are no longer listed.
pub(super) async fn moved(tx: &Tx, connection: Option<ConnectionId>, vanished: &[Entity]) -> Result<Vec<DriftItem>> {
    let mut lost: BTreeMap<String, Vec<Lost>> = BTreeMap::new();
    for row in tx.domains_gone().await? {
        if let Some(at) = row.gone_at {
            // One that was told before this was noted: since when is not known.
            let since = (row.told_at < at).then_some(row.told_at);
            lost.entry(row.domain).or_default().push(Lost { entity: row.entity_id, since, at });
        }
    }
    for entity in vanished {
        for domain in identifiers(entity).domains {
            if let Some(at) = entity.removed_at {
                lost.entry(domain).or_default().push(Lost { entity: entity.id, since: None, at });
            }
        }
    }
    if lost.is_empty() {
        return Ok(Vec::new());
    }
    let domains: BTreeSet<String> = lost.keys().cloned().collect();
    let told = tx.domains_told(&domains).await?;
    let ids: HashSet<EntityId> =
        told.iter().map(|row| row.entity_id).chain(lost.values().flatten().map(|lost| lost.entity)).collect();
    // Only those that the caller may see, and only with a client: nothing is told of others.
    let entities: HashMap<EntityId, Entity> = tx
        .entities_seen(&Vec::from_iter(ids))
        .await?
        .into_iter()
        .filter(|entity| entity.client_id.is_some())
        .map(|entity| (entity.id, entity))
        .collect();
    let since: HashMap<(EntityId, &str), Timestamp> =
        told.iter().map(|row| ((row.entity_id, row.domain.as_str()), row.told_at)).collect();
    let mut items = Vec::new();
    for row in &told {
        let Some(entity) = entities.get(&row.entity_id).filter(|entity| entity.removed_at.is_none()) else { continue };
        let ours = connection.is_none_or(|connection| entity.connection_id == connection);
        // One spelling, and no domain that many businesses share.
        if !ours || !identifiers(entity).domains.contains(&row.domain) {
            continue;
        }
        let former = lost.get(&row.domain).into_iter().flatten();
        let former = former.filter_map(|lost| entities.get(&lost.entity).map(|entity| (entity, lost)));
        // Whoever told it as long, or longer, did not get it from there. Of several, the last to lose it.
        let before = |former: &Entity, lost: &Lost| {
            let noted = since.get(&(former.id, row.domain.as_str())).copied();
            lost.since.or(noted).unwrap_or(former.first_seen_at) < row.told_at
        };
        let former = former
            .filter(|(former, lost)| former.client_id != entity.client_id && before(former, lost))
            .map(|(former, lost)| (former, lost.at))
            .max_by_key(|(former, at)| (*at, former.id));
        let Some((former, at)) = former else { continue };
        items.push(DriftItem {
            id: id(DriftKind::DomainMoved, entity, &[row.domain.as_bytes(), former.id.0.as_bytes()]),
            kind: DriftKind::DomainMoved,
            client_id: former.client_id,
            entity: entity.clone(),
            former: Some(former.clone()),
            known_name: None,
            domain: Some(row.domain.clone()),
            since: at.max(row.told_at),
            proposed: Some(DriftFix::Acknowledge),
            suggestions: Vec::new(),
        });
    }
    Ok(items)
}
