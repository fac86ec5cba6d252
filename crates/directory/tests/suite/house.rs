//! An organisation with connections, entities and records, made without a vendor.

use std::collections::BTreeSet;

use directory::{Deletion, MappingChoice, Target, client_create, client_delete, mapping_save};
use domain::{
    ChangeSet, Client, ClientDraft, ClientId, ClientScope, Connection, ConnectionId, ConnectionState, Counts, Entity,
    EntityId, EntryId, Error, OrganisationId, PageRequest, Problem, RecordId, Result, RunId, RunState, Trigger,
};
use persistence::{Apply, RecordWrite, RunProgress, RunStart, Tx};
use testkit::TestDb;
use uuid::Uuid;

/// The first hundred rows.
pub const PAGE: PageRequest = PageRequest { limit: 100, after: None };

/// An organisation on a test database.
pub struct House<'a> {
    pub db: &'a TestDb,
    pub organisation: OrganisationId,
}

/// A connection, and the kind of its entities.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    pub id: ConnectionId,
    pub integration: &'static str,
    pub kind: &'static str,
}

impl<'a> House<'a> {
    pub async fn new(db: &'a TestDb) -> Self {
        Self { db, organisation: db.organisation("House").await }
    }

    /// A transaction that writes.
    pub async fn begin(&self) -> Tx {
        self.db.store.begin(self.db.context(self.organisation)).await.expect("begins")
    }

    /// A transaction that reads.
    pub async fn read(&self) -> Tx {
        self.db.store.read(self.db.context(self.organisation)).await.expect("reads")
    }

    /// A transaction that writes, of someone who sees chosen clients only.
    pub async fn scoped(&self, scope: ClientScope) -> Tx {
        let context = domain::Context { scope, ..self.db.context(self.organisation) };
        self.db.store.begin(context).await.expect("begins")
    }

    /// A connection to NinjaOne.
    pub async fn ninja(&self) -> Source {
        self.source("ninjaone", "organization").await
    }

    /// A connection to Microsoft 365, whose entities are tenants.
    pub async fn microsoft(&self) -> Source {
        self.source("microsoft365", "microsoft_tenant").await
    }

    async fn source(&self, integration: &'static str, kind: &'static str) -> Source {
        let tx = self.begin().await;
        let connection = Connection {
            id: tx.new_id(),
            integration: integration.to_owned(),
            name: "Main".to_owned(),
            state: ConnectionState::Connected,
            state_reason: None,
            account: None,
            credentials_version: 0,
            cadence_minutes: 60,
            next_sync_at: None,
            last_synced_at: None,
            created_at: tx.now(),
            updated_at: tx.now(),
            version: 1,
        };
        tx.connection_insert(&connection).await.expect("inserts");
        let listing = persistence::Listing {
            connection_id: connection.id,
            kind: "entity".to_owned(),
            entity: String::new(),
            mark: None,
            full_at: Some(tx.now()),
            complete_at: Some(tx.now()),
            code: None,
            message: None,
        };
        tx.listing_write(&listing).await.expect("writes");
        tx.commit("connection_create", None).await.expect("commits");
        Source { id: connection.id, integration, kind }
    }

    /// An entity of which the vendor says the name only.
    pub async fn entity(&self, source: Source, name: &str) -> EntityId {
        self.entities(source, &[name]).await[0]
    }

    /// Several such.
    pub async fn entities(&self, source: Source, names: &[&str]) -> Vec<EntityId> {
        let named: Vec<(&str, &str)> = names.iter().map(|name| (*name, "{}")).collect();
        self.entities_with(source, &named).await
    }

    /// Entities of these names and bodies.
    pub async fn entities_with(&self, source: Source, named: &[(&str, &str)]) -> Vec<EntityId> {
        let tx = self.begin().await;
        let writes: Vec<RecordWrite> = named
            .iter()
            .map(|(name, body)| {
                let id = tx.new_id::<EntityId>();
                written(id.0, source.id, id, source.kind, name, body)
            })
            .collect();
        tx.entities_write(source.integration, source.kind, &writes).await.expect("writes");
        tx.commit_unjournalled().await.expect("commits");
        writes.iter().map(|write| write.entity_id).collect()
    }

