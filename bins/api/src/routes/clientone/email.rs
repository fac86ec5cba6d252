//! Confirming another e-mail address, for which nobody needs to be signed in.

use poem::Request;
use poem_openapi::{Object, OpenApi, payload::Json};

use super::PortalChapter;
use crate::{
    app::AppData,
    auth::{meta, same_origin},
    page::Answer,
    problem::Failure,
    routes::session::Acknowledged,
};

/// Confirming an address by a link that was mailed.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct EmailConfirmation {
    /// What stands behind `#` in the link
    pub token: String,
}

/// Confirming an address.
pub struct PortalEmails;

#[OpenApi(prefix_path = "/api/clientone", tag = "PortalChapter::Session")]
impl PortalEmails {
    /// Confirm another address by the link that was sent there
    ///
    /// Then sign in with it: every session of the account has ended. A link is good once and for 24 hours; every link
    /// that is no good is the same 409 `link_gone`.
    #[oai(path = "/email-confirmation", method = "post", operation_id = "portal_email_confirm")]
    async fn portal_email_confirm(
        &self,
        app: AppData<'_>,
        request: &Request,
        body: Json<EmailConfirmation>,
    ) -> Result<Answer<Acknowledged>, Failure> {
        same_origin(request)?;
        access::portal_email_confirm(&app.store, &body.0.token, &meta(request)).await?;
        app.wake.notify_one();
        Ok(Answer::new(Acknowledged { done: true }))
    }
}
