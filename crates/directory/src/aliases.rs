//! What clients are known by at vendors. A person who maps an entity to a client teaches that the entity's name and
//! domains are the client's; one who takes the mapping back takes that back too. What the matching, a sync or a vendor
//! decides teaches nothing.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::LazyLock,
};

use domain::{AliasKind, ClientAlias, ClientAliasId, ClientId, Entity, Error, Result};
use persistence::Tx;

use crate::{mappings::identifiers, matching};

/// Longest name that is learned, in characters; no client has a longer one.
const LONGEST: usize = 255;
/// Longest domain there is.
const LONGEST_DOMAIN: usize = 253;

/// Names that say nothing of whose an entity is: half the sites of a network tool are called so.
static NOBODYS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let names = [
        "all",
        "client",
        "clients",
        "company",
        "customer",
        "customers",
        "default",
        "default client",
        "default group",
        "default organisation",
        "default organization",
        "default site",
        "demo",
        "general",
        "group",
        "head office",
        "home",
        "internal",
        "internal infrastructure",
        "main",
        "main office",
        "main site",
        "misc",
        "n/a",
        "new client",
        "new customer",
        "none",
        "office",
        "organisation",
        "organization",
        "other",
        "root",
        "shared",
        "site",
        "tenant",
        "test",
        "unassigned",
        "unknown",
    ];
    names.into_iter().map(matching::bare).collect()
});

/// What tells aliases of all clients apart.
type Place = (ClientId, AliasKind, String);

/// What an entity is known by: kind, text and key of each.
fn known_by(entity: &Entity) -> Vec<(AliasKind, String, String)> {
    let name = entity.name.trim();
    let key: String = matching::bare(name).chars().take(LONGEST).collect();
    let telling = !key.is_empty() && name.chars().count() <= LONGEST && !NOBODYS.contains(&key);
    let name = telling.then(|| (AliasKind::Name, name.to_owned(), key));
    let domains = identifiers(entity).domains.into_iter().filter(|domain| domain.len() <= LONGEST_DOMAIN);
    name.into_iter().chain(domains.map(|domain| (AliasKind::Domain, domain.clone(), domain))).collect()
}

/// Learns from what was just decided: each entity as it was before, and the client that it belongs to now. Nothing
/// unless a person decided. The clients on both sides are locked already.
pub(crate) async fn learn(tx: &Tx, decided: &[(Entity, Option<ClientId>)]) -> Result<()> {
    let Some(person) = tx.context().actor.staff() else { return Ok(()) };
    // In one order: a preview and what is applied are the same.
    let touched: BTreeSet<ClientId> =
        decided.iter().flat_map(|(before, client)| [before.client_id, *client]).flatten().collect();
    if touched.is_empty() {
        return Ok(());
    }
    let place = |alias: &ClientAlias| (alias.client_id, alias.kind, alias.key.clone());
    let found = tx.aliases_of_clients(&Vec::from_iter(touched)).await?;
    let mut taught: BTreeMap<Place, ClientAlias> = BTreeMap::new();
    for (entity, client) in decided {
        let Some(client) = client else { continue };
        for (kind, alias, key) in known_by(entity) {
            taught.entry((*client, kind, key.clone())).or_insert_with(|| ClientAlias {
                id: tx.new_id(),
                client_id: *client,
                kind,
                alias,
                key,
                entity_id: entity.id,
                entity_name: entity.name.trim().to_owned(),
                integration: entity.integration.clone(),
                learned_at: tx.now(),
                learned_by: Some(person),
            });
        }
    }
    // Of an entity that has moved away, also what it was called when it was mapped.
    // Whoever takes back a mapping of one integration does not take back what another taught.
    let mut gone: HashSet<(Place, &str)> = HashSet::new();
    let mut by_entity: HashMap<_, Vec<&ClientAlias>> = HashMap::new();
    for alias in &found {
        by_entity.entry((alias.client_id, alias.entity_id)).or_default().push(alias);
    }
    for (entity, client) in decided {
        let Some(before) = entity.client_id.filter(|before| Some(*before) != *client) else { continue };
        let own = entity.integration.as_str();
        gone.extend(known_by(entity).into_iter().map(|(kind, _, key)| ((before, kind, key), own)));
        gone.extend(by_entity.get(&(before, entity.id)).into_iter().flatten().map(|alias| (place(alias), own)));
    }
    for alias in &found {
        let place = place(alias);
        if taught.remove(&place).is_none() && gone.contains(&(place, alias.integration.as_str())) {
            tx.alias_delete(alias).await?;
        }
    }
    tx.aliases_insert(&Vec::from_iter(taught.into_values())).await
}

/// Gives everything that one client is known by to another.
pub(crate) async fn move_all(tx: &Tx, from: ClientId, into: ClientId) -> Result<()> {
    let held = tx.aliases_of_clients(&[into]).await?;
    let held: HashSet<(AliasKind, &str)> = held.iter().map(|alias| (alias.kind, alias.key.as_str())).collect();
    for alias in tx.aliases_of_clients(&[from]).await? {
        if held.contains(&(alias.kind, alias.key.as_str())) {
            tx.alias_delete(&alias).await?;
        } else {
            tx.alias_move(&alias, into).await?;
        }
    }
    Ok(())
}

/// How an alias was learned, in words for people.
pub(crate) fn evidence(alias: &ClientAlias) -> String {
    let on = alias.learned_at.format("%Y-%m-%d");
    format!("“{}” of {} was mapped to the client by a person on {on}", alias.entity_name, alias.integration)
}

/// Forgets something that a client is known by, until a person teaches it anew; its mappings stay. `may` says whether
/// the caller may map entities of an integration.
pub async fn alias_delete(
    tx: &Tx,
    client: ClientId,
    id: ClientAliasId,
    may: impl Fn(&str) -> Result<()>,
) -> Result<ClientAlias> {
    if tx.clients_by_id(&[client]).await?.is_empty() {
        return Err(Error::NotFound { what: "client" });
    }
    let alias = tx.alias(client, id).await?;
    may(&alias.integration)?;
    tx.alias_delete(&alias).await?;
    Ok(alias)
}
