//! Bulk operations over clients.

use bulk::{bulk_approve, bulk_cancel, bulk_get, bulk_item_list, bulk_list, bulk_prepare, bulk_start, bulk_void};
use domain::{BulkOperationId, BulkState, Error, Permission};
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    bulk_shapes::{
        BulkApproval, BulkClient, BulkClientState, BulkOperation, BulkPlan, BulkPreview, BulkRequest, BulkStanding,
        view,
    },
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// Bulk operations.
pub struct BulkOperations;

#[OpenApi(prefix_path = "/api/bulk-operations", tag = "Chapter::Clients")]
impl BulkOperations {
    /// What a bulk operation would do
    ///
    /// The exact set of clients with its count, a sample of what would change, and who is refused for which reason.
    /// Nothing is written. Send `digest` as `expect` to `bulk_start`.
    #[oai(path = "/preview", method = "post", operation_id = "bulk_preview")]
    async fn bulk_preview(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<BulkRequest>,
    ) -> Result<Answer<BulkPreview>, Failure> {
        let context = caller.context()?;
        let action = body.0.action()?;
        app.permit(&context, action.permission(), "bulk_preview").await?;
        let tx = app.read_as(&context, action.permission()).await?;
        let prepared = bulk_prepare(&tx, app.entries, action, &body.0.selection(&app)?).await?;
        drop(tx);
        let plan = BulkPlan::of(&prepared);
        // Begun and rolled back: what it would write has the digest.
        let tx = app.store.begin(context).await?;
        let operation = bulk_start(&tx, prepared, None, false).await?;
        let digest = tx.preview().await?.digest;
        Ok(Answer::new(BulkPreview { digest, needs_approval: operation.state == BulkState::WaitingApproval, plan }))
    }

    /// Start a bulk operation
    ///
    /// Needs `expect` of its preview. Above the threshold of your role it waits until a second person approves the same
    /// plan; otherwise a worker does it at once, chunk by chunk, under the rights that you have by then. A client that
    /// changed since in what is touched is left alone. All of it is one change set: reverting one of its entries in the
    /// journal reverts all.
    #[oai(path = "/", method = "post", operation_id = "bulk_start")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn bulk_start(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<BulkRequest>,
        /// Answer what would be done, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would be done by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<BulkOperation>>, Failure> {
        let context = caller.context()?;
        let action = body.0.action()?;
        let permission = action.permission();
        app.permit(&context, permission, "bulk_start").await?;
        let why = reason.0.clone();
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let preview = asked.is_dry_run();
        if !preview && asked.expect.is_none() {
            let message = "must be the digest of the preview: ask for that first";
            return Err(Error::invalid("expect", "required", message).into());
        }
        if let Some(answer) = app.answered(&context, "bulk_start", &asked, &body.0).await? {
            return Ok(Answer::new(answer));
        }
        app.permit(&context, permission, "bulk_start").await?;
        // Before the write begins: it holds up nobody while it reads.
        let tx = app.read_as(&context, permission).await?;
        let prepared = bulk_prepare(&tx, app.entries, action, &body.0.selection(&app)?).await?;
        drop(tx);
        let shown = BulkPlan::of(&prepared);
        let write = match app.begin(&context, permission, "bulk_start", asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let operation = bulk_start(&write.tx, prepared, why.as_deref(), !preview).await?;
        let version = operation.version;
        let answer = write.finish(Some(view(operation, Some(shown))), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::versioned(answer, version))
    }

    /// Bulk operations, the newest first: your own, and with every client in your sight those of others
    #[oai(path = "/", method = "get", operation_id = "bulk_list")]
    async fn bulk_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only those in this state
        state: Query<Option<BulkStanding>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<BulkOperation>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientsView).await?;
        let listed = bulk_list(&tx, state.0.map(Into::into), &page).await?;
        Ok(Answer::page(listed.map(|operation| view(operation, None)), uri))
    }

    /// A bulk operation, and how far it is
    #[oai(path = "/:bulk_operation_id", method = "get", operation_id = "bulk_get")]
    async fn bulk_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        bulk_operation_id: Path<Uuid>,
    ) -> Result<Answer<BulkOperation>, Failure> {
        let tx = app.read(caller, Permission::ClientsView).await?;
        let operation = bulk_get(&tx, BulkOperationId(bulk_operation_id.0)).await?;
        let version = operation.version;
        Ok(Answer::versioned(view(operation, None), version))
    }

    /// The clients of a bulk operation, and what became of each
    ///
    /// Those that were already so are not among them.
    #[oai(path = "/:bulk_operation_id/clients", method = "get", operation_id = "bulk_client_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn bulk_client_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        bulk_operation_id: Path<Uuid>,
        /// Only those in this state
        state: Query<Option<BulkClientState>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<BulkClient>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientsView).await?;
        let id = BulkOperationId(bulk_operation_id.0);
        let listed = bulk_item_list(&tx, id, state.0.map(Into::into), &page).await?;
        Ok(Answer::page(listed.map(Into::into), uri))
    }

    /// Approve a bulk operation that waits for a second person
    ///
    /// For someone else than who started it, signed in in person, who may do the same and sees every client. What it
    /// would do is worked out anew: if that changed since it was started, its state is `expired` in the answer, and
    /// nothing will be done.
    #[oai(path = "/:bulk_operation_id/approve", method = "post", operation_id = "bulk_approve")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn bulk_approve(
        &self,
        app: AppData<'_>,
        caller: Caller,
        bulk_operation_id: Path<Uuid>,
        body: Json<BulkApproval>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<BulkOperation>>, Failure> {
        let context = caller.context()?;
        let id = BulkOperationId(bulk_operation_id.0);
        app.permit(&context, Permission::ClientsView, "bulk_approve").await?;
        let tx = app.read_as(&context, Permission::ClientsView).await?;
        let permission = bulk_get(&tx, id).await?.action.permission();
        drop(tx);
        app.permit(&context, permission, "bulk_approve").await?;
        let void = bulk_void(&app.store, &context, app.entries, id).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (id, &body.0);
        let write = match app.begin(&context, permission, "bulk_approve", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let operation = bulk_approve(&write.tx, app.entries, id, &body.0.plan, void).await?;
        let version = operation.version;
        let answer = write.finish(Some(view(operation, None)), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::versioned(answer, version))
    }

    /// End a bulk operation
    ///
    /// One that waits is over at once, one at work after the chunk that is being done. What was done stays; its entry in
    /// the journal takes it back.
    #[oai(path = "/:bulk_operation_id/cancel", method = "post", operation_id = "bulk_cancel")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn bulk_cancel(
        &self,
        app: AppData<'_>,
        caller: Caller,
        bulk_operation_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<BulkOperation>>, Failure> {
        let context = caller.context()?;
        let id = BulkOperationId(bulk_operation_id.0);
        app.permit(&context, Permission::ClientsView, "bulk_cancel").await?;
        let tx = app.read_as(&context, Permission::ClientsView).await?;
        let permission = bulk_get(&tx, id).await?.action.permission();
        drop(tx);
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let write = match app.begin(&context, permission, "bulk_cancel", asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let operation = bulk_cancel(&write.tx, id).await?;
        let version = operation.version;
        let answer = write.finish(Some(view(operation, None)), Vec::new()).await?;
        Ok(Answer::versioned(answer, version))
    }
}
