//! Files that the MSP keeps of clients, or for all of them: uploaded, found, read, changed.

use directory::{
    FileDraft, FilePatch, NewContent, file_content, file_place, file_remove, file_replace, file_update, file_upload,
};
use domain::{ClientId, Context, Error, FileId, Permission, file_name};
use persistence::FileFilter;
use poem::{Body, Request};
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::{Binary, Json},
};
use uuid::Uuid;

use super::{
    Chapter,
    file_shapes::{File, FileUpdate, FileVersions},
};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    contents::{Arrived, Download, fitting},
    page::{Answer, Page, if_match, page_request},
    problem::Failure,
    write::{Asked, Begun, Write},
};

/// Files.
pub struct Files;

#[OpenApi(prefix_path = "/api/files", tag = "Chapter::Library")]
impl Files {
    /// A page of files by title
    #[oai(path = "/", method = "get", operation_id = "file_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn file_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Of this client only
        client_id: Query<Option<Uuid>>,
        /// Of this category
        category: Query<Option<String>>,
        /// Part of the title
        search: Query<Option<String>>,
        /// Only published ones, or only the others
        published: Query<Option<bool>>,
        /// Removed ones instead of those that are there
        removed: Query<Option<bool>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<File>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ServiceView).await?;
        if let Some(client) = client_id.0 {
            tx.client(ClientId(client)).await?;
        }
        let filter = FileFilter {
            client: client_id.0.map(ClientId),
            shown_to: None,
            category: category.0,
            search: search.0,
            published: published.0,
            removed: removed.0.unwrap_or(false),
        };
        let listed = tx.file_list(&filter, &page).await?;
        let scope = tx.context().scope.clone();
        Ok(Answer::page(listed.map(|file| File::of(file, &scope)), uri))
    }

    /// Keep a file: its bytes are the body
    ///
    /// What kind of file it is, is found by its content, and the name must agree. It is shown to nobody before it is
    /// published. A preview (`dry_run=true`) takes the body too, and keeps nothing of it.
    #[oai(path = "/", method = "post", operation_id = "file_upload")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn file_upload(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        body: Binary<Body>,
        /// Name of the file, its extension included
        name: Query<String>,
        /// Of which client; left out, it is the MSP's own
        client_id: Query<Option<Uuid>>,
        /// Title; the name when left out
        title: Query<Option<String>>,
        /// Category, in the staff's words
        category: Query<Option<String>>,
        /// What is to be known of it
        description: Query<Option<String>>,
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
        let action = "file_upload";
        app.permit(&context, Permission::DocumentsEdit, action).await?;
        let name = file_name("name", &name.0).map_err(|problem| Error::Invalid(vec![problem]))?;
        let client = client_id.0.map(ClientId);
        file_place(&app.store.read(context.clone()).await?, client).await?;
        let arrived = app.content_arrive(&context, request, body.0, app.file_limits.file).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let draft = FileDraft { client, title: title.0, name, category: category.0, description: description.0 };
        let done = keep(&app, &context, draft, &arrived, asked).await;
        settle(&app, &context, &arrived, done).await
    }

    /// One file
    #[oai(path = "/:file_id", method = "get", operation_id = "file_get")]
    async fn file_get(&self, app: AppData<'_>, caller: Caller, file_id: Path<Uuid>) -> Result<Answer<File>, Failure> {
        let tx = app.read(caller, Permission::ServiceView).await?;
        let file = tx.file(FileId(file_id.0)).await?;
        let version = file.version;
        Ok(Answer::versioned(File::of(file, &tx.context().scope), version))
    }

    /// The contents that a file had
    #[oai(path = "/:file_id/versions", method = "get", operation_id = "file_version_list")]
    async fn file_version_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        file_id: Path<Uuid>,
    ) -> Result<Answer<FileVersions>, Failure> {
        let tx = app.read(caller, Permission::ServiceView).await?;
        let file = tx.file(FileId(file_id.0)).await?;
        let items = tx.file_versions(file.id).await?.into_iter().map(Into::into).collect();
        Ok(Answer::new(FileVersions { items }))
    }

    /// Download a file
    #[oai(path = "/:file_id/content", method = "get", operation_id = "file_content_get")]
    async fn file_content_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        file_id: Path<Uuid>,
        /// Which content; the present one when left out
        number: Query<Option<i32>>,
    ) -> Result<Download, Failure> {
        let tx = app.read(caller, Permission::ServiceView).await?;
        let (_, version) = file_content(&tx, FileId(file_id.0), number.0).await?;
        let content = tx.content(version.content_id).await?;
        // The store may take its time: nothing waits for it.
        tx.rollback().await?;
        app.content_leave(&content, &version.name, &version.sha256).await
    }

    /// Give a file another content: its bytes are the body
    ///
    /// The former content is kept as a version. Whoever the file is published to sees the new one at once.
    #[oai(path = "/:file_id/content", method = "put", operation_id = "file_replace")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn file_replace(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        file_id: Path<Uuid>,
        body: Binary<Body>,
        /// Name of the file, its extension included; as before when left out
        name: Query<Option<String>>,
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
        app.permit(&context, Permission::DocumentsEdit, "file_replace").await?;
        let id = FileId(file_id.0);
        let present = app.store.read(context.clone()).await?.file(id).await?;
        let name =
            file_name("name", &name.0.unwrap_or(present.name)).map_err(|problem| Error::Invalid(vec![problem]))?;
        let arrived = app.content_arrive(&context, request, body.0, app.file_limits.file).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let done = replace(&app, &context, (id, name, version), &arrived, asked).await;
        settle(&app, &context, &arrived, done).await
    }

    /// Rename, sort or describe a file
    #[oai(path = "/:file_id", method = "patch", operation_id = "file_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn file_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        file_id: Path<Uuid>,
        body: Json<FileUpdate>,
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
        let write = match app.begin(&context, Permission::DocumentsEdit, "file_update", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let file = file_update(&write.tx, FileId(file_id.0), patch(body.0), version).await?;
        end(*write, file).await
    }

    /// Remove a file; for 30 days it can be brought back
    #[oai(path = "/:file_id", method = "delete", operation_id = "file_remove")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn file_remove(
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
        let write = match app.begin(&context, Permission::DocumentsEdit, "file_remove", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let file = file_remove(&write.tx, FileId(file_id.0), version).await?;
        end(*write, file).await
    }
}

