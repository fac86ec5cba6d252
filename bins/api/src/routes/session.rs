//! Signing in and out, and who one is.

use access::{FirstStep, Proof, SecondProof, SecondStep, SignIn, SignedIn};
use chrono::{DateTime, Utc};
use domain::{Error, SessionId};
use persistence::SessionRow;
use poem::{Request, web::cookie::CookieJar};
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::{Chapter, staff::StaffRole};
use crate::{
    app::AppData,
    auth::{Caller, meta, same_origin, session_cookie},
    page::Answer,
    problem::{Failure, SecondFactorDue},
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
    /// The role of the organisation's own that they have instead, and that counts then
    pub custom_role_id: Option<Uuid>,
    /// What the caller may do
    pub permissions: Vec<String>,
    /// What you may ask for: it is done when somebody else approves it
    pub with_approval: Vec<String>,
    /// Whether every client is within reach
    pub all_clients: bool,
    /// Session; absent for an API key
    pub session_id: Option<Uuid>,
    /// Whether this session is only for setting up a second factor, which the organisation requires
    pub must_enrol: bool,
}

/// The second step of signing in: one of the two proofs.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct SessionComplete {
    /// The token that the first step answered
    pub token: String,
    /// Code of the authenticator app
    pub code: Option<String>,
    /// A recovery code instead; it works once
    pub recovery_code: Option<String>,
}

/// Who one is, once more: one of the three.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct Reauthentication {
    /// Password
    pub password: Option<String>,
    /// Code of the authenticator app
    pub code: Option<String>,
    /// A recovery code; it works once
    pub recovery_code: Option<String>,
}

/// Shown once more.
#[derive(Debug, Clone, Object)]
pub struct Reauthenticated {
    /// Until when it holds
    pub until: DateTime<Utc>,
}

/// Sessions that ended.
#[derive(Debug, Clone, Object)]
pub struct SessionsEnded {
    /// How many
    pub ended: u64,
}

