//! Signed checkpoints of the journal, to be kept elsewhere.

use chrono::{DateTime, Utc};
use domain::{Error, JournalCheckpointId, Permission};
use persistence::Checkpoint;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
};
use uuid::Uuid;

use super::Chapter;
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// A signed statement of how far the journal went, and with which hash.
///
/// Kept as it is, it is the file that `api journal verify --checkpoint` takes. What is signed is a line each, ended by a
/// line feed: `panelone-journal-checkpoint-1`, `organisation_id`, `seq`, `hash`, and `at` in microseconds since 1970.
#[derive(Debug, Clone, Object)]
pub struct JournalCheckpoint {
    /// `panelone-journal-checkpoint-1`
    pub format: String,
    /// Id
    pub id: Uuid,
    /// Whose journal
    pub organisation_id: Uuid,
    /// Place of the last entry
    pub seq: i64,
    /// Hash of that entry, hex; it depends on every entry before
    pub hash: String,
    /// When it was signed
    pub at: DateTime<Utc>,
    /// Key of the signature, hex; always the same for an organisation: note it where you keep checkpoints
    pub public_key: String,
    /// Ed25519, hex
    pub signature: String,
}

/// Checkpoints of the journal.
pub struct JournalCheckpoints;

#[OpenApi(prefix_path = "/api/journal/checkpoints", tag = "Chapter::Journal")]
impl JournalCheckpoints {
    /// Checkpoints, the newest first; one is signed each day on which something was written
    #[oai(path = "/", method = "get", operation_id = "journal_checkpoint_list")]
    async fn journal_checkpoint_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<JournalCheckpoint>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::JournalView).await?;
        Ok(Answer::page(tx.journal_checkpoint_list(&page).await?.map(view), uri))
    }

    /// A checkpoint, to be kept as a file
    #[oai(path = "/:journal_checkpoint_id", method = "get", operation_id = "journal_checkpoint_get")]
    async fn journal_checkpoint_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        journal_checkpoint_id: Path<Uuid>,
    ) -> Result<Answer<JournalCheckpoint>, Failure> {
        let tx = app.read(caller, Permission::JournalView).await?;
        Ok(Answer::new(view(tx.journal_checkpoint(JournalCheckpointId(journal_checkpoint_id.0)).await?)))
    }

    /// Sign a checkpoint now
    ///
    /// The entries since the last one are proved first; a journal that was tampered with is not signed
    /// (`journal_unsound`). Where nothing was written since the last checkpoint, that one is the answer.
    #[oai(path = "/", method = "post", operation_id = "journal_checkpoint_create")]
    async fn journal_checkpoint_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<JournalCheckpoint>>, Failure> {
        const ACTION: &str = "journal_checkpoint_create";
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        app.permit(&context, Permission::JournalCheckpoint, ACTION).await?;
        // In a transaction that holds nobody up.
        app.store.read(context.clone()).await?.journal_checkpoint_prove().await.map_err(refused)?;
        let write = match app.begin(&context, Permission::JournalCheckpoint, ACTION, asked, &()).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let made = write.tx.journal_checkpoint_create().await.map_err(refused)?;
        Ok(Answer::new(write.finish(Some(view(made)), Vec::new()).await?))
    }
}

fn refused(error: Error) -> Failure {
    if let Error::Conflict { code: "journal_unsound", message } = &error {
        tracing::error!(message, "a journal was tampered with");
    }
    error.into()
}

fn view(checkpoint: Checkpoint) -> JournalCheckpoint {
    JournalCheckpoint {
        format: checkpoint.format,
        id: checkpoint.id.0,
        organisation_id: checkpoint.organisation_id.0,
        seq: checkpoint.seq,
        hash: checkpoint.hash,
        at: checkpoint.at,
        public_key: checkpoint.public_key,
        signature: checkpoint.signature,
    }
}
