//! A portal user's own passkeys, and signing in by one.

use access::{PasskeyOwner, Proof};
use domain::{Account, AccountKind, Context, PasskeyId, PortalPermission};
use poem::{Request, web::cookie::CookieJar};
use poem_openapi::{
    OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use uuid::Uuid;

use super::{
    PortalChapter,
    second_factor::{present, proven},
    session::{PortalSession, admit},
};
use crate::{
    app::AppData,
    auth::{meta, same_origin},
    changes::Written,
    page::{Answer, if_match},
    portal_auth::PortalCaller,
    problem::Failure,
    routes::{
        passkey_sign_in::{PasskeyAnswer, SessionPasskeyAsk, attempt},
        passkeys::{Passkey, PasskeyAsk, PasskeyCreate, PasskeyUpdate, PasskeyViews, browser_cookie, site},
        second_factor::Enrolling,
        session::Reauthenticated,
    },
    write::{Asked, Begun},
};

const KIND: AccountKind = AccountKind::Portal;

/// Passkeys of ClientOne.
pub struct PortalPasskeys;

#[OpenApi(prefix_path = "/api/clientone/profile/passkeys", tag = "PortalChapter::Profile")]
impl PortalPasskeys {
    /// My passkeys
    #[oai(path = "/", method = "get", operation_id = "portal_passkey_list")]
    async fn portal_passkey_list(&self, caller: PortalCaller) -> Result<Answer<PasskeyViews>, Failure> {
        let (tx, visit) = caller.even_enrolling()?;
        let rows = tx.passkey_list(visit.user.id.into()).await?;
        Ok(Answer::new(PasskeyViews { items: rows.into_iter().map(Into::into).collect() }))
    }

    /// Begin to add a passkey
    ///
    /// Ask the browser what is answered, and send what it makes to `POST /api/clientone/profile/passkeys` in the same
    /// session, once and within 5 minutes. The device must verify you. Asks for who you are, once more, after 15 minutes.
    #[oai(path = "/challenge", method = "post", operation_id = "portal_passkey_challenge")]
    async fn portal_passkey_challenge(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        request: &Request,
    ) -> Result<Answer<PasskeyAsk>, Failure> {
        let (context, visit) = proven(&app, caller, "portal_passkey_challenge", Enrolling::Allowed).await?;
        let (site, user) = (site(&app, request)?, visit.user);
        let owner = PasskeyOwner { account: user.id.into(), email: user.email, name: user.name };
        let begun = access::passkey_register_start(&app.store, &site, &context, visit.session.0, &owner).await?;
        Ok(Answer::new(begun.into()))
    }

    /// Add a passkey that the browser made
    ///
    /// With the first second factor, every other session of the account ends: it was opened without it.
    #[oai(path = "/", method = "post", operation_id = "portal_passkey_create")]
    async fn portal_passkey_create(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        request: &Request,
        body: Json<PasskeyCreate>,
    ) -> Result<Answer<Passkey>, Failure> {
        let (context, visit) = present(caller)?;
        let (site, account) = (site(&app, request)?, Account::from(visit.user.id));
        let PasskeyCreate { name, credential } = body.0;
        let credential = Value::Object(credential.0);
        let new = access::passkey_check(&app.store, &site, &context, visit.session.0, account, credential).await?;
        let tx = app.store.begin(context).await?;
        let row = access::passkey_create(&tx, &new, &name).await?;
        tx.commit("portal_passkey_create", None).await?;
        Ok(Answer::new(row.into()))
    }

    /// Rename a passkey of mine
    #[oai(path = "/:passkey_id", method = "patch", operation_id = "portal_passkey_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_passkey_update(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        passkey_id: Path<Uuid>,
        body: Json<PasskeyUpdate>,
        /// ETag of the passkey as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
    ) -> Result<Answer<Written<Passkey>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, ..Asked::default() };
        let (tx, visit) = caller.visit()?;
        let context = tx.context().clone();
        drop(tx);
        let (id, settings) = (PasskeyId(passkey_id.0), &visit.config.settings);
        let (permission, action) = (PortalPermission::ProfileEdit, "portal_passkey_update");
        let write = match app.begin_portal(&context, permission, settings, action, asked, &(id, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let version = if_match(version.0.as_deref())?;
        let row = access::passkey_rename(&write.tx, visit.user.id.into(), id, &body.0.name, version).await?;
        let version = row.version;
        Ok(Answer::versioned(write.finish(Some(row.into()), Vec::new()).await?, version))
    }

    /// Remove a passkey of mine
    ///
    /// Refused with the code `mfa_required` for your last second factor where your provider requires one. Asks for who
    /// you are, once more, after 15 minutes.
    #[oai(path = "/:passkey_id", method = "delete", operation_id = "portal_passkey_delete")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn portal_passkey_delete(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        passkey_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Passkey>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let action = "portal_passkey_delete";
        let (context, visit): (Context, _) = if asked.is_dry_run() {
            let (tx, visit) = caller.visit()?;
            (tx.context().clone(), visit)
        } else {
            proven(&app, caller, action, Enrolling::Refused).await?
        };
        let (id, settings) = (PasskeyId(passkey_id.0), &visit.config.settings);
        let permission = PortalPermission::ProfileEdit;
        let write = match app.begin_portal(&context, permission, settings, action, asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = access::passkey_delete(&write.tx, visit.user.id.into(), id).await?;
        Ok(Answer::new(write.finish(Some(row.into()), Vec::new()).await?))
    }
}

