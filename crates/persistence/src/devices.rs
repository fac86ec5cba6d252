//! Devices of clients, joined anew where observations changed: everything of a few clients is read, put into groups by
//! the rules of `domain::device`, and what differs is written, all in bulk.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::{
    ClientId, DeviceId, RecordId, Result,
    device::{Before, Group, Joined, Observation, Standing, join, keep},
    name_key,
};
use sea_orm::{
    ColumnTrait, ExprTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, Func, Query},
};
use uuid::Uuid;

use crate::{
    Tx,
    device_assignments::Places,
    device_names::{Called, Naming},
    device_stale::DEVICE,
    entity::{client, device as table, device_observation, record, vendor_entity},
    error::OrDomain,
    records::subquery,
};

/// How often clients are looked for whose observations moved to the others.
const ROUNDS: usize = 4;

/// What is stored of some clients' devices.
struct Stored {
    clients: BTreeSet<ClientId>,
    devices: HashMap<Uuid, table::Model>,
    observations: HashMap<Uuid, device_observation::Model>,
}

impl Stored {
    fn devices_before(&self) -> Vec<Before> {
        let before = |row: &table::Model| Before {
            id: DeviceId(row.id),
            client_id: ClientId(row.client_id),
            created_at: row.created_at,
        };
        self.devices.values().map(before).collect()
    }
}

impl Tx {
    /// Joins the devices of these clients anew, and counts them. Their rows are locked for it, so that of two who do
    /// this the second sees what the first did.
    pub(crate) async fn devices_refresh(&self, clients: &[ClientId]) -> Result<()> {
        let allowed = clients.iter().copied().filter(|client| self.context().scope.allows(*client));
        let mut clients: BTreeSet<ClientId> = allowed.collect();
        if clients.is_empty() {
            return Ok(());
        }
        let (mut observed, mut stored) = self.devices_known(&clients).await?;
        for _ in 0..ROUNDS {
            let moved = self.devices_moved(&observed, &stored).await?;
            // What another client's device still has, out of the caller's sight, waits for the next sync.
            let hidden: HashSet<RecordId> = moved.iter().filter(|(_, by)| by.is_none()).map(|(id, _)| *id).collect();
            observed.values_mut().for_each(|all| all.retain(|one| !hidden.contains(&one.id)));
            let more: Vec<ClientId> = moved.into_iter().filter_map(|(_, by)| by).collect();
            if more.is_empty() {
                break;
            }
            clients.extend(more);
            (observed, stored) = self.devices_known(&clients).await?;
        }
        let rulings = self.device_rulings_of(&stored.clients).await?;
        let naming = self.naming(&stored.clients).await?;
        let mut groups = Vec::new();
        for (client_id, observations) in &observed {
            let by_id: HashMap<RecordId, &Observation> = observations.iter().map(|one| (one.id, one)).collect();
            for joined in join(observations, &rulings) {
                let called = joined.iter().map(|one| by_id[&one.id]).map(|one| Called {
                    record_id: one.id,
                    connection_id: one.connection_id,
                    name: one.name.clone(),
                });
                let called = called.collect();
                let records = joined.iter().map(|one| one.id).collect();
                groups.push((Group { client_id: *client_id, records }, joined, called));
            }
        }
        self.devices_store(groups, &stored, naming).await?;
        self.device_counts_refresh(&stored.clients).await
    }

