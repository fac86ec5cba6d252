//! Writes that wait for somebody's approval: asked for by whoever has a permission with approval only, decided by somebody
//! else who has it outright and sees all that it touches. How the request is tried and done is the API's business
//! (`asking.rs` there); who may decide, and what follows, is here.

use domain::{
    APPROVAL_LASTS, Actor, Approval, ApprovalId, ApprovalState, Change, ClientScope, Context, Error, Grant, Listed,
    MOST_APPROVAL_CHANGES, PageRequest, Permission, Permissions, Result, StaffId, clients_touched,
};
use persistence::{Store, Tx};

use crate::{gate::in_person, starter::starter_context};

/// What may wait in an organisation, and of one caller.
const MOST: (u64, u64) = (1_000, 100);
/// Longest reason for a no, in characters.
const REASON: usize = 1_000;

/// Something that is asked for: a write with what it would change.
#[derive(Clone, Debug)]
pub struct NewApproval {
    /// The operation.
    pub operation: String,
    /// HTTP method.
    pub method: String,
    /// Path, with ids.
    pub path: String,
    /// What the caller has with approval only.
    pub permission: Permission,
    /// Digest of the preview.
    pub digest: String,
    /// How many rows would change, shown or not.
    pub total: u64,
    /// What would change.
    pub changes: Vec<Change>,
    /// Why, for the journal.
    pub reason: Option<String>,
    /// The request, to be sealed.
    pub request: Vec<u8>,
}

/// How it ended when it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// It was done.
    Done,
    /// It is no longer what was asked for: nothing was written.
    Moved(String),
    /// It was refused: nothing was written.
    Refused(String),
    /// Nothing was written for now; it can be approved again.
    Later(String),
    /// Nobody knows.
    Unknown(String),
}

/// Keeps what somebody asks for. The caller commits (`approval_request`). The conflicts `too_many_changes` where it is
/// more than one person can look through, and `too_many_waiting`.
pub async fn approval_request(tx: &Tx, new: NewApproval) -> Result<Approval> {
    let context = tx.context();
    if new.total > MOST_APPROVAL_CHANGES as u64 || new.total != new.changes.len() as u64 {
        let message = format!(
            "It would change {} rows: at most {MOST_APPROVAL_CHANGES} can be asked for at a time. Ask for it in parts.",
            new.total
        );
        return Err(Error::conflict("too_many_changes", message));
    }
    // One after another, so that nobody gets past the limits.
    tx.team_lock().await?;
    let (all, own) = tx.approvals_waiting().await?;
    if all >= MOST.0 || own >= MOST.1 {
        let message = "Too much waits for approval already: wait for decisions, or withdraw some of yours.";
        return Err(Error::conflict("too_many_waiting", message));
    }
    let (clients, beyond_clients) = clients_touched(&new.changes);
    let approval = Approval {
        id: tx.new_id(),
        operation: new.operation,
        method: new.method,
        path: new.path,
        permission: new.permission,
        digest: new.digest,
        changes: new.changes,
        clients,
        beyond_clients,
        actor: context.actor,
        asked_by: behind(tx, context.actor).await?,
        acted_for: context.acted_for,
        reason: new.reason.map(|text| text.chars().take(REASON).collect()),
        state: ApprovalState::Pending,
        decided_by: None,
        decided_at: None,
        message: None,
        entry_id: None,
        created_at: tx.now(),
        expires_at: tx.now() + APPROVAL_LASTS,
        finished_at: None,
        version: 1,
    };
    tx.approval_insert(&approval, &new.request).await?;
    Ok(approval)
}

/// The person behind an actor: a machine is whoever made it.
async fn behind(tx: &Tx, actor: Actor) -> Result<Option<StaffId>> {
    match actor {
        Actor::ServiceAccount { id } => Ok(tx.service_account(id).await?.created_by),
        other => Ok(other.staff()),
    }
}

fn is_visible(context: &Context, approval: &Approval) -> bool {
    approval.is_of(&context.actor) || approval.may_be_decided_with(&context.permissions, &context.scope)
}

/// Something that the caller asked for or may decide about; anything else is not found.
pub async fn approval_get(tx: &Tx, id: ApprovalId) -> Result<Approval> {
    let mut found = tx.approval(id).await?;
    if !is_visible(tx.context(), &found) {
        return Err(Error::NotFound { what: "approval" });
    }
    // Whoever asked may see less by now.
    if !found.clients.iter().all(|client| tx.context().scope.allows(*client)) {
        found.changes = Vec::new();
    }
    Ok(found)
}

/// What the caller asked for, and what they may decide about, the newest first.
pub async fn approval_list(tx: &Tx, state: Option<ApprovalState>, page: &PageRequest) -> Result<Listed<Approval>> {
    tx.approval_list(state, page).await
}

fn waits(tx: &Tx, approval: &Approval) -> Result<()> {
    match approval.state_at(tx.now()) {
        ApprovalState::Pending => Ok(()),
        state => Err(Error::conflict("not_waiting", format!("It waits for no decision: it is {}.", state.as_str()))),
    }
}

/// Something that the caller may decide about now. The conflicts `needs_session` for a machine, `second_person` for who
/// asked, `not_waiting` where it was decided.
pub async fn approval_to_decide(tx: &Tx, id: ApprovalId) -> Result<(Approval, StaffId)> {
    let approval = approval_get(tx, id).await?;
    let needs_session =
        |_| Error::conflict("needs_session", "Only someone who is signed in can decide: no key, no program.");
    let decider = in_person(tx.context()).map_err(needs_session)?;
    if approval.is_of(&tx.context().actor) {
        return Err(Error::conflict("second_person", "Someone else has to decide about what you asked for."));
    }
    waits(tx, &approval)?;
    Ok((approval, decider))
}

