//! A portal user's own second factor: an authenticator app with recovery codes; and the second step of signing in.

use access::{PendingSignIn, PortalSignedIn, Proof, SecondStep, TotpEnrolment, Visit};
use domain::{Context, Outcome};
use poem::{Request, web::cookie::CookieJar};
use poem_openapi::{OpenApi, payload::Json};
use secrecy::ExposeSecret;

use super::{
    PortalChapter,
    session::{PortalSession, admit},
};
use crate::{
    app::{App, AppData},
    auth::{meta, same_origin},
    page::Answer,
    portal_auth::PortalCaller,
    problem::{Failure, SecondFactorDue},
    routes::{
        second_factor::{Enrolling, RecoveryCodes, SecondFactor, TotpBegun, TotpConfirm, shown},
        session::{Acknowledged, Reauthenticated, Reauthentication, SessionComplete, one_proof, second_proof},
    },
};

/// Where the second step is taken.
pub(super) const SECOND_STEP: &str = "/api/clientone/session/second-factor";

/// Second factors of ClientOne.
pub struct PortalSecondFactors;

#[OpenApi(prefix_path = "/api/clientone", tag = "PortalChapter::Profile")]
impl PortalSecondFactors {
    /// Sign in, second step: sets the session cookie
    ///
    /// Wrong codes are counted like wrong passwords. A code works once; after five wrong ones the first step is due
    /// again.
    #[oai(path = "/session/second-factor", method = "post", operation_id = "portal_session_complete")]
    async fn portal_session_complete(
        &self,
        app: AppData<'_>,
        request: &Request,
        jar: &CookieJar,
        body: Json<SessionComplete>,
    ) -> Result<Answer<PortalSession>, Failure> {
        same_origin(request)?;
        let step = SecondStep {
            token: body.0.token.into(),
            proof: second_proof(body.0.code, body.0.recovery_code)?,
            user_agent: request.header("user-agent").map(|text| text.chars().take(300).collect()),
            request: meta(request),
        };
        let signed_in: PortalSignedIn = access::portal_sign_in_complete(&app.store, &app.gate, step).await?;
        admit(&app, request, jar, &signed_in).await
    }

    /// Show once more who I am: what cannot be taken back asks for it after 15 minutes
    #[oai(path = "/session/reauthenticate", method = "post", operation_id = "portal_session_reauthenticate")]
    async fn portal_session_reauthenticate(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        body: Json<Reauthentication>,
    ) -> Result<Answer<Reauthenticated>, Failure> {
        let (context, visit) = present(caller)?;
        let proof: Proof = one_proof(body.0)?;
        let until =
            access::portal_session_reauthenticate(&app.store, &app.gate, context, visit.session, &proof).await?;
        Ok(Answer::new(Reauthenticated { until }))
    }

    /// My second factor
    #[oai(path = "/profile/second-factor", method = "get", operation_id = "portal_second_factor_get")]
    async fn portal_second_factor_get(&self, caller: PortalCaller) -> Result<Answer<SecondFactor>, Failure> {
        let (tx, visit) = caller.even_enrolling()?;
        Ok(Answer::new(shown(&tx, visit.user.id.into()).await?))
    }

    /// Begin to set up an authenticator app
    ///
    /// The secret is shown once. The app counts once a code of it was shown, within 30 minutes; beginning again drops
    /// what was begun. Asks for who you are, once more, after 15 minutes.
    #[oai(path = "/profile/second-factor/totp", method = "post", operation_id = "portal_totp_enrol")]
    async fn portal_totp_enrol(&self, app: AppData<'_>, caller: PortalCaller) -> Result<Answer<TotpBegun>, Failure> {
        let (context, visit) = proven(&app, caller, "portal_totp_enrol", Enrolling::Allowed).await?;
        let tx = app.store.begin(context).await?;
        let user = tx.portal_user(visit.user.id).await?;
        let (issuer, _) = tx.organisation_name().await?;
        let begun = access::totp_enrol(&tx, &app.gate, user.id.into(), &issuer, &user.email).await?;
        let TotpEnrolment { secret, uri, expires_at } = begun;
        tx.commit("portal_totp_enrol", None).await?;
        let (secret, uri) = (secret.expose_secret().to_owned(), uri.expose_secret().to_owned());
        Ok(Answer::new(TotpBegun { secret, uri, expires_at }))
    }

