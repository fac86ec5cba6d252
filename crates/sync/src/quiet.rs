//! Hours in which a connection is left alone by the schedule. What people, webhooks and PSAs ask for is done all the same.

use domain::{ConnectionId, Permission, QuietHours, Result};
use integration::Entry;
use persistence::Tx;

use crate::connections::{managed, permitted};

/// The hours in which a connection is left alone; `None` where there are none.
pub async fn connection_quiet_get(
    tx: &Tx,
    entries: &'static [Entry],
    id: ConnectionId,
) -> Result<Option<(QuietHours, i32)>> {
    let connection = tx.connection(id).await?;
    permitted(tx.context(), entries, &connection, Permission::ConnectionsView)?;
    tx.connection_quiet(id).await
}

/// Sets the hours in which no sync of a connection is begun by the schedule; `None` takes them away. A sync that runs
/// when they begin comes to its end.
pub async fn connection_quiet_set(
    tx: &Tx,
    entries: &'static [Entry],
    id: ConnectionId,
    hours: Option<QuietHours>,
) -> Result<Option<(QuietHours, i32)>> {
    managed(tx, entries, id).await?;
    let hours = hours.map(QuietHours::checked).transpose()?;
    tx.connection_quiet_set(id, hours).await?;
    tx.connection_quiet(id).await
}