/// A signed-in browser.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct SessionView {
    /// Id
    pub id: Uuid,
    /// Whether this request comes from it
    pub current: bool,
    /// What the browser says of itself
    pub user_agent: Option<String>,
    /// Browser and version, if it is a known one
    pub browser: Option<String>,
    /// Operating system, if it is a known one
    pub system: Option<String>,
    /// Address
    pub address: Option<String>,
    /// Signed in
    pub created_at: DateTime<Utc>,
    /// Last used, to the minute
    pub seen_at: DateTime<Utc>,
    /// Ends if it is not used
    pub idle_ends_at: DateTime<Utc>,
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
    /// are refused for a while. Whoever has a second factor is answered 401 with the code
    /// `second_factor_required`, and goes on at `/api/session/second-factor`.
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
        match access::sign_in(&app.store, &app.gate, attempt).await? {
            FirstStep::Session(signed_in) => admit(&app, request, jar, &signed_in).await,
            FirstStep::SecondFactor(pending) => {
                let due = SecondFactorDue {
                    token: pending.token.expose_secret().to_owned(),
                    expires_at: pending.expires_at,
                    passkey: pending.passkey,
                };
                Err(Failure::second_factor(due, "/api/session/second-factor"))
            }
        }
    }

    /// Sign in, second step: sets the session cookie
    ///
    /// Wrong codes are counted like wrong passwords. A code works once; after five wrong ones the first step is due
    /// again.
    #[oai(path = "/session/second-factor", method = "post", operation_id = "session_complete")]
    async fn session_complete(
        &self,
        app: AppData<'_>,
        request: &Request,
        jar: &CookieJar,
        body: Json<SessionComplete>,
    ) -> Result<Answer<Me>, Failure> {
        same_origin(request)?;
        let step = SecondStep {
            token: body.0.token.into(),
            proof: second_proof(body.0.code, body.0.recovery_code)?,
            user_agent: request.header("user-agent").map(|text| text.chars().take(300).collect()),
            request: meta(request),
        };
        let signed_in = access::sign_in_complete(&app.store, &app.gate, step).await?;
        admit(&app, request, jar, &signed_in).await
    }

    /// Show once more who I am: what cannot be taken back asks for it after 15 minutes
    #[oai(path = "/session/reauthenticate", method = "post", operation_id = "session_reauthenticate")]
    async fn session_reauthenticate(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<Reauthentication>,
    ) -> Result<Answer<Reauthenticated>, Failure> {
        let (context, session) = caller.in_person()?;
        let proof = one_proof(body.0)?;
        let until = access::session_reauthenticate(&app.store, &app.gate, context, session.id, &proof).await?;
        Ok(Answer::new(Reauthenticated { until }))
    }

    /// Sign out
    #[oai(path = "/session", method = "delete", operation_id = "session_end")]
    async fn session_end(
        &self,
        app: AppData<'_>,
        caller: Caller,
        jar: &CookieJar,
    ) -> Result<Answer<Acknowledged>, Failure> {
        let (context, session) = caller.in_person()?;
        access::session_delete(&app.store, context, session.id).await?;
        session_cookie(jar, None, app.secure_cookies);
        Ok(Answer::new(Acknowledged { done: true }))
    }

    /// Who I am and what I may do
    #[oai(path = "/me", method = "get", operation_id = "me_get")]
    async fn me_get(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<Me>, Failure> {
        let (context, session) = caller.even_enrolling()?;
        Ok(Answer::new(me(&app, context, session.as_ref()).await?))
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
        let items = rows.into_iter().map(|row| {
            let (browser, system) = access::browser_and_system(row.user_agent.as_deref().unwrap_or_default());
            SessionView {
                id: row.id.0,
                current: current == Some(row.id),
                idle_ends_at: app.gate.idle_ends_at(&row).min(row.expires_at),
                user_agent: row.user_agent,
                browser,
                system: system.map(str::to_owned),
                address: row.address,
                created_at: row.created_at,
                seen_at: row.seen_at,
                expires_at: row.expires_at,
            }
        });
        Ok(Answer::new(SessionViews { items: items.collect() }))
    }

    /// End my other sessions
    #[oai(path = "/sessions", method = "delete", operation_id = "sessions_delete_others")]
    async fn sessions_delete_others(
        &self,
        app: AppData<'_>,
        caller: Caller,
        /// Answer how many would end, and end none
        dry_run: Query<Option<bool>>,
    ) -> Result<Answer<SessionsEnded>, Failure> {
        let (context, current) = caller.with_session()?;
        let current = current.ok_or_else(needs_session)?;
        let ended = if dry_run.0.unwrap_or(false) {
            let tx = app.store.read(context).await?;
            access::session_list(&tx, &app.gate).await?.iter().filter(|row| row.id != current).count() as u64
        } else {
            access::sessions_delete_others(&app.store, context, current).await?
        };
        Ok(Answer::new(SessionsEnded { ended }))
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

pub(crate) fn needs_session() -> Error {
    Error::conflict("needs_session", "This is for a signed-in person, not for an API key.")
}

/// The one proof of the three.
pub(super) fn one_proof(given: Reauthentication) -> domain::Result<Proof> {
    match (given.password, given.code, given.recovery_code) {
        (Some(password), None, None) => Ok(Proof::Password(password.into())),
        (None, code, recovery_code) => Ok(Proof::Second(second_proof(code, recovery_code)?)),
        _ => Err(Error::invalid("/password", "one_of", "must be the only proof")),
    }
}

/// The one proof of the two.
pub(super) fn second_proof(code: Option<String>, recovery_code: Option<String>) -> domain::Result<SecondProof> {
    match (code, recovery_code) {
        (Some(code), None) => Ok(SecondProof::Code(code.into())),
        (None, Some(code)) => Ok(SecondProof::RecoveryCode(code.into())),
        (None, None) => Err(Error::invalid("/code", "required", "must be given, or another proof instead")),
        (Some(_), Some(_)) => Err(Error::invalid("/recovery_code", "one_of", "must be the only proof")),
    }
}

/// Sets the cookie of a new session, and says whose it is.
pub(super) async fn admit(
    app: &crate::app::App,
    request: &Request,
    jar: &CookieJar,
    signed_in: &SignedIn,
) -> Result<Answer<Me>, Failure> {
    let token = signed_in.token.expose_secret();
    session_cookie(jar, Some(token), app.secure_cookies);
    let open = access::session_open(&app.store, &app.gate, token, &meta(request)).await?;
    let open = open.ok_or(Error::Unauthenticated)?;
    let context = open.tx.context().clone();
    drop(open.tx);
    Ok(Answer::new(me(app, context, Some(&open.session)).await?))
}

async fn me(app: &crate::app::App, context: domain::Context, session: Option<&SessionRow>) -> domain::Result<Me> {
    let permissions = context.permissions;
    let all_clients = context.scope.is_all();
    let organisation_id = context.organisation.0;
    let staff = context.actor.staff().ok_or_else(needs_session)?;
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
        custom_role_id: staff.custom_role.map(|held| held.id.0),
        permissions: allowed.map(|permission| permission.as_str().to_owned()).collect(),
        with_approval: permissions.had_with_approval().iter().map(|one| one.as_str().to_owned()).collect(),
        all_clients,
        session_id: session.map(|session| session.id.0),
        must_enrol: session.is_some_and(|session| session.enrolment),
    })
}