    /// End setting up an authenticator app by a code of it: answers the recovery codes
    ///
    /// Every other session of the account ends: it was opened without the app.
    #[oai(path = "/profile/second-factor/totp/confirm", method = "post", operation_id = "portal_totp_confirm")]
    async fn portal_totp_confirm(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        body: Json<TotpConfirm>,
    ) -> Result<Answer<RecoveryCodes>, Failure> {
        let (context, visit) = present(caller)?;
        let account = visit.user.id.into();
        let tx = app.store.begin(context).await?;
        // A sign-in under way must not slip in behind: sessions that knew the password alone end here.
        tx.portal_user(visit.user.id).await?;
        let codes = access::totp_confirm(&tx, &app.gate, account, &body.0.code.into()).await?;
        access::second_factor_gained(&tx, account, visit.session.0).await?;
        tx.commit("portal_totp_confirm", None).await?;
        Ok(Answer::new(codes.into()))
    }

    /// Remove my authenticator app with its recovery codes
    ///
    /// Refused where your provider requires a second factor and you have no passkey. Asks for who you are, once more,
    /// after 15 minutes.
    #[oai(path = "/profile/second-factor/totp", method = "delete", operation_id = "portal_totp_remove")]
    async fn portal_totp_remove(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
    ) -> Result<Answer<Acknowledged>, Failure> {
        let (context, visit) = proven(&app, caller, "portal_totp_remove", Enrolling::Refused).await?;
        let tx = app.store.begin(context).await?;
        access::totp_remove(&tx, visit.user.id.into()).await?;
        tx.commit("portal_totp_remove", None).await?;
        Ok(Answer::new(Acknowledged { done: true }))
    }

    /// Make new recovery codes: the old ones are void
    ///
    /// Asks for who you are, once more, after 15 minutes.
    #[oai(path = "/profile/second-factor/recovery-codes", method = "post", operation_id = "portal_recovery_codes_make")]
    async fn portal_recovery_codes_make(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
    ) -> Result<Answer<RecoveryCodes>, Failure> {
        let (context, visit) = proven(&app, caller, "portal_recovery_codes_make", Enrolling::Refused).await?;
        let tx = app.store.begin(context).await?;
        let codes = access::recovery_codes_make(&tx, &app.gate, visit.user.id.into()).await?;
        tx.commit("portal_recovery_codes_make", None).await?;
        Ok(Answer::new(codes.into()))
    }
}

/// The refusal of a right password that does not suffice.
pub(super) fn due(pending: &PendingSignIn) -> Failure {
    let due = SecondFactorDue {
        token: pending.token.expose_secret().to_owned(),
        expires_at: pending.expires_at,
        passkey: pending.passkey,
    };
    Failure::second_factor(due, SECOND_STEP)
}

/// Whoever is signed in, wholly or for setting up a second factor.
pub(super) fn present(caller: PortalCaller) -> domain::Result<(Context, Visit)> {
    let (tx, visit) = caller.even_enrolling()?;
    Ok((tx.context().clone(), visit))
}

/// The same, of somebody who has shown lately who they are.
pub(super) async fn proven(
    app: &App,
    caller: PortalCaller,
    action: &str,
    enrolling: Enrolling,
) -> domain::Result<(Context, Visit)> {
    let (context, visit) = present(caller)?;
    if visit.enrolment && enrolling == Enrolling::Refused {
        return Err(access::portal_enrolment_required());
    }
    if context.now >= access::proof_holds_until(visit.proved_at) {
        let tx = app.store.begin(context).await?;
        tx.commit_attempt(action, Outcome::Denied, "reauthentication required").await?;
        return Err(access::portal_reauthentication_required());
    }
    Ok((context, visit))
}
