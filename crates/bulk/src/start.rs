//! Starting a bulk operation, and what people do with it then.

use std::collections::BTreeMap;

use access::starter_context;
use domain::{
    Actor, BulkItemState, BulkOperation, BulkOperationId, BulkState, BulkThresholds, Context, Error, Permission,
    Problem, Result, Role,
};
use integration::Entry;
use persistence::{BulkItem, BulkSettingsRow, NewJob, Store, Tx};

use crate::{
    KIND,
    look::bulk_get,
    plan::{Prepared, permitted, plan},
};

/// How often a job is begun before it is given up as one that kills its worker. A chunk that was done does not count.
const ATTEMPTS: i32 = 12;
/// Clients looked at together.
const AT_ONCE: usize = 500;
/// Most that a threshold can be.
const HIGHEST: u32 = 100_000;

/// Starts an operation as it was worked out. Above the threshold of the caller's role it waits for a second person;
/// otherwise it is on the queue at once. What changes between the plan and the turn of a client is found then. For a
/// preview (`whole` is false) its clients are not written: its change set is the same, and holds the plan's digest.
pub async fn bulk_start(tx: &Tx, prepared: Prepared, reason: Option<&str>, whole: bool) -> Result<BulkOperation> {
    let Prepared { plan, action, traces, refusals } = prepared;
    if plan.changed == 0 {
        return Err(Error::conflict("nothing_to_do", "None of these clients would change."));
    }
    let context = tx.context();
    context.require(action.permission())?;
    let settings = tx.bulk_settings().await?;
    if context.acted_for.is_some() {
        return Err(Error::conflict(
            "acting_for",
            "Start a bulk operation without Acting-For: it is for no one customer.",
        ));
    }
    let waits = match (context.permissions.role(), &context.actor) {
        (Some(role), _) => settings.thresholds.need_approval(role, plan.changed),
        (None, Actor::Worker | Actor::Operator) => false,
        // A role of the organisation's own is held to the strictest.
        (None, _) => Role::ALL.into_iter().any(|role| settings.thresholds.need_approval(role, plan.changed)),
    };
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let operation = BulkOperation {
        id: tx.new_id(),
        action,
        state: if waits { BulkState::WaitingApproval } else { BulkState::Queued },
        digest: plan.digest,
        total: number(plan.total),
        unchanged: number(plan.unchanged),
        done: 0,
        refused: number(plan.refused),
        actor: serde_json::to_string(&context.actor).map_err(Error::internal)?,
        started_by: context.actor.staff(),
        reason: reason.map(|text| text.chars().take(1_000).collect()),
        approved_by: None,
        approved_at: None,
        created_at: tx.now(),
        finished_at: None,
        message: None,
        entry_id: None,
        version: 1,
    };
    let waiting = traces.into_iter().map(|(client_id, planned)| BulkItem {
        client_id,
        planned,
        state: BulkItemState::Waiting,
        code: None,
        message: None,
    });
    let refused = refusals.into_iter().map(|one| BulkItem {
        client_id: one.client_id,
        planned: Vec::new(),
        state: BulkItemState::Refused,
        code: Some(one.code.to_owned()),
        message: Some(one.message),
    });
    let items = if whole { waiting.chain(refused).collect() } else { Vec::new() };
    tx.bulk_insert(&operation, items).await?;
    if !waits && whole {
        enqueue(tx, operation.id).await?;
    }
    Ok(operation)
}

async fn enqueue(tx: &Tx, id: BulkOperationId) -> Result<()> {
    let job = NewJob {
        kind: KIND.to_owned(),
        payload: serde_json::json!({ "operation_id": id }).to_string(),
        unique_key: format!("{KIND}:{id}"),
        // A person waits for it, but not as for a sync of one connection.
        priority: 5,
        run_at: tx.now(),
        max_attempts: ATTEMPTS,
    };
    tx.job_enqueue(&job).await.map(drop)
}

/// Approves an operation that waits for it: a second person, signed in in person, with the right to do the same to every
/// client, who names the plan that they saw. `void` is what [`bulk_void`] found just before: with a reason, approval and
/// operation are void, and nothing will be done.
pub async fn bulk_approve(
    tx: &Tx,
    entries: &'static [Entry],
    id: BulkOperationId,
    seen: &str,
    void: Option<String>,
) -> Result<BulkOperation> {
    let operation = bulk_get(tx, id).await?;
    let context = tx.context();
    permitted(tx, entries, &operation.action).await?;
    let Actor::Staff { id: approver } = context.actor else {
        return Err(Error::conflict("needs_session", "Only someone who is signed in can approve: no key, no program."));
    };
    // A machine is whoever made it: nobody is both sides.
    let behind = match serde_json::from_str(&operation.actor).map_err(Error::internal)? {
        Actor::ServiceAccount { id } => tx.service_account(id).await?.created_by,
        _ => operation.started_by,
    };
    if behind == Some(approver) {
        return Err(Error::conflict("second_person", "Someone else has to approve what you started."));
    }
    if !context.scope.is_all() {
        return Err(Error::conflict("scope_limited", "Only who sees every client can approve: ask an admin."));
    }
    if operation.state != BulkState::WaitingApproval {
        let message = format!("It waits for no approval: it is {}.", operation.state.as_str());
        return Err(Error::conflict("not_waiting", message));
    }
    if operation.digest != seen {
        return Err(Error::conflict("another_plan", "This is not the plan of this operation: look at it again."));
    }
    if let Some(why) = void {
        let after = BulkOperation {
            state: BulkState::Expired,
            message: Some(why),
            finished_at: Some(tx.now()),
            ..operation.clone()
        };
        return tx.bulk_update(&operation, after).await;
    }
    let after = BulkOperation {
        state: BulkState::Queued,
        approved_by: Some(approver),
        approved_at: Some(tx.now()),
        ..operation.clone()
    };
    let after = tx.bulk_update(&operation, after).await?;
    enqueue(tx, id).await?;
    Ok(after)
}

