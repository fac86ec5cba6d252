//! Staff who sign in through the MSP's identity provider, and links of one's own account. The pages that a provider
//! sends people back to are here for both sides.

use std::{collections::BTreeMap, sync::Arc};

use access::{FirstStep, SsoAsk, SsoDone, SsoReturn};
use chrono::{DateTime, Utc};
use domain::{Error, SsoAudience, SsoLinkId};
use poem::{
    Request, Response,
    http::{StatusCode, header},
    web::{
        Data, Query,
        cookie::{Cookie, CookieJar, SameSite},
    },
};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query as QueryParam},
    payload::Json,
};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::{Chapter, consent::origin, session::needs_session};
use crate::{
    app::{App, AppData},
    auth::{Caller, meta, same_origin, session_cookie},
    changes::Written,
    page::Answer,
    portal_auth,
    problem::Failure,
    write::{Asked, Begun},
};

/// Where providers send staff back to, below the public origin.
pub const CALLBACK: &str = "/sso/callback";
/// Where they send portal users back to.
pub const PORTAL_CALLBACK: &str = "/clientone/sso/callback";
/// Cookies by which a browser is known that was sent to a provider.
const COOKIES: [(&str, SsoAudience); 2] =
    [("panelone_sso", SsoAudience::Staff), ("clientone_sso", SsoAudience::Portal)];
/// Longest address that somebody may be sent back with, in bytes.
const LONGEST: usize = 16 * 1024;

/// Whose identity provider to go to.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct SsoStart {
    /// Slug of the organisation
    pub organisation: String,
    /// The token of an invitation to be accepted by it
    pub invitation: Option<String>,
}

/// An identity provider's page to go to.
#[derive(Debug, Clone, Object)]
pub struct SsoStarted {
    /// Open it in this browser
    pub url: String,
    /// Until when to be back
    pub expires_at: DateTime<Utc>,
}

/// An identity that opens one's account.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct SsoLink {
    /// Id
    pub id: Uuid,
    /// The provider that vouches for it
    pub sso_provider_id: Uuid,
    /// Staff user whose account it opens
    pub staff_id: Option<Uuid>,
    /// Portal user whose account it opens
    pub portal_user_id: Option<Uuid>,
    /// Who issues its tokens
    pub issuer: String,
    /// Tenant, where the provider has them
    pub tenant: Option<String>,
    /// Linked
    pub created_at: DateTime<Utc>,
}

impl From<domain::SsoLink> for SsoLink {
    fn from(link: domain::SsoLink) -> Self {
        let of = |kind| (link.account.kind == kind).then_some(link.account.id);
        Self {
            id: link.id.0,
            sso_provider_id: link.provider_id.0,
            staff_id: of(domain::AccountKind::Staff),
            portal_user_id: of(domain::AccountKind::Portal),
            issuer: link.issuer,
            tenant: link.tenant,
            created_at: link.created_at,
        }
    }
}

/// Identities that open an account.
#[derive(Debug, Clone, Object)]
pub struct SsoLinks {
    /// The oldest first
    pub items: Vec<SsoLink>,
}

/// Signing in through an identity provider.
pub struct SingleSignOn;

#[OpenApi(prefix_path = "/api", tag = "Chapter::Session")]
impl SingleSignOn {
    /// Begin to sign in through the organisation's identity provider
    ///
    /// Open the address in the same browser, which a cookie marks. The provider sends it back, and it is signed in, or
    /// asked for a second factor. That works once, for ten minutes. Organisations that do not exist, or offer no such
    /// sign-in, get one answer: 409 with the code `sso_not_offered`.
    #[oai(path = "/session/sso", method = "post", operation_id = "sso_start")]
    async fn sso_start(
        &self,
        app: AppData<'_>,
        request: &Request,
        jar: &CookieJar,
        body: Json<SsoStart>,
    ) -> Result<Answer<SsoStarted>, Failure> {
        same_origin(request)?;
        let ask = SsoAsk {
            audience: SsoAudience::Staff,
            organisation: body.0.organisation,
            email: None,
            invitation: body.0.invitation.map(Into::into),
            redirect_uri: format!("{}{CALLBACK}", origin(&app, request)?),
            request: meta(request),
        };
        let begun = access::sso_start(&app.store, &app.gate, &app.sso, ask).await?;
        Ok(Answer::new(started(&app, jar, SsoAudience::Staff, begun)))
    }

