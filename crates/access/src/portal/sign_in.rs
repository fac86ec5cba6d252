//! Signing in to ClientOne with an address and a password.

use domain::{Error, Outcome, PortalState, Result};
use persistence::{PortalSessionRow, PortalUserRow, Store, Tx};
use secrecy::SecretString;

use super::{open_client, portal_context};
use crate::{
    Gate, PendingSignIn, RequestMeta, SignIn,
    second_factor::{has_second_factor, second_factor_required},
    second_step::pending_create,
    sign_in::{Origin, SESSIONS, forgive, printable, settle},
    throttle,
    tokens::session_token,
};

/// A new session.
pub struct PortalSignedIn {
    /// The token, for the cookie; it is not stored.
    pub token: SecretString,
    /// The session.
    pub session: PortalSessionRow,
    /// Whose it is.
    pub user: PortalUserRow,
}

impl std::fmt::Debug for PortalSignedIn {
    /// Without token and hashes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PortalSignedIn(session {}, portal user {})", self.session.id, self.user.id)
    }
}

/// What a right password leads to.
#[derive(Debug)]
pub enum PortalFirstStep {
    /// A session: there is no second factor. It may be for enrolling one only ([`PortalSessionRow::enrolment`]).
    Session(Box<PortalSignedIn>),
    /// A second step.
    SecondFactor(PendingSignIn),
}

/// The name under which attempts on an account of this address are counted: apart from those on a staff user's, and
/// nothing that is an address.
pub(crate) fn counted(email: &str) -> String {
    format!("clientone {}", email.trim().to_lowercase())
}

/// Signs in. An unknown address, a wrong password, an account that is not active, and a client without ClientOne are
/// the same [`Error::Unauthenticated`], after the same work; [`Error::TooMany`] while a lock holds (see `throttle.rs`);
/// the conflict `which_organisation` when address and password fit several organisations and none was named.
pub async fn portal_sign_in(store: &Store, gate: &Gate, attempt: SignIn) -> Result<PortalFirstStep> {
    let slug = attempt.organisation.as_deref().map(|slug| slug.trim().to_lowercase());
    let across = store.across().await?;
    let address = attempt.request.source_address.as_deref();
    let admission = throttle::admit(&across, &counted(&attempt.email), address, store.clock().now()).await?;
    let everywhere = across.portal_users_by_email(&attempt.email, None).await?;
    let sole = everywhere.len() == 1;
    let accounts = match &slug {
        None => everywhere,
        Some(slug) => across.portal_users_by_email(&attempt.email, Some(slug)).await?,
    };
    across.commit().await?;

    let right = match check(gate, &attempt.password, &accounts).await {
        Ok(right) => right,
        Err(error) => {
            settle(admission.refund(store).await);
            return Err(error);
        }
    };
    let mut fitting = Vec::new();
    let (all, mut refused) = (accounts.len(), 0);
    for (user, right) in accounts.into_iter().zip(right) {
        if right && user.state == PortalState::Active {
            fitting.push(user);
        } else {
            refused += 1;
            let reason = if right { "not active" } else { "wrong password" };
            note_refusal(store, gate, &user, &attempt.request, reason).await;
        }
    }
    let clean = all > 0 && refused == 0;
    match &fitting[..] {
        [] => Err(Error::Unauthenticated),
        [user] => {
            let step = first_step(store, gate, user, &attempt).await?;
            // Half a sign-in clears nothing: with the password alone codes could else be guessed for ever.
            let whole = sole && matches!(step, PortalFirstStep::Session(_));
            if clean {
                settle(forgive(admission, store, whole).await);
            }
            Ok(step)
        }
        _ => {
            if clean {
                settle(admission.refund(store).await);
            }
            Err(Error::conflict(
                "which_organisation",
                "This address has accounts of several providers: name the one to sign in to.",
            ))
        }
    }
}

