//! Signing in by a passkey: as the only step, or as the second after a password.

use domain::{Account, AccountKind, Context, Error, OrganisationId, Outcome, Result, StaffId};
use persistence::{PasskeyPurpose, Store};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use webauthn_rs::prelude::PublicKeyCredential;

use super::{
    PasskeyProof, PasskeySite,
    challenge::{Ceremony, nobody, take},
    handle,
    prove::{credential_hash, passkey_try, read},
};
use crate::{
    Gate, RequestMeta, SecondProof, SecondStep, SignedIn,
    gate::staff_context,
    second_step::sign_in_complete,
    sign_in::{Origin, note_refusal, session_insert, settle},
    throttle::{self, Admission},
    tokens::parse_session,
};

/// What a browser answered that is to be signed in.
#[derive(Clone, Debug)]
pub struct PasskeySignIn {
    /// The cookie of the browser that was asked.
    pub browser: Option<SecretString>,
    /// What the browser answered.
    pub credential: Value,
    /// What the browser says of itself.
    pub user_agent: Option<String>,
    /// Request id and source address.
    pub request: RequestMeta,
}

/// Whose account an answer is said to open. Nothing of it is proved.
pub(crate) enum Claim {
    /// As the second step of this sign-in.
    Second(SecondStep),
    /// As the only step. What was counted stays counted unless it is taken back.
    Only { organisation: OrganisationId, account: Account, proof: Box<PasskeyProof>, admission: Admission },
}

/// Takes the challenge that this browser answers. [`Error::Unauthenticated`] whatever is wrong with it, and counted like
/// a wrong password; [`Error::TooMany`] while a lock holds.
pub(crate) async fn claim(
    store: &Store,
    site: &PasskeySite,
    kind: AccountKind,
    attempt: PasskeySignIn,
) -> Result<Claim> {
    let PasskeySignIn { browser, credential, user_agent, request } = attempt;
    let answer: PublicKeyCredential = read(credential)?;
    let across = store.across().await?;
    let name = hex::encode(credential_hash(&answer.raw_id));
    let address = request.source_address.as_deref();
    let admission = throttle::admit_passkey(&across, &name, address, store.clock().now()).await?;
    across.commit().await?;
    let browser = browser.as_ref().and_then(|cookie| parse_session(cookie.expose_secret()));
    let (_, binding) = browser.ok_or(Error::Unauthenticated)?;
    let whose = (kind, PasskeyPurpose::SignIn, binding.as_slice());
    let taken = take(store, nobody(), whose, &answer.response.client_data_json, &request.request_id).await?;
    let Some(Ceremony::Prove { state, pending }) = taken else { return Err(Error::Unauthenticated) };
    let claimed = answer.get_user_unique_id().and_then(handle::parse);
    let proof = Box::new(PasskeyProof { site: site.clone(), state, answer });
    if let Some(token) = pending {
        // The account is known, and wrong proofs of it are counted as such.
        settle(admission.refund(store).await);
        let proof = SecondProof::Passkey(proof);
        return Ok(Claim::Second(SecondStep { token: token.into(), proof, user_agent, request }));
    }
    let (organisation, account) = claimed.filter(|(_, account)| account.kind == kind).ok_or(Error::Unauthenticated)?;
    Ok(Claim::Only { organisation, account, proof, admission })
}

/// Signs a staff user in by a passkey. As the only step every refusal is the same [`Error::Unauthenticated`]: an unknown
/// passkey, a wrong signature, a challenge of another browser, a suspended account. As the second it is as with
/// [`sign_in_complete`].
pub async fn passkey_sign_in(
    store: &Store,
    gate: &Gate,
    site: &PasskeySite,
    attempt: PasskeySignIn,
) -> Result<SignedIn> {
    let (user_agent, request) = (attempt.user_agent.clone(), attempt.request.clone());
    let (organisation, account, proof, admission) = match claim(store, site, AccountKind::Staff, attempt).await? {
        Claim::Second(step) => return sign_in_complete(store, gate, step).await,
        Claim::Only { organisation, account, proof, admission } => (organisation, account, proof, admission),
    };
    let now = store.clock().now();
    let tx = store.read(Context::worker(organisation, now, request.request_id.clone())).await?;
    let known = match tx.staff(StaffId(account.id)).await {
        Err(Error::NotFound { .. }) => return Err(Error::Unauthenticated),
        known => known?,
    };
    tx.rollback().await?;
    let tx = store.begin(staff_context(&known, now, &request)).await?;
    tx.team_lock().await?;
    let staff = tx.staff(known.id).await?;
    let refused = match passkey_try(&tx, account, &proof).await? {
        None if staff.suspended_at.is_some() => Some("suspended"),
        refused => refused,
    };
    if let Some(why) = refused {
        tx.rollback().await?;
        note_refusal(store, gate, &staff, &request, why).await;
        return Err(Error::Unauthenticated);
    }
    let origin = Origin { user_agent: user_agent.as_deref(), request: &request, second_factor: true };
    let signed_in = session_insert(&tx, store, gate, staff, &origin).await?;
    tx.commit_attempt("session_create", Outcome::Done, "signed in with a passkey").await?;
    settle(admission.clear(store).await);
    Ok(signed_in)
}