/// Signing in to ClientOne by a passkey.
pub struct PortalPasskeySessions;

#[OpenApi(prefix_path = "/api/clientone/session", tag = "PortalChapter::Session")]
impl PortalPasskeySessions {
    /// Begin to sign in by a passkey
    ///
    /// Ask the browser what is answered, and send what it says to `POST /api/clientone/session/passkey` from the same
    /// browser, which a cookie marks, once and within 5 minutes. Without a token the answer is the same for everybody.
    #[oai(path = "/passkey/challenge", method = "post", operation_id = "portal_session_passkey_challenge")]
    async fn portal_session_passkey_challenge(
        &self,
        app: AppData<'_>,
        request: &Request,
        jar: &CookieJar,
        body: Json<SessionPasskeyAsk>,
    ) -> Result<Answer<PasskeyAsk>, Failure> {
        same_origin(request)?;
        let site = site(&app, request)?;
        let token = body.0.token.map(SecretString::from);
        let begun = access::passkey_sign_in_start(&app.store, &site, KIND, token.as_ref(), &meta(request)).await?;
        browser_cookie(jar, KIND, Some(begun.browser.expose_secret()), app.secure_cookies);
        Ok(Answer::new(begun.challenge.into()))
    }

    /// Sign in by a passkey: sets the session cookie
    ///
    /// It counts as password and second factor. An unknown passkey, one that is not right, and an account that may not
    /// come in are answered alike, and counted like wrong passwords.
    #[oai(path = "/passkey", method = "post", operation_id = "portal_session_passkey_create")]
    async fn portal_session_passkey_create(
        &self,
        app: AppData<'_>,
        request: &Request,
        jar: &CookieJar,
        body: Json<PasskeyAnswer>,
    ) -> Result<Answer<PortalSession>, Failure> {
        same_origin(request)?;
        let site = site(&app, request)?;
        let attempt = attempt(request, jar, KIND, body.0);
        // The mark is used up, whatever comes of it.
        browser_cookie(jar, KIND, None, app.secure_cookies);
        let signed_in = access::portal_passkey_sign_in(&app.store, &app.gate, &site, attempt).await?;
        admit(&app, request, jar, &signed_in).await
    }

    /// Begin to show once more who I am, by a passkey
    #[oai(
        path = "/reauthenticate/passkey/challenge",
        method = "post",
        operation_id = "portal_reauthentication_challenge"
    )]
    async fn portal_reauthentication_challenge(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        request: &Request,
    ) -> Result<Answer<PasskeyAsk>, Failure> {
        let (context, visit) = present(caller)?;
        let (site, account) = (site(&app, request)?, visit.user.id.into());
        let begun = access::passkey_proof_start(&app.store, &site, &context, visit.session.0, account).await?;
        Ok(Answer::new(begun.into()))
    }

    /// Show once more who I am, by a passkey
    #[oai(path = "/reauthenticate/passkey", method = "post", operation_id = "portal_session_reauthenticate_passkey")]
    async fn portal_session_reauthenticate_passkey(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        request: &Request,
        body: Json<PasskeyAnswer>,
    ) -> Result<Answer<Reauthenticated>, Failure> {
        let (context, visit) = present(caller)?;
        let (site, account, session) = (site(&app, request)?, visit.user.id.into(), visit.session);
        let answer = Value::Object(body.0.credential.0);
        let proof = access::passkey_proof(&app.store, &site, &context, session.0, account, answer).await?;
        let proof = Proof::Second(proof);
        let until = access::portal_session_reauthenticate(&app.store, &app.gate, context, session, &proof).await?;
        Ok(Answer::new(Reauthenticated { until }))
    }
}
