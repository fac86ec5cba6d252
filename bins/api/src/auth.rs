//! Who calls: an API key or an access token of a service account as a bearer token, or a session cookie. The context that comes out of it is
//! the only way to a transaction.

use std::{net::IpAddr, sync::Arc};

use access::RequestMeta;
use domain::{Context, Error, Result, SessionId};
use ipnet::IpNet;
use persistence::{SessionRow, Tx};
use poem::{Request, http::Method, web::cookie::CookieJar};
use poem_openapi::{
    SecurityScheme,
    auth::{ApiKey, Bearer},
};

use crate::{acting, app::App, asking::Assumed, kept::SessionSlot, problem::Failure, rate::RateSlot, request_id};

/// Name of the session cookie.
pub const COOKIE: &str = "panelone_session";

/// What checking a token gave. An error is kept, so that a store that is away answers 503 and not
/// "not signed in".
///
/// A token is looked up in a transaction that reads; a request that only reads goes on in it.
pub struct Checked(Result<(Tx, Option<SessionRow>)>);

/// An API key, or an access token of a service account, as `Authorization: Bearer pone_live_…`
#[derive(SecurityScheme)]
#[oai(rename = "ApiKey", ty = "bearer", checker = "check_key")]
pub struct KeyCaller(Checked);

/// The cookie that signing in sets
#[derive(SecurityScheme)]
#[oai(rename = "Session", ty = "api_key", key_in = "cookie", key_name = "panelone_session", checker = "check_session")]
pub struct SessionCaller(Checked);

/// Whoever calls an operation.
#[derive(SecurityScheme)]
pub enum Caller {
    /// A machine
    Key(KeyCaller),
    /// A signed-in browser
    Session(SessionCaller),
}

impl Caller {
    /// The context for a transaction.
    pub fn context(self) -> Result<Context> {
        self.with_session().map(|(context, _)| context)
    }

    /// The context, and the session it comes from; none for an API key.
    pub fn with_session(self) -> Result<(Context, Option<SessionId>)> {
        self.checked().map(|(tx, session)| (tx.context().clone(), session.map(|session| session.id)))
    }

    /// The context, and the whole session it comes from; none for an API key. Also within a session that is only for
    /// setting up a second factor: for what that needs, and for signing out.
    pub fn even_enrolling(self) -> Result<(Context, Option<SessionRow>)> {
        self.found().map(|(tx, session)| (tx.context().clone(), session))
    }

    /// The context and the session of someone signed in, wholly or for setting up a second factor.
    pub fn in_person(self) -> Result<(Context, SessionRow)> {
        let (context, session) = self.even_enrolling()?;
        Ok((context, session.ok_or_else(crate::routes::session::needs_session)?))
    }

    /// The caller's transaction, which only reads.
    pub fn read(self) -> Result<Tx> {
        self.checked().map(|(tx, _)| tx)
    }

    /// What was found, unless it is a session that is only for setting up a second factor: everything is refused
    /// within that but what says otherwise.
    pub(crate) fn checked(self) -> Result<(Tx, Option<SessionRow>)> {
        let (tx, session) = self.found()?;
        if session.as_ref().is_some_and(|session| session.enrolment) {
            return Err(access::enrolment_required());
        }
        Ok((tx, session))
    }

    fn found(self) -> Result<(Tx, Option<SessionRow>)> {
        match self {
            Self::Key(KeyCaller(checked)) | Self::Session(SessionCaller(checked)) => checked.0,
        }
    }
}

async fn check_key(request: &Request, token: Bearer) -> poem::Result<Checked> {
    let app = app(request)?;
    let meta = meta(request);
    let found = if access::is_access_token(&token.token) {
        let open = access::machine_open(&app.store, &app.gate, &token.token, &meta).await;
        open.map(|open| open.map(|open| (open.tx, open.rate)))
    } else {
        let open = access::api_key_open(&app.store, &app.gate, &token.token, &meta).await;
        open.map(|open| open.map(|open| (open.tx, open.rate)))
    };
    if let Ok(Some((_, rate))) = &found {
        if let Some(slot) = request.data::<RateSlot>() {
            slot.put(*rate);
        }
        if let Some(wait) = rate.retry_after {
            return Err(Failure::rate_limited(wait).into());
        }
    }
    let found = match found.and_then(|open| open.ok_or(Error::Unauthenticated)) {
        Ok((tx, _)) => acting::acting(app, request, tx).await.map(|tx| (tx, None)),
        Err(refused) => Err(refused),
    };
    Ok(Checked(found))
}

