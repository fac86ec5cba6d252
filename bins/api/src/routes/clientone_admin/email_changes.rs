//! Other e-mail addresses of customer users: asked for here, confirmed by their owners.

use access::EMAIL_CHANGE_LASTS;
use chrono::{DateTime, Utc};
use domain::{Permission, PortalUserId};
use persistence::PortalEmailChange;
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
    page::Answer,
    problem::Failure,
    routes::{Chapter, clientone::base},
    write::{Asked, Begun},
};

/// An address that waits to be confirmed.
#[derive(Debug, Clone, Object)]
pub struct PendingEmail {
    /// The address
    pub email: String,
    /// When it was asked for
    pub asked_at: DateTime<Utc>,
    /// Until when it can be confirmed
    pub expires_at: DateTime<Utc>,
}

/// Whether an address waits to be confirmed.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct EmailChangeState {
    /// The one that does; absent where none does
    pub pending: Option<PendingEmail>,
}

/// Another address to sign in with.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct EmailChange {
    /// The address
    pub email: String,
}

/// Other addresses of customer users.
pub struct EmailChanges;

#[OpenApi(prefix_path = "/api/clientone-admin/users", tag = "Chapter::ClientOne")]
impl EmailChanges {
    /// Whether another address of an account waits to be confirmed
    #[oai(path = "/:portal_user_id/email", method = "get", operation_id = "portal_email_change_get")]
    async fn portal_email_change_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        portal_user_id: Path<Uuid>,
    ) -> Result<Answer<EmailChangeState>, Failure> {
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let change = access::portal_email_change_get(&tx, PortalUserId(portal_user_id.0)).await?;
        Ok(Answer::new(EmailChangeState { pending: change.map(view) }))
    }

    /// Ask for another address of an account
    ///
    /// A letter with a link goes to the new address, a notice to the present one. Nothing changes until the link is
    /// followed, within 24 hours; then the account signs in with the new address, and its sessions end. How it is linked
    /// to identity providers stays. Asking again voids the link before.
    #[oai(path = "/:portal_user_id/email", method = "post", operation_id = "portal_email_change_start")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_email_change_start(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        portal_user_id: Path<Uuid>,
        body: Json<EmailChange>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<PendingEmail>>, Failure> {
        let action = "portal_email_change_start";
        let context = app.proven(caller, action, dry_run.0.unwrap_or(false)).await?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let id = PortalUserId(portal_user_id.0);
        let write = match app.begin(&context, Permission::ClientoneManage, action, asked, &(id, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let base = base(&app, request)?;
        let change = access::portal_email_change_start(&write.tx, &app.gate, &base, id, &body.0.email).await?;
        let answer = write.finish(Some(view(change)), Vec::new()).await?;
        app.wake.notify_one();
        Ok(Answer::new(answer))
    }

    /// Take back what was asked for: the link is void at once
    #[oai(path = "/:portal_user_id/email", method = "delete", operation_id = "portal_email_change_cancel")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_email_change_cancel(
        &self,
        app: AppData<'_>,
        caller: Caller,
        portal_user_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<EmailChangeState>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, action) = (PortalUserId(portal_user_id.0), "portal_email_change_cancel");
        let write = match app.begin(&context, Permission::ClientoneManage, action, asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        access::portal_email_change_cancel(&write.tx, id).await?;
        Ok(Answer::new(write.finish(Some(EmailChangeState { pending: None }), Vec::new()).await?))
    }
}

fn view(change: PortalEmailChange) -> PendingEmail {
    PendingEmail { email: change.email, asked_at: change.made_at, expires_at: change.made_at + EMAIL_CHANGE_LASTS }
}
