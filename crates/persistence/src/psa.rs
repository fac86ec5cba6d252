//! Two-way sync with PSAs: its settings, and what both sides last agreed on.

use std::collections::HashMap;

use domain::{
    Change, Client, ClientId, ConnectionId, Entity, EntityId, Error, MappingState, PsaDirection, PsaField, PsaSettings,
    Result, Timestamp, psa::Agreement,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::Expr,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    NewJob, Tx, clients, entities,
    entity::{client, psa_company, psa_field, psa_settings as table, vendor_entity},
    error::{OrDomain, known},
    journalled::Journalled,
};

/// Kind of the jobs that bring clients and companies together.
pub const PSA_JOB: &str = "psa";
/// How often such a job is begun before it is given up as one that kills its worker.
const ATTEMPTS: i32 = 12;

/// How the last pass over a connection went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassNote {
    /// When it ended.
    pub passed_at: Option<Timestamp>,
    /// Why it did not come to its end, or what it could not do.
    pub error: Option<String>,
}

/// What a client and a company last agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Which company.
    pub entity_id: EntityId,
    /// Of which client it was then.
    pub client_id: ClientId,
    /// Which field.
    pub field: PsaField,
    /// On what.
    pub values: Agreement,
}

impl Journalled for table::Entity {
    const KIND: &'static str = "psa_settings";
    const WHAT: &'static str = "PSA settings";

    fn id(row: &table::Model) -> Uuid {
        row.connection_id
    }
    fn id_column() -> table::Column {
        table::Column::ConnectionId
    }
    fn version_column() -> Option<table::Column> {
        Some(table::Column::Version)
    }
    fn version(row: &table::Model) -> i32 {
        row.version
    }
    fn client_of(_: &table::Model) -> Option<ClientId> {
        None
    }
    fn view(row: &table::Model) -> Result<Value> {
        serde_json::to_value(read(row.clone())?).map_err(Error::internal)
    }
    fn settle(row: &mut table::ActiveModel) {
        // Written by the passes and by changes of clients alone.
        row.touched_at = ActiveValue::NotSet;
        row.passed_at = ActiveValue::NotSet;
        row.pass_error = ActiveValue::NotSet;
    }
}

fn read(row: table::Model) -> Result<PsaSettings> {
    Ok(PsaSettings {
        connection_id: row.connection_id.into(),
        direction: known(PsaDirection::parse(&row.direction), "psa_settings.direction")?,
        owners: serde_json::from_str(&row.owners).map_err(Error::internal)?,
        clients_since: row.clients_since,
        only_active: row.only_active,
        only_states: serde_json::from_str(&row.only_states).map_err(Error::internal)?,
        companies_since: row.companies_since,
        version: row.version,
    })
}

fn write(tx: &Tx, settings: &PsaSettings) -> Result<table::Model> {
    Ok(table::Model {
        organisation_id: tx.organisation().0,
        connection_id: settings.connection_id.0,
        direction: settings.direction.as_str().to_owned(),
        owners: serde_json::to_string(&settings.owners).map_err(Error::internal)?,
        clients_since: settings.clients_since,
        only_active: settings.only_active,
        only_states: serde_json::to_string(&settings.only_states).map_err(Error::internal)?,
        companies_since: settings.companies_since,
        version: settings.version,
        touched_at: None,
        passed_at: None,
        pass_error: None,
    })
}

/// The key under which only one pass over a connection waits or runs.
fn pass_key(connection: ConnectionId) -> String {
    format!("psa:{connection}")
}

/// The request under which the passes over a connection write: what they do to clients is no news to themselves.
fn pass_request(connection: ConnectionId) -> String {
    format!("PSA pass {connection}")
}

impl Tx {
    /// The settings of a connection; those of one for which nobody has said anything.
    pub async fn psa_settings(&self, connection: ConnectionId) -> Result<PsaSettings> {
        Ok(self.psa_row(connection).await?.map(read).transpose()?.unwrap_or_else(|| PsaSettings::none(connection)))
    }

    async fn psa_row(&self, connection: ConnectionId) -> Result<Option<table::Model>> {
        let select = self.find::<table::Entity>().filter(table::Column::ConnectionId.eq(connection.0));
        select.one(self.db()).await.or_domain()
    }

    /// Changes the settings that were read before.
    pub async fn psa_settings_write(&self, before: &PsaSettings, after: &PsaSettings) -> Result<PsaSettings> {
        // All of them, in the order in which a change of a client touches them.
        let all = self.find::<table::Entity>().order_by_asc(table::Column::ConnectionId).lock_exclusive();
        all.all(self.db()).await.or_domain()?;
        let after = PsaSettings { version: before.version + 1, ..after.clone() };
        if before.version == 0 {
            self.insert_row::<table::Entity>(write(self, &after)?).await?;
            return Ok(after);
        }
        let changed = self.update_row::<table::Entity>(&write(self, before)?, write(self, &after)?).await?;
        Ok(if changed { after } else { before.clone() })
    }

