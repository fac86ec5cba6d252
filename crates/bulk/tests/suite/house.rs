//! An organisation with a team and clients, and a worker that does bulk operations.

use std::sync::Arc;

use bulk::{BulkChore, Prepared, Selection, bulk_approve, bulk_prepare, bulk_start, bulk_void};
use domain::{
    Actor, BulkAction, BulkItemState, BulkOperation, BulkOperationId, Client, ClientId, Connection, ConnectionId,
    ConnectionState, Context, EntityId, OrganisationId, PageRequest, Permissions, Result, Role, RunId, StaffId,
};
use integration::Transport;
use persistence::{BulkItem, MappingWrite, RecordWrite, StaffRow};
use sync::{Dial, Engine, Worker, WorkerOptions};
use testkit::TestDb;

pub const PAGE: PageRequest = PageRequest { limit: 100, after: None };

struct Nowhere;

impl Dial for Nowhere {
    fn transport(&self, _: ConnectionId, _: bool) -> Arc<dyn Transport> {
        unreachable!("a bulk operation calls no vendor")
    }
}

pub struct House<'a> {
    pub db: &'a TestDb,
    pub organisation: OrganisationId,
}

impl<'a> House<'a> {
    pub async fn new(db: &'a TestDb) -> Self {
        Self { db, organisation: db.organisation("House").await }
    }

    /// An operator's context: everything.
    pub fn operator(&self) -> Context {
        self.db.context(self.organisation)
    }

    /// Someone of the team.
    pub async fn staff(&self, name: &str, role: Role) -> StaffId {
        let tx = self.db.store.begin(self.operator()).await.expect("begins");
        let row = StaffRow {
            organisation: self.organisation,
            id: tx.new_id(),
            email: format!("{name}@{}.example", self.organisation),
            name: name.to_owned(),
            role,
            custom_role: None,
            password_hash: None,
            allow_clients: None,
            deny_clients: Default::default(),
            suspended_at: None,
            removed_at: None,
            created_at: tx.now(),
            updated_at: tx.now(),
            version: 1,
        };
        tx.staff_insert(&row).await.expect("inserts");
        tx.commit("staff_create", None).await.expect("commits");
        row.id
    }

    /// Changes someone of the team.
    pub async fn alter(&self, id: StaffId, change: impl FnOnce(&mut StaffRow)) {
        let tx = self.db.store.begin(self.operator()).await.expect("begins");
        let before = tx.staff(id).await.expect("finds");
        let mut after = before.clone();
        change(&mut after);
        tx.staff_update(&before, after).await.expect("writes");
        tx.commit("staff_update", None).await.expect("commits");
    }

    /// The context of someone who is signed in.
    pub async fn as_staff(&self, id: StaffId) -> Context {
        let tx = self.db.store.read(self.operator()).await.expect("reads");
        let row = tx.staff(id).await.expect("finds");
        Context {
            actor: Actor::Staff { id },
            scope: row.scope(),
            permissions: Permissions::of(row.role),
            ..self.operator()
        }
    }

    /// So many clients, in order of their ids.
    pub async fn clients(&self, count: usize) -> Vec<ClientId> {
        let mut ids = Vec::with_capacity(count);
        for nth in 0..count {
            ids.push(self.db.client(self.organisation, &format!("Client {nth:04}")).await);
        }
        ids.sort_unstable();
        ids
    }

    /// A connection that works.
    pub async fn connection(&self) -> ConnectionId {
        let tx = self.db.store.begin(self.operator()).await.expect("begins");
        let connection = Connection {
            id: tx.new_id(),
            integration: "ninjaone".to_owned(),
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
        tx.commit("connection_create", None).await.expect("commits");
        connection.id
    }

    /// An entity of a connection that is mapped to a client.
    pub async fn mapped(&self, connection: ConnectionId, kind: &str, name: &str, client: ClientId) -> EntityId {
        let tx = self.db.store.begin(self.operator()).await.expect("begins");
        let id: EntityId = tx.new_id();
        let hash = *id.0.as_bytes();
        let write = RecordWrite {
            id: domain::RecordId(id.0),
            connection_id: connection,
            entity_id: id,
            kind: kind.to_owned(),
            vendor_id: id.to_string(),
            title: name.to_owned(),
            body: "{}".to_owned(),
            raw: b"{}".to_vec(),
            raw_hash: hash,
            content_hash: hash,
            run_id: tx.new_id::<RunId>(),
        };
        tx.entities_write("ninjaone", kind, &[write]).await.expect("writes");
        let mapping = MappingWrite { client: Some(client), state: domain::MappingState::Mapped, reason: None };
        tx.mapping_write(id, &mapping).await.expect("maps");
        tx.commit("mapping_save", None).await.expect("commits");
        id
    }

    /// What an operation would do.
    pub async fn prepare(&self, who: &Context, action: BulkAction, clients: &[ClientId]) -> Result<Prepared> {
        let who = Context { now: self.db.now(), ..who.clone() };
        let tx = self.db.store.read(who).await?;
        bulk_prepare(&tx, &[], action, &Selection::Clients(clients.to_vec())).await
    }

    /// Starts an operation.
    pub async fn start(&self, who: &Context, action: BulkAction, clients: &[ClientId]) -> Result<BulkOperation> {
        let prepared = self.prepare(who, action, clients).await?;
        let tx = self.db.store.begin(Context { now: self.db.now(), ..who.clone() }).await?;
        let started = bulk_start(&tx, prepared, Some("because"), true).await?;
        tx.commit("bulk_start", None).await?;
        Ok(started)
    }

    /// Approves an operation as someone who saw this plan.
    pub async fn approve(&self, who: &Context, id: BulkOperationId, seen: &str) -> Result<BulkOperation> {
        let who = Context { now: self.db.now(), ..who.clone() };
        let void = bulk_void(&self.db.store, &who, &[], id).await?;
        let tx = self.db.store.begin(who).await?;
        let approved = bulk_approve(&tx, &[], id, seen, void).await?;
        tx.commit("bulk_approve", None).await?;
        Ok(approved)
    }

    /// A worker that does bulk operations.
    pub fn worker(&self) -> Worker {
        let engine = Engine { store: self.db.store.clone(), entries: &[], dial: Arc::new(Nowhere) };
        Worker::new(engine, WorkerOptions::default()).doing(Arc::new(self.chore()))
    }

    pub fn chore(&self) -> BulkChore {
        BulkChore::new(self.db.store.clone(), &[])
    }

    /// Runs jobs until none is due.
    pub async fn work(&self) {
        self.worker().run_until_idle().await.expect("works");
    }

    pub async fn operation(&self, id: BulkOperationId) -> BulkOperation {
        let tx = self.db.store.read(self.operator()).await.expect("reads");
        tx.bulk_operation(id).await.expect("finds")
    }

    /// The clients of an operation in a state.
    pub async fn items(&self, id: BulkOperationId, state: BulkItemState) -> Vec<BulkItem> {
        let tx = self.db.store.read(self.operator()).await.expect("reads");
        tx.bulk_item_list(id, Some(state), &PAGE).await.expect("lists").items
    }

    pub async fn client(&self, id: ClientId) -> Client {
        let tx = self.db.store.read(self.operator()).await.expect("reads");
        tx.client_even_deleted(id).await.expect("finds")
    }
}
