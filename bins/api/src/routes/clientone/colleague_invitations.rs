//! Invitations of one's company that were sent and not accepted yet.

use domain::{PortalPermission, PortalUserId};
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
};
use uuid::Uuid;

use super::{
    PortalChapter,
    service_requests::parts,
    users::{Colleague, view},
};
use crate::{
    app::AppData,
    changes::Written,
    page::Answer,
    portal_auth::PortalCaller,
    problem::Failure,
    write::{Asked, Begun},
};

/// Invitations of colleagues.
pub struct ColleagueInvitations;

#[OpenApi(prefix_path = "/api/clientone/users", tag = "PortalChapter::Users")]
impl ColleagueInvitations {
    /// Take back the invitation of a User of my company: the link is void at once, and the account gone
    #[oai(path = "/:portal_user_id/invitation", method = "delete", operation_id = "colleague_invitation_revoke")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn colleague_invitation_revoke(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
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
    ) -> Result<Answer<Written<Colleague>>, Failure> {
        let (context, visit) = parts(caller)?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, settings) = (PortalPermission::UsersManage, &visit.config.settings);
        let (id, action) = (PortalUserId(portal_user_id.0), "colleague_invitation_revoke");
        let write = match app.begin_portal(&context, permission, settings, action, asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = access::portal_invitation_revoke(&write.tx, id).await;
        let (write, row) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(view(row)), Vec::new()).await?))
    }
}
