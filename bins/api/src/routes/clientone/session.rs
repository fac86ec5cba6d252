//! Signing in to ClientOne and out, and what is there for the caller.

use access::{PortalFirstStep, PortalSignedIn, SignIn, Visit};
use chrono::{DateTime, Utc};
use domain::{Error, PortalPermission, PortalSessionId};
use persistence::Tx;
use poem::{Request, web::cookie::CookieJar};
use poem_openapi::{Object, OpenApi, param::Path, payload::Json};
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::PortalChapter;
use crate::{
    app::{App, AppData},
    auth::{meta, same_origin},
    page::Answer,
    portal_auth::{PortalCaller, session_cookie},
    problem::Failure,
    routes::{
        clientone_admin::{
            PortalSection,
            branding::{ShownBranding, shown},
            users::PortalUserRole,
        },
        session::{Acknowledged, SessionView, SessionViews},
    },
};

/// What it takes to sign in.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct PortalSessionCreate {
    /// E-mail
    pub email: String,
    /// Password
    pub password: String,
    /// Slug of the provider; needed only by those who have accounts of several
    pub organisation: Option<String>,
}

/// Who is signed in, and what is there for them.
#[derive(Debug, Clone, Object)]
pub struct PortalSession {
    /// Session
    pub session_id: Uuid,
    /// Portal user
    pub portal_user_id: Uuid,
    /// Name
    pub name: String,
    /// E-mail
    pub email: String,
    pub role: PortalUserRole,
    /// The provider
    pub organisation: String,
    /// Your company
    pub client: String,
    /// Its id
    pub client_id: Uuid,
    /// The sections that are there: those that are on for the company and that the role has. The operations of any
    /// other answer 404
    pub sections: Vec<PortalSection>,
    /// What you may do
    pub permissions: Vec<String>,
    pub branding: ShownBranding,
    /// When the session ends at the latest
    pub expires_at: DateTime<Utc>,
    /// Whether this session is only for setting up a second factor, which your provider requires
    pub must_enrol: bool,
}

/// Sessions of ClientOne.
pub struct PortalSessions;

#[OpenApi(prefix_path = "/api/clientone", tag = "PortalChapter::Session")]
impl PortalSessions {
    /// Sign in: sets the session cookie
    ///
    /// The answer is the same for unknown addresses, wrong passwords and accounts that may not come in. After several
    /// failures attempts are refused for a while. Whoever has a second factor is answered 401 with the code
    /// `second_factor_required`, and goes on at `/api/clientone/session/second-factor`.
    #[oai(path = "/session", method = "post", operation_id = "portal_session_create")]
    async fn portal_session_create(
        &self,
        app: AppData<'_>,
        request: &Request,
        jar: &CookieJar,
        body: Json<PortalSessionCreate>,
    ) -> Result<Answer<PortalSession>, Failure> {
        same_origin(request)?;
        let attempt = SignIn {
            organisation: body.0.organisation,
            email: body.0.email,
            password: body.0.password.into(),
            user_agent: request.header("user-agent").map(|text| text.chars().take(300).collect()),
            request: meta(request),
        };
        match access::portal_sign_in(&app.store, &app.gate, attempt).await? {
            PortalFirstStep::Session(signed_in) => admit(&app, request, jar, &signed_in).await,
            PortalFirstStep::SecondFactor(pending) => Err(super::second_factor::due(&pending)),
        }
    }

    /// Who I am, and which sections are there for me
    #[oai(path = "/session", method = "get", operation_id = "portal_session_get")]
    async fn portal_session_get(&self, caller: PortalCaller) -> Result<Answer<PortalSession>, Failure> {
        let (tx, visit) = caller.even_enrolling()?;
        Ok(Answer::new(session(&tx, &visit).await?))
    }

