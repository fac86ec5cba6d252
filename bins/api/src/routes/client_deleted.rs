//! Clients that were deleted, and bringing them back.

use chrono::{DateTime, Utc};
use domain::{ClientId, Permission};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
};
use uuid::Uuid;

use super::{
    Chapter,
    clients::{Client, view},
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// A client that was deleted.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct DeletedClient {
    /// Id
    pub id: Uuid,
    /// Name
    pub name: String,
    /// When it was deleted
    pub deleted_at: DateTime<Utc>,
    /// Until when it can come back
    pub restorable_until: DateTime<Utc>,
    /// The client it was merged into: reverting that entry of the journal makes two of them again
    pub merged_into: Option<Uuid>,
}

/// Deleted clients.
pub struct DeletedClients;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl DeletedClients {
    /// Clients that were deleted and can still come back, the last first
    #[oai(path = "/deleted", method = "get", operation_id = "deleted_client_list")]
    async fn deleted_client_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<DeletedClient>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientsDelete).await?;
        let listed = tx.clients_deleted(&page).await?;
        let shown = listed.map(|gone| DeletedClient {
            id: gone.client.id.0,
            name: gone.client.name,
            deleted_at: gone.deleted_at,
            restorable_until: gone.restorable_until,
            merged_into: gone.merged_into.map(|client| client.0),
        });
        Ok(Answer::page(shown, uri))
    }

    /// Bring a deleted client back
    ///
    /// For 30 days, with its mappings and what it was known by; entities that were decided about since stay where they
    /// are, which the answer warns of. Of clients that were deleted together only this one comes back. One that is not
    /// deleted stays as it is; one that was merged into another comes back with the entry of that in the journal.
    #[oai(path = "/:client_id/undelete", method = "post", operation_id = "client_undelete")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_undelete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Client>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let begun = app.begin(&context, Permission::ClientsDelete, "client_undelete", asked, &client_id.0).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let id = ClientId(client_id.0);
        let left = write.tx.client_undelete(id).await?;
        let warnings = left.into_iter().map(|problem| format!("{}: it stays where it is.", problem.message)).collect();
        let listed = write.tx.client_listed(id).await?;
        let version = listed.client.version;
        let item = view(&app, listed);
        Ok(Answer::versioned(write.finish(Some(item), warnings).await?, version))
    }
}