/// Why an operation may not be done as it was started: what it would do is worked out anew for whoever started it, with
/// the rights that they have now. `None` where it may. In transactions of its own, one after another, that only read;
/// an operation that the caller does not see is not found.
pub async fn bulk_void(
    store: &Store,
    context: &Context,
    entries: &'static [Entry],
    id: BulkOperationId,
) -> Result<Option<String>> {
    let look = store.read(context.clone()).await?;
    let operation = bulk_get(&look, id).await?;
    drop(look);
    let actor: Actor = serde_json::from_str(&operation.actor).map_err(Error::internal)?;
    let worker = Context::worker(context.organisation, context.now, context.request_id.clone());
    let look = store.read(worker).await?;
    let starter = starter_context(&look, actor, &context.request_id).await?;
    drop(look);
    let Some(starter) = starter else { return Ok(Some("Whoever started it may do nothing any more.".to_owned())) };
    let look = store.read(starter).await?;
    match permitted(&look, entries, &operation.action).await {
        Ok(()) => {}
        Err(Error::Forbidden { .. } | Error::NotFound { .. }) => {
            return Ok(Some("Whoever started it may not do this any more.".to_owned()));
        }
        Err(other) => return Err(other),
    }
    let mut after = None;
    loop {
        let items = look.bulk_items_waiting(operation.id, after, AT_ONCE).await?;
        let Some(last) = items.last() else { return Ok(None) };
        after = Some(last.client_id);
        let ids: Vec<_> = items.iter().map(|item| item.client_id).collect();
        let lines = plan(&look, entries, &operation.action, &ids).await?.lines;
        if lines.iter().zip(&items).any(|(line, item)| line.trace() != item.planned) {
            return Ok(Some("What it would do has changed since it was started: preview it anew.".to_owned()));
        }
    }
}

/// Ends an operation that is not over: at once where nobody is at it, and otherwise after the chunk that is being done.
/// What was done stays, and can be reverted.
pub async fn bulk_cancel(tx: &Tx, id: BulkOperationId) -> Result<BulkOperation> {
    let operation = bulk_get(tx, id).await?;
    if operation.state == BulkState::Cancelled {
        return Ok(operation);
    }
    if operation.state.is_over() {
        let message = format!("It is over: {}. Revert its journal entry to take it back.", operation.state.as_str());
        return Err(Error::conflict("already_over", message));
    }
    let after = BulkOperation { state: BulkState::Cancelled, finished_at: Some(tx.now()), ..operation.clone() };
    tx.bulk_update(&operation, after).await
}

/// What to change about the settings; `None` leaves a role as it is.
#[derive(Clone, Debug, Default)]
pub struct BulkSettingsPatch {
    /// From how many clients on a second person approves, by role: above that number. 0 is always.
    pub thresholds: BTreeMap<Role, u32>,
    /// Refuse unless the settings have this version.
    pub version: Option<i32>,
}

/// From how many clients on a second person approves.
pub async fn bulk_settings_get(tx: &Tx) -> Result<BulkSettingsRow> {
    tx.context().require(Permission::ClientsView)?;
    tx.bulk_settings().await
}

/// Changes from how many clients on a second person approves.
pub async fn bulk_settings_update(tx: &Tx, patch: &BulkSettingsPatch) -> Result<BulkSettingsRow> {
    tx.context().require(Permission::TeamManage)?;
    // One after another: two who set the first would both make it.
    tx.team_lock().await?;
    let before = tx.bulk_settings().await?;
    if patch.version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "settings of bulk operations" });
    }
    let high = patch.thresholds.iter().filter(|(_, most)| **most > HIGHEST);
    let problems: Vec<Problem> = high
        .map(|(role, _)| {
            let pointer = format!("/thresholds/{}", role.as_str());
            Problem::new(pointer, "out_of_range", format!("must be at most {HIGHEST}"))
        })
        .collect();
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let mut thresholds = before.thresholds.0.clone();
    thresholds.extend(patch.thresholds.iter().map(|(role, most)| (*role, *most)));
    tx.bulk_settings_save(&before, BulkThresholds(thresholds)).await
}
