//! Two-way sync with PSAs: its settings, and what waits for a person.

use domain::{ClientId, ConnectionId, Listed, Permission, PsaConflictId};
use persistence::ConflictFilter;
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use sync::{ConflictChoice, ConflictTake, psa_conflict_resolve, psa_settings_get, psa_settings_update};
use uuid::Uuid;

use super::{
    Chapter,
    psa_views::{
        PsaConflict, PsaConflictState, PsaConflicts, PsaResolution, PsaResolve, PsaSettings, PsaSettingsUpdate, PsaTake,
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

fn choices(resolutions: Vec<PsaResolution>) -> domain::Result<Vec<ConflictChoice>> {
    let choice = |(at, one): (usize, PsaResolution)| {
        let take = match (one.take, one.value) {
            (PsaTake::Value, Some(value)) => ConflictTake::Value(value),
            (PsaTake::Value, None) => {
                return Err(domain::Error::invalid(format!("/resolutions/{at}/value"), "required", "must be given"));
            }
            (PsaTake::Ours, _) => ConflictTake::Ours,
            (PsaTake::Theirs, _) => ConflictTake::Theirs,
            (PsaTake::Owner, _) => ConflictTake::Owner,
            (PsaTake::Leave, _) => ConflictTake::Leave,
            (PsaTake::Link, _) => ConflictTake::Link,
            (PsaTake::Create, _) => ConflictTake::Create,
        };
        Ok(ConflictChoice { id: PsaConflictId(one.conflict_id), take })
    };
    resolutions.into_iter().enumerate().map(choice).collect()
}

/// Two-way sync with PSAs.
pub struct Psa;

#[OpenApi(prefix_path = "/api", tag = "Chapter::Mappings")]
impl Psa {
    /// How a connection to a PSA is kept in step with the clients
    #[oai(path = "/connections/:connection_id/psa", method = "get", operation_id = "psa_settings_get")]
    async fn psa_settings_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
    ) -> Result<Answer<PsaSettings>, Failure> {
        let tx = app.read(caller, Permission::ConnectionsView).await?;
        let view = psa_settings_get(&tx, app.entries, ConnectionId(connection_id.0)).await?;
        Ok(Answer::new(view.into()))
    }

    /// Change how a connection to a PSA is kept in step with the clients
    ///
    /// Off until it is switched on here. An edit of the side that owns a field is carried to the other; one of the other
    /// side waits in the conflict queue, and so does a field that both sides changed, or that never was alike. A blank
    /// never overwrites a known value by itself. What is switched on counts from now on.
    #[oai(path = "/connections/:connection_id/psa", method = "patch", operation_id = "psa_settings_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn psa_settings_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
        body: Json<PsaSettingsUpdate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<PsaSettings>>, Failure> {
        const NAME: &str = "psa_settings_update";
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (connection_id.0, &body.0);
        let write = match app.begin(&context, Permission::ConnectionsManage, NAME, asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = psa_settings_update(&write.tx, app.entries, ConnectionId(connection_id.0), body.0.patch()).await;
        let (write, view) = app.passed(write, done).await?;
        let answer = write.finish(Some(view.into()), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::new(answer))
    }

    /// What a person has to decide about clients and their companies at PSAs, the oldest first
    #[oai(path = "/psa-conflicts", method = "get", operation_id = "psa_conflict_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn psa_conflict_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only of this connection
        connection_id: Query<Option<Uuid>>,
        /// Only of this client
        client_id: Query<Option<Uuid>>,
        /// Only in this state; those that are open when left out
        state: Query<Option<PsaConflictState>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<PsaConflict>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientsView).await?;
        let filter = ConflictFilter {
            connection: match connection_id.0 {
                Some(id) => Some(tx.connection(ConnectionId(id)).await?.id),
                None => None,
            },
            client: match client_id.0 {
                Some(id) => Some(tx.client(ClientId(id)).await?.id),
                None => None,
            },
            state: Some(state.0.map_or(domain::PsaConflictState::Open, Into::into)),
        };
        let listed = tx.psa_conflict_list(&filter, &page).await?;
        let items = PsaConflict::of(&tx, listed.items).await?;
        Ok(Answer::page(Listed { items, next: listed.next, total: listed.total }, uri))
    }

    /// Decide about conflicts, all of them or none, as one change set
    ///
    /// The PSA's value, or a typed one, is the client's at once; what is to be sent is sent by the next pass, and only
    /// over what was seen here. A value goes over ours only as it was seen: where the client was changed meanwhile, it is
    /// refused as `moved`. Can be reverted as long as nothing was sent. `link` and `create` need the right to map.
    #[oai(path = "/psa-conflicts/resolve", method = "post", operation_id = "psa_conflict_resolve")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn psa_conflict_resolve(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<PsaResolve>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<PsaConflicts>>, Failure> {
        const NAME: &str = "psa_conflict_resolve";
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let write = match app.begin(&context, Permission::ClientsEdit, NAME, asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = psa_conflict_resolve(&write.tx, &choices(body.0.resolutions)?).await;
        let (write, items) = app.passed(write, done).await?;
        let items = PsaConflict::of(&write.tx, items).await?;
        let answer = write.finish(Some(PsaConflicts { items }), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::new(answer))
    }
}
