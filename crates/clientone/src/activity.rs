//! What was done in ClientOne: the journal's entries of portal users.

use domain::{Listed, PORTAL_ACTIONS, PageRequest, Permission, PortalPermission, PortalSettings, Reach, Result};
use persistence::{ActivityFilter, PortalActivity, PortalUserRow, Tx};

/// The feed of those who manage ClientOne, over the clients of their scope, the newest first.
pub async fn activity_list(tx: &Tx, filter: &ActivityFilter, page: &PageRequest) -> Result<Listed<PortalActivity>> {
    tx.context().require(Permission::ClientoneManage)?;
    tx.portal_activity(filter, page).await
}

/// The feed of a portal user: what they may see of it. A User sees what they did themself, a Manager what everyone of
/// the client did; both only of the parts of ClientOne that are there for them.
pub async fn activity_seen_by(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    page: &PageRequest,
) -> Result<Listed<PortalActivity>> {
    let reach = tx.context().require_portal(PortalPermission::ActivityView, settings)?;
    let filter = ActivityFilter {
        client: Some(user.client_id),
        user: (reach != Reach::All).then_some(user.id),
        actions: Some(seen(user, settings)),
        ..ActivityFilter::default()
    };
    tx.portal_activity(&filter, page).await
}

/// The actions of the areas that are there for someone.
fn seen(user: &PortalUserRow, settings: &PortalSettings) -> Vec<&'static str> {
    let there = |permission: &PortalPermission| permission.reach(user.role, settings).is_ok();
    PORTAL_ACTIONS.iter().filter(|(_, area)| there(area)).map(|(action, _)| *action).collect()
}
