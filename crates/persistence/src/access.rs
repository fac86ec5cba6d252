//! The organisation, its staff, their sessions and API keys.

use std::collections::BTreeSet;

use domain::{
    ApiKeyId, ClientId, ClientScope, CustomRole, CustomRoleId, Error, KeyScope, OrganisationId, Permission,
    Permissions, Result, Role, SessionId, StaffId, Timestamp,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    sea_query::LockType,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    Tx,
    entity::{api_key, journal_head, organisation, session, staff},
    error::{OrDomain, known},
    journal::head_seal,
    journalled::Journalled,
};

/// A role of the organisation's own as someone holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRole {
    /// Which.
    pub id: CustomRoleId,
    /// What it gives, as it is now. Nothing, where only the account was looked up.
    pub permissions: BTreeSet<Permission>,
    /// What it gives with approval only; nothing likewise.
    pub with_approval: BTreeSet<Permission>,
}

impl HeldRole {
    /// A role as it is held now.
    pub fn of(role: &CustomRole) -> Self {
        Self { id: role.id, permissions: role.permissions.clone(), with_approval: role.with_approval.clone() }
    }

    /// A role that gives nothing, or of which nothing else was read.
    pub(crate) fn nothing(id: CustomRoleId) -> Self {
        Self { id, permissions: BTreeSet::new(), with_approval: BTreeSet::new() }
    }

    /// Its rights.
    pub fn rights(&self) -> Permissions {
        Permissions::of_custom(&self.permissions).with_approval(&self.with_approval)
    }
}

/// A staff user as it is stored.
#[derive(Clone, Debug)]
pub struct StaffRow {
    /// Organisation.
    pub organisation: OrganisationId,
    /// Id.
    pub id: StaffId,
    /// E-mail as typed.
    pub email: String,
    /// Name.
    pub name: String,
    /// Role; that of a viewer where they hold one of the organisation's own, which is what counts then.
    pub role: Role,
    /// The role of the organisation's own that they hold instead.
    pub custom_role: Option<HeldRole>,
    /// Argon2id hash in PHC form; none until a password is set.
    pub password_hash: Option<String>,
    /// Clients it may see; none means all.
    pub allow_clients: Option<BTreeSet<ClientId>>,
    /// Clients it may not see; beats the former.
    pub deny_clients: BTreeSet<ClientId>,
    /// Since when sign-in is refused.
    pub suspended_at: Option<Timestamp>,
    /// Since when they belong to the team no more; the row stays for the journal's sake, and sign-in is refused.
    pub removed_at: Option<Timestamp>,
    /// Made.
    pub created_at: Timestamp,
    /// Changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

impl StaffRow {
    /// What it may do.
    pub fn rights(&self) -> Permissions {
        match &self.custom_role {
            Some(held) => held.rights(),
            None => Permissions::of(self.role),
        }
    }

    /// Where its rights hold.
    pub fn scope(&self) -> ClientScope {
        ClientScope::of(self.allow_clients.clone(), self.deny_clients.clone())
    }
}

/// A session as it is stored; of its token only the hash.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// Id.
    pub id: SessionId,
    /// Whose.
    pub staff_id: StaffId,
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// Browser.
    pub user_agent: Option<String>,
    /// Address.
    pub address: Option<String>,
    /// Made.
    pub created_at: Timestamp,
    /// Last used; kept to the minute.
    pub seen_at: Timestamp,
    /// Ends at the latest.
    pub expires_at: Timestamp,
    /// When its owner last showed a password or a factor.
    pub proved_at: Timestamp,
    /// Whether it is only for enrolling a second factor.
    pub enrolment: bool,
    /// Minutes after which it ends unused, as the organisation set them; none for the installation's.
    pub idle_minutes: Option<i32>,
}

/// An API key as it is stored; of its token only the hash.
#[derive(Clone, Debug)]
pub struct ApiKeyRow {
    /// Id.
    pub id: ApiKeyId,
    /// Whose.
    pub staff_id: StaffId,
    /// Name given by its owner.
    pub name: String,
    /// Prefix and last characters of the token, to recognise it.
    pub hint: String,
    /// SHA-256 of the token.
    pub token_hash: Vec<u8>,
    /// How much of its owner's rights it carries.
    pub key_scope: KeyScope,
    /// Clients it is limited to; none means its owner's.
    pub allow_clients: Option<BTreeSet<ClientId>>,
    /// Made.
    pub created_at: Timestamp,
    /// Ends.
    pub expires_at: Timestamp,
    /// Revoked.
    pub revoked_at: Option<Timestamp>,
    /// Last used; kept to the minute.
    pub used_at: Option<Timestamp>,
    /// Goes up by one with each change.
    pub version: i32,
    /// Requests that it may make in a minute; none for keys that were made before there was a limit.
    pub requests_per_minute: Option<i32>,
    /// The only permissions that it carries, as far as its owner has them; none means all within its scope.
    pub permissions: Option<BTreeSet<Permission>>,
}

