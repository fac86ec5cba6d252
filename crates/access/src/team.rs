//! The rules over the team that every change of it must pass: nobody reaches beyond their own rights, nobody shuts
//! themselves out, and there is always an owner who can sign in. [`staff_write`] is the one place that writes.

use domain::{Context, Error, Permission, Permissions, Result, Role, StaffId};
use persistence::{StaffRow, Tx};

use crate::approvals::approvals_end;
use crate::second_factor::second_factors_delete;

/// Refuses unless the caller has each of these rights: whoever makes, changes or removes someone could
/// else take what they have not. Naming the first right that is missing.
pub(crate) fn require_covers(context: &Context, theirs: Permissions) -> Result<()> {
    match theirs.beyond(&context.permissions) {
        Some(permission) => Err(Error::Forbidden { permission }),
        None => Ok(()),
    }
}

/// An owner who can sign in.
fn leads(staff: &StaffRow) -> bool {
    staff.role == Role::Owner && staff.suspended_at.is_none() && staff.removed_at.is_none()
}

/// Someone of the team who was not removed.
pub(crate) async fn member(tx: &Tx, id: StaffId) -> Result<StaffRow> {
    let row = tx.staff(id).await?;
    if row.removed_at.is_some() { Err(Error::NotFound { what: "staff user" }) } else { Ok(row) }
}

/// Writes a staff user that was read before, and does what follows: someone who is suspended, removed or given another
/// role is signed out everywhere, and the open invitations of someone who may no longer do what they might then are
/// revoked. The caller has locked the team.
pub(crate) async fn staff_write(tx: &Tx, before: &StaffRow, after: StaffRow) -> Result<StaffRow> {
    let id = before.id;
    if leads(before) && !leads(&after) && !tx.staff_list().await?.iter().any(|other| other.id != id && leads(other)) {
        return Err(Error::conflict(
            "last_owner",
            "This is the last owner who can sign in: make someone else an owner first.",
        ));
    }
    let shut_out = before.suspended_at.is_none() && after.suspended_at.is_some();
    if shut_out && tx.context().actor.staff() == Some(id) {
        return Err(Error::conflict("own_account", "Nobody suspends or removes themselves: ask someone of the team."));
    }
    let another = after.role != before.role || after.custom_role != before.custom_role;
    let lost = shut_out || another || after.scope() != before.scope();
    let after = tx.staff_update(before, after).await?;
    if after.suspended_at.is_some() || another {
        tx.sessions_delete(id, None).await?;
    }
    if shut_out {
        tx.password_reset_delete(id).await?;
    }
    if lost {
        invitations_revoke(tx, id).await?;
        approvals_end(tx, id).await?;
    }
    Ok(after)
}

/// Revokes the open invitation to an address, if there is one: whoever is removed, or made a member otherwise, must not
/// come in by an old link.
pub(crate) async fn invitation_to_revoke(tx: &Tx, email: &str) -> Result<()> {
    match tx.invitation_open(email).await? {
        Some(open) => revoke(tx, &open).await,
        None => Ok(()),
    }
}

/// Revokes the open invitations of someone who may do less than before: who they invited comes in by someone else.
pub(crate) async fn invitations_revoke(tx: &Tx, by: StaffId) -> Result<()> {
    for invitation in tx.invitations_by(by).await? {
        revoke(tx, &invitation).await?;
    }
    Ok(())
}

async fn revoke(tx: &Tx, invitation: &persistence::InvitationRow) -> Result<()> {
    let revoked = persistence::InvitationRow { revoked_at: Some(tx.now()), ..invitation.clone() };
    tx.invitation_update(invitation, revoked).await.map(drop)
}

/// Removes someone from the team: their sessions end, their keys are revoked, their address is free again. The row
/// stays, so that the journal keeps their name. The caller commits (`staff_remove`).
pub async fn staff_remove(tx: &Tx, id: StaffId) -> Result<StaffRow> {
    let context = tx.context();
    context.require(Permission::TeamManage)?;
    tx.team_lock().await?;
    let before = member(tx, id).await?;
    require_covers(context, before.rights())?;
    let after = StaffRow {
        suspended_at: before.suspended_at.or(Some(tx.now())),
        removed_at: Some(tx.now()),
        password_hash: None,
        ..before.clone()
    };
    if context.actor.staff() == Some(id) {
        return Err(Error::conflict("own_account", "Nobody suspends or removes themselves: ask someone of the team."));
    }
    let after = staff_write(tx, &before, after).await?;
    invitation_to_revoke(tx, &before.email).await?;
    second_factors_delete(tx, id.into()).await?;
    for link in tx.sso_links_of(id.into()).await? {
        tx.sso_link_delete(&link).await?;
    }
    for key in tx.api_key_list(Some(id)).await?.into_iter().filter(|key| key.revoked_at.is_none()) {
        let revoked = persistence::ApiKeyRow { revoked_at: Some(tx.now()), ..key.clone() };
        tx.api_key_update(&key, revoked).await?;
    }
    Ok(after)
}

/// Makes someone else an owner, and the caller, who must be one in person, something less: one change set. The caller
/// commits (`ownership_transfer`).
pub async fn ownership_transfer(tx: &Tx, to: StaffId, own_role: Role) -> Result<(StaffRow, StaffRow)> {
    let context = tx.context();
    context.require(Permission::TeamManage)?;
    context.require(Permission::OwnersManage)?;
    let own = crate::gate::in_person(context)?;
    tx.team_lock().await?;
    let target = member(tx, to).await?;
    // As it is now: another transfer may have come first.
    let before = member(tx, own).await?;
    if before.role != Role::Owner {
        return Err(Error::Forbidden { permission: Permission::OwnersManage });
    }
    if to == own {
        return Err(Error::conflict("own_account", "You are an owner already: name someone else."));
    }
    if own_role == Role::Owner {
        return Err(Error::invalid(
            "/own_role",
            "still_owner",
            "must be less than owner; to have two, change their role",
        ));
    }
    if target.suspended_at.is_some() {
        return Err(Error::conflict("suspended", "They are suspended and could not sign in: reinstate them first."));
    }
    let owner = StaffRow {
        role: Role::Owner,
        custom_role: None,
        allow_clients: None,
        deny_clients: Default::default(),
        ..target.clone()
    };
    let owner = staff_write(tx, &target, owner).await?;
    let former = staff_write(tx, &before, StaffRow { role: own_role, ..before.clone() }).await?;
    Ok((owner, former))
}
