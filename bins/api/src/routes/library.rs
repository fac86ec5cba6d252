//! Documents that the MSP writes: for the staff, for customers, and templates to copy from.

use directory::{
    LibraryCopy, LibraryDraft, LibraryPatch, library_document_at, library_document_copy, library_document_create,
    library_document_delete, library_document_update,
};
use domain::{ClientId, LibraryDocumentId, Permission};
use persistence::LibraryFilter;
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    library_shapes::{
        Library, LibraryDocument, LibraryDocumentCopy, LibraryDocumentCreate, LibraryDocumentUpdate, LibraryVersion,
        LibraryVersions,
    },
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, if_match, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// Documents that the MSP writes.
pub struct LibraryDocuments;

#[OpenApi(prefix_path = "/api/library-documents", tag = "Chapter::Library")]
impl LibraryDocuments {
    /// A page of the documents that the MSP wrote, by title, without their texts
    #[oai(path = "/", method = "get", operation_id = "library_document_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn library_document_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        library: Query<Option<Library>>,
        /// Of this client only, those for every client left out
        client_id: Query<Option<Uuid>>,
        /// Only what portal users of this client may read: published, theirs or for every client
        shown_to: Query<Option<Uuid>>,
        /// Of this category
        category: Query<Option<String>>,
        /// Part of the title
        search: Query<Option<String>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<LibraryDocument>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ServiceView).await?;
        for client in [client_id.0, shown_to.0].into_iter().flatten() {
            tx.client(ClientId(client)).await?;
        }
        let filter = LibraryFilter {
            library: library.0.map(Into::into),
            client: client_id.0.map(ClientId),
            shown_to: shown_to.0.map(ClientId),
            category: category.0,
            search: search.0,
        };
        let listed = tx.library_list(&filter, &page).await?;
        Ok(Answer::page(listed.map(|document| LibraryDocument::of(document, false)), uri))
    }

    /// Write a document
    ///
    /// A document that is not one client's is for callers who see every client.
    #[oai(path = "/", method = "post", operation_id = "library_document_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn library_document_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<LibraryDocumentCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<LibraryDocument>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let action = "library_document_create";
        let write = match app.begin(&context, Permission::DocumentsEdit, action, asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let body = body.0;
        let draft = LibraryDraft {
            library: body.library.into(),
            title: body.title,
            slug: body.slug,
            category: body.category,
            content: body.content,
            client: body.client_id.map(ClientId),
            published: body.published.unwrap_or(false),
        };
        let document = library_document_create(&write.tx, draft).await?;
        Ok(Answer::new(write.finish(Some(LibraryDocument::of(document, true)), Vec::new()).await?))
    }

    /// A document with its text
    #[oai(path = "/:library_document_id", method = "get", operation_id = "library_document_get")]
    async fn library_document_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        library_document_id: Path<Uuid>,
        /// With the title and the text that it had at this version
        version: Query<Option<i32>>,
    ) -> Result<Answer<LibraryDocument>, Failure> {
        let tx = app.read(caller, Permission::ServiceView).await?;
        let id = LibraryDocumentId(library_document_id.0);
        let mut document = tx.library_document(id).await?;
        let current = document.version;
        if let Some(version) = version.0 {
            let kept = library_document_at(&tx, id, version).await?;
            document.title = kept.title;
            document.content = kept.content;
            document.content_hash = kept.content_hash;
        }
        Ok(Answer::versioned(LibraryDocument::of(document, true), current))
    }

    /// The texts that a document had
    #[oai(path = "/:library_document_id/versions", method = "get", operation_id = "library_version_list")]
    async fn library_version_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        library_document_id: Path<Uuid>,
    ) -> Result<Answer<LibraryVersions>, Failure> {
        let tx = app.read(caller, Permission::ServiceView).await?;
        let document = tx.library_document(LibraryDocumentId(library_document_id.0)).await?;
        let items = tx.library_versions(document.id).await?.into_iter().map(|kept| LibraryVersion {
            version: kept.version,
            title: kept.title,
            content_hash: kept.content_hash,
            created_at: kept.created_at,
            author_id: kept.created_by.map(|staff| staff.0),
        });
        Ok(Answer::new(LibraryVersions { items: items.collect() }))
    }

    /// Change a document, publish it, or take it back
    ///
    /// Every text is kept as a version. Publishing and taking back are seen by portal users at once.
    #[oai(path = "/:library_document_id", method = "patch", operation_id = "library_document_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn library_document_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        library_document_id: Path<Uuid>,
        body: Json<LibraryDocumentUpdate>,
        /// ETag of the document as you read it
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
    ) -> Result<Answer<Written<LibraryDocument>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (library_document_id.0, &body.0, version);
        let action = "library_document_update";
        let write = match app.begin(&context, Permission::DocumentsEdit, action, asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let body = body.0;
        let client = match (body.client_id, body.every_client.unwrap_or(false)) {
            (Some(_), true) => {
                let message = "is given, and every_client: choose one";
                return Err(domain::Error::invalid("/client_id", "one_of", message).into());
            }
            (Some(client), false) => Some(Some(ClientId(client))),
            (None, every) => every.then_some(None),
        };
        let patch = LibraryPatch {
            title: body.title,
            slug: body.slug,
            category: body.category.map(Some),
            content: body.content,
            client,
            published: body.published,
        };
        let id = LibraryDocumentId(library_document_id.0);
        let document = library_document_update(&write.tx, id, patch, version).await?;
        let version = document.version;
        let item = LibraryDocument::of(document, true);
        Ok(Answer::versioned(write.finish(Some(item), Vec::new()).await?, version))
    }

    /// Delete a document; reverting the journal entry brings it back with its text
    #[oai(path = "/:library_document_id", method = "delete", operation_id = "library_document_delete")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn library_document_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        library_document_id: Path<Uuid>,
        /// ETag of the document as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<LibraryDocument>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let action = "library_document_delete";
        let id = LibraryDocumentId(library_document_id.0);
        let write = match app.begin(&context, Permission::DocumentsEdit, action, asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        library_document_delete(&write.tx, id, version).await?;
        Ok(Answer::new(write.finish(None, Vec::new()).await?))
    }

    /// Copy a document, for example a template: the copy stands by itself, and is not published
    #[oai(path = "/:library_document_id/copy", method = "post", operation_id = "library_document_copy")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn library_document_copy(
        &self,
        app: AppData<'_>,
        caller: Caller,
        library_document_id: Path<Uuid>,
        body: Json<LibraryDocumentCopy>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<LibraryDocument>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (library_document_id.0, &body.0);
        let action = "library_document_copy";
        let write = match app.begin(&context, Permission::DocumentsEdit, action, asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let body = body.0;
        let to = LibraryCopy { library: body.library.into(), title: body.title, client: body.client_id.map(ClientId) };
        let copy = library_document_copy(&write.tx, LibraryDocumentId(library_document_id.0), to).await?;
        Ok(Answer::new(write.finish(Some(LibraryDocument::of(copy, true)), Vec::new()).await?))
    }
}