fn patch(body: FileUpdate) -> FilePatch {
    FilePatch {
        title: body.title,
        name: body.name,
        category: body.category.map(Some),
        description: body.description.map(Some),
    }
}

/// Ends a write as asked, and answers the file.
pub(super) async fn end(write: Write, file: domain::File) -> Result<Answer<Written<File>>, Failure> {
    let version = file.version;
    let item = File::of(file, &write.tx.context().scope);
    Ok(Answer::versioned(write.finish(Some(item), Vec::new()).await?, version))
}

fn content(arrived: &Arrived, media_type: &'static str) -> NewContent {
    let kept = &arrived.kept;
    NewContent { id: arrived.id, media_type, bytes: kept.bytes, sha256: kept.sha256.clone() }
}

/// What became of a content: whether a row took it over.
struct Settled {
    answer: Answer<Written<File>>,
    taken: bool,
}

async fn keep(
    app: &App,
    context: &Context,
    draft: FileDraft,
    arrived: &Arrived,
    asked: Asked,
) -> Result<Settled, Failure> {
    let media_type = fitting(&draft.name, &arrived.kept)?;
    let taken = !asked.is_dry_run();
    let request = (&arrived.kept.sha256, format!("{draft:?}"));
    let write = match app.begin(context, Permission::DocumentsEdit, "file_upload", asked, &request).await? {
        Begun::Done(answer) => return Ok(Settled { answer: Answer::new(answer), taken: false }),
        Begun::New(write) => write,
    };
    let file = file_upload(&write.tx, draft, content(arrived, media_type), &app.file_limits).await?;
    Ok(Settled { answer: end(*write, file).await?, taken })
}

async fn replace(
    app: &App,
    context: &Context,
    (id, name, version): (FileId, String, Option<i32>),
    arrived: &Arrived,
    asked: Asked,
) -> Result<Settled, Failure> {
    let media_type = fitting(&name, &arrived.kept)?;
    let taken = !asked.is_dry_run();
    let request = (&arrived.kept.sha256, id, &name, version);
    let write = match app.begin(context, Permission::DocumentsEdit, "file_replace", asked, &request).await? {
        Begun::Done(answer) => return Ok(Settled { answer: Answer::new(answer), taken: false }),
        Begun::New(write) => write,
    };
    let content = content(arrived, media_type);
    let file = file_replace(&write.tx, id, name, content, &app.file_limits, version).await?;
    Ok(Settled { answer: end(*write, file).await?, taken })
}

/// Takes back a content that no row took over: the write was refused, previewed, or done before.
async fn settle(
    app: &App,
    context: &Context,
    arrived: &Arrived,
    done: Result<Settled, Failure>,
) -> Result<Answer<Written<File>>, Failure> {
    if !done.as_ref().is_ok_and(|settled| settled.taken) {
        app.content_discard(context, arrived).await;
    }
    done.map(|settled| settled.answer)
}