pub(crate) fn clients_text(set: &BTreeSet<ClientId>) -> String {
    serde_json::to_string(set).unwrap_or_default()
}

pub(crate) fn permissions_text(set: &BTreeSet<Permission>) -> String {
    let names: Vec<&str> = set.iter().map(|permission| permission.as_str()).collect();
    serde_json::to_string(&names).unwrap_or_default()
}

/// A permission that there is no more is carried no more.
pub(crate) fn permissions_read(text: &str) -> Result<BTreeSet<Permission>> {
    let names: Vec<String> = serde_json::from_str(text).map_err(Error::internal)?;
    Ok(names.iter().filter_map(|name| Permission::parse(name)).collect())
}

pub(crate) fn clients_read(text: &str) -> Result<BTreeSet<ClientId>> {
    serde_json::from_str(text).map_err(Error::internal)
}

/// The form of an address by which people are found.
pub(crate) fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Of a role of the organisation's own only its id: [`Tx::held`] adds what it gives. Without that it gives nothing.
pub(crate) fn staff_read(row: staff::Model) -> Result<StaffRow> {
    Ok(StaffRow {
        organisation: row.organisation_id.into(),
        id: row.id.into(),
        email: row.email,
        name: row.name,
        role: known(Role::parse(&row.role), "staff.role")?,
        custom_role: row.custom_role_id.map(|id| HeldRole::nothing(id.into())),
        password_hash: row.password_hash,
        allow_clients: row.allow_clients.as_deref().map(clients_read).transpose()?,
        deny_clients: clients_read(&row.deny_clients)?,
        suspended_at: row.suspended_at,
        removed_at: row.removed_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn staff_write(organisation: OrganisationId, row: &StaffRow) -> staff::Model {
    staff::Model {
        organisation_id: organisation.0,
        id: row.id.0,
        email: row.email.clone(),
        // Someone removed leaves their address to others.
        email_key: row.removed_at.map_or_else(|| email_key(&row.email), |_| format!("removed:{}", row.id)),
        name: row.name.clone(),
        role: row.role.as_str().to_owned(),
        custom_role_id: row.custom_role.as_ref().map(|held| held.id.0),
        password_hash: row.password_hash.clone(),
        allow_clients: row.allow_clients.as_ref().map(clients_text),
        deny_clients: clients_text(&row.deny_clients),
        suspended_at: row.suspended_at,
        removed_at: row.removed_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}

impl Journalled for staff::Entity {
    const KIND: &'static str = "staff";
    const WHAT: &'static str = "staff user";

    fn id(row: &staff::Model) -> Uuid {
        row.id
    }
    fn id_column() -> staff::Column {
        staff::Column::Id
    }
    fn version_column() -> Option<staff::Column> {
        Some(staff::Column::Version)
    }
    fn version(row: &staff::Model) -> i32 {
        row.version
    }
    fn client_of(_: &staff::Model) -> Option<ClientId> {
        None
    }
    fn view(row: &staff::Model) -> Result<Value> {
        // Of the password only a trace that tells one from another, so that a change shows.
        let password = row.password_hash.as_deref().map(|hash| format!("set ({})", trace(hash)));
        Ok(json!({
            "id": row.id, "email": row.email, "name": row.name, "role": row.role,
            "custom_role_id": row.custom_role_id, "password": password,
            "allow_clients": row.allow_clients, "deny_clients": row.deny_clients,
            "suspended_at": row.suspended_at, "removed_at": row.removed_at, "version": row.version,
        }))
    }
}

/// A mark of a salted hash: it changes with it, and tells nothing of the password. Wide enough that
/// two never meet by accident: a change with the same mark would not be written.
pub(crate) fn trace(hash: &str) -> String {
    hex::encode(&Sha256::digest(hash.as_bytes())[..8])
}

impl Journalled for api_key::Entity {
    const KIND: &'static str = "api_key";
    const WHAT: &'static str = "API key";

    fn id(row: &api_key::Model) -> Uuid {
        row.id
    }
    fn id_column() -> api_key::Column {
        api_key::Column::Id
    }
    fn version_column() -> Option<api_key::Column> {
        Some(api_key::Column::Version)
    }
    fn version(row: &api_key::Model) -> i32 {
        row.version
    }
    fn client_of(_: &api_key::Model) -> Option<ClientId> {
        None
    }
    fn view(row: &api_key::Model) -> Result<Value> {
        Ok(json!({
            "id": row.id, "staff_id": row.staff_id, "name": row.name, "hint": row.hint, "scope": row.key_scope,
            "allow_clients": row.allow_clients, "expires_at": row.expires_at, "revoked_at": row.revoked_at,
            "requests_per_minute": row.requests_per_minute, "permissions": row.permissions, "version": row.version,
        }))
    }
    fn settle(row: &mut api_key::ActiveModel) {
        row.used_at = ActiveValue::NotSet;
    }
}

fn key_read(row: api_key::Model) -> Result<ApiKeyRow> {
    Ok(ApiKeyRow {
        id: row.id.into(),
        staff_id: row.staff_id.into(),
        name: row.name,
        hint: row.hint,
        token_hash: row.token_hash,
        key_scope: known(KeyScope::parse(&row.key_scope), "api_key.key_scope")?,
        allow_clients: row.allow_clients.as_deref().map(clients_read).transpose()?,
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        used_at: row.used_at,
        version: row.version,
        requests_per_minute: row.requests_per_minute,
        permissions: row.permissions.as_deref().map(permissions_read).transpose()?,
    })
}

fn key_write(organisation: OrganisationId, row: &ApiKeyRow) -> api_key::Model {
    api_key::Model {
        organisation_id: organisation.0,
        id: row.id.0,
        staff_id: row.staff_id.0,
        name: row.name.clone(),
        hint: row.hint.clone(),
        token_hash: row.token_hash.clone(),
        key_scope: row.key_scope.as_str().to_owned(),
        allow_clients: row.allow_clients.as_ref().map(clients_text),
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        used_at: row.used_at,
        version: row.version,
        requests_per_minute: row.requests_per_minute,
        permissions: row.permissions.as_ref().map(permissions_text),
    }
}

fn session_read(row: session::Model) -> SessionRow {
    SessionRow {
        id: row.id.into(),
        staff_id: row.staff_id.into(),
        token_hash: row.token_hash,
        user_agent: row.user_agent,
        address: row.address,
        created_at: row.created_at,
        seen_at: row.seen_at,
        expires_at: row.expires_at,
        proved_at: row.proved_at.unwrap_or(row.created_at),
        enrolment: row.enrolment,
        idle_minutes: row.idle_minutes,
    }
}

impl Tx {
    /// Makes the organisation that this transaction is for, with an empty journal.
    pub async fn organisation_insert(&self, name: &str, slug: &str) -> Result<()> {
        let organisation = self.organisation();
        let row = organisation::Model {
            organisation_id: organisation.0,
            name: name.to_owned(),
            slug: slug.to_owned(),
            journal_key: self.store().new_journal_key(organisation)?,
            created_at: self.now(),
        };
        self.insert_many::<organisation::Entity>(vec![row], &[], &[]).await?;
        let key = self.store().journal_key(self).await?;
        let head = journal_head::Model {
            organisation_id: organisation.0,
            seq: 0,
            hash: Vec::new(),
            seal: head_seal(&key, organisation.0, 0, &[]),
            clients_active: 0,
            clients_inactive: 0,
        };
        self.insert_many::<journal_head::Entity>(vec![head], &[], &[]).await
    }

    pub(crate) async fn organisation_row(&self) -> Result<organisation::Model> {
        let row = self.find::<organisation::Entity>().one(self.db()).await.or_domain()?;
        row.ok_or(Error::NotFound { what: "organisation" })
    }

    /// Seals the journal key anew if an old key sealed it; returns how many that were.
    pub async fn organisation_reseal(&self) -> Result<usize> {
        let row = self.organisation_row().await?;
        let Some(sealed) = self.store().journal_key_resealed(self.organisation(), &row.journal_key)? else {
            return Ok(0);
        };
        let update = organisation::ActiveModel { journal_key: ActiveValue::Set(sealed), ..ActiveModelTrait::default() };
        self.update_row_where::<organisation::Entity>(update, Condition::all()).await?;
        Ok(1)
    }

    /// Name and slug of the organisation.
    pub async fn organisation_name(&self) -> Result<(String, String)> {
        let row = self.organisation_row().await?;
        Ok((row.name, row.slug))
    }

    /// Lets changes of the team, and sign-ins to it, happen one after another: rules over several
    /// rows ("there is always an owner") hold only so. Call it before reading the rows.
    pub async fn team_lock(&self) -> Result<()> {
        let select = self.find::<organisation::Entity>().lock(LockType::NoKeyUpdate);
        select.one(self.db()).await.or_domain()?.map(drop).ok_or(Error::NotFound { what: "organisation" })
    }

    /// A staff user.
    pub async fn staff(&self, id: StaffId) -> Result<StaffRow> {
        let row = self.find::<staff::Entity>().filter(staff::Column::Id.eq(id.0)).one(self.db()).await.or_domain()?;
        self.held(row.ok_or(Error::NotFound { what: "staff user" })?).await
    }

    /// The team by name, without those who were removed.
    pub async fn staff_list(&self) -> Result<Vec<StaffRow>> {
        let rows = self
            .find::<staff::Entity>()
            .filter(staff::Column::RemovedAt.is_null())
            .order_by_asc(staff::Column::Name)
            .order_by_asc(staff::Column::Id)
            .all(self.db())
            .await
            .or_domain()?;
        self.all_held(rows).await
    }

    /// Makes a staff user. An address that the team has already is a conflict.
    pub async fn staff_insert(&self, row: &StaffRow) -> Result<()> {
        self.insert_row::<staff::Entity>(staff_write(self.organisation(), row)).await
    }

    /// Changes a staff user that was read before.
    pub async fn staff_update(&self, before: &StaffRow, mut after: StaffRow) -> Result<StaffRow> {
        after.version = before.version + 1;
        after.updated_at = self.now();
        let organisation = self.organisation();
        let (old, new) = (staff_write(organisation, before), staff_write(organisation, &after));
        Ok(if self.update_row::<staff::Entity>(&old, new).await? { after } else { before.clone() })
    }

    /// Makes a session. Not journalled by itself: the sign-in is.
    pub async fn session_insert(&self, row: &SessionRow) -> Result<()> {
        let row = session::Model {
            organisation_id: self.organisation().0,
            id: row.id.0,
            staff_id: row.staff_id.0,
            token_hash: row.token_hash.clone(),
            user_agent: row.user_agent.clone(),
            address: row.address.clone(),
            created_at: row.created_at,
            seen_at: row.seen_at,
            expires_at: row.expires_at,
            proved_at: Some(row.proved_at),
            enrolment: row.enrolment,
            idle_minutes: row.idle_minutes,
        };
        self.insert_many::<session::Entity>(vec![row], &[], &[]).await
    }

    /// The session of a token's hash, with its staff user.
    pub async fn session_by_token(&self, token_hash: &[u8]) -> Result<Option<(SessionRow, StaffRow)>> {
        let owner = session::Entity::belongs_to(staff::Entity)
            .from((session::Column::OrganisationId, session::Column::StaffId))
            .to((staff::Column::OrganisationId, staff::Column::Id));
        let found = self
            .find::<session::Entity>()
            .filter(session::Column::TokenHash.eq(token_hash.to_vec()))
            .join(JoinType::InnerJoin, owner.into())
            .select_also(staff::Entity)
            .one(self.db())
            .await
            .or_domain()?;
        let Some((found, Some(owner))) = found else { return Ok(None) };
        Ok(Some((session_read(found), self.held(owner).await?)))
    }

    /// A staff user's sessions, the newest first.
    pub async fn session_list(&self, staff: StaffId) -> Result<Vec<SessionRow>> {
        let rows = self
            .find::<session::Entity>()
            .filter(session::Column::StaffId.eq(staff.0))
            .order_by_desc(session::Column::SeenAt)
            .limit(100)
            .all(self.db())
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(session_read).collect())
    }

    /// Notes that a session was used.
    pub async fn session_seen(&self, id: SessionId) -> Result<()> {
        let row = session::ActiveModel { seen_at: ActiveValue::Set(self.now()), ..ActiveModelTrait::default() };
        self.update_row_where::<session::Entity>(row, Condition::all().add(session::Column::Id.eq(id.0)))
            .await
            .map(drop)
    }

    /// Notes that a session's owner has just shown a password or a factor; with `whole`, it is no longer only for
    /// enrolling.
    pub async fn session_proved(&self, id: SessionId, whole: bool) -> Result<()> {
        let row = session::ActiveModel {
            proved_at: ActiveValue::Set(Some(self.now())),
            enrolment: if whole { ActiveValue::Set(false) } else { ActiveValue::NotSet },
            ..ActiveModelTrait::default()
        };
        self.update_row_where::<session::Entity>(row, Condition::all().add(session::Column::Id.eq(id.0)))
            .await
            .map(drop)
    }

    /// Ends a session; returns whether there was one.
    pub async fn session_delete(&self, id: SessionId) -> Result<bool> {
        self.require_writable()?;
        let delete = self.delete_many::<session::Entity>().filter(session::Column::Id.eq(id.0));
        Ok(delete.exec(self.db()).await.or_domain()?.rows_affected > 0)
    }

    /// Ends all sessions of a staff user but one.
    pub async fn sessions_delete(&self, staff: StaffId, but: Option<SessionId>) -> Result<u64> {
        self.require_writable()?;
        let mut delete = self.delete_many::<session::Entity>().filter(session::Column::StaffId.eq(staff.0));
        if let Some(keep) = but {
            delete = delete.filter(session::Column::Id.ne(keep.0));
        }
        Ok(delete.exec(self.db()).await.or_domain()?.rows_affected)
    }

    /// The API key of a token's hash, with its owner.
    pub async fn api_key_by_token(&self, token_hash: &[u8]) -> Result<Option<(ApiKeyRow, StaffRow)>> {
        let owner = api_key::Entity::belongs_to(staff::Entity)
            .from((api_key::Column::OrganisationId, api_key::Column::StaffId))
            .to((staff::Column::OrganisationId, staff::Column::Id));
        let found = self
            .find::<api_key::Entity>()
            .filter(api_key::Column::TokenHash.eq(token_hash.to_vec()))
            .join(JoinType::InnerJoin, owner.into())
            .select_also(staff::Entity)
            .one(self.db())
            .await
            .or_domain()?;
        let Some((found, Some(owner))) = found else { return Ok(None) };
        Ok(Some((key_read(found)?, self.held(owner).await?)))
    }

    /// A staff user's API keys by name, or everyone's.
    pub async fn api_key_list(&self, staff: Option<StaffId>) -> Result<Vec<ApiKeyRow>> {
        let mut select = self.find::<api_key::Entity>();
        if let Some(staff) = staff {
            select = select.filter(api_key::Column::StaffId.eq(staff.0));
        }
        let select = select.order_by_asc(api_key::Column::Name).order_by_asc(api_key::Column::Id);
        select.all(self.db()).await.or_domain()?.into_iter().map(key_read).collect()
    }

    /// An API key.
    pub async fn api_key(&self, id: ApiKeyId) -> Result<ApiKeyRow> {
        let row =
            self.find::<api_key::Entity>().filter(api_key::Column::Id.eq(id.0)).one(self.db()).await.or_domain()?;
        row.ok_or(Error::NotFound { what: "API key" }).and_then(key_read)
    }

    /// Makes an API key.
    pub async fn api_key_insert(&self, row: &ApiKeyRow) -> Result<()> {
        self.insert_row::<api_key::Entity>(key_write(self.organisation(), row)).await
    }

    /// Changes an API key that was read before.
    pub async fn api_key_update(&self, before: &ApiKeyRow, mut after: ApiKeyRow) -> Result<ApiKeyRow> {
        after.version = before.version + 1;
        let organisation = self.organisation();
        let (old, new) = (key_write(organisation, before), key_write(organisation, &after));
        Ok(if self.update_row::<api_key::Entity>(&old, new).await? { after } else { before.clone() })
    }

    /// Notes that an API key was used.
    pub async fn api_key_used(&self, id: ApiKeyId) -> Result<()> {
        let row = api_key::ActiveModel { used_at: ActiveValue::Set(Some(self.now())), ..ActiveModelTrait::default() };
        self.update_row_where::<api_key::Entity>(row, Condition::all().add(api_key::Column::Id.eq(id.0)))
            .await
            .map(drop)
    }
}
