//! Dated notes about a client.

use chrono::{DateTime, Utc};
use directory::{client_note_create, client_note_delete, client_note_update};
use domain::{ClientId, ClientNoteId, Permission};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::Chapter;
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, if_match, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// A note about a client.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ClientNote {
    /// Id
    pub id: Uuid,
    /// The text
    pub text: String,
    /// When it was written
    pub created_at: DateTime<Utc>,
    /// Staff user who wrote it
    pub author_id: Option<Uuid>,
    /// When it was last changed
    pub updated_at: DateTime<Utc>,
    /// Staff user who last changed it
    pub editor_id: Option<Uuid>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

impl From<domain::ClientNote> for ClientNote {
    fn from(note: domain::ClientNote) -> Self {
        Self {
            id: note.id.0,
            text: note.text,
            created_at: note.created_at,
            author_id: note.created_by.map(|staff| staff.0),
            updated_at: note.updated_at,
            editor_id: note.updated_by.map(|staff| staff.0),
            version: note.version,
        }
    }
}

/// The text of a note.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct ClientNoteSave {
    /// 1 to 10,000 characters
    pub text: String,
}

/// Notes about clients.
pub struct ClientNotes;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl ClientNotes {
    /// The notes about a client, the newest first
    ///
    /// Beside the one field of notes in the client's own record: several, each with its time and author.
    #[oai(path = "/:client_id/notes", method = "get", operation_id = "client_note_list")]
    async fn client_note_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        client_id: Path<Uuid>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<ClientNote>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientsView).await?;
        let client = tx.client(ClientId(client_id.0)).await?.id;
        Ok(Answer::page(tx.client_notes(client, &page).await?.map(Into::into), uri))
    }

    /// Write a note about a client
    #[oai(path = "/:client_id/notes", method = "post", operation_id = "client_note_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_note_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        body: Json<ClientNoteSave>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ClientNote>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let request = (client_id.0, &body.0);
        let begun = app.begin(&context, Permission::ClientsEdit, "client_note_create", asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let note = client_note_create(&write.tx, ClientId(client_id.0), body.0.text).await?;
        Ok(Answer::new(write.finish(Some(note.into()), Vec::new()).await?))
    }

    /// Change a note; its author stays
    #[oai(path = "/:client_id/notes/:client_note_id", method = "put", operation_id = "client_note_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_note_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        client_note_id: Path<Uuid>,
        body: Json<ClientNoteSave>,
        /// ETag of the note as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<ClientNote>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let request = (client_id.0, client_note_id.0, &body.0);
        let begun = app.begin(&context, Permission::ClientsEdit, "client_note_update", asked, &request).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let (client, id) = (ClientId(client_id.0), ClientNoteId(client_note_id.0));
        let note = client_note_update(&write.tx, client, id, body.0.text, version).await?;
        let version = note.version;
        Ok(Answer::versioned(write.finish(Some(note.into()), Vec::new()).await?, version))
    }

    /// Delete a note
    #[oai(path = "/:client_id/notes/:client_note_id", method = "delete", operation_id = "client_note_delete")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn client_note_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        client_note_id: Path<Uuid>,
        /// ETag of the note as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<ClientNote>>, Failure> {
        let context = caller.context()?;
        let version = if_match(version.0.as_deref())?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (client, id) = (ClientId(client_id.0), ClientNoteId(client_note_id.0));
        let begun = app.begin(&context, Permission::ClientsEdit, "client_note_delete", asked, &(client, id)).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let gone = client_note_delete(&write.tx, client, id, version).await?;
        Ok(Answer::new(write.finish(Some(gone.into()), Vec::new()).await?))
    }
}
