//! Held runs: what a person decides about a listing that was not plausible.

use domain::{Error, Permission, Result, Run, RunId, RunState, Trigger};
use integration::RecordKind;
use persistence::{RunProgress, Tx};

use crate::{SyncPayload, queue};

/// Releases a held run: its kind is listed anew, and what the plausibility of the listing forbade is done,
/// as far as it is not more than it was. Refused while a sync of the connection waits or runs.
pub async fn run_release(tx: &Tx, id: RunId) -> Result<Run> {
    let run = held(tx, id).await?;
    let connection = tx.connection(run.connection_id).await?;
    if !connection.state.syncs() {
        return Err(Error::conflict("not_connected", "The connection does not work: reconnect it first."));
    }
    let payload = SyncPayload {
        connection_id: run.connection_id,
        trigger: Trigger::Manual,
        kinds: RecordKind::parse(&run.kind).map(|kind| vec![kind]),
        release: Some(id),
    };
    if !queue::enqueue(tx, &payload).await? {
        return Err(Error::conflict(
            "sync_pending",
            "A sync of this connection waits or runs. Release the run when it has ended, if it is still held.",
        ));
    }
    let after = Run { message: Some("Released by a person; its kind is listed anew.".to_owned()), ..run.clone() };
    tx.note_run(Some(&run), &after);
    write(tx, &after).await?;
    Ok(after)
}

/// Drops a held run: what is stored stays as it is.
pub async fn run_drop(tx: &Tx, id: RunId) -> Result<Run> {
    let run = held(tx, id).await?;
    let after = Run { state: RunState::Dropped, message: Some("Dropped by a person.".to_owned()), ..run.clone() };
    tx.note_run(Some(&run), &after);
    write(tx, &after).await?;
    Ok(after)
}

async fn held(tx: &Tx, id: RunId) -> Result<Run> {
    tx.context().require(Permission::SyncRelease)?;
    let run = tx.run(id).await?;
    if run.state != RunState::Held {
        let state = run.state.as_str();
        return Err(Error::conflict("not_held", format!("The run is {state}: only a held one can be decided.")));
    }
    Ok(run)
}

async fn write(tx: &Tx, run: &Run) -> Result<()> {
    let progress = RunProgress {
        state: run.state,
        counts: run.counts,
        pages: run.pages,
        expected: run.expected,
        checkpoint: run.checkpoint.clone(),
        code: run.code.clone(),
        message: run.message.clone(),
        finished_at: run.finished_at,
    };
    tx.run_progress(run.id, &progress).await
}
