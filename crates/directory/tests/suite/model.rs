//! What clients and mappings should be: the rules once more, in memory.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ClientId, EntityId, EntryId, MappingState, Timestamp};

/// A client.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelClient {
    pub name: String,
    pub active: bool,
    pub deleted: Option<Timestamp>,
}

/// Where an entity belongs, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub client: Option<ClientId>,
    pub state: MappingState,
    pub reason: Option<String>,
}

/// One change: before and after.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    Client(ClientId, Option<ModelClient>, ModelClient),
    Mapping(EntityId, Place, Place),
}

/// What should be.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub clients: BTreeMap<ClientId, ModelClient>,
    pub entities: BTreeMap<EntityId, Place>,
    pub entries: Vec<(EntryId, Vec<Row>)>,
}

impl Model {
    pub fn living(&self) -> Vec<ClientId> {
        self.clients.iter().filter(|(_, client)| client.deleted.is_none()).map(|(id, _)| *id).collect()
    }

    pub fn client(&mut self, id: ClientId, after: ModelClient, rows: &mut Vec<Row>) {
        let before = self.clients.insert(id, after.clone());
        if before.as_ref() != Some(&after) {
            rows.push(Row::Client(id, before, after));
        }
    }

    pub fn place(
        &mut self,
        id: EntityId,
        client: Option<ClientId>,
        state: MappingState,
        reason: Option<&str>,
        rows: &mut Vec<Row>,
    ) {
        let after = Place { client, state, reason: reason.map(str::to_owned) };
        let before = self.entities.insert(id, after.clone()).expect("a known entity");
        if before != after {
            rows.push(Row::Mapping(id, before, after));
        }
    }

    pub fn unmapped(&mut self, id: EntityId, rows: &mut Vec<Row>) {
        self.place(id, None, MappingState::Unmapped, None, rows);
    }

    pub fn of(&self, client: ClientId) -> Vec<EntityId> {
        self.entities.iter().filter(|(_, place)| place.client == Some(client)).map(|(id, _)| *id).collect()
    }

    /// Undoes rows, the last first: the changes, or the ids in conflict.
    pub fn undo(&mut self, rows: &[Row], now: Timestamp) -> Result<Vec<Row>, BTreeSet<String>> {
        let (mut conflicts, mut done) = (BTreeSet::new(), Vec::new());
        for row in rows.iter().rev() {
            match row {
                Row::Client(id, before, after) => {
                    let gone = ModelClient { deleted: after.deleted.or(Some(now)), ..after.clone() };
                    let target = before.clone().unwrap_or(gone);
                    let homeless = target.deleted.is_some() && !self.of(*id).is_empty();
                    if self.clients[id] != *after || homeless {
                        conflicts.insert(id.to_string());
                        continue;
                    }
                    self.client(*id, target, &mut done);
                }
                Row::Mapping(id, before, after) => {
                    let homeless = before.client.is_some_and(|client| self.clients[&client].deleted.is_some());
                    if self.entities[id] != *after || homeless {
                        conflicts.insert(id.to_string());
                        continue;
                    }
                    self.place(*id, before.client, before.state, before.reason.as_deref(), &mut done);
                }
            }
        }
        if conflicts.is_empty() { Ok(done) } else { Err(conflicts) }
    }
}
