//! How ClientOne is set up for a client: enabled or not, and what is on.

use std::collections::BTreeSet;

use domain::{ClientId, Error, Listed, PageRequest, Permission, PortalAuthMode, PortalConfig, Result, Section};
use persistence::{ListedPortal, PortalFilter, Tx};

/// What to change; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct SettingsPatch {
    /// The sections that are on.
    pub sections: Option<BTreeSet<Section>>,
    /// Whether a User without an assigned device sees every device of the client.
    pub all_devices_when_unassigned: Option<bool>,
    /// How people sign in.
    pub auth_mode: Option<PortalAuthMode>,
    /// Whether everyone needs a second factor, set up at the next sign-in.
    pub require_mfa: Option<bool>,
}

/// Clients by name, each with its set-up and how many accounts it has.
pub async fn clientone_list(tx: &Tx, filter: &PortalFilter, page: &PageRequest) -> Result<Listed<ListedPortal>> {
    tx.context().require(Permission::ClientoneManage)?;
    tx.portal_config_list(filter, page).await
}

/// Enables ClientOne for a client: whoever has an account there may sign in again, and people may be invited. The
/// caller commits.
pub async fn clientone_enable(tx: &Tx, client: ClientId) -> Result<PortalConfig> {
    let before = current(tx, client, None).await?;
    tx.portal_config_save(&before, PortalConfig { enabled: true, ..before.clone() }).await
}

/// Disables ClientOne for a client: its people are signed out in the same transaction, and accounts, assignments and
/// settings stay. The caller commits.
pub async fn clientone_disable(tx: &Tx, client: ClientId) -> Result<PortalConfig> {
    let before = current(tx, client, None).await?;
    let after = tx.portal_config_save(&before, PortalConfig { enabled: false, ..before.clone() }).await?;
    tx.portal_sessions_delete_of(client).await?;
    Ok(after)
}

/// Changes what is on for a client. The caller commits.
pub async fn clientone_update(
    tx: &Tx,
    client: ClientId,
    patch: SettingsPatch,
    version: Option<i32>,
) -> Result<PortalConfig> {
    let before = current(tx, client, version).await?;
    let mut settings = before.settings.clone();
    let wants_sso = patch.auth_mode.is_some_and(PortalAuthMode::takes_sso);
    if wants_sso && tx.sso_provider_for(client).await?.is_none() {
        return Err(Error::invalid(
            "/auth_mode",
            "needs_sso",
            "must be password: no identity provider is set up for this client",
        ));
    }
    settings.sections = patch.sections.unwrap_or(settings.sections);
    settings.all_devices_when_unassigned =
        patch.all_devices_when_unassigned.unwrap_or(settings.all_devices_when_unassigned);
    settings.require_mfa = patch.require_mfa.unwrap_or(settings.require_mfa);
    settings.auth_mode = patch.auth_mode.unwrap_or(settings.auth_mode);
    let (old, new) = (before.settings.auth_mode, settings.auth_mode);
    let after = tx.portal_config_save(&before, PortalConfig { settings, ..before.clone() }).await?;
    // Whoever closes a way in wants those out who came by it.
    if (old.takes_password() && !new.takes_password()) || (old.takes_sso() && !new.takes_sso()) {
        tx.portal_sessions_delete_of(client).await?;
    }
    Ok(after)
}

/// Refuses whoever does not manage ClientOne for every client: what follows is for all of them.
pub(crate) fn manage_all(tx: &Tx) -> Result<()> {
    let permission = Permission::ClientoneManage;
    tx.context().require(permission)?;
    if tx.context().scope.is_all() { Ok(()) } else { Err(Error::Forbidden { permission }) }
}

/// The set-up of a client as it is now, with the client's row locked; another version by now is refused.
pub(crate) async fn current(tx: &Tx, client: ClientId, version: Option<i32>) -> Result<PortalConfig> {
    tx.context().require(Permission::ClientoneManage)?;
    tx.client(client).await?;
    let config = tx.portal_config(client).await?;
    if version.is_some_and(|version| version != config.version) {
        return Err(Error::Stale { what: "set-up of ClientOne" });
    }
    Ok(config)
}