    /// How the last pass over a connection went.
    pub async fn psa_pass(&self, connection: ConnectionId) -> Result<PassNote> {
        let row = self.psa_row(connection).await?;
        Ok(row.map(|row| PassNote { passed_at: row.passed_at, error: row.pass_error }).unwrap_or_default())
    }

    /// Notes how a pass went.
    pub async fn psa_pass_note(&self, connection: ConnectionId, note: &PassNote) -> Result<()> {
        let row = table::ActiveModel {
            passed_at: note.passed_at.map_or(ActiveValue::NotSet, |at| ActiveValue::Set(Some(at))),
            pass_error: ActiveValue::Set(note.error.clone()),
            ..ActiveModelTrait::default()
        };
        let one = Condition::all().add(table::Column::ConnectionId.eq(connection.0));
        self.update_row_where::<table::Entity>(row, one).await.map(drop)
    }

    /// Puts a pass over a connection on the queue, unless one waits; one that runs goes on once more.
    pub async fn psa_enqueue(&self, connection: ConnectionId) -> Result<()> {
        let unique_key = pass_key(connection);
        // Asked first: on PostgreSQL the insert would wait for what a running pass has in hand.
        if let Some(job) = self.job_pending(&unique_key).await? {
            if job.state == "running" {
                self.psa_touch_one(connection).await?;
            }
            return Ok(());
        }
        let job = NewJob {
            kind: PSA_JOB.to_owned(),
            payload: serde_json::json!({ "connection_id": connection }).to_string(),
            unique_key,
            priority: 5,
            run_at: self.now(),
            max_attempts: ATTEMPTS,
        };
        self.job_enqueue(&job).await.map(drop)
    }

    /// When a client last changed, or a sync ended while a pass ran: a pass that ends with another answer than it began with has not seen all of it.
    pub async fn psa_touched(&self, connection: ConnectionId) -> Result<Option<Timestamp>> {
        Ok(self.psa_row(connection).await?.and_then(|row| row.touched_at))
    }

    /// Tells the PSAs of a change of clients: a pass over each of them is put on the queue, and one that runs goes on
    /// once more.
    pub(crate) async fn psa_touch(&self, changes: &[Change]) -> Result<()> {
        const TOLD: [&str; 4] = ["client", "mapping", "psa_conflict", "psa_settings"];
        if !changes.iter().any(|change| TOLD.contains(&change.kind.as_str())) {
            return Ok(());
        }
        let off = table::Column::Direction.ne(PsaDirection::Off.as_str());
        let rows = self.find::<table::Entity>().filter(off).order_by_asc(table::Column::ConnectionId);
        for row in rows.all(self.db()).await.or_domain()? {
            let connection = ConnectionId(row.connection_id);
            if self.context().request_id == pass_request(connection) {
                continue;
            }
            self.psa_touch_one(connection).await?;
            self.psa_enqueue(connection).await?;
        }
        Ok(())
    }

    async fn psa_touch_one(&self, connection: ConnectionId) -> Result<()> {
        let touched =
            table::ActiveModel { touched_at: ActiveValue::Set(Some(self.now())), ..ActiveModelTrait::default() };
        let one = Condition::all().add(table::Column::ConnectionId.eq(connection.0));
        self.update_row_where::<table::Entity>(touched, one).await.map(drop)
    }

    /// What these companies and their clients last agreed on.
    pub async fn psa_agreed(&self, entities: &[EntityId]) -> Result<HashMap<EntityId, Vec<Agreed>>> {
        let mut found: HashMap<EntityId, Vec<Agreed>> = HashMap::new();
        for chunk in entities.chunks(500) {
            let of_these = psa_field::Column::EntityId.is_in(chunk.iter().map(|id| id.0));
            for row in self.find::<psa_field::Entity>().filter(of_these).all(self.db()).await.or_domain()? {
                let agreed = Agreed {
                    entity_id: row.entity_id.into(),
                    client_id: row.client_id.into(),
                    field: known(PsaField::parse(&row.field), "psa_field.field")?,
                    values: Agreement { ours: row.ours, theirs: row.theirs, sent: row.sent },
                };
                found.entry(agreed.entity_id).or_default().push(agreed);
            }
        }
        Ok(found)
    }

    /// Keeps what clients and companies agree on from now on. Not journalled: the change that it follows from is.
    pub async fn psa_agree(&self, agreed: &[Agreed]) -> Result<()> {
        use psa_field::Column as C;
        let rows = agreed.iter().map(|one| psa_field::Model {
            organisation_id: self.organisation().0,
            entity_id: one.entity_id.0,
            field: one.field.as_str().to_owned(),
            client_id: one.client_id.0,
            ours: one.values.ours.clone(),
            theirs: one.values.theirs.clone(),
            sent: one.values.sent,
            agreed_at: self.now(),
        });
        let replace = [C::ClientId, C::Ours, C::Theirs, C::Sent, C::AgreedAt];
        self.insert_many::<psa_field::Entity>(rows.collect(), &[C::OrganisationId, C::EntityId, C::Field], &replace)
            .await
    }