    /// What a sync writes when the vendor says something else of an entity.
    pub async fn tell(&self, source: Source, entity: EntityId, name: &str, body: &str) {
        let tx = self.begin().await;
        let write = written(entity.0, source.id, entity, source.kind, name, body);
        tx.entities_write(source.integration, source.kind, &[write]).await.expect("writes");
        tx.commit_unjournalled().await.expect("commits");
    }

    /// The vendor lists an entity no more.
    pub async fn vanish(&self, source: Source, entity: EntityId) {
        let tx = self.begin().await;
        let removed = tx.entities_remove(source.id, &[entity.0.as_bytes().to_vec()]).await.expect("removes");
        assert_eq!(removed, 1);
        tx.commit_unjournalled().await.expect("commits");
    }

    /// The connection's entities were listed to the end; a minute passes after it.
    pub async fn listed(&self, source: Source) {
        let tx = self.begin().await;
        let id: RunId = tx.new_id();
        let kind = "entity".to_owned();
        let start = RunStart { id, connection_id: source.id, kind, trigger: Trigger::Schedule };
        tx.run_start(&start).await.expect("starts");
        let progress = RunProgress {
            state: RunState::Complete,
            counts: Counts::default(),
            pages: 1,
            expected: None,
            checkpoint: None,
            code: None,
            message: None,
            finished_at: Some(tx.now()),
        };
        tx.run_progress(id, &progress).await.expect("ends");
        tx.commit_unjournalled().await.expect("commits");
        self.db.clock.advance(60);
    }

    /// Devices and directory users under an entity, counted as a sync would.
    pub async fn records(&self, source: Source, entity: EntityId, devices: usize, users: usize) {
        let tx = self.begin().await;
        let kinds = std::iter::repeat_n("device", devices).chain(std::iter::repeat_n("directory_user", users));
        let writes = kinds.enumerate().map(|(at, kind)| {
            let id: RecordId = tx.new_id();
            written(id.0, source.id, entity, kind, &format!("{kind} {at}"), "{}")
        });
        tx.records_write(writes.collect()).await.expect("writes");
        tx.counts_refresh(source.id).await.expect("counts");
        tx.commit_unjournalled().await.expect("commits");
    }

    /// What a connection says of machines, written as a sync would: new ones get their ids, known ones change.
    pub async fn observe(&self, source: Source, entity: EntityId, machines: &[(RecordId, &str, &str)]) {
        let tx = self.begin().await;
        let writes = machines.iter().map(|(id, name, body)| written(id.0, source.id, entity, "device", name, body));
        tx.records_write(writes.collect()).await.expect("writes");
        tx.counts_refresh(source.id).await.expect("counts");
        tx.commit_unjournalled().await.expect("commits");
    }

    /// A connection no longer lists these.
    pub async fn vanish_records(&self, source: Source, ids: &[RecordId]) {
        let tx = self.begin().await;
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        tx.records_remove_ids(&ids, RunId(Uuid::nil())).await.expect("removes");
        tx.counts_refresh(source.id).await.expect("counts");
        tx.commit_unjournalled().await.expect("commits");
    }

    /// An entity with so many devices and one user, mapped to a client.
    pub async fn mapped(&self, source: Source, name: &str, devices: usize, client: ClientId) -> EntityId {
        let entity = self.entity(source, name).await;
        self.records(source, entity, devices, 1).await;
        self.map(&[entity], client).await;
        entity
    }

    /// A client, made as the product makes it.
    pub async fn client(&self, name: &str) -> ClientId {
        let tx = self.begin().await;
        let saved = client_create(&tx, draft(name), &[]).await.expect("creates");
        tx.commit("client_create", None).await.expect("commits");
        saved.client.id
    }

