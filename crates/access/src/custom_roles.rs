//! Roles of an organisation's own: made, changed, given to staff, deleted. Nobody makes, changes or gives a role with
//! more rights than their own; what only owners have is in none.

use std::collections::BTreeSet;

use domain::{
    CustomRole, CustomRoleId, Error, MOST_CUSTOM_ROLES, Permission, Problem, Result, Role, StaffId, approval_problems,
    role_problems, valid_name,
};
use persistence::{HeldRole, StaffRow, Tx};

use crate::{
    approvals::approvals_end,
    staff::{check_clients, require_over},
    team::{self, invitations_revoke, require_covers},
};

/// Longest description of a role or a service account, in characters.
const DESCRIPTION: usize = 1_000;

/// What it takes to make a role.
#[derive(Clone, Debug)]
pub struct NewCustomRole {
    /// Name, not yet checked.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it gives.
    pub permissions: BTreeSet<Permission>,
    /// What it gives with somebody's approval only.
    pub with_approval: BTreeSet<Permission>,
}

/// What to change about a role; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct CustomRolePatch {
    /// New name.
    pub name: Option<String>,
    /// New description; an empty one takes it away.
    pub description: Option<String>,
    /// What it gives from now on.
    pub permissions: Option<BTreeSet<Permission>>,
    /// What it gives with approval only from now on.
    pub with_approval: Option<BTreeSet<Permission>>,
    /// Refuse unless the row has this version.
    pub version: Option<i32>,
}

/// A description: trimmed, none when empty.
pub(crate) fn description(text: Option<&str>) -> Result<Option<String>, Problem> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > DESCRIPTION) {
        let message = format!("must have at most {DESCRIPTION} characters");
        return Err(Problem::new("/description", "too_long", message));
    }
    Ok(text.map(str::to_owned))
}

/// The organisation's own roles by name.
pub async fn custom_role_list(tx: &Tx) -> Result<Vec<CustomRole>> {
    tx.context().require(Permission::TeamManage)?;
    tx.custom_role_list().await
}

/// Makes a role. The caller commits (`custom_role_create`). The conflict `name_taken` for a name that there is.
pub async fn custom_role_create(tx: &Tx, new: NewCustomRole) -> Result<CustomRole> {
    let context = tx.context();
    context.require(Permission::TeamManage)?;
    let mut problems = Vec::new();
    let name = role_name(&new.name).map_err(|problem| problems.push(problem));
    let text = description(new.description.as_deref()).map_err(|problem| problems.push(problem));
    problems.extend(given_problems(&new.permissions, &new.with_approval));
    problems.extend(role_problems(&new.permissions, &context.permissions));
    problems.extend(approval_problems(&new.with_approval, &new.permissions, &context.permissions));
    let (Ok(name), Ok(description), true) = (name, text, problems.is_empty()) else {
        return Err(Error::Invalid(problems));
    };
    tx.team_lock().await?;
    if tx.custom_role_list().await?.len() >= MOST_CUSTOM_ROLES {
        let message = format!("There are {MOST_CUSTOM_ROLES} roles already: delete one that nobody has.");
        return Err(Error::conflict("too_many_roles", message));
    }
    let role = CustomRole {
        id: tx.new_id(),
        name,
        description,
        permissions: new.permissions,
        with_approval: new.with_approval,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    };
    tx.custom_role_insert(&role).await?;
    Ok(role)
}

