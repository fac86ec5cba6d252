//! What is done to portal accounts by those who look after them.

use std::collections::BTreeSet;

use domain::{
    DeviceId, Error, Permission, PortalAct, PortalRole, PortalState, PortalUserId, Problem, Result, valid_name,
};
use persistence::{PortalUserRow, Tx};

use super::require_over;

/// Devices that one account may be assigned.
const MOST_DEVICES: usize = 5_000;

/// What to change about a portal user; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct PortalUserPatch {
    /// New name.
    pub name: Option<String>,
    /// New role.
    pub role: Option<PortalRole>,
    /// Refuse unless the row has this version.
    pub version: Option<i32>,
}

/// A portal user, for someone who may look after it.
pub async fn portal_user_get(tx: &Tx, id: PortalUserId) -> Result<PortalUserRow> {
    let user = tx.portal_user(id).await?;
    require_over(tx.context(), user.role)?;
    Ok(user)
}

/// Changes a portal user's name or role; staff only. The caller commits (`portal_user_update`).
pub async fn portal_user_update(tx: &Tx, id: PortalUserId, patch: PortalUserPatch) -> Result<PortalUserRow> {
    tx.context().require(Permission::ClientoneManage)?;
    let before = tx.portal_user(id).await?;
    if patch.version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "portal user" });
    }
    let name = match &patch.name {
        Some(name) => valid_name("/name", name).map_err(|problem| Error::Invalid(vec![problem]))?,
        None => before.name.clone(),
    };
    let after = PortalUserRow { name, role: patch.role.unwrap_or(before.role), ..before.clone() };
    tx.portal_user_update(&before, after).await
}

/// Shuts someone out: they are signed out everywhere in the same transaction, and a link under way is void. The caller
/// commits.
pub async fn portal_user_deactivate(tx: &Tx, id: PortalUserId) -> Result<PortalUserRow> {
    let after = act(tx, id, PortalAct::Deactivate).await?;
    tx.portal_sessions_delete(id, None).await?;
    Ok(after)
}

/// Lets someone in again, with the password and the devices they had. The caller commits.
pub async fn portal_user_reactivate(tx: &Tx, id: PortalUserId) -> Result<PortalUserRow> {
    act(tx, id, PortalAct::Reactivate).await
}

async fn act(tx: &Tx, id: PortalUserId, act: PortalAct) -> Result<PortalUserRow> {
    let before = tx.portal_user(id).await?;
    require_over(tx.context(), before.role)?;
    let Some(state) = before.state.after(act)? else {
        return Err(Error::internal("an account was to be gone by this"));
    };
    let deactivated_at = match state {
        PortalState::Deactivated => before.deactivated_at.or(Some(tx.now())),
        PortalState::Invited | PortalState::Active => None,
    };
    let after = PortalUserRow { state, deactivated_at, link_hash: None, link_made_at: None, ..before.clone() };
    tx.portal_user_update(&before, after).await
}

/// Assigns devices of its client to a portal user, and no others; staff only. The caller commits.
pub async fn portal_user_devices_set(tx: &Tx, id: PortalUserId, devices: &BTreeSet<DeviceId>) -> Result<PortalUserRow> {
    tx.context().require(Permission::ClientoneManage)?;
    let user = tx.portal_user(id).await?;
    if devices.len() > MOST_DEVICES {
        let message = format!("must name at most {MOST_DEVICES} devices");
        return Err(Error::Invalid(vec![Problem::new("/device_ids", "too_many", message)]));
    }
    tx.client(user.client_id).await?;
    if tx.client_devices_among(user.client_id, devices).await? != *devices {
        return Err(Error::invalid("/device_ids", "not_found", "must name devices of the account's client"));
    }
    tx.portal_devices_set(&user, devices).await?;
    Ok(user)
}