/// The same for a yes to what the caller saw (its digest). The conflict `another_change` where it was something else.
pub async fn approval_to_approve(tx: &Tx, id: ApprovalId, seen: &str) -> Result<(Approval, StaffId)> {
    let (approval, decider) = approval_to_decide(tx, id).await?;
    if approval.digest != seen {
        return Err(Error::conflict("another_change", "This is not what was asked for: look at it again."));
    }
    Ok((approval, decider))
}

/// Takes back what the caller asked for. The caller commits (`approval_withdraw`).
pub async fn approval_withdraw(tx: &Tx, id: ApprovalId) -> Result<Approval> {
    let before = approval_get(tx, id).await?;
    if !before.is_of(&tx.context().actor) {
        return Err(Error::conflict("not_yours", "Only who asked can withdraw it: reject it instead."));
    }
    // A key that may only read withdraws nothing of its owner's.
    if tx.context().permissions.grant(before.permission) == Grant::No {
        return Err(Error::Forbidden { permission: before.permission });
    }
    waits(tx, &before)?;
    let after = Approval { state: ApprovalState::Withdrawn, ..before.clone() };
    tx.approval_update(&before, after).await
}

/// Says no, with the reason that whoever asked is told. The caller commits (`approval_reject`).
pub async fn approval_reject(tx: &Tx, id: ApprovalId, reason: &str) -> Result<Approval> {
    let reason = reason.trim();
    let wrong = |code, message: &str| Err(Error::invalid("/reason", code, message));
    match reason.chars().count() {
        0 => return wrong("required", "must say why: whoever asked is told"),
        count if count > REASON => return wrong("too_long", "must have at most 1000 characters"),
        _ => {}
    }
    let (before, decider) = approval_to_decide(tx, id).await?;
    let after = Approval {
        state: ApprovalState::Rejected,
        decided_by: Some(decider),
        decided_at: Some(tx.now()),
        message: Some(reason.to_owned()),
        ..before.clone()
    };
    tx.approval_update(&before, after).await
}

/// Says yes to what the caller saw (its digest). It is being done from then on, or over, where `void` says why it can be
/// done no more. The caller commits (`approval_approve`), does it, and then calls [`approval_settle`].
pub async fn approval_approve(tx: &Tx, id: ApprovalId, seen: &str, void: Option<String>) -> Result<Approval> {
    let (before, decider) = approval_to_approve(tx, id, seen).await?;
    let state = if void.is_some() { ApprovalState::Expired } else { ApprovalState::Applying };
    let after =
        Approval { state, decided_by: Some(decider), decided_at: Some(tx.now()), message: void, ..before.clone() };
    tx.approval_update(&before, after).await
}

/// Ends what was approved as it came out. Where it was done, the transaction that did it has noted so already. The caller
/// commits (`approval_end`).
pub async fn approval_settle(tx: &Tx, id: ApprovalId, came: Came) -> Result<Approval> {
    let before = tx.approval(id).await?;
    if before.state != ApprovalState::Applying {
        return Ok(before);
    }
    let (state, message) = match came {
        // Nothing differed, or it leaves no entry.
        Came::Done => (ApprovalState::Applied, None),
        Came::Moved(why) => (ApprovalState::Expired, Some(why)),
        Came::Refused(why) => (ApprovalState::Failed, Some(why)),
        Came::Unknown(why) => (ApprovalState::Unknown, Some(why)),
        Came::Later(why) => (ApprovalState::Pending, Some(why)),
    };
    let back = state == ApprovalState::Pending;
    let after = Approval {
        state,
        message,
        decided_by: before.decided_by.filter(|_| !back),
        decided_at: before.decided_at.filter(|_| !back),
        ..before.clone()
    };
    tx.approval_update(&before, after).await
}

/// Whoever asked for it, with the rights that they have now, as if they had been approved; `None` where they may not even
/// ask any more. In a transaction of its own, which only reads.
pub async fn approval_asker(store: &Store, context: &Context, approval: &Approval) -> Result<Option<Context>> {
    let worker = Context::worker(context.organisation, store.clock().now(), context.request_id.clone());
    let look = store.read(worker).await?;
    let Some(asker) = starter_context(&look, approval.actor, &context.request_id).await? else { return Ok(None) };
    let asker = match approval.acted_for {
        None => asker,
        Some(client) if asker.require(Permission::CustomersActFor).is_ok() && asker.scope.allows(client) => {
            Context { acted_for: Some(client), scope: ClientScope::Only([client].into()), ..asker }
        }
        Some(_) => return Ok(None),
    };
    let raised = Context { permissions: Permissions::raised(asker.permissions), ..asker.clone() };
    let asks = asker.permissions.grant(approval.permission) == Grant::Approval;
    Ok((asks && raised.require(approval.permission).is_ok()).then_some(raised))
}

/// Ends what someone asked for who may do less from now on.
pub(crate) async fn approvals_end(tx: &Tx, staff: StaffId) -> Result<()> {
    for before in tx.approvals_pending_of(staff).await? {
        let message = Some("Whoever asked for it may do less by now: they may ask again.".to_owned());
        let after = Approval { state: ApprovalState::Expired, message, ..before.clone() };
        tx.approval_update(&before, after).await?;
    }
    Ok(())
}
