//! Archiving a client's documents at the vendor.

use domain::{Permission, RecordId};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    acting::{act, permitted},
    records::Document,
};
use crate::{app::AppData, auth::Caller, changes::Written, page::Answer, problem::Failure, write::Asked};

/// Whether a document is to be archived.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct DocumentArchive {
    /// Archived, or brought back
    pub archived: bool,
}

/// What can be done with documents.
pub struct DocumentArchiving;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl DocumentArchiving {
    /// Archive a document at the vendor, or bring it back
    ///
    /// Where the vendor no longer lists what is archived, the next sync takes it off the list here too.
    #[oai(path = "/:client_id/documents/:document_id/archive", method = "post", operation_id = "document_archive")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn document_archive(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        document_id: Path<Uuid>,
        body: Json<DocumentArchive>,
        /// Answer what would change, and send nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Document>>, Failure> {
        let context = permitted(&app, caller, Permission::DocumentsEdit, "document_archive").await?;
        let (request, body) = (format!("{:?}", body.0), body.0);
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        act(
            &app,
            &context,
            client_id.0,
            sync::DocumentArchive { id: RecordId(document_id.0), archived: body.archived },
            asked,
            &request,
        )
        .await
    }
}
