//! How people leave the team, how it changes hands, and forgotten passwords; also the outbox.

use access::{LinkAnswer, PasswordResetAsk};
use chrono::{DateTime, Utc};
use domain::{MailState, Permission, StaffId};
use persistence::MailRow;
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter, consent,
    session::{Acknowledged, needs_session},
    staff::{StaffRole, StaffUser, view},
};
use crate::{
    app::AppData,
    auth::{Caller, meta, same_origin},
    changes::Written,
    page::Answer,
    problem::Failure,
    write::{Asked, Begun},
};

/// Our page on which a new password is set; the token follows as a fragment.
pub const RESET_PAGE: &str = "/password-reset";

/// What the one who gives the ownership away becomes.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct OwnershipTransfer {
    pub own_role: StaffRole,
}

/// Someone who forgot their password.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct PasswordResetRequest {
    /// E-mail
    pub email: String,
    /// Slug of the organisation; all that the address belongs to when left out
    pub organisation: Option<String>,
}

/// A new password by the link of a letter.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct PasswordResetSet {
    /// The token of the link
    pub token: String,
    /// The new password, 12 to 256 characters
    pub password: String,
}

/// What became of a letter
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum LetterState {
    /// It is to be sent
    Queued,
    /// The mail server took it
    Sent,
    /// It was given up
    Failed,
}

/// A letter, without what it says.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct LetterView {
    /// Id; the Message-ID begins with it
    pub id: Uuid,
    /// Kind of letter
    pub kind: String,
    /// To which address
    pub recipient: String,
    pub state: LetterState,
    /// How often it was tried
    pub attempts: i32,
    /// Why the last try failed
    pub last_error: Option<String>,
    /// Written
    pub created_at: DateTime<Utc>,
    /// Sent, or given up
    pub finished_at: Option<DateTime<Utc>>,
}

/// The outbox.
#[derive(Debug, Clone, Object)]
pub struct LetterViews {
    /// The newest first
    pub items: Vec<LetterView>,
}

/// How people leave the team and come back into their accounts.
pub struct StaffLife;

#[OpenApi(prefix_path = "/api", tag = "Chapter::Staff")]
impl StaffLife {
    /// Remove someone from the team
    ///
    /// Their sessions end, their keys and the invitations they sent are revoked, their address is free again; the
    /// journal keeps their name. Nobody removes themselves, and the last owner stays.
    #[oai(path = "/staff/:staff_id/remove", method = "post", operation_id = "staff_remove")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn staff_remove(
        &self,
        app: AppData<'_>,
        caller: Caller,
        staff_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<StaffUser>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let context = app.proven(caller, "staff_remove", asked.is_dry_run()).await?;
        let write = match app.begin(&context, Permission::TeamManage, "staff_remove", asked, &staff_id.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = access::staff_remove(&write.tx, StaffId(staff_id.0)).await;
        let (write, row) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(view(row)), Vec::new()).await?))
    }

    /// Make someone an owner in my place; for an owner who is signed in
    ///
    /// Both change in one entry of the journal, and both are signed out.
    #[oai(path = "/staff/:staff_id/transfer-ownership", method = "post", operation_id = "ownership_transfer")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn ownership_transfer(
        &self,
        app: AppData<'_>,
        caller: Caller,
        staff_id: Path<Uuid>,
        body: Json<OwnershipTransfer>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<StaffUser>>, Failure> {
        let (tx, session) = caller.checked()?;
        let context = tx.context().clone();
        drop(tx);
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (action, request) = ("ownership_transfer", (staff_id.0, body.0.own_role));
        app.permit(&context, Permission::OwnersManage, action).await?;
        let session = session.ok_or_else(needs_session)?;
        if !asked.is_dry_run() {
            app.require_proof(&context, Some(&session), action).await?;
        }
        let write = match app.begin(&context, Permission::OwnersManage, action, asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = access::ownership_transfer(&write.tx, StaffId(staff_id.0), body.0.own_role.into()).await;
        let (write, (owner, _)) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(view(owner)), Vec::new()).await?))
    }

    /// Ask for a link by which a forgotten password is set anew
    ///
    /// The answer is the same for unknown addresses; a letter goes only to those who may sign in. The link works once,
    /// for an hour. After several requests more are refused for a while.
    #[oai(path = "/password-resets", method = "post", operation_id = "password_reset_request")]
    async fn password_reset_request(
        &self,
        app: AppData<'_>,
        request: &Request,
        body: Json<PasswordResetRequest>,
    ) -> Result<Answer<Acknowledged>, Failure> {
        same_origin(request)?;
        let page = format!("{}{RESET_PAGE}", consent::origin(&app, request)?);
        let PasswordResetRequest { email, organisation } = body.0;
        let ask = PasswordResetAsk { email, organisation, page, request: meta(request) };
        access::password_reset_request(&app.store, &app.gate, ask).await?;
        Ok(Answer::new(Acknowledged { done: true }))
    }

    /// Set a new password by the link of a letter: ends all sessions
    ///
    /// The answer is the same for a wrong, a used and an expired token. After several failures attempts are refused for
    /// a while.
    #[oai(path = "/password-resets", method = "put", operation_id = "password_reset_set")]
    async fn password_reset_set(
        &self,
        app: AppData<'_>,
        request: &Request,
        body: Json<PasswordResetSet>,
    ) -> Result<Answer<Acknowledged>, Failure> {
        same_origin(request)?;
        let PasswordResetSet { token, password } = body.0;
        let answer = LinkAnswer { token: token.into(), password: password.into(), name: None, request: meta(request) };
        access::password_reset_set(&app.store, &app.gate, answer).await?;
        Ok(Answer::new(Acknowledged { done: true }))
    }

    /// The outbox: letters of the last 90 days, without what they say
    #[oai(path = "/mail", method = "get", operation_id = "mail_list")]
    async fn mail_list(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<LetterViews>, Failure> {
        let tx = app.read(caller, Permission::TeamManage).await?;
        let rows = tx.mail_list().await?;
        Ok(Answer::new(LetterViews { items: rows.into_iter().map(letter).collect() }))
    }
}

fn letter(row: MailRow) -> LetterView {
    let state = match row.state {
        MailState::Queued => LetterState::Queued,
        MailState::Sent => LetterState::Sent,
        MailState::Failed => LetterState::Failed,
    };
    LetterView {
        id: row.id.0,
        kind: row.kind,
        recipient: row.recipient,
        state,
        attempts: row.attempts,
        last_error: row.last_error,
        created_at: row.created_at,
        finished_at: row.finished_at,
    }
}
