//! Finding what drifted: one item for one cause.

use std::collections::{HashMap, HashSet};

use domain::{ClientId, ConnectionId, DriftKind, Entity, EntityId, Result, name_key};
use persistence::{DriftEntity, DriftRow, Tx};

use super::{DriftFix, DriftItem, hands, id};
use crate::mappings::identifiers;

/// Every item that nobody has decided about, of one connection or of all.
pub(super) async fn items(tx: &Tx, connection: Option<ConnectionId>) -> Result<Vec<DriftItem>> {
    let vanished: Vec<Entity> =
        tx.drift_entities(DriftRow::Vanished, connection).await?.into_iter().map(|row| row.entity).collect();
    let mut items = renamed(tx, connection).await?;
    let connections = match connection {
        Some(connection) => vec![connection],
        None => tx.connections().await?.into_iter().map(|connection| connection.id).collect(),
    };
    let mut followed = HashSet::new();
    for connection in connections {
        let Some(since) = tx.entities_first_listed(connection).await? else { continue };
        let new = tx.drift_unmapped(connection, since).await?;
        let gone: Vec<&Entity> = vanished.iter().filter(|entity| entity.connection_id == connection).collect();
        let pairs = pairs(&gone, &new);
        for entity in new {
            let former = pairs.get(&entity.id).map(|at| gone[*at]);
            followed.extend(former.map(|former| former.id));
            items.push(match former {
                Some(former) => recreated(entity, former.clone()),
                None => unmapped(entity),
            });
        }
    }
    items.extend(hands::moved(tx, connection, &vanished).await?);
    items.extend(vanished.into_iter().filter(|entity| !followed.contains(&entity.id)).map(gone));
    let ids: Vec<_> = items.iter().map(|item| item.id).collect();
    let decided = tx.drift_decided(&ids).await?;
    items.retain(|item| !decided.contains(&item.id));
    Ok(items)
}

async fn renamed(tx: &Tx, connection: Option<ConnectionId>) -> Result<Vec<DriftItem>> {
    let rows = tx.drift_entities(DriftRow::Renamed, connection).await?;
    let clients: Vec<ClientId> =
        rows.iter().filter_map(|row| row.entity.client_id).collect::<HashSet<_>>().into_iter().collect();
    let names = tx.client_names_of(&clients).await?;
    let item = |row: DriftEntity| {
        let DriftEntity { entity, known_name, changed_at } = row;
        let client = entity.client_id.and_then(|client| names.get(&client));
        let known = known_name.as_deref().unwrap_or_default();
        // A client under a name of its own keeps it; one that was called as the entity was, follows.
        let same = client.is_some_and(|client| name_key(client) == name_key(known));
        DriftItem {
            id: id(DriftKind::Renamed, &entity, &[known.as_bytes(), entity.name.as_bytes()]),
            kind: DriftKind::Renamed,
            client_id: entity.client_id,
            former: None,
            domain: None,
            since: changed_at,
            proposed: Some(if same { DriftFix::RenameClient } else { DriftFix::Acknowledge }),
            suggestions: Vec::new(),
            known_name,
            entity,
        }
    };
    Ok(rows.into_iter().map(item).collect())
}

fn gone(entity: Entity) -> DriftItem {
    let since = entity.removed_at.unwrap_or(entity.first_seen_at);
    DriftItem {
        id: id(DriftKind::Vanished, &entity, &[since.to_rfc3339().as_bytes()]),
        kind: DriftKind::Vanished,
        client_id: entity.client_id,
        former: None,
        known_name: None,
        domain: None,
        since,
        proposed: Some(DriftFix::Unmap),
        suggestions: Vec::new(),
        entity,
    }
}

fn recreated(entity: Entity, former: Entity) -> DriftItem {
    DriftItem {
        id: id(DriftKind::Recreated, &entity, &[former.id.0.as_bytes()]),
        kind: DriftKind::Recreated,
        client_id: former.client_id,
        former: Some(former),
        known_name: None,
        domain: None,
        since: entity.first_seen_at,
        proposed: Some(DriftFix::Map),
        suggestions: Vec::new(),
        entity,
    }
}

fn unmapped(entity: Entity) -> DriftItem {
    DriftItem {
        id: id(DriftKind::NewUnmapped, &entity, &[]),
        kind: DriftKind::NewUnmapped,
        client_id: None,
        former: None,
        known_name: None,
        domain: None,
        since: entity.first_seen_at,
        proposed: None,
        suggestions: Vec::new(),
        entity,
    }
}

