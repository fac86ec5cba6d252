//! New passwords: one's own by proving the old one, or by a link that is mailed.

use chrono::TimeDelta;
use domain::{Context, Error, Outcome, PortalSessionId, PortalState, Problem, Result};
use persistence::{PortalUserRow, Store, Tx};
use secrecy::{ExposeSecret, SecretString};

use super::{
    in_person,
    links::{LinkKind, follow, look_up},
    mail, open_client,
    sign_in::counted,
};
use crate::{Gate, RequestMeta, passwords::password_problem, throttle, tokens::session_token};

/// Another mail to the same account is sent after this long.
pub(super) const NEXT_MAIL: TimeDelta = TimeDelta::minutes(1);

/// Changes the caller's own password. Wrong guesses of the present one are counted like sign-ins. All other sessions of
/// the caller end.
pub async fn portal_password_change(
    store: &Store,
    gate: &Gate,
    context: Context,
    session: PortalSessionId,
    present: &SecretString,
    new: &SecretString,
) -> Result<()> {
    let id = in_person(&context)?;
    let user = store.read(context.clone()).await?.portal_user(id).await?;
    if let Some(problem) = password_problem("/new_password", new, &user.email) {
        return Err(Error::Invalid(vec![problem]));
    }
    let across = store.across().await?;
    let from = context.source_address.as_deref();
    let admission = throttle::admit(&across, &counted(&user.email), from, context.now).await?;
    across.commit().await?;
    let right = match gate.passwords.verify(present, user.password_hash.as_deref()).await {
        Ok(right) => right,
        Err(error) => {
            admission.refund(store).await?;
            return Err(error);
        }
    };
    if !right {
        let tx = store.begin(context).await?;
        tx.commit_attempt("portal_password_change", Outcome::Denied, "wrong password").await?;
        return Err(Error::Invalid(vec![Problem::new("/present_password", "wrong", "is not your present password")]));
    }
    admission.refund(store).await?;
    let hash = gate.passwords.hash(new).await?;
    let tx = store.begin(context).await?;
    let current = tx.portal_user(id).await?;
    if current.password_hash != user.password_hash || current.state != PortalState::Active {
        return Err(Error::Stale { what: "portal user" });
    }
    set(&tx, &current, &hash).await?;
    tx.portal_sessions_delete(id, Some(session)).await?;
    tx.commit("portal_password_change", None).await.map(drop)
}

/// Sends a link that resets the password to each account of this address that can sign in with one. Known and unknown
/// addresses are answered alike and as fast: the mail is made behind the answer. [`Error::TooMany`] after several.
pub async fn portal_password_forgot(
    store: &Store,
    gate: &Gate,
    email: &str,
    base: &str,
    request: &RequestMeta,
) -> Result<()> {
    let across = store.across().await?;
    throttle::admit_ask(&across, &counted(email), request.source_address.as_deref(), store.clock().now()).await?;
    let accounts = across.portal_users_by_email(email, None).await?;
    across.commit().await?;
    for user in accounts {
        let work = reset_send(store.clone(), user, base.to_owned(), request.clone());
        gate.note("the reset of a password", work).await;
    }
    Ok(())
}

async fn reset_send(store: Store, found: PortalUserRow, base: String, request: RequestMeta) -> Result<()> {
    let now = store.clock().now();
    // Nobody has proved to be them: it is the product that sends the mail.
    let context = Context {
        source_address: request.source_address.clone(),
        ..Context::worker(found.organisation, now, request.request_id.clone())
    };
    let tx = store.begin(context).await?;
    let before = match tx.portal_user(found.id).await {
        Err(Error::NotFound { .. }) => return Ok(()),
        user => user?,
    };
    let just_sent = before.link_made_at.is_some_and(|made| now - made < NEXT_MAIL);
    let Some(config) = open_client(&tx, &before).await? else { return Ok(()) };
    if before.state != PortalState::Active || just_sent || !config.settings.auth_mode.takes_password() {
        return Ok(());
    }
    let token = session_token(store.chance().as_ref(), before.organisation);
    let after = PortalUserRow { link_hash: Some(token.hash), link_made_at: Some(now), ..before.clone() };
    let user = tx.portal_user_update(&before, after).await?;
    mail::reset(&tx, &user, &config, &base, &token.text).await?;
    tx.commit("portal_password_forgot", None).await.map(drop)
}

/// Sets a new password by the link that was mailed; every session of the account ends. The conflict `link_gone` for
/// every link that is no good.
pub async fn portal_password_reset(
    store: &Store,
    gate: &Gate,
    token: &str,
    new: &SecretString,
    request: &RequestMeta,
) -> Result<()> {
    let found = look_up(store, token, LinkKind::Reset, request).await?;
    if let Some(problem) = password_problem("/password", new, &found.email) {
        return Err(Error::Invalid(vec![problem]));
    }
    let hash = gate.passwords.hash(new).await?;
    let (tx, before) = follow(store, &found, LinkKind::Reset, request).await?;
    require_passwords(&tx, &before).await?;
    set(&tx, &before, &hash).await?;
    tx.portal_sessions_delete(before.id, None).await?;
    tx.commit("portal_password_reset", None).await.map(drop)
}

/// Where a client's people come in through their identity provider only, a link that was sent before opens nothing: the
/// same answer as to any other that is no good.
pub(super) async fn require_passwords(tx: &Tx, user: &PortalUserRow) -> Result<()> {
    let takes = tx.portal_config(user.client_id).await?.settings.auth_mode.takes_password();
    if takes { Ok(()) } else { Err(super::link_gone()) }
}

/// A link that was sent for the old password is void with it.
async fn set(tx: &Tx, before: &PortalUserRow, hash: &SecretString) -> Result<PortalUserRow> {
    let after = PortalUserRow {
        password_hash: Some(hash.expose_secret().to_owned()),
        link_hash: None,
        link_made_at: None,
        ..before.clone()
    };
    tx.portal_user_update(before, after).await
}
