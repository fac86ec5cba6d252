//! Signing in and out, and who one is.

use access::SignIn;
use chrono::{DateTime, Utc};
use domain::{Error, SessionId};
use poem::{Request, web::cookie::CookieJar};
use poem_openapi::{Object, OpenApi, param::Path, payload::Json};
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::{Chapter, staff::StaffRole};
use crate::{
    app::AppData,
    auth::{Caller, meta, same_origin, session_cookie},
    page::Answer,
    problem::Failure,
};

/// What it takes to sign in.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct SessionCreate {
    /// E-mail
    pub email: String,
    /// Password
    pub password: String,
    /// Slug of the organisation; needed only by those who belong to several
    pub organisation: Option<String>,
}

/// The caller.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Me {
    /// Organisation
    pub organisation_id: Uuid,
    /// Its name
    pub organisation: String,
    /// Staff user
    pub staff_id: Uuid,
    /// Name
    pub name: String,
    /// E-mail
    pub email: String,
    pub role: StaffRole,
    /// What the caller may do
    pub permissions: Vec<String>,
    /// Whether every client is within reach
    pub all_clients: bool,
    /// Session; absent for an API key
    pub session_id: Option<Uuid>,
}

/// A signed-in browser.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct SessionView {
    /// Id
    pub id: Uuid,
    /// Whether this request comes from it
    pub current: bool,
    /// Browser
    pub user_agent: Option<String>,
    /// Address
    pub address: Option<String>,
    /// Signed in
    pub created_at: DateTime<Utc>,
    /// Last used, to the minute
    pub seen_at: DateTime<Utc>,
    /// Ends at the latest
    pub expires_at: DateTime<Utc>,
}

/// The caller's sessions.
#[derive(Debug, Clone, Object)]
pub struct SessionViews {
    /// The newest first
    pub items: Vec<SessionView>,
}

/// Done, with nothing more to say.
#[derive(Debug, Clone, Object)]
pub struct Acknowledged {
    /// Always true
    pub done: bool,
}

/// A new password.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct PasswordChange {
    /// The present one
    pub present_password: String,
    /// The new one, 12 to 256 characters
    pub new_password: String,
}

/// Sessions.
pub struct Session;

#[OpenApi(prefix_path = "/api", tag = "Chapter::Session")]
impl Session {
    /// Sign in: sets the session cookie
    ///
    /// The answer is the same for unknown addresses and wrong passwords. After several failures attempts
    /// are refused for a while.
    #[oai(path = "/session", method = "post", operation_id = "session_create")]
    async fn session_create(
        &self,
        app: AppData<'_>,
        request: &Request,
        jar: &CookieJar,
        body: Json<SessionCreate>,
    ) -> Result<Answer<Me>, Failure> {
        same_origin(request)?;
        let attempt = SignIn {
            organisation: body.0.organisation,
            email: body.0.email,
            password: body.0.password.into(),
            user_agent: request.header("user-agent").map(|text| text.chars().take(300).collect()),
            request: meta(request),
        };
        let signed_in = access::sign_in(&app.store, &app.gate, attempt).await?;
        session_cookie(jar, Some(signed_in.token.expose_secret()), app.secure_cookies);
        let found =
            access::session_context(&app.store, &app.gate, signed_in.token.expose_secret(), &meta(request)).await?;
        let (context, session, _) = found.ok_or(Error::Unauthenticated)?;
        Ok(Answer::new(me(&app, context, Some(session)).await?))
    }

    /// Sign out
    #[oai(path = "/session", method = "delete", operation_id = "session_end")]
    async fn session_end(
        &self,
        app: AppData<'_>,
        caller: Caller,
        jar: &CookieJar,
    ) -> Result<Answer<Acknowledged>, Failure> {
        let (context, session) = caller.with_session()?;
        let session = session.ok_or_else(needs_session)?;
        access::session_delete(&app.store, context, session).await?;
        session_cookie(jar, None, app.secure_cookies);
        Ok(Answer::new(Acknowledged { done: true }))
    }

    /// Who I am and what I may do
    #[oai(path = "/me", method = "get", operation_id = "me_get")]
    async fn me_get(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<Me>, Failure> {
        let (context, session) = caller.with_session()?;
        Ok(Answer::new(me(&app, context, session).await?))
    }

    /// Change my password: ends my other sessions
    #[oai(path = "/me/password", method = "put", operation_id = "password_change")]
    async fn password_change(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<PasswordChange>,
    ) -> Result<Answer<Acknowledged>, Failure> {
        let (context, session) = caller.with_session()?;
        let session = session.ok_or_else(needs_session)?;
        let (present, new) = (body.0.present_password.into(), body.0.new_password.into());
        access::password_change(&app.store, &app.gate, context, session, &present, &new).await?;
        Ok(Answer::new(Acknowledged { done: true }))
    }

    /// My sessions
    #[oai(path = "/sessions", method = "get", operation_id = "session_list")]
    async fn session_list(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<SessionViews>, Failure> {
        let (context, current) = caller.with_session()?;
        current.ok_or_else(needs_session)?;
        let tx = app.store.read(context).await?;
        let rows = access::session_list(&tx, &app.gate).await?;
        let items = rows.into_iter().map(|row| SessionView {
            id: row.id.0,
            current: current == Some(row.id),
            user_agent: row.user_agent,
            address: row.address,
            created_at: row.created_at,
            seen_at: row.seen_at,
            expires_at: row.expires_at,
        });
        Ok(Answer::new(SessionViews { items: items.collect() }))
    }

    /// End one of my sessions
    #[oai(path = "/sessions/:session_id", method = "delete", operation_id = "session_delete")]
    async fn session_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
        session_id: Path<Uuid>,
    ) -> Result<Answer<Acknowledged>, Failure> {
        let (context, current) = caller.with_session()?;
        current.ok_or_else(needs_session)?;
        access::session_delete(&app.store, context, SessionId(session_id.0)).await?;
        Ok(Answer::new(Acknowledged { done: true }))
    }
}

pub(super) fn needs_session() -> Error {
    Error::conflict("needs_session", "This is for a signed-in person, not for an API key.")
}

async fn me(app: &crate::app::App, context: domain::Context, session: Option<SessionId>) -> domain::Result<Me> {
    let permissions = context.permissions;
    let all_clients = context.scope.is_all();
    let organisation_id = context.organisation.0;
    let staff = context.actor.staff().ok_or(Error::Unauthenticated)?;
    let tx = app.store.read(context).await?;
    let staff = tx.staff(staff).await?;
    let (organisation, _) = tx.organisation_name().await?;
    let allowed = domain::Permission::ALL.iter().filter(|permission| permissions.allows(**permission));
    Ok(Me {
        organisation_id,
        organisation,
        staff_id: staff.id.0,
        name: staff.name,
        email: staff.email,
        role: staff.role.into(),
        permissions: allowed.map(|permission| permission.as_str().to_owned()).collect(),
        all_clients,
        session_id: session.map(|session| session.0),
    })
}
