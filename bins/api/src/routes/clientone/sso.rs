//! Portal users who sign in through their company's identity provider, and links of their own accounts.

use access::SsoAsk;
use domain::{Context, PortalPermission, SsoAudience, SsoLinkId};
use poem::{Request, web::cookie::CookieJar};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::PortalChapter;
use crate::{
    app::AppData,
    auth::{meta, same_origin},
    changes::Written,
    page::Answer,
    portal_auth::PortalCaller,
    problem::Failure,
    routes::{
        consent::origin,
        sso::{PORTAL_CALLBACK, SsoLink, SsoLinks, SsoStarted, started},
    },
    write::{Asked, Begun},
};

/// Whose identity provider to go to.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct PortalSsoStart {
    /// Slug of the provider of ClientOne; not needed with an invitation
    pub organisation: Option<String>,
    /// Your e-mail: only what stands behind the @ matters
    pub email: Option<String>,
    /// The token of an invitation to be accepted by it
    pub invitation: Option<String>,
}

/// Signing in through an identity provider.
pub struct PortalSingleSignOn;

#[OpenApi(prefix_path = "/api/clientone", tag = "PortalChapter::Session")]
impl PortalSingleSignOn {
    /// Begin to sign in through your company's identity provider
    ///
    /// Open the address in the same browser, which a cookie marks. The provider sends it back, and it is signed in. That
    /// works once, for ten minutes. Which provider it is depends on the domain of the e-mail and on nothing else:
    /// addresses with and without an account get the same answer. Where none is offered it is 409 with the code
    /// `sso_not_offered`.
    #[oai(path = "/session/sso", method = "post", operation_id = "portal_sso_start")]
    async fn portal_sso_start(
        &self,
        app: AppData<'_>,
        request: &Request,
        jar: &CookieJar,
        body: Json<PortalSsoStart>,
    ) -> Result<Answer<SsoStarted>, Failure> {
        same_origin(request)?;
        let ask = SsoAsk {
            audience: SsoAudience::Portal,
            organisation: body.0.organisation.unwrap_or_default(),
            email: body.0.email,
            invitation: body.0.invitation.map(Into::into),
            redirect_uri: format!("{}{PORTAL_CALLBACK}", origin(&app, request)?),
            request: meta(request),
        };
        let begun = access::sso_start(&app.store, &app.gate, &app.sso, ask).await?;
        Ok(Answer::new(started(&app, jar, SsoAudience::Portal, begun)))
    }

    /// The identities that open my account
    #[oai(path = "/profile/sso-links", method = "get", operation_id = "portal_sso_link_list")]
    async fn portal_sso_link_list(&self, caller: PortalCaller) -> Result<Answer<SsoLinks>, Failure> {
        let (tx, _) = caller.visit()?;
        let items = access::sso_link_list(&tx).await?.into_iter().map(Into::into).collect();
        Ok(Answer::new(SsoLinks { items }))
    }

    /// Begin to link my account to an identity of my company's provider
    #[oai(path = "/profile/sso-links", method = "post", operation_id = "portal_sso_link_start")]
    async fn portal_sso_link_start(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        request: &Request,
        jar: &CookieJar,
    ) -> Result<Answer<SsoStarted>, Failure> {
        let (tx, visit) = caller.visit()?;
        let context: Context = tx.context().clone();
        drop(tx);
        let back = format!("{}{PORTAL_CALLBACK}", origin(&app, request)?);
        let who = (visit.user.id, visit.user.client_id, visit.session.0);
        let begun = access::portal_sso_link_start(&app.store, &app.gate, &app.sso, &context, who, &back).await?;
        Ok(Answer::new(started(&app, jar, SsoAudience::Portal, begun)))
    }

    /// Unlink an identity from my account
    ///
    /// Refused with the code `last_way_in` where nothing else would let you sign in again.
    #[oai(path = "/profile/sso-links/:sso_link_id", method = "delete", operation_id = "portal_sso_link_delete")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_sso_link_delete(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        sso_link_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<SsoLink>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (tx, visit) = caller.visit()?;
        let context = tx.context().clone();
        drop(tx);
        let (permission, settings) = (PortalPermission::ProfileEdit, &visit.config.settings);
        let action = "portal_sso_link_delete";
        let begun = app.begin_portal(&context, permission, settings, action, asked, &sso_link_id.0).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let gone = access::sso_link_delete(&write.tx, SsoLinkId(sso_link_id.0)).await?;
        Ok(Answer::new(write.finish(Some(gone.into()), Vec::new()).await?))
    }
}
