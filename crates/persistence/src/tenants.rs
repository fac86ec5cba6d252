//! Microsoft 365 tenants, whichever connections list them: entities of one kind, what is stored under them, and what
//! people say of them.

use std::collections::{HashMap, HashSet};

use domain::{
    ClientId, ConnectionId, EntityId, Error, Result, TENANT, TenantSetting, TenantSettingId, Timestamp, name_key,
};
use sea_orm::{
    ColumnTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, Func},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx,
    entity::{record, tenant_setting as table, vendor_entity},
    error::OrDomain,
    journalled::Journalled,
};

/// What is needed of an entity to show which customer has it.
#[derive(Clone, Debug)]
pub struct CustomerEntity {
    /// Id.
    pub id: EntityId,
    /// Which connection told us.
    pub connection_id: ConnectionId,
    /// The connection's integration.
    pub integration: String,
    /// What it is across vendors.
    pub kind: String,
    /// The vendor's id.
    pub vendor_id: String,
    /// Name as last seen.
    pub name: String,
    /// The vendor's record as JSON.
    pub body: String,
    /// When the vendor stopped listing it.
    pub removed_at: Option<Timestamp>,
    /// Client it belongs to.
    pub client_id: Option<ClientId>,
}

type EntityRow = (Uuid, Uuid, String, String, String, String, String, Option<Timestamp>, Option<Uuid>);

/// Directory users under an entity: with a licence, and without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Licensed {
    /// With at least one.
    pub licensed: i64,
    /// Without any.
    pub unlicensed: i64,
}

impl Journalled for table::Entity {
    const KIND: &'static str = "tenant_setting";
    const WHAT: &'static str = "tenant";

    fn id(row: &table::Model) -> Uuid {
        row.id
    }
    fn id_column() -> table::Column {
        table::Column::Id
    }
    fn version_column() -> Option<table::Column> {
        Some(table::Column::Version)
    }
    fn version(row: &table::Model) -> i32 {
        row.version
    }
    fn client_of(row: &table::Model) -> Option<ClientId> {
        row.client_id.map(ClientId)
    }
    fn view(row: &table::Model) -> Result<Value> {
        serde_json::to_value(read(row.clone())?).map_err(Error::internal)
    }
}

fn read(row: table::Model) -> Result<TenantSetting> {
    Ok(TenantSetting {
        id: TenantSettingId(row.id),
        tenant: row.tenant_key,
        client_id: row.client_id.map(ClientId),
        display_name: row.display_name,
        tags: serde_json::from_str(&row.tags).map_err(Error::internal)?,
        disconnected_at: row.disconnected_at,
        admitted_by: row.admitted_by.map(ConnectionId),
        updated_at: row.updated_at,
        version: row.version,
    })
}

pub(crate) fn write(tx: &Tx, setting: &TenantSetting) -> Result<table::Model> {
    Ok(table::Model {
        organisation_id: tx.organisation().0,
        id: setting.id.0,
        tenant_key: setting.tenant.clone(),
        client_id: setting.client_id.map(|client| client.0),
        display_name: setting.display_name.clone(),
        tags: serde_json::to_string(&setting.tags).map_err(Error::internal)?,
        updated_at: setting.updated_at,
        version: setting.version,
        disconnected_at: setting.disconnected_at,
        admitted_by: setting.admitted_by.map(|connection| connection.0),
    })
}

impl Tx {
    /// Every tenant entity of the scope that is listed or mapped.
    pub async fn tenant_entities(&self) -> Result<Vec<CustomerEntity>> {
        use vendor_entity::Column as C;
        let known = C::RemovedAt.is_null().or(C::ClientId.is_not_null());
        self.customer_entities(self.find().filter(C::Kind.eq(TENANT)).filter(known)).await
    }

    /// The tenant entities with this id of Microsoft's, whatever its case.
    pub async fn tenant_entities_of(&self, tenant: &str) -> Result<Vec<CustomerEntity>> {
        use vendor_entity::Column as C;
        let lower = Expr::expr(Func::lower(Expr::col(C::VendorId)));
        let same = lower.eq(tenant.to_ascii_lowercase());
        self.customer_entities(self.find().filter(C::Kind.eq(TENANT)).filter(same)).await
    }

    /// A tenant entity. It is not locked: who writes locks all entities of the tenant in one order.
    pub async fn tenant_entity(&self, id: EntityId) -> Result<CustomerEntity> {
        use vendor_entity::Column as C;
        let select = self.find().filter(C::Id.eq(id.0)).filter(C::Kind.eq(TENANT));
        self.customer_entities(select).await?.pop().ok_or(Error::NotFound { what: "tenant" })
    }

    /// All entities mapped to these clients.
    pub async fn entities_of_clients(&self, clients: &[ClientId]) -> Result<Vec<CustomerEntity>> {
        let mut found = Vec::new();
        for chunk in clients.chunks(500) {
            let of = vendor_entity::Column::ClientId.is_in(chunk.iter().map(|client| client.0));
            found.extend(self.customer_entities(self.find().filter(of)).await?);
        }
        Ok(found)
    }

