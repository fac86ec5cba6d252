//! Invitations to ClientOne.

use access::NewPortalUser;
use domain::{ClientId, Permission, PortalUserId};
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::users::{PortalUser, PortalUserRole, view};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::Answer,
    problem::Failure,
    routes::{Chapter, clientone::base},
    write::{Asked, Begun},
};

/// Who is to be invited.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct PortalUserInvite {
    /// Client whose person it is; ClientOne must be enabled for it
    pub client_id: Uuid,
    /// E-mail
    pub email: String,
    /// Name
    pub name: String,
    pub role: PortalUserRole,
}

/// Invitations.
pub struct PortalInvitations;

#[OpenApi(prefix_path = "/api/clientone-admin/users", tag = "Chapter::ClientOne")]
impl PortalInvitations {
    /// Invite someone of a client; who has not come yet gets a new link, and the one before is void
    ///
    /// The link is mailed, and is good once and for seven days.
    #[oai(path = "/invitations", method = "post", operation_id = "portal_user_invite")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_user_invite(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        body: Json<PortalUserInvite>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<PortalUser>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let permission = Permission::ClientoneManage;
        let write = match app.begin(&context, permission, "portal_user_invite", asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let PortalUserInvite { client_id, email, name, role } = body.0;
        let new = NewPortalUser { client: ClientId(client_id), email, name, role: role.into() };
        let row = access::portal_user_invite(&write.tx, &app.gate, &base(&app, request)?, new).await?;
        Ok(Answer::new(write.finish(Some(view(row)), Vec::new()).await?))
    }

    /// Send an invitation again: the link before is void
    #[oai(path = "/:portal_user_id/invitation", method = "post", operation_id = "portal_invitation_resend")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_invitation_resend(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
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
    ) -> Result<Answer<Written<PortalUser>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, permission) = (PortalUserId(portal_user_id.0), Permission::ClientoneManage);
        let write = match app.begin(&context, permission, "portal_invitation_resend", asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = access::portal_invitation_resend(&write.tx, &app.gate, &base(&app, request)?, id).await?;
        Ok(Answer::new(write.finish(Some(view(row)), Vec::new()).await?))
    }

    /// Take an invitation back: the link is void at once, and the account gone
    #[oai(path = "/:portal_user_id/invitation", method = "delete", operation_id = "portal_invitation_revoke")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_invitation_revoke(
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
    ) -> Result<Answer<Written<PortalUser>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, permission) = (PortalUserId(portal_user_id.0), Permission::ClientoneManage);
        let write = match app.begin(&context, permission, "portal_invitation_revoke", asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = access::portal_invitation_revoke(&write.tx, id).await?;
        Ok(Answer::new(write.finish(Some(view(row)), Vec::new()).await?))
    }
}
