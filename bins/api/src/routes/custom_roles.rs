//! Roles of an organisation's own.

use std::collections::BTreeSet;

use access::{CustomRolePatch, NewCustomRole};
use chrono::{DateTime, Utc};
use domain::{CustomRole, CustomRoleId, Permission, Role, StaffId};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    keys::named,
    staff::{StaffRole, StaffUser, view as staff_view},
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, if_match},
    problem::Failure,
    write::{Asked, Begun},
};

/// A role of the organisation's own.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CustomRoleView {
    /// Id
    pub id: Uuid,
    /// Name
    pub name: String,
    /// What it is for
    pub description: Option<String>,
    /// What it gives; what it does not name it does not give
    pub permissions: Vec<String>,
    /// What it gives only with the approval of somebody who has it outright
    pub with_approval: Vec<String>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// A role that is built in.
#[derive(Debug, Clone, Object)]
pub struct BuiltInRole {
    pub role: StaffRole,
    /// What it gives, if some of it for billing vendors only
    pub permissions: Vec<String>,
}

/// Roles.
#[derive(Debug, Clone, Object)]
pub struct Roles {
    /// The organisation's own, by name
    pub items: Vec<CustomRoleView>,
    /// Those that are built in, the mightiest first
    pub built_in: Vec<BuiltInRole>,
    /// Every permission that a role of the organisation's own can give
    pub permissions: Vec<String>,
    /// Those of them that it can give with approval only
    pub with_approval: Vec<String>,
}

/// What it takes to make a role.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct CustomRoleCreate {
    /// Name
    pub name: String,
    /// What it is for
    pub description: Option<String>,
    /// What it gives, named as in the list of roles; none that you do not have yourself
    pub permissions: Vec<String>,
    /// What it gives only with the approval of somebody else who has it outright; none of the former
    pub with_approval: Option<Vec<String>>,
}

/// What to change about a role; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct CustomRoleUpdate {
    /// New name
    pub name: Option<String>,
    /// New description; an empty one takes it away
    pub description: Option<String>,
    /// All that it gives outright from now on
    pub permissions: Option<Vec<String>>,
    /// All that it gives with approval only from now on
    pub with_approval: Option<Vec<String>>,
}

/// Which role to give.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct CustomRoleAssign {
    /// One of the organisation's own
    pub custom_role_id: Uuid,
}

/// Roles of the organisation's own.
pub struct CustomRoles;

#[OpenApi(prefix_path = "/api", tag = "Chapter::Staff")]
impl CustomRoles {
    /// Roles: the organisation's own, and those that are built in
    #[oai(path = "/roles", method = "get", operation_id = "custom_role_list")]
    async fn custom_role_list(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<Roles>, Failure> {
        let tx = app.read(caller, Permission::TeamManage).await?;
        let items = access::custom_role_list(&tx).await?.into_iter().map(view).collect();
        let built_in =
            |role: Role| BuiltInRole { role: role.into(), permissions: names(&domain::Permissions::of(role).had()) };
        let given = Permission::ALL.iter().copied().filter(|permission| !permission.is_owners_alone()).collect();
        let built_in = Role::ALL.into_iter().map(built_in).collect();
        let asked = Permission::ALL.iter().copied().filter(|permission| permission.may_need_approval()).collect();
        Ok(Answer::new(Roles { items, built_in, permissions: names(&given), with_approval: names(&asked) }))
    }

    /// Make a role; nobody gives more than they have
    #[oai(path = "/roles", method = "post", operation_id = "custom_role_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn custom_role_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<CustomRoleCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<CustomRoleView>>, Failure> {
        let action = "custom_role_create";
        let context = app.proven(caller, action, dry_run.0.unwrap_or(false)).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let body = body.0;
        let write = match app.begin(&context, Permission::TeamManage, action, asked, &body).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let with_approval = named("/with_approval", body.with_approval.as_deref().unwrap_or_default())?;
        let permissions = named("/permissions", &body.permissions)?;
        let new = NewCustomRole { name: body.name, description: body.description, permissions, with_approval };
        let done = access::custom_role_create(&write.tx, new).await;
        let (write, role) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(view(role)), Vec::new()).await?))
    }

    /// Change a role: what it takes away is gone at the next request of whoever has it
    #[oai(path = "/roles/:custom_role_id", method = "patch", operation_id = "custom_role_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn custom_role_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        custom_role_id: Path<Uuid>,
        body: Json<CustomRoleUpdate>,
        /// ETag of the role as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<CustomRoleView>>, Failure> {
        let action = "custom_role_update";
        let context = app.proven(caller, action, dry_run.0.unwrap_or(false)).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let body = body.0;
        let request = (custom_role_id.0, &body);
        let write = match app.begin(&context, Permission::TeamManage, action, asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let patch = CustomRolePatch {
            name: body.name,
            description: body.description,
            permissions: body.permissions.as_deref().map(|names| named("/permissions", names)).transpose()?,
            with_approval: body.with_approval.as_deref().map(|names| named("/with_approval", names)).transpose()?,
            version: if_match(version.0.as_deref())?,
        };
        let done = access::custom_role_update(&write.tx, CustomRoleId(custom_role_id.0), patch).await;
        let (write, role) = app.passed(write, done).await?;
        let version = role.version;
        Ok(Answer::versioned(write.finish(Some(view(role)), Vec::new()).await?, version))
    }

    /// Delete a role that nobody has
    #[oai(path = "/roles/:custom_role_id", method = "delete", operation_id = "custom_role_delete")]
    async fn custom_role_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        custom_role_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<CustomRoleView>>, Failure> {
        let action = "custom_role_delete";
        let context = app.proven(caller, action, dry_run.0.unwrap_or(false)).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let write = match app.begin(&context, Permission::TeamManage, action, asked, &custom_role_id.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = access::custom_role_delete(&write.tx, CustomRoleId(custom_role_id.0)).await;
        let (write, role) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(view(role)), Vec::new()).await?))
    }

    /// Give someone of the team a role of the organisation's own; they are signed out
    ///
    /// Giving them a built-in role (`staff_update`) takes it back.
    #[oai(path = "/staff/:staff_id/custom-role", method = "put", operation_id = "custom_role_assign")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn custom_role_assign(
        &self,
        app: AppData<'_>,
        caller: Caller,
        staff_id: Path<Uuid>,
        body: Json<CustomRoleAssign>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<StaffUser>>, Failure> {
        let action = "custom_role_assign";
        let context = app.proven(caller, action, dry_run.0.unwrap_or(false)).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let request = (staff_id.0, &body.0);
        let write = match app.begin(&context, Permission::TeamManage, action, asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let role = CustomRoleId(body.0.custom_role_id);
        let done = access::custom_role_assign(&write.tx, StaffId(staff_id.0), role).await;
        let (write, row) = app.passed(write, done).await?;
        let version = row.version;
        Ok(Answer::versioned(write.finish(Some(staff_view(row)), Vec::new()).await?, version))
    }
}

fn names(permissions: &BTreeSet<Permission>) -> Vec<String> {
    permissions.iter().map(|permission| permission.as_str().to_owned()).collect()
}

fn view(role: CustomRole) -> CustomRoleView {
    CustomRoleView {
        id: role.id.0,
        name: role.name,
        description: role.description,
        permissions: names(&role.permissions),
        with_approval: names(&role.with_approval),
        created_at: role.created_at,
        version: role.version,
    }
}