    /// The identities that open my account
    #[oai(path = "/me/sso-links", method = "get", operation_id = "sso_link_list")]
    async fn sso_link_list(&self, caller: Caller) -> Result<Answer<SsoLinks>, Failure> {
        let (tx, session) = caller.checked()?;
        session.ok_or_else(needs_session)?;
        let items = access::sso_link_list(&tx).await?.into_iter().map(Into::into).collect();
        Ok(Answer::new(SsoLinks { items }))
    }

    /// Begin to link my account to an identity of the organisation's provider
    ///
    /// Open the address in this browser: the provider sends it back, and from then on this identity signs in to my
    /// account. Asks for who you are, once more, after 15 minutes.
    #[oai(path = "/me/sso-links", method = "post", operation_id = "sso_link_start")]
    async fn sso_link_start(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        jar: &CookieJar,
    ) -> Result<Answer<SsoStarted>, Failure> {
        let (tx, session) = caller.checked()?;
        let context = tx.context().clone();
        drop(tx);
        let session = session.ok_or_else(needs_session)?;
        app.require_proof(&context, Some(&session), "sso_link_start").await?;
        let back = format!("{}{CALLBACK}", origin(&app, request)?);
        let begun = access::sso_link_start(&app.store, &app.gate, &app.sso, &context, session.id, &back).await?;
        Ok(Answer::new(started(&app, jar, SsoAudience::Staff, begun)))
    }

    /// Unlink an identity from my account
    ///
    /// Refused with the code `last_way_in` where nothing else would let you sign in again. Asks for who you are, once
    /// more, after 15 minutes.
    #[oai(path = "/me/sso-links/:sso_link_id", method = "delete", operation_id = "sso_link_delete")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn sso_link_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        sso_link_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: QueryParam<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: QueryParam<Option<String>>,
        /// Why, for the journal
        reason: QueryParam<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<SsoLink>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let context = app.proven_person(caller, "sso_link_delete", asked.is_dry_run()).await?;
        let write = match app.begin_permitted(&context, "sso_link_delete", asked, &sso_link_id.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let gone = access::sso_link_delete(&write.tx, SsoLinkId(sso_link_id.0)).await?;
        Ok(Answer::new(write.finish(Some(gone.into()), Vec::new()).await?))
    }
}

/// Marks the browser, and says where it is to go.
pub(super) fn started(app: &App, jar: &CookieJar, audience: SsoAudience, begun: access::SsoBegun) -> SsoStarted {
    browser_cookie(jar, audience, Some(begun.browser.expose_secret()), app.secure_cookies);
    SsoStarted { url: begun.url, expires_at: begun.expires_at }
}

fn cookie_name(audience: SsoAudience) -> &'static str {
    COOKIES.iter().find(|(_, side)| *side == audience).map_or("", |(name, _)| name)
}

/// Lax: it comes along when the provider's page sends the browser back, and with no request of another page.
fn browser_cookie(jar: &CookieJar, audience: SsoAudience, token: Option<&str>, secure: bool) {
    let mut cookie = Cookie::new_with_str(cookie_name(audience), token.unwrap_or_default());
    cookie.set_http_only(true);
    cookie.set_secure(secure);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_path("/");
    match token {
        Some(_) => cookie.set_max_age(std::time::Duration::from_secs(600)),
        None => cookie.make_removal(),
    }
    jar.add(cookie);
}

/// Where a provider sends staff back to.
#[poem::handler]
pub async fn callback(
    app: Data<&Arc<App>>,
    request: &Request,
    jar: &CookieJar,
    query: poem::Result<Query<Vec<(String, String)>>>,
) -> Response {
    come_back(&app, request, jar, SsoAudience::Staff, query).await
}