    /// Everything there is of these clients: what vendors say of their machines now, and which devices that was.
    async fn devices_known(
        &self,
        clients: &BTreeSet<ClientId>,
    ) -> Result<(BTreeMap<ClientId, Vec<Observation>>, Stored)> {
        self.clients_by_id(&Vec::from_iter(clients.iter().copied())).await?;
        let ids = || clients.iter().map(|client| client.0);
        let owners: Vec<(Uuid, Option<Uuid>)> = self
            .find::<vendor_entity::Entity>()
            .select_only()
            .columns([vendor_entity::Column::Id, vendor_entity::Column::ClientId])
            .filter(vendor_entity::Column::ClientId.is_in(ids()))
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        let owners: HashMap<Uuid, Uuid> = owners.into_iter().filter_map(|(id, client)| Some((id, client?))).collect();
        let mut observed: BTreeMap<ClientId, Vec<Observation>> = BTreeMap::new();
        let entities: Vec<Uuid> = owners.keys().copied().collect();
        for chunk in entities.chunks(20) {
            let rows: Vec<(Uuid, Uuid, Uuid, String, String)> = self
                .find::<record::Entity>()
                .select_only()
                .columns([
                    record::Column::Id,
                    record::Column::EntityId,
                    record::Column::ConnectionId,
                    record::Column::Title,
                    record::Column::Body,
                ])
                .filter(record::Column::EntityId.is_in(chunk.iter().copied()))
                .filter(record::Column::Kind.eq(DEVICE))
                .filter(record::Column::RemovedAt.is_null())
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            self.note_observations(rows.len());
            for (id, entity, connection, title, body) in rows {
                let Some(client) = owners.get(&entity) else { continue };
                let one = Observation::read(id.into(), connection.into(), &title, &body);
                observed.entry(ClientId(*client)).or_default().push(one);
            }
        }
        let of_clients = self.find::<table::Entity>().filter(table::Column::ClientId.is_in(ids()));
        let device_ids = of_clients.clone().select_only().column(table::Column::Id).into_query();
        let devices = of_clients.all(self.db()).await.or_domain()?;
        let observations = self
            .find::<device_observation::Entity>()
            .filter(device_observation::Column::DeviceId.in_subquery(device_ids))
            .all(self.db())
            .await
            .or_domain()?;
        let stored = Stored {
            clients: clients.clone(),
            devices: devices.into_iter().map(|row| (row.id, row)).collect(),
            observations: observations.into_iter().map(|row| (row.record_id, row)).collect(),
        };
        Ok((observed, stored))
    }

    /// Observations that a device of another client has still, and that client, where it is within the scope.
    async fn devices_moved(
        &self,
        observed: &BTreeMap<ClientId, Vec<Observation>>,
        stored: &Stored,
    ) -> Result<Vec<(RecordId, Option<ClientId>)>> {
        let all = observed.values().flatten().map(|one| one.id.0);
        let new: Vec<Uuid> = all.filter(|id| !stored.observations.contains_key(id)).collect();
        let mut moved = Vec::new();
        for chunk in new.chunks(500) {
            let rows: Vec<(Uuid, Uuid)> = self
                .find::<device_observation::Entity>()
                .select_only()
                .columns([device_observation::Column::RecordId, device_observation::Column::DeviceId])
                .filter(device_observation::Column::RecordId.is_in(chunk.iter().copied()))
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            if rows.is_empty() {
                continue;
            }
            let owners: Vec<(Uuid, Uuid)> = self
                .find::<table::Entity>()
                .select_only()
                .columns([table::Column::Id, table::Column::ClientId])
                .filter(table::Column::Id.is_in(rows.iter().map(|(_, device)| *device)))
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            let owners: HashMap<Uuid, Uuid> = owners.into_iter().collect();
            let owner = |device: &Uuid| owners.get(device).copied().map(ClientId);
            moved.extend(rows.iter().map(|(record, device)| (RecordId(*record), owner(device))));
        }
        Ok(moved)
    }

