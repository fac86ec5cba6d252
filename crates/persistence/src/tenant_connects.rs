//! Tenants that are being connected.

use domain::{
    ClientId, Error, Listed, PageRequest, Result, StaffId, TenantConnect, TenantConnectId, TenantConnectState,
    Timestamp,
};
use sea_orm::{
    ActiveValue, ColumnTrait, Condition, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx,
    entity::tenant_connect as table,
    error::{OrDomain, known},
    journalled::Journalled,
};

impl Journalled for table::Entity {
    const KIND: &'static str = "tenant_connect";
    const WHAT: &'static str = "connecting of a tenant";

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
        Some(ClientId(row.client_id))
    }
    fn view(row: &table::Model) -> Result<Value> {
        serde_json::to_value(read(row.clone())?).map_err(Error::internal)
    }
    fn settle(row: &mut table::ActiveModel) {
        // Of a link only its hash is kept, and that apart from what people decide.
        row.link_hash = ActiveValue::NotSet;
    }
}

fn read(row: table::Model) -> Result<TenantConnect> {
    Ok(TenantConnect {
        id: row.id.into(),
        client_id: ClientId(row.client_id),
        connection_id: row.connection_id.into(),
        tenant: row.tenant_key,
        domain: row.domain,
        state: known(TenantConnectState::parse(&row.state), "tenant_connect.state")?,
        state_reason: row.state_reason,
        links: row.links,
        begun_by: row.begun_by.map(StaffId),
        created_at: row.created_at,
        expires_at: row.expires_at,
        connected_at: row.connected_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

pub(crate) fn write(tx: &Tx, one: &TenantConnect) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: one.id.0,
        client_id: one.client_id.0,
        connection_id: one.connection_id.0,
        tenant_key: one.tenant.clone(),
        domain: one.domain.clone(),
        state: one.state.as_str().to_owned(),
        state_reason: one.state_reason.clone(),
        links: one.links,
        link_hash: None,
        begun_by: one.begun_by.map(|staff| staff.0),
        created_at: one.created_at,
        expires_at: one.expires_at,
        connected_at: one.connected_at,
        updated_at: one.updated_at,
        version: one.version,
    }
}

/// Which are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct TenantConnectFilter {
    /// Only for this customer.
    pub client: Option<ClientId>,
    /// Only those that can still be gone on with.
    pub open: bool,
}

impl Tx {
    /// The connecting of a tenant. In a transaction that writes, its row is locked.
    pub async fn tenant_connect(&self, id: TenantConnectId) -> Result<TenantConnect> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let row = select.one(self.db()).await.or_domain()?;
        row.ok_or(Error::NotFound { what: "connecting of a tenant" }).and_then(read)
    }

    /// A page of them, the newest first.
    pub async fn tenant_connect_list(
        &self,
        filter: TenantConnectFilter,
        page: &PageRequest,
    ) -> Result<Listed<TenantConnect>> {
        use table::Column as C;
        let mut select = self.find::<table::Entity>();
        if let Some(client) = filter.client {
            select = select.filter(C::ClientId.eq(client.0));
        }
        if filter.open {
            select = select.filter(open(self.now()));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((key, id)) = &page.after {
            let micros: i64 = key.parse().map_err(|_| not_a_cursor())?;
            let at = Timestamp::from_timestamp_micros(micros).ok_or_else(not_a_cursor)?;
            let same = Condition::all().add(C::CreatedAt.eq(at)).add(C::Id.lt(*id));
            select = select.filter(Condition::any().add(C::CreatedAt.lt(at)).add(same));
        }
        let select = select.order_by_desc(C::CreatedAt).order_by_desc(C::Id).limit(page.limit + 1);
        let mut rows = select.all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let last = rows.last().map(|row| (row.created_at.timestamp_micros().to_string(), row.id));
        let items = rows.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Listed { items, next: last.filter(|_| more), total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// What of a tenant is still being connected, the newest first.
    pub async fn tenant_connects_open(&self, tenant: &str) -> Result<Vec<TenantConnect>> {
        let of = table::Column::TenantKey.eq(tenant);
        let select = self.find::<table::Entity>().filter(of).filter(open(self.now()));
        let rows = select.order_by_desc(table::Column::CreatedAt).order_by_desc(table::Column::Id);
        rows.all(self.db()).await.or_domain()?.into_iter().map(read).collect()
    }

    /// Begins one.
    pub async fn tenant_connect_insert(&self, one: &TenantConnect) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, one)).await
    }

    /// Changes one that was read before; returns it as it is then.
    pub async fn tenant_connect_update(&self, before: &TenantConnect, after: TenantConnect) -> Result<TenantConnect> {
        let after = TenantConnect { version: before.version + 1, updated_at: self.now(), ..after };
        let changed = self.update_row::<table::Entity>(&write(self, before), write(self, &after)).await?;
        Ok(if changed { after } else { before.clone() })
    }

    /// Sets the hash of its link, or takes it away. Whoever had the one before finds nothing any more.
    pub async fn tenant_connect_link_set(&self, id: TenantConnectId, hash: Option<Vec<u8>>) -> Result<()> {
        self.require_writable()?;
        let update = self
            .update_many::<table::Entity>()
            .col_expr(table::Column::LinkHash, Expr::val(hash))
            .filter(table::Column::Id.eq(id.0));
        update.exec(self.db()).await.or_domain().map(drop)
    }

    /// Takes a link: whoever comes second with it finds none. It is used up once this transaction is committed.
    pub async fn tenant_connect_take(&self, link_hash: &[u8]) -> Result<Option<TenantConnect>> {
        self.require_writable()?;
        let mine = table::Column::LinkHash.eq(link_hash.to_vec());
        let select = self.find::<table::Entity>().filter(mine).lock_exclusive();
        let Some(row) = select.one(self.db()).await.or_domain()? else { return Ok(None) };
        self.tenant_connect_link_set(row.id.into(), None).await?;
        read(row).map(Some)
    }
}

fn open(now: Timestamp) -> Condition {
    let waiting = table::Column::State.eq(TenantConnectState::Waiting.as_str());
    Condition::all().add(waiting).add(Expr::col(table::Column::ExpiresAt).gt(now))
}

fn not_a_cursor() -> Error {
    Error::invalid("cursor", "not_a_cursor", "must be a next_cursor that this list gave")
}
