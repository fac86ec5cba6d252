//! Signing in by a passkey, and showing once more who one is by one.

use access::{PasskeySignIn, Proof};
use domain::AccountKind;
use poem::{Request, web::cookie::CookieJar};
use poem_openapi::{Object, OpenApi, payload::Json, types::Any};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::{
    Chapter,
    passkeys::{PasskeyAsk, browser_cookie, cookie_name, site},
    session::{Me, Reauthenticated, admit},
};
use crate::{
    app::AppData,
    auth::{Caller, meta, same_origin},
    page::Answer,
    problem::Failure,
};

/// Whether it is the only step, or the second.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct SessionPasskeyAsk {
    /// The token that the first step answered, where the passkey is the second; left out, it is the only one
    pub token: Option<String>,
}

/// What a browser answered with a passkey.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct PasskeyAnswer {
    /// As its `toJSON()` gives it
    pub credential: Any<Map<String, Value>>,
}

/// Signing in by a passkey.
pub struct PasskeySessions;

#[OpenApi(prefix_path = "/api/session", tag = "Chapter::Session")]
impl PasskeySessions {
    /// Begin to sign in by a passkey
    ///
    /// Ask the browser what is answered, and send what it says to `POST /api/session/passkey` from the same browser,
    /// which a cookie marks, once and within 5 minutes. Without a token the answer is the same for everybody.
    #[oai(path = "/passkey/challenge", method = "post", operation_id = "session_passkey_challenge")]
    async fn session_passkey_challenge(
        &self,
        app: AppData<'_>,
        request: &Request,
        jar: &CookieJar,
        body: Json<SessionPasskeyAsk>,
    ) -> Result<Answer<PasskeyAsk>, Failure> {
        same_origin(request)?;
        let (site, kind) = (site(&app, request)?, AccountKind::Staff);
        let token = body.0.token.map(SecretString::from);
        let begun = access::passkey_sign_in_start(&app.store, &site, kind, token.as_ref(), &meta(request)).await?;
        browser_cookie(jar, kind, Some(begun.browser.expose_secret()), app.secure_cookies);
        Ok(Answer::new(begun.challenge.into()))
    }

    /// Sign in by a passkey: sets the session cookie
    ///
    /// It counts as password and second factor. An unknown passkey, one that is not right, and an account that may not
    /// come in are answered alike, and counted like wrong passwords.
    #[oai(path = "/passkey", method = "post", operation_id = "session_passkey_create")]
    async fn session_passkey_create(
        &self,
        app: AppData<'_>,
        request: &Request,
        jar: &CookieJar,
        body: Json<PasskeyAnswer>,
    ) -> Result<Answer<Me>, Failure> {
        same_origin(request)?;
        let (site, kind) = (site(&app, request)?, AccountKind::Staff);
        let attempt = attempt(request, jar, kind, body.0);
        // The mark is used up, whatever comes of it.
        browser_cookie(jar, kind, None, app.secure_cookies);
        let signed_in = access::passkey_sign_in(&app.store, &app.gate, &site, attempt).await?;
        admit(&app, request, jar, &signed_in).await
    }

    /// Begin to show once more who I am, by a passkey
    #[oai(path = "/reauthenticate/passkey/challenge", method = "post", operation_id = "reauthentication_challenge")]
    async fn reauthentication_challenge(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
    ) -> Result<Answer<PasskeyAsk>, Failure> {
        let (context, session) = caller.in_person()?;
        let (site, account) = (site(&app, request)?, session.staff_id.into());
        let begun = access::passkey_proof_start(&app.store, &site, &context, session.id.0, account).await?;
        Ok(Answer::new(begun.into()))
    }

    /// Show once more who I am, by a passkey
    #[oai(path = "/reauthenticate/passkey", method = "post", operation_id = "session_reauthenticate_passkey")]
    async fn session_reauthenticate_passkey(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        body: Json<PasskeyAnswer>,
    ) -> Result<Answer<Reauthenticated>, Failure> {
        let (context, session) = caller.in_person()?;
        let (site, account) = (site(&app, request)?, session.staff_id.into());
        let answer = Value::Object(body.0.credential.0);
        let proof = access::passkey_proof(&app.store, &site, &context, session.id.0, account, answer).await?;
        let proof = Proof::Second(proof);
        let until = access::session_reauthenticate(&app.store, &app.gate, context, session.id, &proof).await?;
        Ok(Answer::new(Reauthenticated { until }))
    }
}

/// What a browser that is to be signed in sent.
pub(super) fn attempt(request: &Request, jar: &CookieJar, kind: AccountKind, answer: PasskeyAnswer) -> PasskeySignIn {
    PasskeySignIn {
        browser: jar.get(cookie_name(kind)).map(|cookie| SecretString::from(cookie.value_str().to_owned())),
        credential: Value::Object(answer.credential.0),
        user_agent: request.header("user-agent").map(|text| text.chars().take(300).collect()),
        request: meta(request),
    }
}
