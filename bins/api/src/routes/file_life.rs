//! To whom files are shown, and files that go and come back.

use directory::{file_publish, file_restore, file_unpublish};
use domain::{FileId, Permission};
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    file_shapes::{File, FilePublish},
    files::end,
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, if_match},
    problem::Failure,
    write::{Asked, Begun},
};

/// To whom files are shown, and whether they are there.
pub struct FileLife;

#[OpenApi(prefix_path = "/api/files", tag = "Chapter::Library")]
impl FileLife {
    /// Show a file to people of clients in ClientOne, at once
    ///
    /// What is of one client is shown to that client only. Publishing again says anew to whom.
    #[oai(path = "/:file_id/publish", method = "post", operation_id = "file_publish")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn file_publish(
        &self,
        app: AppData<'_>,
        caller: Caller,
        file_id: Path<Uuid>,
        body: Json<FilePublish>,
        /// ETag of the file as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<File>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (file_id.0, &body.0, version);
        let write = match app.begin(&context, Permission::DocumentsEdit, "file_publish", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let file = file_publish(&write.tx, FileId(file_id.0), body.0.into(), version).await?;
        end(*write, file).await
    }

    /// Show a file to nobody any more, at once
    #[oai(path = "/:file_id/unpublish", method = "post", operation_id = "file_unpublish")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn file_unpublish(
        &self,
        app: AppData<'_>,
        caller: Caller,
        file_id: Path<Uuid>,
        /// ETag of the file as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<File>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (file_id.0, version);
        let write = match app.begin(&context, Permission::DocumentsEdit, "file_unpublish", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let file = file_unpublish(&write.tx, FileId(file_id.0), version).await?;
        end(*write, file).await
    }

    /// Bring a removed file back, published to nobody
    #[oai(path = "/:file_id/restore", method = "post", operation_id = "file_restore")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn file_restore(
        &self,
        app: AppData<'_>,
        caller: Caller,
        file_id: Path<Uuid>,
        /// ETag of the file as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<File>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (file_id.0, version);
        let write = match app.begin(&context, Permission::DocumentsEdit, "file_restore", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let file = file_restore(&write.tx, FileId(file_id.0), version).await?;
        end(*write, file).await
    }
}
