//! One's own second factor, and resetting that of a colleague who has lost it.

use access::{SecondFactorState, TotpEnrolment};
use chrono::{DateTime, Utc};
use domain::{Account, Context, Permission, StaffId};
use persistence::{SessionRow, Tx};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::{Chapter, session::Acknowledged};
use crate::{
    app::{App, AppData},
    auth::Caller,
    changes::Written,
    page::Answer,
    problem::Failure,
    write::{Asked, Begun},
};

/// What one signs in with beside the password.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct SecondFactor {
    /// Since when there is an authenticator app; absent where there is none
    pub totp_since: Option<DateTime<Utc>>,
    /// When the recovery codes were made
    pub recovery_codes_made_at: Option<DateTime<Utc>>,
    /// How many of them are left
    pub recovery_codes_left: u64,
    /// How many passkeys there are; absent where there is none
    pub passkeys: Option<u64>,
    /// Whether the organisation requires a second factor
    pub required: bool,
}

/// An authenticator app to be set up. It is shown once.
#[derive(Clone, Object)]
pub struct TotpBegun {
    /// The secret, to be typed into the app
    pub secret: String,
    /// The same as an address, to be shown as a picture
    pub uri: String,
    /// Until when a code must be shown
    pub expires_at: DateTime<Utc>,
}

/// A code of the app.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct TotpConfirm {
    /// Six digits
    pub code: String,
}

/// Recovery codes, each good for one sign-in without the app. They are shown once.
#[derive(Clone, Object)]
pub struct RecoveryCodes {
    /// Ten
    pub codes: Vec<String>,
}

impl From<Vec<SecretString>> for RecoveryCodes {
    fn from(codes: Vec<SecretString>) -> Self {
        Self { codes: codes.iter().map(|code| code.expose_secret().to_owned()).collect() }
    }
}

/// Second factors.
pub struct SecondFactors;

#[OpenApi(prefix_path = "/api", tag = "Chapter::Session")]
impl SecondFactors {
    /// My second factor
    #[oai(path = "/me/second-factor", method = "get", operation_id = "second_factor_get")]
    async fn second_factor_get(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<SecondFactor>, Failure> {
        let (context, session) = caller.in_person()?;
        let tx = app.store.read(context).await?;
        Ok(Answer::new(shown(&tx, session.staff_id.into()).await?))
    }

    /// Begin to set up an authenticator app
    ///
    /// The secret is shown once. The app counts once a code of it was shown, within 30 minutes; beginning again
    /// drops what was begun. Asks for who you are, once more, after 15 minutes.
    #[oai(path = "/me/second-factor/totp", method = "post", operation_id = "totp_enrol")]
    async fn totp_enrol(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<TotpBegun>, Failure> {
        let (context, session) = proven(&app, caller, "totp_enrol", Enrolling::Allowed).await?;
        let tx = app.store.begin(context).await?;
        let (issuer, _) = tx.organisation_name().await?;
        let name = tx.staff(session.staff_id).await?.email;
        let TotpEnrolment { secret, uri, expires_at } =
            access::totp_enrol(&tx, &app.gate, session.staff_id.into(), &issuer, &name).await?;
        tx.commit("totp_enrol", None).await?;
        let (secret, uri) = (secret.expose_secret().to_owned(), uri.expose_secret().to_owned());
        Ok(Answer::new(TotpBegun { secret, uri, expires_at }))
    }

    /// End setting up an authenticator app by a code of it: answers the recovery codes
    ///
    /// Every other session of the account ends: it was opened without the app.
    #[oai(path = "/me/second-factor/totp/confirm", method = "post", operation_id = "totp_confirm")]
    async fn totp_confirm(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<TotpConfirm>,
    ) -> Result<Answer<RecoveryCodes>, Failure> {
        let (context, session) = caller.in_person()?;
        let tx = app.store.begin(context).await?;
        // A sign-in under way must not slip in behind: sessions that knew the password alone end here.
        tx.team_lock().await?;
        let codes = access::totp_confirm(&tx, &app.gate, session.staff_id.into(), &body.0.code.into()).await?;
        tx.session_proved(session.id, true).await?;
        tx.sessions_delete(session.staff_id, Some(session.id)).await?;
        tx.commit("totp_confirm", None).await?;
        Ok(Answer::new(codes.into()))
    }

    /// Remove my authenticator app with its recovery codes
    ///
    /// Refused where the organisation requires a second factor and you have no passkey. Asks for who you are, once more, after 15 minutes.
    #[oai(path = "/me/second-factor/totp", method = "delete", operation_id = "totp_remove")]
    async fn totp_remove(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<Acknowledged>, Failure> {
        let (context, session) = proven(&app, caller, "totp_remove", Enrolling::Refused).await?;
        let tx = app.store.begin(context).await?;
        access::totp_remove(&tx, session.staff_id.into()).await?;
        tx.commit("totp_remove", None).await?;
        Ok(Answer::new(Acknowledged { done: true }))
    }

    /// Make new recovery codes: the old ones are void
    ///
    /// Asks for who you are, once more, after 15 minutes.
    #[oai(path = "/me/second-factor/recovery-codes", method = "post", operation_id = "recovery_codes_make")]
    async fn recovery_codes_make(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<RecoveryCodes>, Failure> {
        let (context, session) = proven(&app, caller, "recovery_codes_make", Enrolling::Refused).await?;
        let tx = app.store.begin(context).await?;
        let codes = access::recovery_codes_make(&tx, &app.gate, session.staff_id.into()).await?;
        tx.commit("recovery_codes_make", None).await?;
        Ok(Answer::new(codes.into()))
    }

    /// Take away the second factors of someone who has lost them, passkeys too: ends their sessions
    ///
    /// They sign in with the password and set up another. Over owners only by owners. Asks for who you are, once more,
    /// after 15 minutes.
    #[oai(path = "/staff/:staff_id/second-factor", method = "delete", operation_id = "second_factor_reset")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn second_factor_reset(
        &self,
        app: AppData<'_>,
        caller: Caller,
        staff_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<Acknowledged>>, Failure> {
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let context = app.proven_person(caller, "second_factor_reset", asked.is_dry_run()).await?;
        let id = StaffId(staff_id.0);
        let write = match app.begin(&context, Permission::TeamManage, "second_factor_reset", asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = access::second_factor_reset(&write.tx, id).await;
        let (write, _) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(Acknowledged { done: true }), Vec::new()).await?))
    }
}

/// What an account has, and whether it must.
pub(super) async fn shown(tx: &Tx, account: Account) -> domain::Result<SecondFactor> {
    let SecondFactorState { totp_since, codes_made_at, codes_left, passkeys } =
        access::second_factor_state(tx, account).await?;
    Ok(SecondFactor {
        totp_since,
        recovery_codes_made_at: codes_made_at,
        recovery_codes_left: codes_left,
        passkeys: (passkeys > 0).then_some(passkeys),
        required: access::second_factor_required(tx, account).await?,
    })
}

/// Whether a session that is only for setting up a second factor may do it: what takes a factor over must not.
#[derive(PartialEq)]
pub(super) enum Enrolling {
    Allowed,
    Refused,
}

/// The session of a person who has shown lately who they are.
pub(super) async fn proven(
    app: &App,
    caller: Caller,
    action: &str,
    enrolling: Enrolling,
) -> domain::Result<(Context, SessionRow)> {
    let (context, session) = caller.in_person()?;
    if session.enrolment && enrolling == Enrolling::Refused {
        return Err(access::enrolment_required());
    }
    app.require_proof(&context, Some(&session), action).await?;
    Ok((context, session))
}
