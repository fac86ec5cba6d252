//! Roles of an organisation's own, and who holds them.

use std::collections::BTreeMap;

use domain::{CustomRole, CustomRoleId, Error, Result, name_key};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    HeldRole, StaffRow, Tx,
    access::{permissions_read, permissions_text, staff_read},
    entity::{custom_role as table, service_account, staff},
    error::OrDomain,
    journalled::versioned,
};

versioned!(table, "custom_role", "role", read, |_| None);

fn read(row: table::Model) -> Result<CustomRole> {
    Ok(CustomRole {
        id: row.id.into(),
        name: row.name,
        description: row.description,
        permissions: permissions_read(&row.permissions)?,
        with_approval: permissions_read(&row.with_approval)?,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn write(tx: &Tx, role: &CustomRole) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: role.id.0,
        name: role.name.clone(),
        name_key: name_key(&role.name),
        description: role.description.clone(),
        permissions: permissions_text(&role.permissions),
        with_approval: permissions_text(&role.with_approval),
        created_at: role.created_at,
        updated_at: role.updated_at,
        version: role.version,
    }
}

impl Tx {
    /// The organisation's own roles by name.
    pub async fn custom_role_list(&self) -> Result<Vec<CustomRole>> {
        let select = self.find::<table::Entity>().order_by_asc(table::Column::NameKey);
        select.all(self.db()).await.or_domain()?.into_iter().map(read).collect()
    }

    /// One of them.
    pub async fn custom_role(&self, id: CustomRoleId) -> Result<CustomRole> {
        let row = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0)).one(self.db()).await.or_domain()?;
        row.ok_or(Error::NotFound { what: "role" }).and_then(read)
    }

    /// Makes a role.
    pub async fn custom_role_insert(&self, role: &CustomRole) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, role)).await
    }

    /// Changes a role that was read before.
    pub async fn custom_role_update(&self, before: &CustomRole, mut after: CustomRole) -> Result<CustomRole> {
        after.version = before.version + 1;
        after.updated_at = self.now();
        let (old, new) = (write(self, before), write(self, &after));
        Ok(if self.update_row::<table::Entity>(&old, new).await? { after } else { before.clone() })
    }

    /// Deletes a role that nobody holds.
    pub async fn custom_role_delete(&self, role: &CustomRole) -> Result<()> {
        self.delete_row::<table::Entity>(&write(self, role)).await
    }

    /// Those of the team who hold a role.
    pub async fn custom_role_holders(&self, id: CustomRoleId) -> Result<Vec<StaffRow>> {
        let rows = self
            .find::<staff::Entity>()
            .filter(staff::Column::CustomRoleId.eq(id.0))
            .filter(staff::Column::RemovedAt.is_null())
            .order_by_asc(staff::Column::Id);
        self.all_held(rows.all(self.db()).await.or_domain()?).await
    }

    /// How many service accounts act with a role.
    pub async fn custom_role_machines(&self, id: CustomRoleId) -> Result<u64> {
        let accounts = self.find::<service_account::Entity>().filter(service_account::Column::CustomRoleId.eq(id.0));
        accounts.count(self.db()).await.or_domain()
    }

    /// What a role of the organisation's own gives now; nothing where it is gone.
    pub(crate) async fn role_held(&self, id: Uuid) -> Result<HeldRole> {
        let row = self.find::<table::Entity>().filter(table::Column::Id.eq(id)).one(self.db()).await.or_domain()?;
        let Some(row) = row else { return Ok(HeldRole::nothing(id.into())) };
        Ok(HeldRole {
            id: id.into(),
            permissions: permissions_read(&row.permissions)?,
            with_approval: permissions_read(&row.with_approval)?,
        })
    }

    /// A staff user with what their role gives.
    pub(crate) async fn held(&self, row: staff::Model) -> Result<StaffRow> {
        let mut found = staff_read(row)?;
        if let Some(held) = &mut found.custom_role {
            *held = self.role_held(held.id.0).await?;
        }
        Ok(found)
    }

    /// The same for many.
    pub(crate) async fn all_held(&self, rows: Vec<staff::Model>) -> Result<Vec<StaffRow>> {
        let mut found = rows.into_iter().map(staff_read).collect::<Result<Vec<_>>>()?;
        if found.iter().all(|row| row.custom_role.is_none()) {
            return Ok(found);
        }
        let roles: BTreeMap<CustomRoleId, CustomRole> =
            self.custom_role_list().await?.into_iter().map(|role| (role.id, role)).collect();
        for held in found.iter_mut().filter_map(|row| row.custom_role.as_mut()) {
            *held = roles.get(&held.id).map_or_else(|| HeldRole::nothing(held.id), HeldRole::of);
        }
        Ok(found)
    }
}
