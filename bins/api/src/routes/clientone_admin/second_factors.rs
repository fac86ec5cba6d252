//! Helping a portal user who has lost their second factor.

use domain::{Permission, PortalUserId};
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
};
use uuid::Uuid;

use super::users::{PortalUser, view};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::Answer,
    problem::Failure,
    routes::Chapter,
    write::{Asked, Begun},
};

/// Second factors of portal users.
pub struct PortalSecondFactorResets;

#[OpenApi(prefix_path = "/api/clientone-admin/users", tag = "Chapter::ClientOne")]
impl PortalSecondFactorResets {
    /// Take away the second factors of a portal user who has lost them, passkeys too: ends their sessions
    ///
    /// They sign in with the password and set up another. Asks for who you are, once more, after 15 minutes.
    #[oai(path = "/:portal_user_id/second-factor", method = "delete", operation_id = "portal_second_factor_reset")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_second_factor_reset(
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
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let action = "portal_second_factor_reset";
        let context = app.proven_person(caller, action, asked.is_dry_run()).await?;
        let id = PortalUserId(portal_user_id.0);
        let write = match app.begin(&context, Permission::ClientoneManage, action, asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = access::portal_second_factor_reset(&write.tx, id).await;
        let (write, user) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(view(user)), Vec::new()).await?))
    }
}
