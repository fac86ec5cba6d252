//! What nobody needs to be signed in for: coming in by an invitation, and a forgotten password.

use poem::Request;
use poem_openapi::{Object, OpenApi, payload::Json};

use super::{PortalChapter, base};
use crate::{
    app::AppData,
    auth::{meta, same_origin},
    page::Answer,
    problem::Failure,
    routes::session::Acknowledged,
};

/// Coming in by an invitation.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct InvitationAcceptance {
    /// What stands behind `#` in the link that was mailed
    pub token: String,
    /// Your name
    pub name: String,
    /// Your password from now on, 12 to 256 characters
    pub password: String,
}

/// A password that was forgotten.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct PasswordForgot {
    /// E-mail that one signs in with
    pub email: String,
}

/// A new password by a link that was mailed.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct PasswordReset {
    /// What stands behind `#` in the link
    pub token: String,
    /// The new one, 12 to 256 characters
    pub password: String,
}

/// Accounts, without signing in.
pub struct PortalAccount;

#[OpenApi(prefix_path = "/api/clientone", tag = "PortalChapter::Session")]
impl PortalAccount {
    /// Accept an invitation
    ///
    /// Then sign in. A link is good once and for seven days; every link that is no good is the same 409 `link_gone`.
    #[oai(path = "/invitation-acceptance", method = "post", operation_id = "portal_invitation_accept")]
    async fn portal_invitation_accept(
        &self,
        app: AppData<'_>,
        request: &Request,
        body: Json<InvitationAcceptance>,
    ) -> Result<Answer<Acknowledged>, Failure> {
        same_origin(request)?;
        let InvitationAcceptance { token, name, password } = body.0;
        let (password, meta) = (password.into(), meta(request));
        access::portal_invitation_accept(&app.store, &app.gate, &token, &name, &password, &meta).await?;
        Ok(Answer::new(Acknowledged { done: true }))
    }

    /// Ask for a link that sets a new password
    ///
    /// The answer is the same whether there is such an account or not.
    #[oai(path = "/password-forgot", method = "post", operation_id = "portal_password_forgot")]
    async fn portal_password_forgot(
        &self,
        app: AppData<'_>,
        request: &Request,
        body: Json<PasswordForgot>,
    ) -> Result<Answer<Acknowledged>, Failure> {
        same_origin(request)?;
        let base = base(&app, request)?;
        access::portal_password_forgot(&app.store, &app.gate, &body.0.email, &base, &meta(request)).await?;
        Ok(Answer::new(Acknowledged { done: true }))
    }

    /// Set a new password by the link that was mailed
    ///
    /// Ends every session of the account. A link is good once and for an hour.
    #[oai(path = "/password-reset", method = "post", operation_id = "portal_password_reset")]
    async fn portal_password_reset(
        &self,
        app: AppData<'_>,
        request: &Request,
        body: Json<PasswordReset>,
    ) -> Result<Answer<Acknowledged>, Failure> {
        same_origin(request)?;
        let PasswordReset { token, password } = body.0;
        access::portal_password_reset(&app.store, &app.gate, &token, &password.into(), &meta(request)).await?;
        Ok(Answer::new(Acknowledged { done: true }))
    }
}
