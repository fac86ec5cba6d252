//! Ids that people typed for clients, until a vendor lists them.

use domain::{ClientId, ConnectionId, Entity, Error, Result, UnverifiedMapping, UnverifiedMappingId};
use sea_orm::{
    ColumnTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Func},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx, entities,
    entity::{unverified_mapping as table, vendor_entity},
    error::OrDomain,
    journalled::Journalled,
};

impl Journalled for table::Entity {
    const KIND: &'static str = "unverified_mapping";
    const WHAT: &'static str = "unverified mapping";

    fn id(row: &table::Model) -> Uuid {
        row.id
    }
    fn id_column() -> table::Column {
        table::Column::Id
    }
    fn version_column() -> Option<table::Column> {
        None
    }
    fn version(_: &table::Model) -> i32 {
        1
    }
    fn client_of(row: &table::Model) -> Option<ClientId> {
        Some(ClientId(row.client_id))
    }
    fn view(row: &table::Model) -> Result<Value> {
        serde_json::to_value(read(row.clone())).map_err(Error::internal)
    }
}

fn read(row: table::Model) -> UnverifiedMapping {
    UnverifiedMapping {
        id: row.id.into(),
        client_id: ClientId(row.client_id),
        integration: row.integration,
        vendor_id: row.vendor_id,
        problem: row.problem,
        created_at: row.created_at,
        created_by: row.created_by.map(Into::into),
    }
}

fn write(tx: &Tx, mapping: &UnverifiedMapping) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: mapping.id.0,
        client_id: mapping.client_id.0,
        integration: mapping.integration.clone(),
        vendor_key: vendor_key(&mapping.vendor_id),
        vendor_id: mapping.vendor_id.clone(),
        problem: mapping.problem.clone(),
        created_at: mapping.created_at,
        created_by: mapping.created_by.map(|staff| staff.0),
    }
}

/// Ids are compared without regard to case: people type GUIDs in either.
fn vendor_key(vendor_id: &str) -> String {
    vendor_id.to_ascii_lowercase()
}

impl Tx {
    /// The ids typed for a client, by integration.
    pub async fn unverified_of_client(&self, client: ClientId) -> Result<Vec<UnverifiedMapping>> {
        let select = self.find::<table::Entity>().filter(table::Column::ClientId.eq(client.0));
        let rows = select.order_by_asc(table::Column::Integration).order_by_asc(table::Column::Id);
        Ok(rows.all(self.db()).await.or_domain()?.into_iter().map(read).collect())
    }

    /// The ids typed for an integration. In a transaction that writes, they are locked.
    pub async fn unverified_of_integration(&self, integration: &str) -> Result<Vec<UnverifiedMapping>> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Integration.eq(integration));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let rows = select.order_by_asc(table::Column::Id).all(self.db()).await.or_domain()?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// An id typed for a client.
    pub async fn unverified_mapping(&self, client: ClientId, id: UnverifiedMappingId) -> Result<UnverifiedMapping> {
        let select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        let row = select.filter(table::Column::ClientId.eq(client.0)).one(self.db()).await.or_domain()?;
        row.map(read).ok_or(Error::NotFound { what: "unverified mapping" })
    }

    /// Who typed this id already, whatever its case.
    pub async fn unverified_by_vendor_id(
        &self,
        integration: &str,
        vendor_id: &str,
    ) -> Result<Option<UnverifiedMapping>> {
        let select = self.find::<table::Entity>().filter(table::Column::Integration.eq(integration));
        let row = select.filter(table::Column::VendorKey.eq(vendor_key(vendor_id))).one(self.db()).await.or_domain()?;
        Ok(row.map(read))
    }

    /// Keeps an id typed for a client.
    pub async fn unverified_insert(&self, mapping: &UnverifiedMapping) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, mapping)).await
    }

    /// Notes why a sync that met the id did not map it.
    pub async fn unverified_problem(&self, before: &UnverifiedMapping, problem: Option<String>) -> Result<()> {
        let after = UnverifiedMapping { problem, ..before.clone() };
        self.update_row::<table::Entity>(&write(self, before), write(self, &after)).await.map(drop)
    }

    /// Moves an id that was typed for one client to another.
    pub async fn unverified_move(&self, before: &UnverifiedMapping, client: ClientId) -> Result<()> {
        let after = UnverifiedMapping { client_id: client, ..before.clone() };
        self.update_row::<table::Entity>(&write(self, before), write(self, &after)).await.map(drop)
    }

    /// An id that was typed, for whichever client.
    pub(crate) async fn unverified_even_elsewhere(&self, id: Uuid) -> Result<Option<UnverifiedMapping>> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        Ok(select.one(self.db()).await.or_domain()?.map(read))
    }

    /// Forgets an id: it became a mapping, or a person took it back.
    pub async fn unverified_delete(&self, mapping: &UnverifiedMapping) -> Result<()> {
        self.delete_row::<table::Entity>(&write(self, mapping)).await
    }

    /// Entities of an integration with this vendor id, whatever its case, that the vendor still lists; of one
    /// connection or of all.
    pub async fn entities_by_vendor_id(
        &self,
        integration: &str,
        connection: Option<ConnectionId>,
        vendor_id: &str,
    ) -> Result<Vec<Entity>> {
        use vendor_entity::Column as C;
        let lower = Expr::expr(Func::lower(Expr::col(C::VendorId)));
        let mut select = self
            .find::<vendor_entity::Entity>()
            .filter(C::Integration.eq(integration))
            .filter(C::RemovedAt.is_null())
            .filter(lower.eq(vendor_key(vendor_id)));
        if let Some(connection) = connection {
            select = select.filter(C::ConnectionId.eq(connection.0));
        }
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let rows = select.order_by_asc(C::Id).limit(50).all(self.db()).await.or_domain()?;
        rows.into_iter().map(entities::read).collect()
    }
}
