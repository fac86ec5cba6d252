//! What waits for somebody's approval.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{Actor, Approval, ApprovalId, ApprovalState, Context, Timestamp};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::Chapter;
use crate::{
    app::{App, AppData},
    approving,
    auth::Caller,
    changes::{Change, Written},
    page::{Answer, Page, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// How something that was asked for stands
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ApprovalStanding {
    /// Somebody else is to look at it
    Pending,
    /// It was approved, and is being done
    Applying,
    /// It was done
    Applied,
    /// Somebody said no
    Rejected,
    /// Whoever asked took it back
    Withdrawn,
    /// Nobody decided in time, or it was no longer what was asked for: nothing was done
    Expired,
    /// It was approved, and was refused when it was done
    Failed,
    /// It was approved, and nobody knows whether it was done: look before asking again
    Unknown,
}

impl From<ApprovalState> for ApprovalStanding {
    fn from(state: ApprovalState) -> Self {
        match state {
            ApprovalState::Pending => Self::Pending,
            ApprovalState::Applying => Self::Applying,
            ApprovalState::Applied => Self::Applied,
            ApprovalState::Rejected => Self::Rejected,
            ApprovalState::Withdrawn => Self::Withdrawn,
            ApprovalState::Expired => Self::Expired,
            ApprovalState::Failed => Self::Failed,
            ApprovalState::Unknown => Self::Unknown,
        }
    }
}

impl From<ApprovalStanding> for ApprovalState {
    fn from(state: ApprovalStanding) -> Self {
        match state {
            ApprovalStanding::Pending => Self::Pending,
            ApprovalStanding::Applying => Self::Applying,
            ApprovalStanding::Applied => Self::Applied,
            ApprovalStanding::Rejected => Self::Rejected,
            ApprovalStanding::Withdrawn => Self::Withdrawn,
            ApprovalStanding::Expired => Self::Expired,
            ApprovalStanding::Failed => Self::Failed,
            ApprovalStanding::Unknown => Self::Unknown,
        }
    }
}

/// Something that was asked for by whoever may do it only with approval.
#[derive(Debug, Clone, Object)]
#[oai(rename = "Approval", skip_serializing_if_is_none)]
pub struct ApprovalView {
    /// Id
    pub id: Uuid,
    pub state: ApprovalStanding,
    /// The operation that is asked for
    pub operation: String,
    /// HTTP method
    pub method: String,
    /// Path, with ids
    pub path: String,
    /// The permission that whoever asked has with approval only
    pub permission: String,
    /// Kind of actor that asked: staff, api_key, service_account
    pub actor_kind: String,
    /// Staff user, key or service account that asked
    pub actor_id: Option<Uuid>,
    /// Staff user behind that
    pub asked_by: Option<Uuid>,
    /// Whether that is you
    pub yours: bool,
    /// Customer it was asked for
    pub acted_for: Option<Uuid>,
    /// Why, in the words of whoever asked
    pub reason: Option<String>,
    /// Digest of what would change: to be sent with a yes
    pub digest: String,
    /// How many rows would change
    pub change_count: u64,
    /// What would change; in a list none
    pub changes: Vec<Change>,
    /// Who approved or rejected it
    pub decided_by: Option<Uuid>,
    /// When
    pub decided_at: Option<DateTime<Utc>>,
    /// Why it was rejected, or came to nothing
    pub message: Option<String>,
    /// Journal entry that holds what was done
    pub entry_id: Option<Uuid>,
    /// Asked
    pub created_at: DateTime<Utc>,
    /// Until when somebody may decide
    pub expires_at: DateTime<Utc>,
    /// When it was over
    pub finished_at: Option<DateTime<Utc>>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

impl ApprovalView {
    /// The view of one for this caller at this instant, with what would change or without.
    pub fn of(approval: Approval, caller: &Actor, now: Timestamp, whole: bool) -> Self {
        Self {
            id: approval.id.0,
            state: approval.state_at(now).into(),
            yours: approval.is_of(caller),
            operation: approval.operation,
            method: approval.method,
            path: approval.path,
            permission: approval.permission.as_str().to_owned(),
            actor_kind: approval.actor.kind().to_owned(),
            actor_id: approval.actor.id(),
            asked_by: approval.asked_by.map(|staff| staff.0),
            acted_for: approval.acted_for.map(|client| client.0),
            reason: approval.reason,
            digest: approval.digest,
            change_count: approval.changes.len() as u64,
            changes: approval.changes.into_iter().filter(|_| whole).map(Change::of).collect(),
            decided_by: approval.decided_by.map(|staff| staff.0),
            decided_at: approval.decided_at,
            message: approval.message,
            entry_id: approval.entry_id.map(|entry| entry.0),
            created_at: approval.created_at,
            expires_at: approval.expires_at,
            finished_at: approval.finished_at,
            version: approval.version,
        }
    }
}

/// A yes to what was seen.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct ApprovalYes {
    /// Its `digest`, as you saw it
    pub digest: String,
}

/// A no.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct ApprovalNo {
    /// Why; whoever asked is told
    pub reason: String,
}

/// What waits for approval.
pub struct Approvals;

#[OpenApi(prefix_path = "/api/approvals", tag = "Chapter::Staff")]
impl Approvals {
    /// What you asked for, and what you may decide about, the newest first
    #[oai(path = "/", method = "get", operation_id = "approval_list")]
    async fn approval_list(
        &self,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only those in this state
        state: Query<Option<ApprovalStanding>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<ApprovalView>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = caller.read()?;
        let listed = access::approval_list(&tx, state.0.map(Into::into), &page).await?;
        let view = |approval| ApprovalView::of(approval, &tx.context().actor, tx.now(), false);
        Ok(Answer::page(listed.map(view), uri))
    }

    /// Something that was asked for, with what it would change
    #[oai(path = "/:approval_id", method = "get", operation_id = "approval_get")]
    async fn approval_get(&self, caller: Caller, approval_id: Path<Uuid>) -> Result<Answer<ApprovalView>, Failure> {
        let tx = caller.read()?;
        let found = access::approval_get(&tx, ApprovalId(approval_id.0)).await?;
        let version = found.version;
        Ok(Answer::versioned(ApprovalView::of(found, &tx.context().actor, tx.now(), true), version))
    }

    /// Approve what somebody else asked for
    ///
    /// For someone signed in who could do the very same themselves, and did not ask for it. It is done at once, as whoever
    /// asked; the journal names both. If what it would change is not what was asked for any more, its state is `expired`
    /// in the answer, and nothing was done.
    #[oai(path = "/:approval_id/approve", method = "post", operation_id = "approval_approve")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn approval_approve(
        &self,
        app: AppData<'_>,
        caller: Caller,
        approval_id: Path<Uuid>,
        body: Json<ApprovalYes>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ApprovalView>>, Failure> {
        let (action, app) = ("approval_approve", Arc::clone(app.0));
        let id = ApprovalId(approval_id.0);
        let (context, session) = person(caller)?;
        // What is not theirs to decide is not there; the rest asks who they are.
        let tx = app.store.read(context.clone()).await?;
        access::approval_get(&tx, id).await?;
        drop(tx);
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        if !asked.is_dry_run() {
            app.require_proof(&context, session.as_ref(), action).await?;
        }
        let request = (id, &body.0);
        if let Some(answer) = app.answered::<ApprovalView>(&context, action, &asked, &request).await? {
            return Ok(Answer::new(answered(&app, &context, answer).await?));
        }
        let tx = app.store.read(context.clone()).await?;
        let (waiting, by) = access::approval_to_approve(&tx, id, &body.0.digest).await?;
        drop(tx);
        let (ready, void) = match approving::prepare(&app, &context, &waiting).await? {
            Ok(ready) => (Some(ready), None),
            Err(why) => (None, Some(why)),
        };
        let preview = asked.is_dry_run();
        let write = match app.begin_permitted(&context, action, asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answered(&app, &context, answer).await?)),
            Begun::New(write) => write,
        };
        let decided = access::approval_approve(&write.tx, id, &body.0.digest, void).await?;
        let view = ApprovalView::of(decided.clone(), &context.actor, context.now, true);
        let mut answer: Written<ApprovalView> = write.finish(Some(view), Vec::new()).await?;
        if let Some(ready) = ready.filter(|_| !preview) {
            let after = approving::carry_out(&app, &context, decided, by, ready).await?;
            app.wake.notify_one();
            answer.item = Some(ApprovalView::of(after, &context.actor, context.now, true));
        }
        Ok(Answer::new(answer))
    }

    /// Reject what somebody else asked for, with a reason
    #[oai(path = "/:approval_id/reject", method = "post", operation_id = "approval_reject")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn approval_reject(
        &self,
        app: AppData<'_>,
        caller: Caller,
        approval_id: Path<Uuid>,
        body: Json<ApprovalNo>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ApprovalView>>, Failure> {
        let context = caller.context()?;
        let id = ApprovalId(approval_id.0);
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let write = match app.begin_permitted(&context, "approval_reject", asked, &(id, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let after = access::approval_reject(&write.tx, id, &body.0.reason).await?;
        let view = ApprovalView::of(after, &context.actor, context.now, true);
        Ok(Answer::new(write.finish(Some(view), Vec::new()).await?))
    }

    /// Take back what you asked for
    #[oai(path = "/:approval_id/withdraw", method = "post", operation_id = "approval_withdraw")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn approval_withdraw(
        &self,
        app: AppData<'_>,
        caller: Caller,
        approval_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ApprovalView>>, Failure> {
        let context = caller.context()?;
        let id = ApprovalId(approval_id.0);
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let write = match app.begin_permitted(&context, "approval_withdraw", asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = access::approval_withdraw(&write.tx, id).await;
        let (write, after) = app.passed(write, done).await?;
        let view = ApprovalView::of(after, &context.actor, context.now, true);
        Ok(Answer::new(write.finish(Some(view), Vec::new()).await?))
    }
}

/// The caller with their session, if they have one.
fn person(caller: Caller) -> domain::Result<(Context, Option<persistence::SessionRow>)> {
    let (tx, session) = caller.checked()?;
    Ok((tx.context().clone(), session))
}

/// The first answer again, with how it stands by now: it was given before it was done.
async fn answered(
    app: &Arc<App>,
    context: &Context,
    answer: Written<ApprovalView>,
) -> domain::Result<Written<ApprovalView>> {
    let Some(id) = answer.item.as_ref().map(|item| ApprovalId(item.id)) else { return Ok(answer) };
    let tx = app.store.read(context.clone()).await?;
    let now = access::approval_get(&tx, id).await?;
    Ok(Written { item: Some(ApprovalView::of(now, &context.actor, context.now, true)), ..answer })
}