    /// Sign out
    #[oai(path = "/session", method = "delete", operation_id = "portal_session_end")]
    async fn portal_session_end(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        jar: &CookieJar,
    ) -> Result<Answer<Acknowledged>, Failure> {
        let (tx, visit) = caller.even_enrolling()?;
        let context = tx.context().clone();
        drop(tx);
        access::portal_session_delete(&app.store, context, visit.session).await?;
        session_cookie(jar, None, app.secure_cookies);
        Ok(Answer::new(Acknowledged { done: true }))
    }

    /// My sessions
    #[oai(path = "/sessions", method = "get", operation_id = "portal_session_list")]
    async fn portal_session_list(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
    ) -> Result<Answer<SessionViews>, Failure> {
        let (tx, visit) = caller.visit()?;
        let rows = access::portal_session_list(&tx, &app.gate).await?;
        let items = rows.into_iter().map(|row| {
            let (browser, system) = access::browser_and_system(row.user_agent.as_deref().unwrap_or_default());
            SessionView {
                id: row.id.0,
                current: visit.session == row.id,
                browser,
                system: system.map(str::to_owned),
                user_agent: row.user_agent,
                address: row.address,
                created_at: row.created_at,
                seen_at: row.seen_at,
                idle_ends_at: row.seen_at + app.gate.options.session_idle,
                expires_at: row.expires_at,
            }
        });
        Ok(Answer::new(SessionViews { items: items.collect() }))
    }

    /// End my other sessions
    #[oai(path = "/sessions", method = "delete", operation_id = "portal_sessions_delete")]
    async fn portal_sessions_delete(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
    ) -> Result<Answer<Acknowledged>, Failure> {
        let (tx, visit) = caller.visit()?;
        let context = tx.context().clone();
        drop(tx);
        access::portal_sessions_delete_others(&app.store, context, visit.session).await?;
        Ok(Answer::new(Acknowledged { done: true }))
    }

    /// End one of my sessions
    #[oai(path = "/sessions/:portal_session_id", method = "delete", operation_id = "portal_session_delete")]
    async fn portal_session_delete(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        portal_session_id: Path<Uuid>,
    ) -> Result<Answer<Acknowledged>, Failure> {
        let (tx, _) = caller.visit()?;
        let context = tx.context().clone();
        drop(tx);
        access::portal_session_delete(&app.store, context, PortalSessionId(portal_session_id.0)).await?;
        Ok(Answer::new(Acknowledged { done: true }))
    }
}

/// Sets the cookie of a new session, and says whose it is.
pub(super) async fn admit(
    app: &App,
    request: &Request,
    jar: &CookieJar,
    signed_in: &PortalSignedIn,
) -> Result<Answer<PortalSession>, Failure> {
    let token = signed_in.token.expose_secret();
    let found = access::portal_session_read(&app.store, &app.gate, token, &meta(request)).await?;
    let (tx, visit) = found.ok_or(Error::Unauthenticated)?;
    let answer = session(&tx, &visit).await?;
    session_cookie(jar, Some(token), app.secure_cookies);
    Ok(Answer::new(answer))
}

async fn session(tx: &Tx, visit: &Visit) -> domain::Result<PortalSession> {
    let Visit { user, config, session, enrolment, .. } = visit;
    let (organisation, _) = tx.organisation_name().await?;
    let client = tx.client(user.client_id).await?;
    let branding = clientone::effective_branding(tx, config).await?;
    let current = tx.portal_session_list(user.id).await?.into_iter().find(|one| one.id == *session);
    let has = |permission: &&PortalPermission| permission.reach(user.role, &config.settings).is_ok();
    Ok(PortalSession {
        session_id: session.0,
        portal_user_id: user.id.0,
        name: user.name.clone(),
        email: user.email.clone(),
        role: user.role.into(),
        organisation,
        client: client.name,
        client_id: client.id.0,
        sections: clientone::sections_shown(tx, user, config).await?.into_iter().map(Into::into).collect(),
        permissions: PortalPermission::ALL.iter().filter(has).map(|one| one.as_str().to_owned()).collect(),
        branding: shown(&branding, tx.organisation()),
        expires_at: current.ok_or(Error::Unauthenticated)?.expires_at,
        must_enrol: *enrolment,
    })
}