    /// Companies of a connection that are mapped and listed, after this one, by id. In a transaction that writes, they
    /// are locked.
    pub async fn psa_linked(
        &self,
        connection: ConnectionId,
        after: Option<EntityId>,
        limit: u64,
    ) -> Result<Vec<Entity>> {
        use vendor_entity::Column as C;
        let mut select = self
            .find::<vendor_entity::Entity>()
            .filter(C::ConnectionId.eq(connection.0))
            .filter(C::ClientId.is_not_null())
            .filter(C::RemovedAt.is_null());
        if let Some(after) = after {
            select = select.filter(C::Id.gt(after.0));
        }
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let rows = select.order_by_asc(C::Id).limit(limit).all(self.db()).await.or_domain()?;
        rows.into_iter().map(entities::read).collect()
    }

    /// When what a vendor says of these companies last changed.
    pub async fn psa_changed_at(&self, entities: &[EntityId]) -> Result<HashMap<EntityId, Timestamp>> {
        let rows: Vec<(Uuid, Timestamp)> = self
            .find::<vendor_entity::Entity>()
            .select_only()
            .columns([vendor_entity::Column::Id, vendor_entity::Column::ChangedAt])
            .filter(vendor_entity::Column::Id.is_in(entities.iter().map(|id| id.0)))
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(|(id, at)| (EntityId(id), at)).collect())
    }

    /// Companies of a connection that nobody has ever decided about, and that were first listed since then. One whose
    /// client was deleted, or whose mapping was taken back, is none: each decision counts its version up, a sync never
    /// does.
    pub async fn psa_newcomers(&self, connection: ConnectionId, since: Timestamp, limit: u64) -> Result<Vec<Entity>> {
        self.unmapped_since(connection, since, limit, vendor_entity::Column::Version.eq(1)).await
    }

    /// Companies of a connection that are mapped to nobody, whatever was decided before, and that were first listed
    /// since then.
    pub async fn psa_unmapped(&self, connection: ConnectionId, since: Timestamp, limit: u64) -> Result<Vec<Entity>> {
        self.unmapped_since(connection, since, limit, vendor_entity::Column::Version.gte(1)).await
    }

    async fn unmapped_since(
        &self,
        connection: ConnectionId,
        since: Timestamp,
        limit: u64,
        decided: Expr,
    ) -> Result<Vec<Entity>> {
        use vendor_entity::Column as C;
        let select = self
            .find::<vendor_entity::Entity>()
            .filter(C::ConnectionId.eq(connection.0))
            .filter(C::MappingState.eq(MappingState::Unmapped.as_str()))
            .filter(C::RemovedAt.is_null())
            .filter(C::FirstSeenAt.gte(since))
            .filter(decided);
        let rows =
            select.order_by_asc(C::FirstSeenAt).order_by_asc(C::Id).limit(limit).all(self.db()).await.or_domain()?;
        rows.into_iter().map(entities::read).collect()
    }

    /// Clients made since then that no company of this connection is mapped to.
    pub async fn psa_without_company(
        &self,
        connection: ConnectionId,
        since: Timestamp,
        limit: u64,
    ) -> Result<Vec<Client>> {
        use client::Column as C;
        let mapped = self
            .find::<vendor_entity::Entity>()
            .select_only()
            .column(vendor_entity::Column::ClientId)
            .filter(vendor_entity::Column::ConnectionId.eq(connection.0))
            .filter(vendor_entity::Column::ClientId.is_not_null());
        let select = self
            .find::<client::Entity>()
            .filter(C::DeletedAt.is_null())
            .filter(C::ArchivedAt.is_null())
            .filter(C::CreatedAt.gte(since))
            .filter(C::Id.not_in_subquery(mapped.into_query()));
        let rows =
            select.order_by_asc(C::CreatedAt).order_by_asc(C::Id).limit(limit).all(self.db()).await.or_domain()?;
        rows.into_iter().map(clients::read).collect()
    }

    /// What was read of these companies alone.
    pub async fn psa_companies(&self, entities: &[EntityId]) -> Result<HashMap<EntityId, (String, Timestamp)>> {
        let mut found = HashMap::new();
        for chunk in entities.chunks(500) {
            let of_these = psa_company::Column::EntityId.is_in(chunk.iter().map(|id| id.0));
            for row in self.find::<psa_company::Entity>().filter(of_these).all(self.db()).await.or_domain()? {
                found.insert(EntityId(row.entity_id), (row.body, row.read_at));
            }
        }
        Ok(found)
    }

    /// Keeps what was read of a company alone.
    pub async fn psa_company_keep(&self, connection: ConnectionId, entity: EntityId, body: &str) -> Result<()> {
        use psa_company::Column as C;
        let row = psa_company::Model {
            organisation_id: self.organisation().0,
            entity_id: entity.0,
            connection_id: connection.0,
            body: body.to_owned(),
            read_at: self.now(),
        };
        let replace = [C::Body, C::ReadAt];
        self.insert_many::<psa_company::Entity>(vec![row], &[C::OrganisationId, C::EntityId], &replace).await
    }
}

impl crate::Store {
    /// The context of the passes over a connection.
    pub fn psa_context(&self, organisation: domain::OrganisationId, connection: ConnectionId) -> domain::Context {
        domain::Context::worker(organisation, self.clock().now(), pass_request(connection))
    }
}
