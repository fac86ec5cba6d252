//! What portal users are told of a change, in ClientOne and by letter. It is written in the transaction that makes the
//! change, so that a preview tells nobody.

use domain::{
    Error, Listed, NotificationId, NotificationKind, NotificationSwitches, PageRequest, PortalPermission,
    PortalSettings, Result,
};
use persistence::{NotificationRow, NotificationSettings, PortalUserRow, Tx};

/// The kinds that the caller may be told of.
fn kinds(user: &PortalUserRow, settings: &PortalSettings) -> Vec<NotificationKind> {
    NotificationKind::seen_by(user.role, settings)
}

/// What a portal user was told, the newest first: of sections that are there for them.
pub async fn notification_list(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    unread: bool,
    page: &PageRequest,
) -> Result<Listed<NotificationRow>> {
    tx.context().require_portal(PortalPermission::ProfileEdit, settings)?;
    tx.notification_list(user.id, &kinds(user, settings), unread, page).await
}

/// How much of it they have not read.
pub async fn notifications_unread(tx: &Tx, user: &PortalUserRow, settings: &PortalSettings) -> Result<u64> {
    tx.context().require_portal(PortalPermission::ProfileEdit, settings)?;
    tx.notifications_unread(user.id, &kinds(user, settings)).await
}

/// Notes that they read one. The caller commits.
pub async fn notification_read(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: NotificationId,
) -> Result<NotificationRow> {
    tx.context().require_portal(PortalPermission::ProfileEdit, settings)?;
    let kinds = kinds(user, settings);
    tx.notification(user.id, &kinds, id).await?;
    tx.notifications_read(user.id, &kinds, Some(id)).await?;
    tx.notification(user.id, &kinds, id).await
}

/// Notes that they read all; returns how many were unread. The caller commits.
pub async fn notifications_read(tx: &Tx, user: &PortalUserRow, settings: &PortalSettings) -> Result<u64> {
    tx.context().require_portal(PortalPermission::ProfileEdit, settings)?;
    tx.notifications_read(user.id, &kinds(user, settings), None).await
}

/// What to change of one's switches; what is left out stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct SwitchesPatch {
    /// Notifications in ClientOne itself.
    pub in_app: Option<bool>,
    /// Letters about a ticket's state.
    pub ticket_status: Option<bool>,
    /// Letters about replies to a ticket.
    pub ticket_reply: Option<bool>,
    /// Letters about invoices that are overdue.
    pub invoice_overdue: Option<bool>,
    /// The version that was read.
    pub version: Option<i32>,
}

/// Changes one's own switches. The caller commits.
pub async fn notification_settings_update(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    patch: SwitchesPatch,
) -> Result<NotificationSettings> {
    tx.context().require_portal(PortalPermission::ProfileEdit, settings)?;
    // Its row is locked: two first changes at once make one row, and the second sees it.
    let user = tx.portal_user(user.id).await?;
    let before = tx.notification_settings(user.id).await?;
    if patch.version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "notification settings" });
    }
    let old = before.switches;
    let after = NotificationSwitches {
        in_app: patch.in_app.unwrap_or(old.in_app),
        ticket_status: patch.ticket_status.unwrap_or(old.ticket_status),
        ticket_reply: patch.ticket_reply.unwrap_or(old.ticket_reply),
        invoice_overdue: patch.invoice_overdue.unwrap_or(old.invoice_overdue),
    };
    tx.notification_settings_set(&user, before, after).await
}