async fn check_session(request: &Request, token: ApiKey) -> poem::Result<Checked> {
    let app = app(request)?;
    if let Some(assumed) = request.data::<Assumed>() {
        // The server's own request, for somebody whom it knows.
        return Ok(Checked(app.store.read(assumed.0.clone()).await.map(|tx| (tx, None))));
    }
    if let Err(error) = same_origin(request) {
        return Err(Failure::from(error).into());
    }
    let found = access::session_open(&app.store, &app.gate, &token.key, &meta(request)).await;
    let found = match found.and_then(|open| open.ok_or(Error::Unauthenticated)) {
        // Whatever it is that is only for enrolling, it is not for acting for somebody.
        Ok(open) if open.session.enrolment => Ok((open.tx, Some(open.session))),
        Ok(open) => {
            SessionSlot::put(request, None);
            acting::acting(app, request, open.tx).await.map(|tx| (tx, Some(open.session)))
        }
        Err(refused) => Err(refused),
    };
    Ok(Checked(found))
}

fn app(request: &Request) -> poem::Result<&Arc<App>> {
    let missing = || Failure::from(Error::internal("the application is not in the request"));
    request.data::<Arc<App>>().ok_or_else(|| missing().into())
}

/// What is known of a request before its caller is.
pub fn meta(request: &Request) -> RequestMeta {
    let peer = request.remote_addr().as_socket_addr().map(|address| address.ip().to_canonical());
    let proxies = app(request).map(|app| app.trusted_proxies.as_slice()).unwrap_or_default();
    let forwarded = request.headers().get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let source_address = peer.map(|peer| source(peer, proxies, forwarded).to_string());
    RequestMeta { request_id: request_id::current(), source_address }
}

/// Whence a request comes. Each proxy adds to `X-Forwarded-For` at the end who asked it; what stands before the first
/// that is not ours was written by a stranger, who may write anything.
fn source<'a>(peer: IpAddr, proxies: &[IpNet], forwarded: impl DoubleEndedIterator<Item = &'a str>) -> IpAddr {
    let ours = |address: &IpAddr| proxies.iter().any(|net| net.contains(address));
    let mut last = peer;
    for word in forwarded.rev().flat_map(|line| line.rsplit(',')) {
        if !ours(&last) {
            break;
        }
        let Ok(address) = word.trim().parse::<IpAddr>() else { break };
        last = address.to_canonical();
    }
    last
}

/// Refuses a request that changes something and comes from another site's page (cross-site request
/// forgery). Browsers say where a request comes from; other callers say nothing and send no foreign
/// cookies.
pub fn same_origin(request: &Request) -> Result<()> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let foreign = match (request.header("sec-fetch-site"), request.header("origin")) {
        (Some(site), _) => !matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = request.header("host").unwrap_or_default();
            origin.split_once("://").is_none_or(|(_, from)| from != host)
        }
        (None, None) => false,
    };
    if foreign {
        return Err(Error::conflict(
            "foreign_origin",
            "This request comes from another site's page. Open PanelOne itself.",
        ));
    }
    Ok(())
}

/// The cookie that carries a session's token; an empty one ends it.
pub fn session_cookie(jar: &CookieJar, token: Option<&str>, secure: bool) {
    set_cookie(jar, COOKIE, token, secure);
}

/// The cookie of this name that carries a session's token; an empty one ends it.
pub fn set_cookie(jar: &CookieJar, name: &str, token: Option<&str>, secure: bool) {
    let mut cookie = poem::web::cookie::Cookie::new_with_str(name, token.unwrap_or_default());
    cookie.set_http_only(true);
    cookie.set_secure(secure);
    cookie.set_same_site(poem::web::cookie::SameSite::Lax);
    cookie.set_path("/");
    if token.is_none() {
        cookie.make_removal();
    }
    jar.add(cookie);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_proxies_are_believed() {
        let proxies: Vec<IpNet> = vec!["10.0.0.0/8".parse().expect("a network"), "::1/128".parse().expect("a network")];
        let of = |peer: &str, lines: &[&str]| {
            source(peer.parse().expect("an address"), &proxies, lines.iter().copied()).to_string()
        };
        assert_eq!(of("198.51.100.7", &["203.0.113.9"]), "198.51.100.7", "a stranger says what it likes");
        assert_eq!(of("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(of("10.0.0.1", &["192.0.2.1, 203.0.113.9"]), "203.0.113.9", "what the stranger wrote comes first");
        assert_eq!(of("10.0.0.1", &["192.0.2.1", "203.0.113.9, 10.0.0.2"]), "203.0.113.9");
        assert_eq!(of("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(of("::1", &["::ffff:203.0.113.9"]), "203.0.113.9");
    }
}
