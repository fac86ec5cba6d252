//! Consent at a vendor's own page: the address to go to, and the page that one comes back to.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use chrono::{DateTime, Utc};
use domain::{ConnectionId, Error, Permission};
use integration::Secret;
use poem::{
    Request, Response,
    http::StatusCode,
    web::{Data, Query, cookie::CookieJar},
};
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use super::{Chapter, session::needs_session};
use crate::{
    app::{App, AppData},
    auth::{COOKIE, Caller, meta},
    page::Answer,
    problem::Failure,
    request_id,
};

/// Where vendors send people back to, below the public origin.
pub const CALLBACK: &str = "/oauth/callback";
/// Longest address that a vendor may send somebody back with, in bytes.
pub(super) const LONGEST: usize = 16 * 1024;

/// A vendor's page to go to.
#[derive(Debug, Clone, Object)]
pub struct ConsentStarted {
    /// Open it in the browser that is signed in here
    pub url: String,
    /// Until when to be back
    pub expires_at: DateTime<Utc>,
}

/// Consent at vendors' own pages.
pub struct Consents;

#[OpenApi(prefix_path = "/api/connections", tag = "Chapter::Connections")]
impl Consents {
    /// Begin to consent at the vendor's own page
    ///
    /// For integrations with a field of the input `consent`. Open the address in the browser that is signed in
    /// here: the vendor sends it back, and the connection is tried, connected and synced. It works once, for ten
    /// minutes, in this session. Consenting again reconnects.
    #[oai(path = "/:connection_id/consent", method = "post", operation_id = "connection_consent_start")]
    async fn connection_consent_start(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        connection_id: Path<Uuid>,
    ) -> Result<Answer<ConsentStarted>, Failure> {
        let (context, session) = caller.with_session()?;
        let id = ConnectionId(connection_id.0);
        let connection = app.read_as(&context, Permission::ConnectionsView).await?.connection(id).await?;
        app.permit_for(&context, Permission::ConnectionsManage, "connection_consent_start", &connection.integration)
            .await?;
        let session = session.ok_or_else(needs_session)?;
        let back = format!("{}{CALLBACK}", origin(&app, request)?);
        let begun = app.engine.consent_start(&context, session, id, &back).await?;
        Ok(Answer::new(ConsentStarted { url: begun.url, expires_at: begun.expires_at }))
    }
}

/// The address that browsers reach us at: the setting, or without one the loopback address that was asked. Only callers on
/// this machine are believed: a letter with a link to wherever a stranger says would carry its token there.
pub(super) fn origin(app: &App, request: &Request) -> domain::Result<String> {
    if let Some(origin) = &app.public_origin {
        return Ok(origin.clone());
    }
    let host = request.header("host").unwrap_or_default();
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (host, ""),
    };
    let here = request.remote_addr().as_socket_addr().is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    if here && matches!(name, "127.0.0.1" | "localhost" | "[::1]") && port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(format!("http://{host}"));
    }
    Err(Error::conflict(
        "no_public_origin",
        "The operator must set PANELONE_PUBLIC_ORIGIN to the address at which browsers reach PanelOne: vendors send \
         people back to it, and links in letters lead there.",
    ))
}

/// What a person is told when they are back.
pub(super) struct Told {
    pub status: StatusCode,
    pub title: String,
    pub text: String,
    pub code: &'static str,
}

impl From<Error> for Told {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        let (status, code, title) = match &error {
            Error::Conflict { code: "consent_foreign", .. } => (StatusCode::FORBIDDEN, "consent_foreign", "Not yours"),
            Error::Conflict { code, .. } => (StatusCode::CONFLICT, *code, "Not connected"),
            Error::Forbidden { .. } => (StatusCode::FORBIDDEN, "forbidden", "Not allowed"),
            Error::Unauthenticated => (StatusCode::UNAUTHORIZED, "unauthenticated", "Not signed in"),
            Error::NotFound { .. } => (StatusCode::NOT_FOUND, "not_found", "Not found"),
            Error::Vendor { code, .. } => (StatusCode::BAD_GATEWAY, *code, "Not connected"),
            Error::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, "busy", "Busy"),
            _ => {
                tracing::error!(?error, "a consent failed on our side");
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Our mistake")
            }
        };
        Self { status, title: title.to_owned(), text, code }
    }
}

/// Asked without a wish to read the answer, by whatever looks ahead: a consent is not used up by that.
#[poem::handler]
pub fn unread() -> Response {
    Response::builder().status(StatusCode::METHOD_NOT_ALLOWED).header("allow", "GET").finish()
}

