//! A PSA with companies that are mapped to clients, and what people do on either side.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use domain::{
    Client, ClientId, ClientStatus, Entity, EntityId, MappingState, PageRequest, PsaConflict, PsaConflictState,
    PsaDirection, PsaField, PsaOwner, Result, name_key,
};
use persistence::{ConflictFilter, MappingWrite, Tx};
use sync::{ConflictChoice, ConflictTake, Like, Likeness, PsaPatch};
use testkit::TestDb;
use vendorkit::{WorldSize, world::Business};

use crate::stage::{ENTRIES, HALOPSA, Stage, stage};

pub const SIZE: WorldSize = WorldSize { businesses: 5, devices: 0, people: 3 };

/// Alike are those of one name: enough to see that it is asked.
pub struct SameName;

#[async_trait]
impl Likeness for SameName {
    async fn clients_like(&self, tx: &Tx, companies: &[Entity]) -> Result<Vec<Option<Like<ClientId>>>> {
        let names: BTreeMap<String, ClientId> =
            tx.client_names().await?.into_iter().map(|(id, name)| (name_key(&name), id)).collect();
        let like = |row: &Entity| {
            let id = *names.get(&name_key(&row.name))?;
            Some(Like { id, name: row.name.clone(), because: "the same name".to_owned() })
        };
        Ok(companies.iter().map(like).collect())
    }

    async fn companies_like(
        &self,
        _: &Tx,
        clients: &[Client],
        companies: &[Entity],
    ) -> Result<Vec<Option<Like<EntityId>>>> {
        let like = |client: &Client| {
            let row = companies.iter().find(|row| name_key(&row.name) == name_key(&client.name))?;
            Some(Like { id: row.id, name: row.name.clone(), because: "the same name".to_owned() })
        };
        Ok(clients.iter().map(like).collect())
    }
}

/// Everybody's edits are carried, both ways.
pub fn either() -> PsaPatch {
    let owners = PsaField::ALL.map(|field| (field, PsaOwner::Either));
    PsaPatch { direction: Some(PsaDirection::Both), owners: owners.into_iter().collect(), ..PsaPatch::default() }
}

/// A synced PSA, kept in step as this says; its companies are mapped to clients of their names but for the last.
pub async fn psa(db: TestDb, vendor: &str, patch: PsaPatch) -> Stage {
    let mut stage = stage(db, vendor, SIZE).await;
    stage.worker = stage.worker.clone().matching(Arc::new(SameName));
    stage.work().await;
    let mut companies = stage.companies().await;
    companies.pop();
    for company in companies {
        let client = stage.new_client(&company.name).await;
        stage.map(company.id, client).await;
    }
    stage.advance(1);
    stage.keep_in_step(patch).await;
    stage.settle().await;
    stage
}

impl Stage {
    /// Companies by id.
    pub async fn companies(&self) -> Vec<Entity> {
        let tx = self.db.store.read(self.context()).await.expect("reads");
        let mut all = tx.entities_of(self.connection).await.expect("lists");
        all.sort_by_key(|row| row.id);
        all
    }

    /// The first company that is mapped, with its client.
    pub async fn pair(&self) -> (Entity, Client) {
        let companies = self.companies().await;
        let company = companies.into_iter().find(|row| row.client_id.is_some()).expect("one is mapped");
        let client = self.client(company.client_id.expect("is mapped")).await;
        (company, client)
    }

    pub async fn client(&self, id: ClientId) -> Client {
        let tx = self.db.store.read(self.context()).await.expect("reads");
        tx.client(id).await.expect("is there")
    }

    pub async fn new_client(&self, name: &str) -> ClientId {
        self.db.client(self.organisation, name).await
    }

    pub async fn map(&self, company: EntityId, client: ClientId) {
        let tx = self.db.store.begin(self.context()).await.expect("begins");
        let write = MappingWrite { client: Some(client), state: MappingState::Mapped, reason: None };
        tx.mapping_write(company, &write).await.expect("maps");
        tx.commit("mapping_save", None).await.expect("commits");
    }

