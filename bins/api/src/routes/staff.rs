//! The team.

use std::collections::BTreeSet;

use access::{NewStaff, StaffPatch};
use chrono::{DateTime, Utc};
use domain::{ClientId, Permission, Role, StaffId};
use persistence::StaffRow;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::Chapter;
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, if_match},
    problem::Failure,
    write::{Asked, Begun},
};

/// A staff user's role
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum StaffRole {
    /// Everything, owners included
    Owner,
    /// Everything but owners
    Admin,
    /// Clients, devices, mappings, syncs
    Engineer,
    /// Looking only
    Viewer,
    /// Billing vendors and subscriptions
    Finance,
    /// The Customers page: customers, what is shared with them, their users
    MspAdmin,
}

impl From<Role> for StaffRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Admin => Self::Admin,
            Role::Engineer => Self::Engineer,
            Role::Viewer => Self::Viewer,
            Role::Finance => Self::Finance,
            Role::MspAdmin => Self::MspAdmin,
        }
    }
}

impl From<StaffRole> for Role {
    fn from(role: StaffRole) -> Self {
        match role {
            StaffRole::Owner => Self::Owner,
            StaffRole::Admin => Self::Admin,
            StaffRole::Engineer => Self::Engineer,
            StaffRole::Viewer => Self::Viewer,
            StaffRole::Finance => Self::Finance,
            StaffRole::MspAdmin => Self::MspAdmin,
        }
    }
}

/// Someone of the MSP.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct StaffUser {
    /// Id
    pub id: Uuid,
    /// Name
    pub name: String,
    /// E-mail
    pub email: String,
    pub role: StaffRole,
    /// The role of the organisation's own that it has instead, and that counts then
    pub custom_role_id: Option<Uuid>,
    /// Clients it may see; absent means all
    pub allow_clients: Option<Vec<Uuid>>,
    /// Clients it may not see; beats the former
    pub deny_clients: Vec<Uuid>,
    /// Since when sign-in is refused
    pub suspended_at: Option<DateTime<Utc>>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// The team.
#[derive(Debug, Clone, Object)]
pub struct Team {
    /// By name
    pub items: Vec<StaffUser>,
}

/// What it takes to add someone to the team.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct StaffCreate {
    /// Name
    pub name: String,
    /// E-mail
    pub email: String,
    /// First password, 12 to 256 characters
    pub password: String,
    pub role: StaffRole,
    /// Clients it may see; all when left out
    pub allow_clients: Option<Vec<Uuid>>,
    /// Clients it may not see
    pub deny_clients: Option<Vec<Uuid>>,
}

/// What to change about a staff user; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct StaffUpdate {
    /// New name
    pub name: Option<String>,
    pub role: Option<StaffRole>,
    /// New list of clients it may see
    pub allow_clients: Option<Vec<Uuid>>,
    /// Let it see every client again, but those denied
    pub allow_all_clients: Option<bool>,
    /// New list of clients it may not see
    pub deny_clients: Option<Vec<Uuid>>,
    /// Refuse sign-in and end all sessions, or let in again
    pub suspended: Option<bool>,
}

/// The team.
pub struct Staff;

#[OpenApi(prefix_path = "/api/staff", tag = "Chapter::Staff")]
impl Staff {
    /// The team
    #[oai(path = "/", method = "get", operation_id = "staff_list")]
    async fn staff_list(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<Team>, Failure> {
        let tx = app.read(caller, Permission::TeamManage).await?;
        let rows = access::staff_list(&tx).await?;
        Ok(Answer::new(Team { items: rows.into_iter().map(view).collect() }))
    }

    /// Add someone to the team
    #[oai(path = "/", method = "post", operation_id = "staff_create")]
    async fn staff_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<StaffCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<StaffUser>>, Failure> {
        let context = app.proven(caller, "staff_create", dry_run.0.unwrap_or(false)).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: None, key: key.0 };
        let body = body.0;
        // The password takes no part in telling requests apart: it is not kept, not even as a hash.
        let request = (&body.name, &body.email, body.role, &body.allow_clients, &body.deny_clients);
        app.permit(&context, Permission::TeamManage, "staff_create").await?;
        let new = NewStaff {
            name: body.name.clone(),
            email: body.email.clone(),
            password: Some(body.password.clone().into()),
            role: body.role.into(),
            allow_clients: body.allow_clients.clone().map(ids),
            deny_clients: ids(body.deny_clients.clone().unwrap_or_default()),
        };
        let checked = new.check(&app.gate).await?;
        let begun = app.begin(&context, Permission::TeamManage, "staff_create", asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = access::staff_create(&write.tx, checked).await?;
        Ok(Answer::new(write.finish(Some(view(row)), Vec::new()).await?))
    }

    /// Change a staff user's name, role or clients, suspend or let in again
    #[oai(path = "/:staff_id", method = "patch", operation_id = "staff_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn staff_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        staff_id: Path<Uuid>,
        body: Json<StaffUpdate>,
        /// ETag of the staff user as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
    ) -> Result<Answer<Written<StaffUser>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, ..Asked::default() };
        let body = body.0;
        // Another name takes nothing from anybody.
        let rights = body.role.is_some() || body.suspended.is_some() || body.allow_all_clients.is_some();
        let rights = rights || body.allow_clients.is_some() || body.deny_clients.is_some();
        let context = app.proven(caller, "staff_update", !rights || asked.is_dry_run()).await?;
        let begun = app.begin(&context, Permission::TeamManage, "staff_update", asked, &(staff_id.0, &body)).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let allow_clients = match (body.allow_clients, body.allow_all_clients.unwrap_or(false)) {
            (Some(_), true) => {
                return Err(domain::Error::invalid("/allow_all_clients", "one_of", "contradicts allow_clients").into());
            }
            (Some(clients), false) => Some(Some(ids(clients))),
            (None, true) => Some(None),
            (None, false) => None,
        };
        let patch = StaffPatch {
            name: body.name,
            role: body.role.map(Into::into),
            allow_clients,
            deny_clients: body.deny_clients.map(ids),
            suspended: body.suspended,
            version: if_match(version.0.as_deref())?,
        };
        let row = access::staff_update(&write.tx, StaffId(staff_id.0), patch).await?;
        let version = row.version;
        Ok(Answer::versioned(write.finish(Some(view(row)), Vec::new()).await?, version))
    }
}

pub(super) fn ids(clients: Vec<Uuid>) -> BTreeSet<ClientId> {
    clients.into_iter().map(ClientId).collect()
}

pub(super) fn view(row: StaffRow) -> StaffUser {
    StaffUser {
        id: row.id.0,
        name: row.name,
        email: row.email,
        role: row.role.into(),
        custom_role_id: row.custom_role.map(|held| held.id.0),
        allow_clients: row.allow_clients.map(|clients| clients.into_iter().map(|client| client.0).collect()),
        deny_clients: row.deny_clients.into_iter().map(|client| client.0).collect(),
        suspended_at: row.suspended_at,
        created_at: row.created_at,
        version: row.version,
    }
}
