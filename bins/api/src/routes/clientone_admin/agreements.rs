//! Agreements as staff make and send them.

use chrono::{DateTime, Utc};
use clientone::{AgreementDraft, AgreementPatch, Sending, text_hash};
use domain::{Agreement as Row, AgreementId, ClientId, Permission, PortalUserId};
use persistence::AgreementFilter;
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, if_match, page_request},
    problem::Failure,
    routes::{Chapter, clientone::base},
    write::{Asked, Begun},
};

/// One version of an agreement.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Agreement {
    /// Id
    pub id: Uuid,
    /// What its versions have in common
    pub series_id: Uuid,
    /// Which version; the first is 1
    pub number: i32,
    /// Title
    pub title: String,
    /// The text, plain or Markdown; absent in lists
    pub text: Option<String>,
    /// SHA-256 of the text, hex
    pub text_hash: String,
    /// Whether only Managers may sign; if not, whoever it is addressed to
    pub managers_only: bool,
    /// When it was first sent: from then on nothing of it changes. Absent while it is a draft
    pub sent_at: Option<DateTime<Utc>>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Changed
    pub updated_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// A new agreement.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct AgreementCreate {
    /// Title
    pub title: String,
    /// The text, plain or Markdown, at most 200,000 characters
    pub text: String,
    /// Whether only Managers may sign; if not, whoever it is addressed to
    pub managers_only: bool,
}

/// What to change about a draft; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct AgreementUpdate {
    /// Title
    pub title: Option<String>,
    /// The text
    pub text: Option<String>,
    /// Whether only Managers may sign
    pub managers_only: Option<bool>,
}

/// To whom an agreement goes.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct AgreementSend {
    /// Clients, at most 200; each gets one copy
    pub client_ids: Vec<Uuid>,
    /// The one person who is to sign, if it goes to one client; left out, all Managers of each client
    pub portal_user_id: Option<Uuid>,
}

/// Agreements.
pub struct Agreements;

#[OpenApi(prefix_path = "/api/clientone-admin/agreements", tag = "Chapter::ClientOne")]
impl Agreements {
    /// Versions of agreements, the newest first
    #[oai(path = "/", method = "get", operation_id = "agreement_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn agreement_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only versions of this agreement
        series_id: Query<Option<Uuid>>,
        /// Only those that were sent, or drafts
        sent: Query<Option<bool>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<Agreement>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let filter = AgreementFilter { series: series_id.0.map(AgreementId), sent: sent.0 };
        let short = |row| Agreement { text: None, ..view(row) };
        Ok(Answer::page(tx.agreement_list(&filter, &page).await?.map(short), uri))
    }

    /// One version, with its text
    #[oai(path = "/:agreement_id", method = "get", operation_id = "agreement_get")]
    async fn agreement_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        agreement_id: Path<Uuid>,
    ) -> Result<Answer<Agreement>, Failure> {
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let row = tx.agreement(AgreementId(agreement_id.0)).await?;
        let version = row.version;
        Ok(Answer::versioned(view(row), version))
    }

    /// Make an agreement: the draft of its first version; only by those who see every client
    #[oai(path = "/", method = "post", operation_id = "agreement_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn agreement_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<AgreementCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Agreement>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, action) = (Permission::ClientoneManage, "agreement_create");
        let write = match app.begin(&context, permission, action, asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let AgreementCreate { title, text, managers_only } = body.0;
        let done = clientone::agreement_create(&write.tx, AgreementDraft { title, text, managers_only }).await;
        let (write, row) = app.passed(write, done).await?;
        let version = row.version;
        Ok(Answer::versioned(write.finish(Some(view(row)), Vec::new()).await?, version))
    }

    /// Change a draft; only by those who see every client
    #[oai(path = "/:agreement_id", method = "patch", operation_id = "agreement_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn agreement_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        agreement_id: Path<Uuid>,
        body: Json<AgreementUpdate>,
        /// ETag of the version as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<Agreement>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (permission, action) = (Permission::ClientoneManage, "agreement_update");
        let id = AgreementId(agreement_id.0);
        let write = match app.begin(&context, permission, action, asked, &(id, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let AgreementUpdate { title, text, managers_only } = body.0;
        let patch = AgreementPatch { title, text, managers_only, version: if_match(version.0.as_deref())? };
        let done = clientone::agreement_update(&write.tx, id, patch).await;
        let (write, row) = app.passed(write, done).await?;
        let version = row.version;
        Ok(Answer::versioned(write.finish(Some(view(row)), Vec::new()).await?, version))
    }

    /// Make the draft of the next version; only by those who see every client
    #[oai(path = "/:agreement_id/versions", method = "post", operation_id = "agreement_revise")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn agreement_revise(
        &self,
        app: AppData<'_>,
        caller: Caller,
        agreement_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Agreement>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, action) = (Permission::ClientoneManage, "agreement_revise");
        let id = AgreementId(agreement_id.0);
        let write = match app.begin(&context, permission, action, asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = clientone::agreement_revise(&write.tx, id).await;
        let (write, row) = app.passed(write, done).await?;
        let version = row.version;
        Ok(Answer::versioned(write.finish(Some(view(row)), Vec::new()).await?, version))
    }

    /// Send a version to clients: those who are to sign get a letter; only by those who see every client
    ///
    /// From then on nothing of the version changes. What waits for a signature under an earlier version is superseded,
    /// at every client.
    #[oai(path = "/:agreement_id/send", method = "post", operation_id = "agreement_send")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn agreement_send(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        agreement_id: Path<Uuid>,
        body: Json<AgreementSend>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Agreement>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, action) = (Permission::ClientoneManage, "agreement_send");
        let id = AgreementId(agreement_id.0);
        let write = match app.begin(&context, permission, action, asked, &(id, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let AgreementSend { client_ids, portal_user_id } = body.0;
        let sending = Sending {
            clients: client_ids.into_iter().map(ClientId).collect(),
            addressee: portal_user_id.map(PortalUserId),
        };
        // Without a public origin the letters go without a link.
        let base = base(&app, request).ok();
        let done = clientone::agreement_send(&write.tx, id, sending, base.as_deref()).await;
        let (write, (row, _)) = app.passed(write, done).await?;
        let version = row.version;
        Ok(Answer::versioned(write.finish(Some(view(row)), Vec::new()).await?, version))
    }
}

fn view(row: Row) -> Agreement {
    Agreement {
        id: row.id.0,
        series_id: row.series_id.0,
        number: row.number,
        title: row.title,
        text_hash: text_hash(&row.text),
        text: Some(row.text),
        managers_only: row.managers_only,
        sent_at: row.sent_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}