/// Where a vendor sends a person back to.
#[poem::handler]
pub async fn callback(
    app: Data<&Arc<App>>,
    request: &Request,
    jar: &CookieJar,
    query: poem::Result<Query<Vec<(String, String)>>>,
) -> Response {
    let pairs = query.map(|Query(pairs)| pairs).unwrap_or_default();
    match come_back(&app, request, jar, pairs).await {
        Ok(connection) => {
            app.wake.notify_one();
            let account = connection.account.map(|account| format!(" The account is {account}.")).unwrap_or_default();
            let text = format!("{} is connected, and its first sync has begun.{account}", connection.name);
            page(&Told { status: StatusCode::OK, title: "Connected".to_owned(), text, code: "" })
        }
        Err(told) => page(&told),
    }
}

async fn come_back(
    app: &App,
    request: &Request,
    jar: &CookieJar,
    pairs: Vec<(String, String)>,
) -> Result<domain::Connection, Told> {
    let malformed = |text: &str| Told {
        status: StatusCode::BAD_REQUEST,
        title: "Not understood".to_owned(),
        text: text.to_owned(),
        code: "malformed",
    };
    let token = jar.get(COOKIE).map(|cookie| cookie.value_str().to_owned()).unwrap_or_default();
    let found = access::session_read(&app.store, &app.gate, &token, &meta(request)).await?;
    let Some((tx, session, _)) = found else {
        return Err(Told {
            text: "Sign in to PanelOne in this browser, and start the consent again.".to_owned(),
            ..Error::Unauthenticated.into()
        });
    };
    let context = tx.context().clone();
    tx.rollback().await?;
    let mut query = BTreeMap::new();
    let mut long = 0;
    for (name, value) in pairs {
        long += name.len() + value.len();
        if query.insert(name, value).is_some() {
            return Err(malformed("The vendor's answer says something twice."));
        }
    }
    let state = query.remove("state").filter(|_| long <= LONGEST);
    let state = state.ok_or_else(|| malformed("This address is for vendors to send people back to."))?;
    let taken = app.engine.consent_take(&context, session, &state).await?;
    app.permit_for(&context, Permission::ConnectionsManage, "connection_consent", &taken.connection.integration)
        .await?;
    let said = query.remove("error");
    let described = query.remove("error_description");
    let Some(code) = query.remove("code").filter(|code| said.is_none() && !code.is_empty()) else {
        let said = said.unwrap_or_else(|| "no code".to_owned());
        let words: String = described.map_or(said.clone(), |words| format!("{said}: {words}"));
        let words: String =
            words.chars().take(300).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        app.engine.consent_declined(&context, &taken, &words).await?;
        let text = format!("{} did not give its consent. It said: {words}", taken.vendor);
        return Err(Told {
            status: StatusCode::CONFLICT,
            title: "Not connected".to_owned(),
            text,
            code: "consent_declined",
        });
    };
    Ok(app.engine.consent_finish(&context, taken, Secret::new(code), query).await?)
}

/// The same page for whoever else is sent back here by somebody outside.
pub(super) fn words(status: StatusCode, title: &str, text: &str, code: &'static str) -> Response {
    page(&Told { status, title: title.to_owned(), text: text.to_owned(), code })
}

/// A page of words, and nothing that runs or is fetched. Whatever comes from outside is escaped.
pub(super) fn page(told: &Told) -> Response {
    let mut body = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{0} - PanelOne</title>\n<h1>{0}</h1>\n<p>{1}\n",
        escaped(&told.title),
        escaped(&told.text)
    );
    if told.code.is_empty() {
        body.push_str("<p>You can close this window.\n");
    } else {
        let _ = writeln!(body, "<p>Code: {}. Request: {}.", escaped(told.code), escaped(&request_id::current()));
    }
    let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    Response::builder()
        .status(told.status)
        .content_type("text/html; charset=utf-8")
        .header("content-security-policy", policy)
        .body(body)
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_markup() {
        let told = Told {
            status: StatusCode::CONFLICT,
            title: "<script>".to_owned(),
            text: "\"><img src=x onerror='alert(1)'>&".to_owned(),
            code: "consent_declined",
        };
        let mut text = String::new();
        let response = page(&told);
        assert!(
            response.headers()["content-security-policy"].to_str().is_ok_and(|p| p.starts_with("default-src 'none'"))
        );
        text.push_str(&escaped(&told.text));
        assert_eq!(text, "&quot;&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;");
    }
}
