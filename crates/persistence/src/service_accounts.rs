//! Machines that act for the organisation itself: accounts, and their secrets, of which only the SHA-256 is stored.

use std::collections::BTreeSet;

use domain::{
    ClientId, ClientScope, Error, KeyScope, Permission, Permissions, Result, Role, ServiceAccountId,
    ServiceAccountSecretId, StaffId, Timestamp, name_key,
};
use sea_orm::{ActiveModelTrait, ActiveValue, ColumnTrait, Condition, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    HeldRole, Tx,
    access::{clients_read, clients_text, permissions_read, permissions_text},
    entity::{access_token as token, service_account as table, service_account_secret as secret},
    error::{OrDomain, known},
    journalled::Journalled,
};

/// A service account as it is stored.
#[derive(Clone, Debug)]
pub struct ServiceAccountRow {
    /// Id.
    pub id: ServiceAccountId,
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Role; that of a viewer where it has one of the organisation's own, which is what counts then.
    pub role: Role,
    /// The role of the organisation's own that it has instead.
    pub custom_role: Option<HeldRole>,
    /// How much of its role's rights it carries.
    pub key_scope: KeyScope,
    /// The only permissions it carries, as far as its role has them; none means all within its scope.
    pub permissions: Option<BTreeSet<Permission>>,
    /// Clients it is limited to; none means all.
    pub allow_clients: Option<BTreeSet<ClientId>>,
    /// Minutes that a token lives.
    pub token_minutes: i32,
    /// Requests that it may make in a minute.
    pub requests_per_minute: i32,
    /// Ends; none for never.
    pub expires_at: Option<Timestamp>,
    /// Since when it is refused.
    pub disabled_at: Option<Timestamp>,
    /// Last used; kept to the minute.
    pub used_at: Option<Timestamp>,
    /// Made.
    pub created_at: Timestamp,
    /// By whom; none for an operator.
    pub created_by: Option<StaffId>,
    /// Changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

impl ServiceAccountRow {
    /// What it may do.
    pub fn rights(&self) -> Permissions {
        let whole = match &self.custom_role {
            Some(held) => held.rights(),
            None => Permissions::of(self.role),
        };
        let carried = whole.through(self.key_scope);
        match &self.permissions {
            Some(named) => carried.limited_to(named),
            None => carried,
        }
    }

    /// Where its rights hold.
    pub fn scope(&self) -> ClientScope {
        ClientScope::of(self.allow_clients.clone(), BTreeSet::new())
    }

    /// Whether it is let in at an instant.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.disabled_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A secret as it is stored.
#[derive(Clone, Debug)]
pub struct ServiceAccountSecretRow {
    /// Id.
    pub id: ServiceAccountSecretId,
    /// Whose.
    pub account: ServiceAccountId,
    /// Beginning and end, to recognise it by.
    pub hint: String,
    /// SHA-256.
    pub secret_hash: Vec<u8>,
    /// Made.
    pub created_at: Timestamp,
    /// By whom; none for an operator.
    pub created_by: Option<StaffId>,
    /// Ends; none for never.
    pub expires_at: Option<Timestamp>,
    /// When a token was last got with it; kept to the minute.
    pub used_at: Option<Timestamp>,
}

impl Journalled for table::Entity {
    const KIND: &'static str = "service_account";
    const WHAT: &'static str = "service account";

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
    fn client_of(_: &table::Model) -> Option<ClientId> {
        None
    }
    fn view(row: &table::Model) -> Result<Value> {
        Ok(json!({
            "id": row.id, "name": row.name, "description": row.description, "role": row.role,
            "custom_role_id": row.custom_role_id, "scope": row.key_scope, "permissions": row.permissions,
            "allow_clients": row.allow_clients, "token_minutes": row.token_minutes,
            "requests_per_minute": row.requests_per_minute, "expires_at": row.expires_at,
            "disabled_at": row.disabled_at, "version": row.version,
        }))
    }
    fn settle(row: &mut table::ActiveModel) {
        row.used_at = ActiveValue::NotSet;
    }
}

impl Journalled for secret::Entity {
    const KIND: &'static str = "service_account_secret";
    const WHAT: &'static str = "secret";

