//! One's own passkeys: added, renamed, removed.

use access::{PasskeyChallenge, PasskeyOwner, PasskeySite};
use chrono::{DateTime, Utc};
use domain::{Account, AccountKind, PasskeyId};
use persistence::PasskeyRow;
use poem::{
    Request,
    web::cookie::{Cookie, CookieJar, SameSite},
};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    types::Any,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Chapter,
    consent::origin,
    second_factor::{Enrolling, proven},
};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    page::{Answer, if_match},
    problem::Failure,
    write::{Asked, Begun},
};

/// A passkey.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Passkey {
    /// Id
    pub id: Uuid,
    /// What you call it
    pub name: String,
    /// The name of the site that it was made for; at another address it cannot be shown
    pub site: String,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Last used
    pub used_at: Option<DateTime<Utc>>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

impl From<PasskeyRow> for Passkey {
    fn from(row: PasskeyRow) -> Self {
        Self {
            id: row.id.0,
            name: row.name,
            site: row.site,
            created_at: row.created_at,
            used_at: row.used_at,
            version: row.version,
        }
    }
}

/// One's passkeys.
#[derive(Debug, Clone, Object)]
pub struct PasskeyViews {
    /// The oldest first
    pub items: Vec<Passkey>,
}

/// What a browser is to be asked.
#[derive(Debug, Clone, Object)]
pub struct PasskeyAsk {
    /// For `PublicKeyCredential.parseCreationOptionsFromJSON()` where a passkey is made, for
    /// `parseRequestOptionsFromJSON()` where one is shown
    pub options: Any<Map<String, Value>>,
    /// Until when the answer must be here; it is taken once
    pub expires_at: DateTime<Utc>,
}

impl From<PasskeyChallenge> for PasskeyAsk {
    fn from(challenge: PasskeyChallenge) -> Self {
        let options = match challenge.options {
            Value::Object(options) => options,
            _ => Map::new(),
        };
        Self { options: Any(options), expires_at: challenge.expires_at }
    }
}

/// A passkey that the browser made.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct PasskeyCreate {
    /// What to call it
    pub name: String,
    /// What the browser answered, as its `toJSON()` gives it
    pub credential: Any<Map<String, Value>>,
}

/// Another name.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct PasskeyUpdate {
    /// What to call it from now on
    pub name: String,
}

/// One's passkeys.
pub struct Passkeys;

#[OpenApi(prefix_path = "/api", tag = "Chapter::Session")]
impl Passkeys {
    /// My passkeys
    #[oai(path = "/me/passkeys", method = "get", operation_id = "passkey_list")]
    async fn passkey_list(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<PasskeyViews>, Failure> {
        let (context, session) = caller.in_person()?;
        let rows = app.store.read(context).await?.passkey_list(session.staff_id.into()).await?;
        Ok(Answer::new(PasskeyViews { items: rows.into_iter().map(Into::into).collect() }))
    }

    /// Begin to add a passkey
    ///
    /// Ask the browser what is answered, and send what it makes to `POST /api/me/passkeys` in the same session, once and
    /// within 5 minutes. The device must verify you. Asks for who you are, once more, after 15 minutes.
    #[oai(path = "/me/passkeys/challenge", method = "post", operation_id = "passkey_challenge")]
    async fn passkey_challenge(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
    ) -> Result<Answer<PasskeyAsk>, Failure> {
        let (context, session) = proven(&app, caller, "passkey_challenge", Enrolling::Allowed).await?;
        let site = site(&app, request)?;
        let staff = app.store.read(context.clone()).await?.staff(session.staff_id).await?;
        let owner = PasskeyOwner { account: staff.id.into(), email: staff.email, name: staff.name };
        let begun = access::passkey_register_start(&app.store, &site, &context, session.id.0, &owner).await?;
        Ok(Answer::new(begun.into()))
    }

    /// Add a passkey that the browser made
    ///
    /// With the first second factor, every other session of the account ends: it was opened without it.
    #[oai(path = "/me/passkeys", method = "post", operation_id = "passkey_create")]
    async fn passkey_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        body: Json<PasskeyCreate>,
    ) -> Result<Answer<Passkey>, Failure> {
        let (context, session) = caller.in_person()?;
        let (site, account) = (site(&app, request)?, Account::from(session.staff_id));
        let PasskeyCreate { name, credential } = body.0;
        let credential = Value::Object(credential.0);
        let new = access::passkey_check(&app.store, &site, &context, session.id.0, account, credential).await?;
        let tx = app.store.begin(context).await?;
        let row = access::passkey_create(&tx, &new, &name).await?;
        tx.commit("passkey_create", None).await?;
        Ok(Answer::new(row.into()))
    }

    /// Rename a passkey of mine
    #[oai(path = "/me/passkeys/:passkey_id", method = "patch", operation_id = "passkey_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn passkey_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        passkey_id: Path<Uuid>,
        body: Json<PasskeyUpdate>,
        /// ETag of the passkey as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<Passkey>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (tx, session) = caller.checked()?;
        let context = tx.context().clone();
        drop(tx);
        let account = Account::from(session.ok_or_else(super::session::needs_session)?.staff_id);
        let id = PasskeyId(passkey_id.0);
        let write = match app.begin_permitted(&context, "passkey_update", asked, &(id, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let version = if_match(version.0.as_deref())?;
        let row = access::passkey_rename(&write.tx, account, id, &body.0.name, version).await?;
        let version = row.version;
        Ok(Answer::versioned(write.finish(Some(row.into()), Vec::new()).await?, version))
    }

    /// Remove a passkey of mine
    ///
    /// Refused with the code `mfa_required` for your last second factor where the organisation requires one. Asks for
    /// who you are, once more, after 15 minutes.
    #[oai(path = "/me/passkeys/:passkey_id", method = "delete", operation_id = "passkey_delete")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn passkey_delete(
        &self,
        app: AppData<'_>,
        caller: Caller,
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
        let context = app.proven_person(caller, "passkey_delete", asked.is_dry_run()).await?;
        let staff = context.actor.staff().ok_or_else(super::session::needs_session)?;
        let id = PasskeyId(passkey_id.0);
        let write = match app.begin_permitted(&context, "passkey_delete", asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = access::passkey_delete(&write.tx, staff.into(), id).await?;
        Ok(Answer::new(write.finish(Some(row.into()), Vec::new()).await?))
    }
}

/// The site that passkeys are bound to: where browsers reach us, as the operator says.
pub(super) fn site(app: &App, request: &Request) -> domain::Result<PasskeySite> {
    PasskeySite::at(&origin(app, request)?)
}

/// The cookie by which a browser is known that was asked for a passkey.
pub(super) fn cookie_name(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Staff => "panelone_passkey",
        AccountKind::Portal => "clientone_passkey",
    }
}

/// Sets that cookie; none takes it away. It comes along with requests of our own pages only.
pub(super) fn browser_cookie(jar: &CookieJar, kind: AccountKind, token: Option<&str>, secure: bool) {
    let mut cookie = Cookie::new_with_str(cookie_name(kind), token.unwrap_or_default());
    cookie.set_http_only(true);
    cookie.set_secure(secure);
    cookie.set_same_site(SameSite::Strict);
    cookie.set_path("/");
    match token {
        Some(_) => cookie.set_max_age(std::time::Duration::from_secs(300)),
        None => cookie.make_removal(),
    }
    jar.add(cookie);
}
