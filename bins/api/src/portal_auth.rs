//! Who calls ClientOne: a portal user's session cookie, and nothing else. A staff user's session or key is none here,
//! and this one is none there: they are kept in different tables and come under different names.

use std::sync::Arc;

use access::Visit;
use domain::{Error, Result};
use persistence::Tx;
use poem::{Request, web::cookie::CookieJar};
use poem_openapi::{SecurityScheme, auth::ApiKey};

use crate::{
    app::App,
    auth::{meta, same_origin},
    kept::SessionSlot,
    problem::Failure,
};

/// Name of the session cookie.
pub const COOKIE: &str = "clientone_session";

/// What checking a token gave, as for staff (`auth.rs`).
pub struct Checked(Result<(Tx, Visit)>);

/// The cookie that signing in to ClientOne sets
#[derive(SecurityScheme)]
#[oai(
    rename = "ClientOneSession",
    ty = "api_key",
    key_in = "cookie",
    key_name = "clientone_session",
    checker = "check"
)]
pub struct PortalCaller(Checked);

impl PortalCaller {
    /// The caller's transaction, which only reads, with who is there. Refused within a session that is only for setting
    /// up a second factor: everything is but what says otherwise.
    pub fn visit(self) -> Result<(Tx, Visit)> {
        let (tx, visit) = self.even_enrolling()?;
        if visit.enrolment { Err(access::portal_enrolment_required()) } else { Ok((tx, visit)) }
    }

    /// The same also within such a session: for what setting up needs, and for signing out.
    pub fn even_enrolling(self) -> Result<(Tx, Visit)> {
        self.0.0
    }
}

async fn check(request: &Request, token: ApiKey) -> poem::Result<Checked> {
    let missing = || Failure::from(Error::internal("the application is not in the request"));
    let app = request.data::<Arc<App>>().ok_or_else(missing)?;
    if let Err(error) = same_origin(request) {
        return Err(Failure::from(error).into());
    }
    let found = access::portal_session_read(&app.store, &app.gate, &token.key, &meta(request)).await;
    if let Ok(Some((_, visit))) = &found {
        SessionSlot::put(request, Some(visit.session.0));
    }
    if let Ok(Some((_, visit))) = &found
        && let Some(wait) = app.gate.session_wait(visit.session.0, app.store.clock().now())
    {
        return Err(Failure::rate_limited(wait).into());
    }
    Ok(Checked(found.and_then(|found| found.ok_or(Error::Unauthenticated))))
}

/// The cookie that carries a session's token; an empty one ends it.
pub fn session_cookie(jar: &CookieJar, token: Option<&str>, secure: bool) {
    crate::auth::set_cookie(jar, COOKIE, token, secure);
}
