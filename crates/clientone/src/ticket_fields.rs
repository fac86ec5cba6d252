//! The form with which portal users open a ticket.

use domain::{Error, FormField, Permission, PortalPermission, PortalSettings, Result, TicketForm};
use persistence::Tx;

use crate::config::manage_all;

/// The form with all that was ever asked, and its version, for those who manage ClientOne.
pub async fn ticket_form_get(tx: &Tx) -> Result<(TicketForm, i32)> {
    tx.context().require(Permission::ClientoneManage)?;
    tx.ticket_form().await
}

/// What a portal user is asked who opens a ticket.
pub async fn ticket_form_asked(tx: &Tx, settings: &PortalSettings) -> Result<Vec<FormField>> {
    tx.context().require_portal(PortalPermission::TicketsView, settings)?;
    Ok(tx.ticket_form().await?.0.asked())
}

/// Sets what is asked from now on; what is left out is retired. Returns the form and its version. The caller commits.
pub async fn ticket_form_set(tx: &Tx, wanted: Vec<FormField>, version: Option<i32>) -> Result<(TicketForm, i32)> {
    manage_all(tx)?;
    tx.team_lock().await?;
    let before = tx.ticket_form().await?;
    if version.is_some_and(|version| version != before.1) {
        return Err(Error::Stale { what: "ticket form" });
    }
    let after = before.0.changed(wanted).map_err(Error::Invalid)?;
    let version = tx.ticket_form_save(&before, &after).await?;
    Ok((after, version))
}
