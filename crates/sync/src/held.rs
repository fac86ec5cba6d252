//! Held runs: what a person decides about a listing that was not plausible.

use domain::{Error, Permission, Result, Run, RunId, RunState, Trigger};
use integration::RecordKind;
use persistence::{RunProgress, Tx};
use uuid::Uuid;

use crate::{SyncPayload, checkpoint::Checkpoint, queue};

/// What a held run would remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// How many records.
    pub number: i64,
    /// Ids and names of the first hundred of them: those that are still listed and that the caller may see, by name.
    pub named: Vec<(Uuid, String)>,
}

/// What a held run would remove if it were released. `None` for a run that is not held, or is held because there is
/// too much rather than too little.
pub async fn run_missing(tx: &Tx, run: &Run) -> Result<Option<Missing>> {
    let at = Checkpoint::read(run.checkpoint.as_deref()).filter(|at| at.would_remove > 0);
    let Some(at) = at.filter(|_| run.state == RunState::Held) else { return Ok(None) };
    let named = match RecordKind::parse(&run.kind) {
        Some(RecordKind::Entity) => tx.entities_named(&at.would_ids).await?,
        _ => tx.records_named(&at.would_ids).await?,
    };
    Ok(Some(Missing { number: at.would_remove, named }))
}

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
