//! Signing in to ClientOne with an address and a password.

use domain::{Error, Outcome, PortalState, Result};
use persistence::{PortalSessionRow, PortalUserRow, Store, Tx};
use secrecy::SecretString;

use super::{open_client, portal_context};
use crate::{
    Gate, RequestMeta, SignIn,
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

/// The name under which attempts on an account of this address are counted: apart from those on a staff user's, and
/// nothing that is an address.
pub(super) fn counted(email: &str) -> String {
    format!("clientone {}", email.trim().to_lowercase())
}

/// Signs in. An unknown address, a wrong password, an account that is not active, and a client without ClientOne are
/// the same [`Error::Unauthenticated`], after the same work; [`Error::TooMany`] while a lock holds (see `throttle.rs`);
/// the conflict `which_organisation` when address and password fit several organisations and none was named.
pub async fn portal_sign_in(store: &Store, gate: &Gate, attempt: SignIn) -> Result<PortalSignedIn> {
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
            // A second factor goes here: between the proof of the password and the session.
            let signed_in = session_create(store, gate, user, &attempt, "signed in with a password").await?;
            if clean {
                settle(forgive(admission, store, sole).await);
            }
            Ok(signed_in)
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
async fn note_refusal(store: &Store, gate: &Gate, user: &PortalUserRow, request: &RequestMeta, reason: &'static str) {
    let (store, context) = (store.clone(), portal_context(user, store.clock().now(), request));
    let work = async move {
        store.begin(context).await?.commit_attempt("portal_session_create", Outcome::Denied, reason).await
    };
    gate.note("a refused sign-in", work).await;
}

/// Makes a session of someone who has proved who they are, if their client is open by now.
async fn session_create(
    store: &Store,
    gate: &Gate,
    proved: &PortalUserRow,
    attempt: &SignIn,
    how: &str,
) -> Result<PortalSignedIn> {
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
    let origin = Origin { user_agent: attempt.user_agent.as_deref(), request: &attempt.request, second_factor: false };
    let signed_in = session_insert(&tx, store, gate, user, &origin).await?;
    tx.commit_attempt("portal_session_create", Outcome::Done, how).await?;
    Ok(signed_in)
}

/// Makes a session of someone who has proved who they are, to whom their client is open. The account is locked, and the
/// caller commits.
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
    };
    tx.portal_session_insert(&session).await?;
    tx.portal_user_signed_in(user.id).await?;
    Ok(PortalSignedIn { token: token.text, session, user })
}
