//! The second step of signing in to ClientOne, and what staff do about second factors there.

use domain::{AccountKind, Context, Error, Outcome, Permission, PortalState, PortalUserId, Result};
use persistence::{PortalUserRow, Store, Tx};

use super::{
    PortalSignedIn, open_client, portal_context,
    sign_in::{counted, session_insert},
};
use crate::{
    Gate, SecondStep,
    second_factor::second_factors_delete,
    second_step::{how, pending_take, trace},
    security::nothing_to_reset,
    sign_in::{Origin, settle},
    sso::linked_by,
    throttle,
    tokens::parse_pending,
};

/// Makes a session of a pending sign-in of a portal user. [`Error::Unauthenticated`] when the token is unknown, used, too
/// old, or the account or its client has changed since; a wrong proof is [`Error::Invalid`] and counted like a wrong
/// password, [`Error::TooMany`] while a lock holds.
pub async fn portal_sign_in_complete(store: &Store, gate: &Gate, step: SecondStep) -> Result<PortalSignedIn> {
    let (organisation, hash) = parse_pending(&step.token).ok_or(Error::Unauthenticated)?;
    let now = store.clock().now();
    let tx = store.read(Context::worker(organisation, now, step.request.request_id.clone())).await?;
    let found = tx.pending_by_token(&hash).await?;
    let pending = found.filter(|pending| pending.account.kind == AccountKind::Portal).ok_or(Error::Unauthenticated)?;
    let known = match tx.portal_user(PortalUserId(pending.account.id)).await {
        Err(Error::NotFound { .. }) => return Err(Error::Unauthenticated),
        known => known?,
    };
    tx.rollback().await?;

    let across = store.across().await?;
    let address = step.request.source_address.as_deref();
    let admission = throttle::admit_code(&across, &counted(&known.email), address, now).await?;
    let sole = across.portal_users_by_email(&known.email, None).await?.len() == 1;
    across.commit().await?;

    match finish(store, gate, &step, &hash, &known).await {
        Ok(Some(signed_in)) => {
            settle(if sole { admission.clear(store).await } else { admission.refund(store).await });
            Ok(signed_in)
        }
        Ok(None) => Err(Error::Invalid(vec![step.proof.wrong()])),
        Err(error) => {
            settle(admission.refund(store).await);
            Err(error)
        }
    }
}

/// `None` when the proof is wrong.
async fn finish(
    store: &Store,
    gate: &Gate,
    step: &SecondStep,
    hash: &[u8],
    known: &PortalUserRow,
) -> Result<Option<PortalSignedIn>> {
    let tx = store.begin(portal_context(known, store.clock().now(), &step.request)).await?;
    let user = match tx.portal_user(known.id).await {
        Err(Error::NotFound { .. }) => return Err(Error::Unauthenticated),
        user => user?,
    };
    let config = open_client(&tx, &user).await?.ok_or(Error::Unauthenticated)?;
    let pending = tx.pending_lock(hash).await?.ok_or(Error::Unauthenticated)?;
    let mode = config.settings.auth_mode;
    let linked = mode.takes_sso() && linked_by(&tx, user.id.into(), &pending).await?;
    let by_password = mode.takes_password() && trace(user.password_hash.as_deref()) == pending.proof;
    if user.state != PortalState::Active || !(linked || by_password) {
        return Err(Error::Unauthenticated);
    }
    if let Some(refusal) = pending_take(&tx, &pending, &step.proof).await? {
        tx.commit_attempt("portal_session_complete", Outcome::Denied, refusal).await?;
        return Ok(None);
    }
    let how = how(&step.proof, linked);
    let origin = Origin { user_agent: step.user_agent.as_deref(), request: &step.request, second_factor: true };
    let signed_in = session_insert(&tx, store, gate, user, &origin).await?;
    tx.commit_attempt("portal_session_complete", Outcome::Done, how).await?;
    Ok(Some(signed_in))
}

/// Takes the second factors of a portal user away who has lost them, passkeys too, and signs them out everywhere: they
/// sign in with the password, and set up another. Staff only. The caller commits (`portal_second_factor_reset`).
pub async fn portal_second_factor_reset(tx: &Tx, id: PortalUserId) -> Result<PortalUserRow> {
    tx.context().require(Permission::ClientoneManage)?;
    let user = tx.portal_user(id).await?;
    tx.client(user.client_id).await?;
    if !second_factors_delete(tx, id.into()).await? {
        return Err(nothing_to_reset());
    }
    tx.portal_sessions_delete(id, None).await?;
    Ok(user)
}
