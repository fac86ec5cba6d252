//! Links of accounts: one's own, and those of others in the hands of who manages providers.

use domain::{
    Account, AccountKind, Error, Permission, PortalUserId, Result, SsoLink, SsoLinkId, SsoProviderId, StaffId,
};
use persistence::Tx;

/// The caller's own links, the oldest first.
pub async fn sso_link_list(tx: &Tx) -> Result<Vec<SsoLink>> {
    tx.sso_links_of(own(tx)?).await
}

fn own(tx: &Tx) -> Result<Account> {
    match tx.context().actor.portal_user() {
        Some(user) => Ok(user.into()),
        None => crate::gate::in_person(tx.context()).map(Into::into),
    }
}

/// Ends one of the caller's own links. The caller commits. The conflict `last_way_in` where nothing else would let them
/// sign in again: no password, and no other link.
pub async fn sso_link_delete(tx: &Tx, id: SsoLinkId) -> Result<SsoLink> {
    let account = own(tx)?;
    let has_password = match account.kind {
        AccountKind::Staff => {
            tx.team_lock().await?;
            tx.staff(StaffId(account.id)).await?.password_hash.is_some()
        }
        AccountKind::Portal => {
            let user = tx.portal_user(PortalUserId(account.id)).await?;
            let takes = tx.portal_config(user.client_id).await?.settings.auth_mode.takes_password();
            takes && user.password_hash.is_some()
        }
    };
    let links = tx.sso_links_of(account).await?;
    let link = links.iter().find(|link| link.id == id).ok_or(Error::NotFound { what: "link" })?;
    if links.len() == 1 && !has_password {
        let message = "This is your only way to sign in: set a password first, or ask your administrator.";
        return Err(Error::conflict("last_way_in", message));
    }
    tx.sso_link_delete(link).await?;
    Ok(link.clone())
}

/// Ends somebody's link, and all their sessions with it: whoever holds that identity is out at the next request. The
/// caller commits (`sso_provider_link_delete`).
pub async fn sso_link_end(tx: &Tx, provider: SsoProviderId, id: SsoLinkId) -> Result<SsoLink> {
    tx.context().require(Permission::SsoManage)?;
    // In the order of every other change of providers and of the team.
    tx.team_lock().await?;
    let link = tx.sso_link_at(provider, id).await?;
    if link.account.kind == AccountKind::Portal {
        // Locked before its sessions end; accounts before providers, as by whoever links.
        tx.portal_user(PortalUserId(link.account.id)).await?;
    }
    tx.sso_provider(provider).await?;
    match link.account.kind {
        AccountKind::Staff => {
            let staff = tx.staff(StaffId(link.account.id)).await?;
            crate::staff::require_over(tx.context(), &staff)?;
            tx.pending_delete_all(link.account).await?;
            tx.sessions_delete(staff.id, None).await?;
        }
        AccountKind::Portal => {
            tx.portal_sessions_delete(PortalUserId(link.account.id), None).await?;
        }
    }
    tx.sso_link_delete(&link).await?;
    Ok(link)
}