    pub async fn keep_in_step(&self, patch: PsaPatch) {
        let tx = self.db.store.begin(self.context()).await.expect("begins");
        sync::psa_settings_update(&tx, ENTRIES, self.connection, patch).await.expect("changes");
        tx.commit("psa_settings_update", None).await.expect("commits");
    }

    /// A person changes a client here.
    pub async fn edit(&self, id: ClientId, change: impl FnOnce(&mut Client)) {
        let tx = self.db.store.begin(self.context()).await.expect("begins");
        let before = tx.client(id).await.expect("is there");
        let mut after = before.clone();
        change(&mut after);
        tx.client_update(&before, after).await.expect("changes");
        tx.commit("client_update", None).await.expect("commits");
    }

    /// A person changes a company at the PSA.
    pub fn edit_there(&self, company: &Entity, change: impl FnOnce(&mut Business)) {
        assert!(self.simulated.change(|world| world.change_business(self.key(company), change)));
    }

    /// The world's key of a company.
    pub fn key(&self, company: &Entity) -> u64 {
        let less = if self.vendor.id == HALOPSA { 10 } else { 1000 };
        company.vendor_id.parse::<u64>().expect("a number") - less
    }

    /// A company as the PSA has it.
    pub async fn there(&self, company: &Entity) -> integration::Entity {
        let connector = self.vendor.connect(&self.credentials, self.simulated.clone()).expect("connects");
        let raw = connector.company_writes().expect("a PSA").fetch(&company.vendor_id).await.expect("is there");
        connector.entities().expect("companies").read(&raw).expect("reads").record
    }

    /// Works until no pass waits any more.
    pub async fn settle(&self) {
        for _ in 0..60 {
            self.work().await;
            let tx = self.db.store.read(self.context()).await.expect("reads");
            let key = format!("psa:{}", self.connection);
            if tx.job_pending(&key).await.expect("asks").is_none() {
                return;
            }
            tx.rollback().await.expect("ends");
            self.advance(30);
        }
        panic!("the passes do not end: {:?}", self.problem().await);
    }

    /// A sync, and all that follows from it.
    pub async fn sync_and_settle(&self) {
        self.sync().await;
        self.settle().await;
    }

    /// What waits for a person.
    pub async fn open(&self) -> Vec<PsaConflict> {
        self.conflicts(PsaConflictState::Open).await
    }

    pub async fn conflicts(&self, state: PsaConflictState) -> Vec<PsaConflict> {
        let tx = self.db.store.read(self.context()).await.expect("reads");
        let filter = ConflictFilter { state: Some(state), ..ConflictFilter::default() };
        tx.psa_conflict_list(&filter, &PageRequest { limit: 100, after: None }).await.expect("lists").items
    }

    /// A person decides.
    pub async fn decide(&self, conflict: &PsaConflict, take: ConflictTake) -> Result<Option<domain::EntryId>> {
        let tx = self.db.store.begin(self.context()).await?;
        sync::psa_conflict_resolve(&tx, &[ConflictChoice { id: conflict.id, take }]).await?;
        Ok(tx.commit("psa_conflict_resolve", None).await?.entry)
    }

    /// Requests that changed something there, but for tokens and queries.
    pub fn written(&self) -> usize {
        let reads = |path: &str| path.contains("query") || path.contains("token");
        self.simulated.log().iter().filter(|(method, path)| *method != "GET" && !reads(path)).count()
    }

    pub async fn problem(&self) -> Option<String> {
        let tx = self.db.store.read(self.context()).await.expect("reads");
        tx.psa_pass(self.connection).await.expect("reads").error
    }
}

/// A client as it was made is active.
pub const ACTIVE: ClientStatus = ClientStatus::Active;
