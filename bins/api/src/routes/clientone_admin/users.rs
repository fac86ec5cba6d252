//! Accounts of ClientOne, across clients: role, activation, device assignments.

use std::collections::BTreeSet;

use access::{INVITATION_LASTS, PortalUserPatch};
use chrono::{DateTime, Utc};
use domain::{ClientId, DeviceId, Permission, PortalRole, PortalState, PortalUserId};
use persistence::{PortalUserFilter, PortalUserRow};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, if_match, page_request},
    problem::Failure,
    routes::Chapter,
    write::{Asked, Begun},
};

/// A portal user's role
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum PortalUserRole {
    /// Someone of a client
    User,
    /// Someone who sees all of their client, and looks after its users
    Manager,
}

impl From<PortalRole> for PortalUserRole {
    fn from(role: PortalRole) -> Self {
        match role {
            PortalRole::User => Self::User,
            PortalRole::Manager => Self::Manager,
        }
    }
}

impl From<PortalUserRole> for PortalRole {
    fn from(role: PortalUserRole) -> Self {
        match role {
            PortalUserRole::User => Self::User,
            PortalUserRole::Manager => Self::Manager,
        }
    }
}

/// Where an account stands
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum PortalUserState {
    /// Asked to come; nobody has yet
    Invited,
    /// May sign in
    Active,
    /// May not, and keeps everything
    Deactivated,
}

impl From<PortalState> for PortalUserState {
    fn from(state: PortalState) -> Self {
        match state {
            PortalState::Invited => Self::Invited,
            PortalState::Active => Self::Active,
            PortalState::Deactivated => Self::Deactivated,
        }
    }
}

impl From<PortalUserState> for PortalState {
    fn from(state: PortalUserState) -> Self {
        match state {
            PortalUserState::Invited => Self::Invited,
            PortalUserState::Active => Self::Active,
            PortalUserState::Deactivated => Self::Deactivated,
        }
    }
}

/// An account of ClientOne.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct PortalUser {
    /// Id
    pub id: Uuid,
    /// The client it belongs to
    pub client_id: Uuid,
    /// E-mail
    pub email: String,
    /// Name
    pub name: String,
    /// Telephone number
    pub phone: Option<String>,
    pub role: PortalUserRole,
    pub state: PortalUserState,
    /// Until when the invitation is good; only while invited
    pub invitation_expires_at: Option<DateTime<Utc>>,
    /// When the invitation was accepted
    pub accepted_at: Option<DateTime<Utc>>,
    /// Since when it is shut out
    pub deactivated_at: Option<DateTime<Utc>>,
    /// Last signed in
    pub signed_in_at: Option<DateTime<Utc>>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// What to change about an account; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct PortalUserUpdate {
    /// New name
    pub name: Option<String>,
    pub role: Option<PortalUserRole>,
}

/// A device that is assigned to someone.
#[derive(Debug, Clone, Object)]
pub struct AssignedDevice {
    /// Device
    pub id: Uuid,
    /// Its name
    pub name: String,
}

/// The devices that are to be assigned, and no others.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct DeviceAssignment {
    /// Devices of the account's client, at most 5,000
    pub device_ids: Vec<Uuid>,
}

/// Customer users.
pub struct PortalUsers;