/// Which new entity follows which that vanished (by its place in `gone`): by identifiers first, then by name; each
/// once. Where two look alike, the one that was seen first.
pub(super) fn pairs(gone: &[&Entity], new: &[Entity]) -> HashMap<EntityId, usize> {
    let mut pairs = HashMap::new();
    if gone.is_empty() || new.is_empty() {
        return pairs;
    }
    let mut taken = vec![false; gone.len()];
    for keys in [by_identifier, by_name] {
        let mut places: HashMap<Vec<String>, Vec<usize>> = HashMap::new();
        for (at, entity) in gone.iter().enumerate() {
            for key in keys(entity) {
                places.entry(key).or_default().push(at);
            }
        }
        for entity in new {
            if pairs.contains_key(&entity.id) {
                continue;
            }
            let mut candidates = keys(entity).into_iter().filter_map(|key| places.get(&key)).flatten();
            // What is listed anew was seen after what it follows.
            let fits = |at: &&usize| !taken[**at] && gone[**at].first_seen_at <= entity.first_seen_at;
            if let Some(at) = candidates.find(fits).copied() {
                taken[at] = true;
                pairs.insert(entity.id, at);
            }
        }
    }
    pairs
}

fn by_identifier(entity: &Entity) -> Vec<Vec<String>> {
    let known = identifiers(entity);
    let word = |kind: &str, value: String| vec![kind.to_owned(), value];
    let tenants = known.tenants.into_iter().map(|tenant| word("tenant", tenant));
    let external = known.external.into_iter().map(|(system, id)| vec!["external".to_owned(), system, id]);
    let domains = known.domains.into_iter().map(|domain| word("domain", domain));
    tenants.chain(external).chain(domains).collect()
}

fn by_name(entity: &Entity) -> Vec<Vec<String>> {
    let key = name_key(&entity.name);
    if key.is_empty() { Vec::new() } else { vec![vec!["name".to_owned(), key]] }
}

#[cfg(test)]
mod tests {
    use domain::{MappingState, Timestamp};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn entity(id: u128, name: &str, domain: Option<&str>, at: i64) -> Entity {
        Entity {
            id: EntityId(Uuid::from_u128(id)),
            connection_id: ConnectionId(Uuid::from_u128(1)),
            integration: "toy".to_owned(),
            kind: "toy_site".to_owned(),
            vendor_id: id.to_string(),
            name: name.to_owned(),
            body: serde_json::json!({ "domains": domain.into_iter().collect::<Vec<_>>() }).to_string(),
            first_seen_at: Timestamp::from_timestamp(at, 0).expect("valid"),
            removed_at: None,
            client_id: None,
            mapping_state: MappingState::Unmapped,
            mapping_reason: None,
            mapped_at: None,
            mapped_by: None,
            version: 1,
            device_count: 0,
            user_count: 0,
        }
    }

    #[test]
    fn an_identifier_tells_more_than_a_name() {
        let (a, b) = (entity(1, "Kite", None, 1), entity(2, "Old Crane", Some("crane.example"), 1));
        let new = [entity(3, "Kite", Some("crane.example"), 5), entity(4, "kite ", None, 6)];
        let pairs = pairs(&[&a, &b], &new);
        assert_eq!(pairs, HashMap::from([(new[0].id, 1), (new[1].id, 0)]));
    }

    #[test]
    fn nobody_follows_one_that_came_after_it_nor_by_a_domain_that_all_share() {
        let late = entity(1, "Kite", None, 9);
        assert!(pairs(&[&late], &[entity(2, "Kite", None, 5)]).is_empty());
        let mail = entity(1, "Kite", Some("gmail.com"), 1);
        assert!(pairs(&[&mail], &[entity(2, "Crane", Some("gmail.com"), 5)]).is_empty());
    }

    proptest! {
        #[test]
        fn each_is_followed_by_one_at_most_and_follows_one_at_most(
            gone in proptest::collection::vec((0usize..4, 0usize..5), 0..8),
            new in proptest::collection::vec((0usize..4, 0usize..5), 0..8),
        ) {
            let names = ["Kite", "Crane", "Heron", "Lark"];
            let domains = [None, Some("a.example"), Some("b.example"), Some("c.example"), Some("gmail.com")];
            let make = |base: u128, rows: &[(usize, usize)], at| -> Vec<Entity> {
                let row = |(n, (name, domain)): (usize, &(usize, usize))| {
                    entity(base + n as u128, names[*name], domains[*domain], at)
                };
                rows.iter().enumerate().map(row).collect()
            };
            let (gone, new) = (make(100, &gone, 1), make(200, &new, 2));
            let gone: Vec<&Entity> = gone.iter().collect();
            let pairs = pairs(&gone, &new);
            let places: HashSet<usize> = pairs.values().copied().collect();
            prop_assert_eq!(places.len(), pairs.len());
            for entity in &new {
                let alike = |former: &&Entity| {
                    name_key(&former.name) == name_key(&entity.name)
                        || by_identifier(former).iter().any(|key| by_identifier(entity).contains(key))
                };
                match pairs.get(&entity.id) {
                    Some(at) => prop_assert!(alike(&gone[*at])),
                    None => {
                        let free = gone.iter().enumerate().filter(|(at, _)| !places.contains(at));
                        prop_assert!(!free.map(|(_, former)| former).any(alike));
                    }
                }
            }
        }
    }
}