/// Where a provider sends portal users back to.
#[poem::handler]
pub async fn portal_callback(
    app: Data<&Arc<App>>,
    request: &Request,
    jar: &CookieJar,
    query: poem::Result<Query<Vec<(String, String)>>>,
) -> Response {
    come_back(&app, request, jar, SsoAudience::Portal, query).await
}

async fn come_back(
    app: &App,
    request: &Request,
    jar: &CookieJar,
    audience: SsoAudience,
    query: poem::Result<Query<Vec<(String, String)>>>,
) -> Response {
    let pages = match audience {
        SsoAudience::Staff => "",
        SsoAudience::Portal => "/clientone",
    };
    let back = query.ok().and_then(|Query(pairs)| read(audience, request, jar, pairs));
    // The mark is used up, whatever comes of it.
    browser_cookie(jar, audience, None, app.secure_cookies);
    let Some(back) = back else { return failed(pages, StatusCode::BAD_REQUEST, "malformed") };
    match access::sso_finish(&app.store, &app.gate, &app.sso, back).await {
        Ok(SsoDone::Staff(FirstStep::Session(signed_in))) => {
            session_cookie(jar, Some(signed_in.token.expose_secret()), app.secure_cookies);
            go("/".to_owned())
        }
        // The token of the second step stands behind the hash: it never reaches a log.
        Ok(SsoDone::Staff(FirstStep::SecondFactor(due))) => {
            go(format!("/sign-in#second-factor={}", due.token.expose_secret()))
        }
        Ok(SsoDone::Portal(signed_in)) => {
            portal_auth::session_cookie(jar, Some(signed_in.token.expose_secret()), app.secure_cookies);
            go("/clientone".to_owned())
        }
        Ok(SsoDone::PortalSecondStep(due)) => {
            go(format!("/clientone/sign-in#second-factor={}", due.token.expose_secret()))
        }
        Ok(SsoDone::Linked(_)) => go(format!("{pages}/profile#linked")),
        Err(error) => {
            let (status, code) = match &error {
                Error::Conflict { code, .. } => (StatusCode::CONFLICT, *code),
                Error::Vendor { code, .. } => (StatusCode::BAD_GATEWAY, *code),
                Error::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
                Error::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
                _ => {
                    tracing::error!(?error, "a sign-in through an identity provider failed on our side");
                    (StatusCode::INTERNAL_SERVER_ERROR, "internal")
                }
            };
            super::consent::words(status, "Not signed in", &error.to_string(), code)
        }
    }
}

fn read(audience: SsoAudience, request: &Request, jar: &CookieJar, pairs: Vec<(String, String)>) -> Option<SsoReturn> {
    let (mut query, mut long) = (BTreeMap::new(), 0);
    for (name, value) in pairs {
        long += name.len() + value.len();
        // What is said twice could be read in two ways.
        if query.insert(name, value).is_some() {
            return None;
        }
    }
    let state = query.remove("state").filter(|_| long <= LONGEST)?;
    let cookie = |name: &str| jar.get(name).map(|cookie| SecretString::from(cookie.value_str().to_owned()));
    let session = match audience {
        SsoAudience::Staff => crate::auth::COOKIE,
        SsoAudience::Portal => portal_auth::COOKIE,
    };
    Some(SsoReturn {
        audience,
        state,
        browser: cookie(cookie_name(audience)),
        code: query.remove("code").map(Into::into),
        failed: query.remove("error"),
        issuer: query.remove("iss"),
        session: cookie(session),
        user_agent: request.header("user-agent").map(|text| text.chars().take(300).collect()),
        request: meta(request),
    })
}

/// To a page of ours: never to an address that a request names.
fn go(to: String) -> Response {
    Response::builder().status(StatusCode::SEE_OTHER).header(header::LOCATION, to).finish()
}

fn failed(pages: &str, status: StatusCode, code: &'static str) -> Response {
    let text = format!("This address is for identity providers to send people back to. Begin at {pages}/sign-in.");
    super::consent::words(status, "Not understood", &text, code)
}
