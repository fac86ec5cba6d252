//! Many mappings at once. What follows from a mapping (counts, which observations are one machine) reads everything of
//! the clients on both sides: done for each mapping by itself, that would be quadratic in what a client has.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{ClientId, Entity, EntityId, Result};

use crate::{MappingWrite, Tx};

/// Clients whose observations are held in memory together, unless more of them exchanged entities.
const AT_ONCE: usize = 50;

impl Tx {
    /// Decides what each of these entities belongs to, as [`Tx::mapping_write`] does; records and counts follow once,
    /// at the end. Returns them in the same order. After a failure the transaction is to be rolled back.
    pub async fn mappings_write(&self, decisions: &[(EntityId, MappingWrite)]) -> Result<Vec<Entity>> {
        let outer = self.remap_hold();
        let mut written = Vec::with_capacity(decisions.len());
        for (entity, decision) in decisions {
            written.push(self.mapping_write(*entity, decision).await?);
        }
        if outer {
            self.remap_settle().await?;
        }
        Ok(written)
    }

    /// Lets what follows from mappings wait for [`Tx::remap_settle`]. False where it waits already: whoever began that
    /// ends it.
    pub(crate) fn remap_hold(&self) -> bool {
        let mut held = self.remapped().lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let begins = held.is_none();
        held.get_or_insert_default();
        begins
    }

    /// Does what follows from the mappings that were written since [`Tx::remap_hold`].
    pub(crate) async fn remap_settle(&self) -> Result<()> {
        let held = self.remapped().lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        for clients in together(&held.unwrap_or_default()) {
            self.remap_follow(&clients).await?;
        }
        Ok(())
    }

    /// Does what follows from one mapping, or keeps it for later. Both sides' rows are locked.
    pub(crate) async fn remap_note(&self, sides: &[ClientId]) -> Result<()> {
        {
            let mut held = self.remapped().lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if let Some(held) = held.as_mut() {
                held.insert(sides.to_vec());
                return Ok(());
            }
        }
        self.remap_follow(sides).await
    }

    async fn remap_follow(&self, clients: &[ClientId]) -> Result<()> {
        self.client_counts_refresh(clients).await?;
        self.devices_refresh(clients).await
    }
}

/// Clients in groups, each client in one: those that exchanged entities are together, so that a machine which moved
/// from one to the other is seen on both sides and stays the same machine.
fn together(exchanged: &BTreeSet<Vec<ClientId>>) -> Vec<Vec<ClientId>> {
    let mut leads: HashMap<ClientId, ClientId> = HashMap::new();
    for sides in exchanged {
        let heads: BTreeSet<ClientId> = sides.iter().map(|client| head(&mut leads, *client)).collect();
        let mut heads = heads.into_iter();
        let Some(first) = heads.next() else { continue };
        leads.extend(heads.map(|other| (other, first)));
    }
    let all: BTreeSet<ClientId> = exchanged.iter().flatten().copied().collect();
    let mut parts: BTreeMap<ClientId, Vec<ClientId>> = BTreeMap::new();
    for client in all {
        parts.entry(head(&mut leads, client)).or_default().push(client);
    }
    let mut groups: Vec<Vec<ClientId>> = Vec::new();
    for part in parts.into_values() {
        match groups.last_mut() {
            Some(last) if last.len() + part.len() <= AT_ONCE => last.extend(part),
            _ => groups.push(part),
        }
    }
    groups
}

/// Who stands for a client's group; ways that were gone are made shorter.
fn head(leads: &mut HashMap<ClientId, ClientId>, client: ClientId) -> ClientId {
    let mut way = Vec::new();
    let mut at = client;
    while let Some(next) = leads.get(&at).copied() {
        way.push(at);
        at = next;
    }
    leads.extend(way.into_iter().map(|passed| (passed, at)));
    at
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn client(id: usize) -> ClientId {
        ClientId(Uuid::from_u128(id as u128 + 1))
    }

    fn exchanged(pairs: &[(usize, usize)]) -> BTreeSet<Vec<ClientId>> {
        pairs.iter().map(|(a, b)| vec![client(*a), client(*b)]).collect()
    }

    #[test]
    fn who_exchanged_is_together_and_nobody_is_looked_at_twice() {
        // A chain of 120, and 200 that each gave something to a client of their own.
        let chain: Vec<_> = (0..119).map(|at| (at, at + 1)).collect();
        let pairs: Vec<_> = (0..200).map(|at| (1_000 + 2 * at, 1_001 + 2 * at)).collect();
        let groups = together(&exchanged(&[chain.clone(), pairs.clone()].concat()));
        let all: Vec<ClientId> = groups.iter().flatten().copied().collect();
        assert_eq!(all.len(), 120 + 400);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "a client is in two groups");
        let of = |id: usize| groups.iter().position(|group| group.contains(&client(id)));
        for (a, b) in chain.iter().chain(&pairs) {
            assert_eq!(of(*a), of(*b), "{a} and {b}");
        }
        assert!(groups.iter().all(|group| group.len() <= AT_ONCE || group.len() == 120));
        assert!(groups.len() <= 1 + 400 / AT_ONCE + 1, "{} groups", groups.len());
    }

    #[test]
    fn one_side_is_a_group_too() {
        let alone: BTreeSet<Vec<ClientId>> = [vec![client(1)], vec![client(2)]].into();
        assert_eq!(together(&alone), [vec![client(1), client(2)]]);
        assert!(together(&BTreeSet::new()).is_empty());
    }
}
