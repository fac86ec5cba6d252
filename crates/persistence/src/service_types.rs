//! What portal users can ask for.

use domain::{Error, Listed, PageRequest, Result, ServiceRequestType, ServiceRequestTypeId, name_key};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{Tx, entity::service_request_type as table, error::OrDomain, journalled::versioned};

versioned!(table, "service_request_type", "type of service request", read, |_| None);

fn read(row: table::Model) -> Result<ServiceRequestType> {
    Ok(ServiceRequestType {
        id: row.id.into(),
        name: row.name,
        description: row.description,
        fields: serde_json::from_str(&row.fields).map_err(Error::internal)?,
        active: row.active,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn write(tx: &Tx, row: &ServiceRequestType) -> Result<table::Model> {
    Ok(table::Model {
        organisation_id: tx.organisation().0,
        id: row.id.0,
        name: row.name.clone(),
        name_key: name_key(&row.name),
        description: row.description.clone(),
        fields: serde_json::to_string(&row.fields).map_err(Error::internal)?,
        active: row.active,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

impl Tx {
    /// A type. In a transaction that writes, its row is locked.
    pub async fn service_request_type(&self, id: ServiceRequestTypeId) -> Result<ServiceRequestType> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let row = select.one(self.db()).await.or_domain()?;
        row.map(read).transpose()?.ok_or(Error::NotFound { what: "type of service request" })
    }

    /// A page of types by name; those that are active, or are not, or all.
    pub async fn service_request_type_list(
        &self,
        active: Option<bool>,
        page: &PageRequest,
    ) -> Result<Listed<ServiceRequestType>> {
        use table::Column as C;
        let mut select = self.find::<table::Entity>();
        if let Some(active) = active {
            select = select.filter(C::Active.eq(active));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((key, _)) = &page.after {
            select = select.filter(C::NameKey.gt(key.as_str()));
        }
        let mut rows = select.order_by_asc(C::NameKey).limit(page.limit + 1).all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|last| (last.name_key.clone(), last.id))).flatten();
        let items = rows.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// Makes a type. A name that another has is the conflict `name_taken`.
    pub async fn service_request_type_insert(&self, row: &ServiceRequestType) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, row)?).await
    }

    /// Changes a type that was read before.
    pub async fn service_request_type_save(
        &self,
        before: &ServiceRequestType,
        after: ServiceRequestType,
    ) -> Result<ServiceRequestType> {
        let after = ServiceRequestType { version: before.version + 1, updated_at: self.now(), ..after };
        let written = self.update_row::<table::Entity>(&write(self, before)?, write(self, &after)?).await?;
        Ok(if written { after } else { before.clone() })
    }
}