    /// Maps entities to a client.
    pub async fn map(&self, entities: &[EntityId], client: ClientId) -> ChangeSet {
        self.decide(entities, Target::Client(client)).await
    }

    /// Saves one decision about several entities.
    pub async fn decide(&self, entities: &[EntityId], target: Target) -> ChangeSet {
        let tx = self.begin().await;
        let reason = (target == Target::Excluded).then(|| "an internal test".to_owned());
        let choices: Vec<MappingChoice> = entities
            .iter()
            .map(|id| MappingChoice { entity_id: *id, target: target.clone(), reason: reason.clone() })
            .collect();
        mapping_save(&tx, &choices, |_| true).await.expect("saves");
        tx.commit("mapping_save", None).await.expect("commits")
    }

    /// Deletes a client with all that belongs to it.
    pub async fn delete(&self, client: ClientId) -> ChangeSet {
        let tx = self.begin().await;
        client_delete(&tx, client, None, Deletion { cascade: true, previewed: true }).await.expect("deletes");
        tx.commit("client_delete", None).await.expect("commits")
    }

    /// Tries to revert an entry.
    pub async fn revert(&self, entry: Option<EntryId>, despite: &[Uuid]) -> Result<ChangeSet> {
        let tx = self.begin().await;
        let despite: BTreeSet<Uuid> = despite.iter().copied().collect();
        tx.journal_revert(entry.expect("an entry"), &despite).await?;
        tx.finish("journal_revert", &Apply::default()).await
    }

    /// A client as it is, not deleted.
    pub async fn now(&self, client: ClientId) -> Client {
        self.read().await.client(client).await.expect("finds")
    }

    /// An entity as it is.
    pub async fn about(&self, entity: EntityId) -> Entity {
        self.read().await.entity(entity).await.expect("finds")
    }

    /// Devices that a client shows: counted in its row, and listed.
    pub async fn devices(&self, client: ClientId) -> (i32, i64) {
        let tx = self.read().await;
        let listed = tx.client_records(client, "device", None, &PAGE).await.expect("lists");
        assert_eq!(listed.total, listed.items.len() as i64);
        (tx.client(client).await.expect("finds").device_count, listed.total)
    }

    /// How many entries the journal has; its chain is sound.
    pub async fn entries(&self) -> i64 {
        let verified = self.read().await.journal_verify(None).await.expect("verifies");
        assert_eq!(verified.faults, []);
        verified.entries
    }
}

/// A draft of which only the name is said.
pub fn draft(name: &str) -> ClientDraft {
    ClientDraft { name: name.to_owned(), ..ClientDraft::default() }
}

/// Pointers and codes of refused input, in order.
pub fn problems<T: std::fmt::Debug>(refused: Result<T>) -> Vec<(String, &'static str)> {
    mistakes(refused).into_iter().map(|problem| (problem.pointer, problem.code)).collect()
}

/// The problems of refused input.
pub fn mistakes<T: std::fmt::Debug>(refused: Result<T>) -> Vec<Problem> {
    match refused {
        Err(Error::Invalid(problems)) => problems,
        other => panic!("not refused as invalid: {other:?}"),
    }
}

/// The code and message of a conflict.
pub fn conflict<T: std::fmt::Debug>(refused: Result<T>) -> (&'static str, String) {
    match refused {
        Err(Error::Conflict { code, message }) => (code, message),
        other => panic!("not a conflict: {other:?}"),
    }
}

fn written(id: Uuid, connection: ConnectionId, entity: EntityId, kind: &str, name: &str, body: &str) -> RecordWrite {
    RecordWrite {
        id: RecordId(id),
        connection_id: connection,
        entity_id: entity,
        kind: kind.to_owned(),
        vendor_id: id.to_string(),
        title: name.to_owned(),
        body: body.to_owned(),
        raw: body.as_bytes().to_vec(),
        raw_hash: *id.as_bytes(),
        content_hash: *id.as_bytes(),
        run_id: RunId(Uuid::nil()),
    }
}