    fn id(row: &secret::Model) -> Uuid {
        row.id
    }
    fn id_column() -> secret::Column {
        secret::Column::Id
    }
    fn version_column() -> Option<secret::Column> {
        None
    }
    fn version(_: &secret::Model) -> i32 {
        1
    }
    fn client_of(_: &secret::Model) -> Option<ClientId> {
        None
    }
    fn view(row: &secret::Model) -> Result<Value> {
        Ok(json!({
            "id": row.id, "service_account_id": row.service_account_id, "hint": row.hint,
            "expires_at": row.expires_at,
        }))
    }
    fn settle(row: &mut secret::ActiveModel) {
        row.used_at = ActiveValue::NotSet;
    }
}

fn write(tx: &Tx, row: &ServiceAccountRow) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: row.id.0,
        name: row.name.clone(),
        name_key: name_key(&row.name),
        description: row.description.clone(),
        role: row.role.as_str().to_owned(),
        custom_role_id: row.custom_role.as_ref().map(|held| held.id.0),
        key_scope: row.key_scope.as_str().to_owned(),
        permissions: row.permissions.as_ref().map(permissions_text),
        allow_clients: row.allow_clients.as_ref().map(clients_text),
        token_minutes: row.token_minutes,
        requests_per_minute: row.requests_per_minute,
        expires_at: row.expires_at,
        disabled_at: row.disabled_at,
        used_at: row.used_at,
        created_at: row.created_at,
        created_by: row.created_by.map(|staff| staff.0),
        updated_at: row.updated_at,
        version: row.version,
    }
}

fn secret_read(row: secret::Model) -> ServiceAccountSecretRow {
    ServiceAccountSecretRow {
        id: row.id.into(),
        account: row.service_account_id.into(),
        hint: row.hint,
        secret_hash: row.secret_hash,
        created_at: row.created_at,
        created_by: row.created_by.map(StaffId),
        expires_at: row.expires_at,
        used_at: row.used_at,
    }
}

fn secret_write(tx: &Tx, row: &ServiceAccountSecretRow) -> secret::Model {
    secret::Model {
        organisation_id: tx.organisation().0,
        id: row.id.0,
        service_account_id: row.account.0,
        hint: row.hint.clone(),
        secret_hash: row.secret_hash.clone(),
        created_at: row.created_at,
        created_by: row.created_by.map(|staff| staff.0),
        expires_at: row.expires_at,
        used_at: row.used_at,
    }
}

impl Tx {
    async fn account_read(&self, row: table::Model) -> Result<ServiceAccountRow> {
        let custom_role = match row.custom_role_id {
            Some(id) => Some(self.role_held(id).await?),
            None => None,
        };
        Ok(ServiceAccountRow {
            id: row.id.into(),
            name: row.name,
            description: row.description,
            role: known(Role::parse(&row.role), "service_account.role")?,
            custom_role,
            key_scope: known(KeyScope::parse(&row.key_scope), "service_account.key_scope")?,
            permissions: row.permissions.as_deref().map(permissions_read).transpose()?,
            allow_clients: row.allow_clients.as_deref().map(clients_read).transpose()?,
            token_minutes: row.token_minutes,
            requests_per_minute: row.requests_per_minute,
            expires_at: row.expires_at,
            disabled_at: row.disabled_at,
            used_at: row.used_at,
            created_at: row.created_at,
            created_by: row.created_by.map(StaffId),
            updated_at: row.updated_at,
            version: row.version,
        })
    }