    /// Writes what differs from what is stored. Locks follow their devices, and names are chosen.
    async fn devices_store(
        &self,
        groups: Vec<(Group, Vec<Joined>, Vec<Called>)>,
        stored: &Stored,
        mut naming: Naming,
    ) -> Result<()> {
        let was_in: HashMap<RecordId, DeviceId> =
            stored.observations.values().map(|row| (row.record_id.into(), row.device_id.into())).collect();
        let plain: Vec<Group> = groups.iter().map(|(group, ..)| group.clone()).collect();
        let kept = keep(&plain, &stored.devices_before(), &was_in);
        let standing: Vec<Standing> = plain
            .into_iter()
            .zip(&kept)
            .map(|(group, kept)| Standing {
                id: kept.unwrap_or_else(|| self.new_id()),
                client_id: group.client_id,
                records: group.records,
            })
            .collect();
        naming.locks = self.device_locks_follow(naming.locks, &standing).await?;
        let (mut devices, mut observations) = (Vec::new(), Vec::new());
        let (mut places, mut seen) = (Places::default(), HashSet::new());
        for ((group, joined, called), standing) in groups.into_iter().zip(standing) {
            let before = stored.devices.get(&standing.id.0);
            let name = naming.name(standing.id, called);
            let row = table::Model {
                organisation_id: self.organisation().0,
                id: standing.id.0,
                client_id: group.client_id.0,
                name_key: name_key(&name),
                name,
                created_at: before.map_or_else(|| self.now(), |before| before.created_at),
            };
            let device_id = row.id;
            places.living.insert(device_id, group.client_id);
            if before != Some(&row) {
                devices.push(row);
            }
            for one in joined {
                seen.insert(one.id.0);
                if let Some(before) = stored.observations.get(&one.id.0) {
                    places.note(before.device_id, device_id, group.client_id);
                }
                let row = device_observation::Model {
                    organisation_id: self.organisation().0,
                    record_id: one.id.0,
                    device_id,
                    evidence: serde_json::to_string(&one.evidence).map_err(domain::Error::internal)?,
                    confidence: one.confidence,
                };
                if stored.observations.get(&row.record_id) != Some(&row) {
                    observations.push(row);
                }
            }
        }
        {
            use table::Column as C;
            let replace = [C::ClientId, C::Name, C::NameKey];
            self.insert_many::<table::Entity>(devices, &[C::OrganisationId, C::Id], &replace).await?;
        }
        use device_observation::Column as C;
        let replace = [C::DeviceId, C::Evidence, C::Confidence];
        let key = [C::OrganisationId, C::RecordId];
        self.insert_many::<device_observation::Entity>(observations, &key, &replace).await?;
        let gone: Vec<Uuid> = stored.observations.keys().copied().filter(|id| !seen.contains(id)).collect();
        for chunk in gone.chunks(500) {
            let delete = self.delete_many::<device_observation::Entity>();
            delete.filter(C::RecordId.is_in(chunk.iter().copied())).exec(self.db()).await.or_domain()?;
        }
        let gone: Vec<Uuid> = stored.devices.keys().copied().filter(|id| !places.living.contains_key(id)).collect();
        for chunk in gone.chunks(500) {
            let delete = self.delete_many::<table::Entity>();
            delete.filter(table::Column::Id.is_in(chunk.iter().copied())).exec(self.db()).await.or_domain()?;
        }
        self.assignments_follow(&places).await
    }

    /// Counts the devices of these clients anew; their rows are locked already.
    async fn device_counts_refresh(&self, clients: &BTreeSet<ClientId>) -> Result<()> {
        let own = |column| Expr::col((table::Entity, column));
        let of = |column| Expr::col((client::Entity, column));
        let counted = Query::select()
            .expr(Func::count(own(table::Column::Id)))
            .from(table::Entity)
            .and_where(own(table::Column::OrganisationId).eq(of(client::Column::OrganisationId)))
            .and_where(own(table::Column::ClientId).eq(of(client::Column::Id)))
            .to_owned();
        let clients: Vec<Uuid> = clients.iter().map(|client| client.0).collect();
        for chunk in clients.chunks(500) {
            let update = self
                .update_many::<client::Entity>()
                .col_expr(client::Column::DeviceCount, subquery(counted.clone()))
                .filter(client::Column::Id.is_in(chunk.iter().copied()));
            update.exec(self.db()).await.or_domain()?;
        }
        Ok(())
    }
}