#[OpenApi(prefix_path = "/api/clientone-admin/users", tag = "Chapter::ClientOne")]
impl PortalUsers {
    /// Accounts by e-mail, across clients or of one
    #[oai(path = "/", method = "get", operation_id = "portal_user_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_user_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only of this client
        client_id: Query<Option<Uuid>>,
        role: Query<Option<PortalUserRole>>,
        state: Query<Option<PortalUserState>>,
        /// Part of the e-mail or of the name
        search: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<PortalUser>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let filter = PortalUserFilter {
            client: client_id.0.map(ClientId),
            role: role.0.map(Into::into),
            state: state.0.map(Into::into),
            search: search.0,
        };
        Ok(Answer::page(tx.portal_user_list(&filter, &page).await?.map(view), uri))
    }

    /// One account
    #[oai(path = "/:portal_user_id", method = "get", operation_id = "portal_user_get")]
    async fn portal_user_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        portal_user_id: Path<Uuid>,
    ) -> Result<Answer<PortalUser>, Failure> {
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let row = access::portal_user_get(&tx, PortalUserId(portal_user_id.0)).await?;
        let version = row.version;
        Ok(Answer::versioned(view(row), version))
    }

    /// Change an account's name or role: the next request of its owner is judged by it
    #[oai(path = "/:portal_user_id", method = "patch", operation_id = "portal_user_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_user_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        portal_user_id: Path<Uuid>,
        body: Json<PortalUserUpdate>,
        /// ETag of the account as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<PortalUser>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (id, permission) = (PortalUserId(portal_user_id.0), Permission::ClientoneManage);
        let request = (id, &body.0);
        let write = match app.begin(&context, permission, "portal_user_update", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let patch = PortalUserPatch {
            name: body.0.name,
            role: body.0.role.map(Into::into),
            version: if_match(version.0.as_deref())?,
        };
        let row = access::portal_user_update(&write.tx, id, patch).await?;
        let version = row.version;
        Ok(Answer::versioned(write.finish(Some(view(row)), Vec::new()).await?, version))
    }

    /// The devices that are assigned to an account
    #[oai(path = "/:portal_user_id/devices", method = "get", operation_id = "portal_user_device_list")]
    async fn portal_user_device_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        portal_user_id: Path<Uuid>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<AssignedDevice>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let user = access::portal_user_get(&tx, PortalUserId(portal_user_id.0)).await?;
        let listed = tx.client_devices_for(user.client_id, Some(user.id), None, &page).await?;
        Ok(Answer::page(listed.map(|one| AssignedDevice { id: one.device.id.0, name: one.device.name }), uri))
    }

    /// Assign devices to an account, and no others
    ///
    /// A User sees these only; a Manager too, as long as there are any.
    #[oai(path = "/:portal_user_id/devices", method = "put", operation_id = "portal_user_devices_set")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_user_devices_set(
        &self,
        app: AppData<'_>,
        caller: Caller,
        portal_user_id: Path<Uuid>,
        body: Json<DeviceAssignment>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<PortalUser>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (id, permission) = (PortalUserId(portal_user_id.0), Permission::ClientoneManage);
        let request = (id, &body.0);
        let write = match app.begin(&context, permission, "portal_user_devices_set", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let devices: BTreeSet<DeviceId> = body.0.device_ids.into_iter().map(DeviceId).collect();
        let row = access::portal_user_devices_set(&write.tx, id, &devices).await?;
        Ok(Answer::new(write.finish(Some(view(row)), Vec::new()).await?))
    }

    /// Shut an account out: ends its sessions at once
    #[oai(path = "/:portal_user_id/deactivate", method = "post", operation_id = "portal_user_deactivate")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_user_deactivate(
        &self,
        app: AppData<'_>,
        caller: Caller,
        portal_user_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<PortalUser>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, permission) = (PortalUserId(portal_user_id.0), Permission::ClientoneManage);
        let write = match app.begin(&context, permission, "portal_user_deactivate", asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = access::portal_user_deactivate(&write.tx, id).await?;
        Ok(Answer::new(write.finish(Some(view(row)), Vec::new()).await?))
    }

    /// Let an account in again, with the password and devices it had
    #[oai(path = "/:portal_user_id/reactivate", method = "post", operation_id = "portal_user_reactivate")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_user_reactivate(
        &self,
        app: AppData<'_>,
        caller: Caller,
        portal_user_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<PortalUser>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, permission) = (PortalUserId(portal_user_id.0), Permission::ClientoneManage);
        let write = match app.begin(&context, permission, "portal_user_reactivate", asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = access::portal_user_reactivate(&write.tx, id).await?;
        Ok(Answer::new(write.finish(Some(view(row)), Vec::new()).await?))
    }
}

/// An account as staff see it.
pub(super) fn view(row: PortalUserRow) -> PortalUser {
    let invited = row.state == PortalState::Invited;
    PortalUser {
        id: row.id.0,
        client_id: row.client_id.0,
        email: row.email,
        name: row.name,
        phone: row.phone,
        role: row.role.into(),
        state: row.state.into(),
        invitation_expires_at: row.link_made_at.filter(|_| invited).map(|made| made + INVITATION_LASTS),
        accepted_at: row.accepted_at,
        deactivated_at: row.deactivated_at,
        signed_in_at: row.signed_in_at,
        created_at: row.created_at,
        version: row.version,
    }
}