    /// Service accounts by name.
    pub async fn service_account_list(&self) -> Result<Vec<ServiceAccountRow>> {
        let rows =
            self.find::<table::Entity>().order_by_asc(table::Column::NameKey).all(self.db()).await.or_domain()?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            found.push(self.account_read(row).await?);
        }
        Ok(found)
    }

    /// How many there are.
    pub async fn service_account_count(&self) -> Result<u64> {
        self.find::<table::Entity>().count(self.db()).await.or_domain()
    }

    /// A service account. In a transaction that writes, it is locked.
    pub async fn service_account(&self, id: ServiceAccountId) -> Result<ServiceAccountRow> {
        use sea_orm::QuerySelect;

        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let row = select.one(self.db()).await.or_domain()?;
        self.account_read(row.ok_or(Error::NotFound { what: "service account" })?).await
    }

    /// Makes a service account. A name that there is already is a conflict.
    pub async fn service_account_insert(&self, row: &ServiceAccountRow) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, row)).await
    }

    /// Changes a service account that was read before.
    pub async fn service_account_update(
        &self,
        before: &ServiceAccountRow,
        mut after: ServiceAccountRow,
    ) -> Result<ServiceAccountRow> {
        after.version = before.version + 1;
        after.updated_at = self.now();
        let (old, new) = (write(self, before), write(self, &after));
        Ok(if self.update_row::<table::Entity>(&old, new).await? { after } else { before.clone() })
    }

    /// Deletes a service account, with its secrets and tokens.
    pub async fn service_account_delete(&self, row: &ServiceAccountRow) -> Result<()> {
        for secret in self.service_account_secrets(row.id).await? {
            self.service_account_secret_delete(&secret).await?;
        }
        self.delete_row::<table::Entity>(&write(self, row)).await
    }

    /// Notes that a service account was used.
    pub async fn service_account_used(&self, id: ServiceAccountId) -> Result<()> {
        let row = table::ActiveModel { used_at: ActiveValue::Set(Some(self.now())), ..ActiveModelTrait::default() };
        let own = Condition::all().add(table::Column::Id.eq(id.0));
        self.update_row_where::<table::Entity>(row, own).await.map(drop)
    }

    /// An account's secrets, the oldest first.
    pub async fn service_account_secrets(&self, account: ServiceAccountId) -> Result<Vec<ServiceAccountSecretRow>> {
        let select = self.find::<secret::Entity>().filter(secret::Column::ServiceAccountId.eq(account.0));
        let rows = select.order_by_asc(secret::Column::CreatedAt).order_by_asc(secret::Column::Id);
        Ok(rows.all(self.db()).await.or_domain()?.into_iter().map(secret_read).collect())
    }

    /// The secret of a hash, if it is this account's.
    pub async fn service_account_secret_by_hash(
        &self,
        account: ServiceAccountId,
        hash: &[u8],
    ) -> Result<Option<ServiceAccountSecretRow>> {
        let select = self.find::<secret::Entity>().filter(secret::Column::SecretHash.eq(hash.to_vec()));
        let row = select.filter(secret::Column::ServiceAccountId.eq(account.0)).one(self.db()).await.or_domain()?;
        Ok(row.map(secret_read))
    }

    /// Makes a secret.
    pub async fn service_account_secret_insert(&self, row: &ServiceAccountSecretRow) -> Result<()> {
        self.insert_row::<secret::Entity>(secret_write(self, row)).await
    }

    /// Deletes a secret, and every token that was got with it.
    pub async fn service_account_secret_delete(&self, row: &ServiceAccountSecretRow) -> Result<()> {
        let tokens = self.delete_many::<token::Entity>().filter(token::Column::SecretId.eq(row.id.0));
        tokens.exec(self.db()).await.or_domain()?;
        self.delete_row::<secret::Entity>(&secret_write(self, row)).await
    }

    /// Notes that a token was got with a secret.
    pub async fn service_account_secret_used(&self, id: ServiceAccountSecretId) -> Result<()> {
        let row = secret::ActiveModel { used_at: ActiveValue::Set(Some(self.now())), ..ActiveModelTrait::default() };
        let own = Condition::all().add(secret::Column::Id.eq(id.0));
        self.update_row_where::<secret::Entity>(row, own).await.map(drop)
    }
}
