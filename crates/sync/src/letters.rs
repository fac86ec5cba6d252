//! Jobs that were given up: what people do with them.

use domain::{Error, JobId, Permission, Result};
use integration::Entry;
use persistence::{JobRow, Tx};

use crate::{connections::permitted, job};

/// Puts a job that was given up on the queue again, with all its tries. Refused while another of its key waits or
/// runs, and while its connection cannot be synced.
pub async fn job_retry(tx: &Tx, entries: &'static [Entry], id: JobId) -> Result<JobRow> {
    let row = given_up(tx, entries, id).await?;
    if let Some(other) = tx.job_pending(&row.unique_key).await? {
        let how = if other.state == "running" { "runs" } else { "waits" };
        return Err(Error::conflict(
            "job_pending",
            format!("A newer job for the same ({}) {how} already: drop this one.", other.id),
        ));
    }
    if let Some(connection) = row.connection {
        let connection = match tx.connection(connection).await {
            Err(Error::NotFound { .. }) => {
                return Err(Error::conflict("connection_gone", "Its connection was deleted: drop the job."));
            }
            found => found?,
        };
        if row.kind == job::KIND && !connection.state.syncs() {
            let state = connection.state.as_str();
            return Err(Error::conflict(
                "not_connected",
                format!("{} is {state}: reconnect it before it can be synced.", connection.name),
            ));
        }
    }
    tx.job_retry(&row).await
}

/// Deletes a job that was given up; what it was stays in the journal.
pub async fn job_drop(tx: &Tx, entries: &'static [Entry], id: JobId) -> Result<JobRow> {
    let row = given_up(tx, entries, id).await?;
    tx.job_drop(&row).await?;
    Ok(row)
}

async fn given_up(tx: &Tx, entries: &'static [Entry], id: JobId) -> Result<JobRow> {
    tx.context().require(Permission::SyncStart)?;
    let row = tx.job(id).await?;
    let connection = match row.connection {
        Some(connection) => tx.connection(connection).await.map(Some),
        None => Ok(None),
    };
    match connection {
        Ok(Some(connection)) => permitted(tx.context(), entries, &connection, Permission::SyncStart)?,
        // Of no vendor, or of nobody knows which: only the whole right will do.
        Ok(None) | Err(Error::NotFound { .. }) => whole(tx)?,
        Err(error) => return Err(error),
    }
    if row.state != "failed" {
        let state = &row.state;
        let message = format!("The job is {state}: only one that was given up can be tried again or dropped.");
        return Err(Error::conflict("not_failed", message));
    }
    Ok(row)
}

fn whole(tx: &Tx) -> Result<()> {
    let permission = Permission::SyncStart;
    match tx.context().permissions.grant(permission) {
        domain::Grant::Yes => Ok(()),
        domain::Grant::Billing | domain::Grant::Approval | domain::Grant::No => Err(Error::Forbidden { permission }),
    }
}