/// Whether the password fits each account; at least one is checked, so that an unknown address takes as long as a
/// known one.
async fn check(gate: &Gate, password: &SecretString, accounts: &[PortalUserRow]) -> Result<Vec<bool>> {
    if accounts.is_empty() {
        gate.passwords.verify(password, None).await?;
    }
    let mut right = Vec::with_capacity(accounts.len());
    for account in accounts {
        right.push(gate.passwords.verify(password, account.password_hash.as_deref()).await?);
    }
    Ok(right)
}

/// Journals a refusal behind the answer: waiting for it would tell a known address from an unknown.
pub(super) async fn note_refusal(
    store: &Store,
    gate: &Gate,
    user: &PortalUserRow,
    request: &RequestMeta,
    reason: &'static str,
) {
    let (store, context) = (store.clone(), portal_context(user, store.clock().now(), request));
    let work = async move {
        store.begin(context).await?.commit_attempt("portal_session_create", Outcome::Denied, reason).await
    };
    gate.note("a refused sign-in", work).await;
}

/// Makes a session of someone whose password was right, if their client is open by now, or a pending one where a second
/// factor is due.
async fn first_step(store: &Store, gate: &Gate, proved: &PortalUserRow, attempt: &SignIn) -> Result<PortalFirstStep> {
    let now = store.clock().now();
    let tx = store.begin(portal_context(proved, now, &attempt.request)).await?;
    let user = match tx.portal_user(proved.id).await {
        Err(Error::NotFound { .. }) => return Err(Error::Unauthenticated),
        user => user?,
    };
    if user.state != PortalState::Active || user.password_hash != proved.password_hash {
        return Err(Error::Unauthenticated);
    }
    let config = open_client(&tx, &user).await?;
    if config.is_none_or(|config| !config.settings.auth_mode.takes_password()) {
        tx.rollback().await?;
        note_refusal(store, gate, &user, &attempt.request, "ClientOne is not open to this client").await;
        return Err(Error::Unauthenticated);
    }
    if has_second_factor(&tx, user.id.into()).await? {
        let pending = pending_create(&tx, gate, user.id.into(), user.password_hash.as_deref()).await?;
        let reason = "right password, a second factor is to come";
        tx.commit_attempt("portal_session_create", Outcome::Done, reason).await?;
        return Ok(PortalFirstStep::SecondFactor(pending));
    }
    let origin = Origin { user_agent: attempt.user_agent.as_deref(), request: &attempt.request, second_factor: false };
    let signed_in = session_insert(&tx, store, gate, user, &origin).await?;
    tx.commit_attempt("portal_session_create", Outcome::Done, "signed in with a password").await?;
    Ok(PortalFirstStep::Session(Box::new(signed_in)))
}

/// Makes a session of someone who has proved wholly who they are, to whom their client is open; where a second factor is
/// required that they do not have, one for enrolling it only. The account is locked, and the caller commits.
pub(super) async fn session_insert(
    tx: &Tx,
    store: &Store,
    gate: &Gate,
    user: PortalUserRow,
    origin: &Origin<'_>,
) -> Result<PortalSignedIn> {
    let now = tx.now();
    for (place, old) in tx.portal_session_list(user.id).await?.into_iter().enumerate() {
        if place + 1 >= SESSIONS || !gate.lives(old.expires_at, old.seen_at, now) {
            tx.portal_session_delete(old.id).await?;
        }
    }
    let account = user.id.into();
    let lacks = !origin.second_factor && !has_second_factor(tx, account).await?;
    let token = session_token(store.chance().as_ref(), user.organisation);
    let session = PortalSessionRow {
        id: tx.new_id(),
        portal_user_id: user.id,
        client_id: user.client_id,
        token_hash: token.hash,
        user_agent: origin.user_agent.map(printable),
        address: origin.request.source_address.clone(),
        created_at: now,
        seen_at: now,
        expires_at: now + gate.options.session_absolute,
        proved_at: now,
        enrolment: lacks && second_factor_required(tx, account).await?,
    };
    tx.portal_session_insert(&session).await?;
    tx.portal_user_signed_in(user.id).await?;
    Ok(PortalSignedIn { token: token.text, session, user })
}
