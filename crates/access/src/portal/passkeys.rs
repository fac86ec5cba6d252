//! Signing in to ClientOne by a passkey.

use domain::{AccountKind, Context, Error, Outcome, PortalState, PortalUserId, Result};
use persistence::Store;

use super::{
    PortalSignedIn, open_client, portal_context,
    second_step::portal_sign_in_complete,
    sign_in::{note_refusal, session_insert},
};
use crate::{
    Gate, PasskeySignIn, PasskeySite,
    passkeys::{Claim, claim, passkey_try},
    sign_in::{Origin, settle},
};

/// Signs a portal user in by a passkey. As the only step every refusal is the same [`Error::Unauthenticated`]: an unknown
/// passkey, a wrong signature, a challenge of another browser, an account that is not active, and a client that is not
/// open or signs in through its identity provider only. As the second step it is as with [`portal_sign_in_complete`].
pub async fn portal_passkey_sign_in(
    store: &Store,
    gate: &Gate,
    site: &PasskeySite,
    attempt: PasskeySignIn,
) -> Result<PortalSignedIn> {
    let (user_agent, request) = (attempt.user_agent.clone(), attempt.request.clone());
    let (organisation, account, proof, admission) = match claim(store, site, AccountKind::Portal, attempt).await? {
        Claim::Second(step) => return portal_sign_in_complete(store, gate, step).await,
        Claim::Only { organisation, account, proof, admission } => (organisation, account, proof, admission),
    };
    let now = store.clock().now();
    let tx = store.read(Context::worker(organisation, now, request.request_id.clone())).await?;
    let known = match tx.portal_user(PortalUserId(account.id)).await {
        Err(Error::NotFound { .. }) => return Err(Error::Unauthenticated),
        known => known?,
    };
    tx.rollback().await?;
    let tx = store.begin(portal_context(&known, now, &request)).await?;
    let user = match tx.portal_user(known.id).await {
        Err(Error::NotFound { .. }) => return Err(Error::Unauthenticated),
        user => user?,
    };
    let open = open_client(&tx, &user).await?.is_some_and(|config| config.settings.auth_mode.takes_password());
    let refused = match passkey_try(&tx, account, &proof).await? {
        None if user.state != PortalState::Active => Some("not active"),
        None if !open => Some("ClientOne is not open to this client"),
        refused => refused,
    };
    if let Some(why) = refused {
        tx.rollback().await?;
        note_refusal(store, gate, &user, &request, why).await;
        return Err(Error::Unauthenticated);
    }
    let origin = Origin { user_agent: user_agent.as_deref(), request: &request, second_factor: true };
    let signed_in = session_insert(&tx, store, gate, user, &origin).await?;
    tx.commit_attempt("portal_session_create", Outcome::Done, "signed in with a passkey").await?;
    settle(admission.clear(store).await);
    Ok(signed_in)
}