/// Changes a role: what it takes away is gone at the next request of whoever has it. The caller commits
/// (`custom_role_update`).
pub async fn custom_role_update(tx: &Tx, id: CustomRoleId, patch: CustomRolePatch) -> Result<CustomRole> {
    let context = tx.context();
    context.require(Permission::TeamManage)?;
    tx.team_lock().await?;
    let before = tx.custom_role(id).await?;
    require_covers(context, before.rights())?;
    if patch.version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "role" });
    }
    let mut after = before.clone();
    let mut problems = Vec::new();
    if let Some(name) = &patch.name {
        match role_name(name) {
            Ok(name) => after.name = name,
            Err(problem) => problems.push(problem),
        }
    }
    if patch.description.is_some() {
        match description(patch.description.as_deref()) {
            Ok(text) => after.description = text,
            Err(problem) => problems.push(problem),
        }
    }
    let changed = patch.permissions.is_some() || patch.with_approval.is_some();
    after.permissions = patch.permissions.unwrap_or(after.permissions);
    after.with_approval = patch.with_approval.unwrap_or(after.with_approval);
    if changed {
        problems.extend(given_problems(&after.permissions, &after.with_approval));
        problems.extend(role_problems(&after.permissions, &context.permissions));
        problems.extend(approval_problems(&after.with_approval, &after.permissions, &context.permissions));
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let shrinks = before.rights().beyond(&after.rights()).is_some();
    let after = tx.custom_role_update(&before, after).await?;
    if shrinks {
        // Whom they invited while they might must not come in by it now, and what they asked for is theirs no more.
        for holder in tx.custom_role_holders(id).await? {
            invitations_revoke(tx, holder.id).await?;
            approvals_end(tx, holder.id).await?;
        }
    }
    Ok(after)
}

/// Deletes a role that nobody has. The caller commits (`custom_role_delete`). The conflict `role_assigned` while someone
/// has it.
pub async fn custom_role_delete(tx: &Tx, id: CustomRoleId) -> Result<CustomRole> {
    let context = tx.context();
    context.require(Permission::TeamManage)?;
    tx.team_lock().await?;
    let role = tx.custom_role(id).await?;
    require_covers(context, role.rights())?;
    let (people, machines) = (tx.custom_role_holders(id).await?.len(), tx.custom_role_machines(id).await?);
    if people > 0 || machines > 0 {
        let message = format!(
            "The role is that of {people} of the team and {machines} service accounts: give them another first."
        );
        return Err(Error::conflict("role_assigned", message));
    }
    tx.custom_role_delete(&role).await?;
    Ok(role)
}

/// Gives someone of the team a role of the organisation's own instead of theirs; they are signed out. The caller commits
/// (`custom_role_assign`). Giving a built-in role (`staff_update`) takes it back.
pub async fn custom_role_assign(tx: &Tx, staff: StaffId, role: CustomRoleId) -> Result<StaffRow> {
    let context = tx.context();
    context.require(Permission::TeamManage)?;
    tx.team_lock().await?;
    let before = team::member(tx, staff).await?;
    require_over(context, &before)?;
    let held = held(tx, role, "/custom_role_id").await?;
    let after = StaffRow { role: Role::Viewer, custom_role: Some(held), ..before.clone() };
    check_clients(tx, Some(&before), &after).await?;
    team::staff_write(tx, &before, after).await
}

/// A role that the caller may give: the caller has all that is in it.
pub(crate) async fn held(tx: &Tx, role: CustomRoleId, pointer: &str) -> Result<HeldRole> {
    let role = match tx.custom_role(role).await {
        Err(Error::NotFound { .. }) => return Err(Error::invalid(pointer, "no_such_role", "there is no such role")),
        found => found?,
    };
    require_covers(tx.context(), role.rights())?;
    Ok(HeldRole::of(&role))
}

/// The name of a role: none of those that are built in, so that nobody takes one for the other.
fn role_name(name: &str) -> Result<String, Problem> {
    let name = valid_name("/name", name)?;
    let plain = name.to_lowercase().replace([' ', '-'], "_");
    if Role::parse(&plain).is_some() {
        return Err(Problem::new("/name", "built_in", "must not be the name of a built-in role"));
    }
    Ok(name)
}

fn given_problems(permissions: &BTreeSet<Permission>, with_approval: &BTreeSet<Permission>) -> Option<Problem> {
    (permissions.is_empty() && with_approval.is_empty())
        .then(|| Problem::new("/permissions", "required", "must name one at least"))
}