    async fn customer_entities(&self, select: Select<vendor_entity::Entity>) -> Result<Vec<CustomerEntity>> {
        use vendor_entity::Column as C;
        let columns =
            [C::Id, C::ConnectionId, C::Integration, C::Kind, C::VendorId, C::Name, C::Body, C::RemovedAt, C::ClientId];
        let select = select.select_only().columns(columns).order_by_asc(C::Id);
        let rows: Vec<EntityRow> = select.into_tuple().all(self.db()).await.or_domain()?;
        let read = |row: EntityRow| CustomerEntity {
            id: EntityId(row.0),
            connection_id: ConnectionId(row.1),
            integration: row.2,
            kind: row.3,
            vendor_id: row.4,
            name: row.5,
            body: row.6,
            removed_at: row.7,
            client_id: row.8.map(ClientId),
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// What is stored of one kind under these entities: entity and body of each.
    pub async fn bodies_under(&self, entities: &[EntityId], kind: &str) -> Result<Vec<(EntityId, String)>> {
        let mut found = Vec::new();
        for chunk in entities.chunks(500) {
            let rows: Vec<(Uuid, String)> = self
                .find::<record::Entity>()
                .select_only()
                .columns([record::Column::EntityId, record::Column::Body])
                .filter(record::Column::EntityId.is_in(chunk.iter().map(|entity| entity.0)))
                .filter(record::Column::Kind.eq(kind))
                .filter(record::Column::RemovedAt.is_null())
                .order_by_asc(record::Column::EntityId)
                .order_by_asc(record::Column::TitleKey)
                .order_by_asc(record::Column::Id)
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            found.extend(rows.into_iter().map(|(entity, body)| (EntityId(entity), body)));
        }
        Ok(found)
    }

    /// Directory users under these entities, with and without a licence. Those without any user are left out.
    pub async fn licensed_under(&self, entities: &[EntityId]) -> Result<HashMap<EntityId, Licensed>> {
        let holds = if self.store().is_postgres() {
            "CASE WHEN json_array_length(\"record\".\"body\"::json -> 'licence_ids') > 0 THEN 1 ELSE 0 END"
        } else {
            "CASE WHEN json_array_length(\"record\".\"body\", '$.licence_ids') > 0 THEN 1 ELSE 0 END"
        };
        let mut found = HashMap::new();
        for chunk in entities.chunks(500) {
            let rows: Vec<(Uuid, i64, i64)> = self
                .find::<record::Entity>()
                .select_only()
                .column(record::Column::EntityId)
                .expr_as(Expr::cust(holds).sum(), "licensed")
                .expr_as(record::Column::Id.count(), "users")
                .filter(record::Column::EntityId.is_in(chunk.iter().map(|entity| entity.0)))
                .filter(record::Column::Kind.eq("directory_user"))
                .filter(record::Column::RemovedAt.is_null())
                .group_by(record::Column::EntityId)
                .into_tuple()
                .all(self.db())
                .await
                .or_domain()?;
            let counted = |(entity, licensed, all): (Uuid, i64, i64)| {
                (EntityId(entity), Licensed { licensed, unlicensed: all - licensed })
            };
            found.extend(rows.into_iter().map(counted));
        }
        Ok(found)
    }

    /// What people say of tenants, by Microsoft's id. The caller has found the tenants in its scope.
    pub async fn tenant_settings(&self, tenants: &[String]) -> Result<HashMap<String, TenantSetting>> {
        let mut found = HashMap::new();
        for chunk in tenants.chunks(500) {
            let select = self.find::<table::Entity>().filter(table::Column::TenantKey.is_in(chunk.iter().cloned()));
            for row in select.all(self.db()).await.or_domain()? {
                let setting = read(row)?;
                found.insert(setting.tenant.clone(), setting);
            }
        }
        Ok(found)
    }

    /// Microsoft's ids of the tenants that nothing is asked about.
    pub async fn tenants_disconnected(&self) -> Result<HashSet<String>> {
        let keys: Vec<String> = self
            .find::<table::Entity>()
            .select_only()
            .column(table::Column::TenantKey)
            .filter(table::Column::DisconnectedAt.is_not_null())
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(keys.into_iter().collect())
    }

    /// What people say of one tenant; its row is locked in a transaction that writes.
    pub async fn tenant_setting(&self, tenant: &str) -> Result<Option<TenantSetting>> {
        let mut select = self.find::<table::Entity>().filter(table::Column::TenantKey.eq(tenant));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        select.one(self.db()).await.or_domain()?.map(read).transpose()
    }

    /// Notes what people say of a tenant, for the first time or in place of what they said before.
    pub async fn tenant_setting_save(
        &self,
        before: Option<&TenantSetting>,
        after: TenantSetting,
    ) -> Result<TenantSetting> {
        let Some(before) = before else {
            self.insert_row::<table::Entity>(write(self, &after)?).await?;
            return Ok(after);
        };
        let after = TenantSetting { version: before.version + 1, updated_at: self.now(), ..after };
        let changed = self.update_row::<table::Entity>(&write(self, before)?, write(self, &after)?).await?;
        Ok(if changed { after } else { before.clone() })
    }
}

/// Tags as they are kept: trimmed, sorted, each once whatever its case.
pub fn tags_kept(tags: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = tags.iter().map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect();
    kept.sort_by_key(|tag| name_key(tag));
    kept.dedup_by_key(|tag| name_key(tag));
    kept
}
