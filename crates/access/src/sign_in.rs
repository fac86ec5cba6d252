//! Signing in with an address and a password: the first step, and the only one without a second factor.

use chrono::TimeDelta;
use domain::{Error, Outcome, Result};
use persistence::{SessionRow, StaffRow, Store, Tx};
use secrecy::SecretString;

use crate::{
    Gate, PendingSignIn, RequestMeta,
    gate::staff_context,
    second_factor::has_second_factor,
    second_step::pending_create,
    security,
    throttle::{self, Admission},
    tokens::session_token,
};

/// An attempt to sign in.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The organisation's slug; needed only by someone who has the same address and the same
    /// password in several.
    pub organisation: Option<String>,
    /// Address.
    pub email: String,
    /// Password.
    pub password: SecretString,
    /// What the browser says of itself.
    pub user_agent: Option<String>,
    /// Request id and source address.
    pub request: RequestMeta,
}

/// A new session.
pub struct SignedIn {
    /// The token, for the cookie; it is not stored.
    pub token: SecretString,
    /// The session.
    pub session: SessionRow,
    /// Whose it is.
    pub staff: StaffRow,
}

impl std::fmt::Debug for SignedIn {
    /// Without token and hashes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignedIn(session {}, staff {})", self.session.id, self.staff.id)
    }
}

/// What a right password leads to.
#[derive(Debug)]
pub enum FirstStep {
    /// A session: there is no second factor. It may be for enrolling one only ([`SessionRow::enrolment`]).
    Session(Box<SignedIn>),
    /// A second step.
    SecondFactor(PendingSignIn),
}

/// Where a session comes from.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    /// What the browser says of itself.
    pub user_agent: Option<&'a str>,
    /// Request id and source address.
    pub request: &'a RequestMeta,
    /// Whether a second factor was shown elsewhere, where that is taken for ours.
    pub second_factor: bool,
}

/// Sessions of one staff user; beyond them the one unused for longest ends.
pub(crate) const SESSIONS: usize = 50;
/// Characters of a browser's name that are kept.
const USER_AGENT: usize = 255;

/// Signs in. An unknown address, a wrong password and a suspended account are the same
/// [`Error::Unauthenticated`], after the same work; [`Error::TooMany`] while a lock holds (see
/// `throttle.rs`); the conflict `which_organisation` when address and password fit several
/// organisations and none was named.
pub async fn sign_in(store: &Store, gate: &Gate, attempt: SignIn) -> Result<FirstStep> {
    let slug = attempt.organisation.as_deref().map(|slug| slug.trim().to_lowercase());
    let across = store.across().await?;
    let address = attempt.request.source_address.as_deref();
    let admission = throttle::admit(&across, &attempt.email, address, store.clock().now()).await?;
    let everywhere = across.staff_by_email(&attempt.email, None).await?;
    let sole = everywhere.len() == 1;
    let accounts = match &slug {
        None => everywhere,
        Some(slug) => across.staff_by_email(&attempt.email, Some(slug)).await?,
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
    for (staff, right) in accounts.into_iter().zip(right) {
        if right && staff.suspended_at.is_none() {
            fitting.push(staff);
        } else {
            refused += 1;
            let reason = if right { "suspended" } else { "wrong password" };
            note_refusal(store, gate, &staff, &attempt.request, reason).await;
        }
    }
    // What was tried against an account that refused it stays counted, also when another took it.
    let clean = all > 0 && refused == 0;
    match &fitting[..] {
        [] => Err(Error::Unauthenticated),
        [staff] => {
            let step = first_step(store, gate, staff, &attempt).await?;
            // Half a sign-in clears nothing: with the password alone codes could else be guessed for ever.
            let whole = sole && matches!(step, FirstStep::Session(_));
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
                "This address belongs to several organisations: name the one to sign in to.",
            ))
        }
    }
}

/// Whether the password fits each account; at least one is checked, so that an unknown address
/// takes as long as a known one.
async fn check(gate: &Gate, password: &SecretString, accounts: &[StaffRow]) -> Result<Vec<bool>> {
    if accounts.is_empty() {
        gate.passwords.verify(password, None).await?;
    }
    let mut right = Vec::with_capacity(accounts.len());
    for account in accounts {
        right.push(gate.passwords.verify(password, account.password_hash.as_deref()).await?);
    }
    Ok(right)
}

pub(crate) async fn forgive(admission: Admission, store: &Store, wholly: bool) -> Result<()> {
    if wholly { admission.clear(store).await } else { admission.refund(store).await }
}

/// The answer is known already: a count that could not be taken back must not change it.
pub(crate) fn settle(done: Result<()>) {
    if let Err(error) = done {
        tracing::warn!(?error, "an attempt to sign in stays counted");
    }
}

/// Journals a refusal behind the answer: waiting for it would tell a known address from an unknown.
pub(crate) async fn note_refusal(
    store: &Store,
    gate: &Gate,
    staff: &StaffRow,
    request: &RequestMeta,
    reason: &'static str,
) {
    let (store, context) = (store.clone(), staff_context(staff, store.clock().now(), request));
    let work =
        async move { store.begin(context).await?.commit_attempt("session_create", Outcome::Denied, reason).await };
    gate.note("a refused sign-in", work).await;
}

/// Makes a session of someone whose password was right, or a pending one where a second factor is due.
async fn first_step(store: &Store, gate: &Gate, proved: &StaffRow, attempt: &SignIn) -> Result<FirstStep> {
    let tx = store.begin(staff_context(proved, store.clock().now(), &attempt.request)).await?;
    tx.team_lock().await?;
    let staff = tx.staff(proved.id).await?;
    if staff.suspended_at.is_some() || staff.password_hash != proved.password_hash {
        return Err(Error::Unauthenticated);
    }
    if has_second_factor(&tx, staff.id.into()).await? {
        let pending = pending_create(&tx, gate, staff.id.into(), staff.password_hash.as_deref()).await?;
        tx.commit_attempt("session_create", Outcome::Done, "right password, a second factor is to come").await?;
        return Ok(FirstStep::SecondFactor(pending));
    }
    let origin = Origin { user_agent: attempt.user_agent.as_deref(), request: &attempt.request, second_factor: false };
    let signed_in = session_insert(&tx, store, gate, staff, &origin).await?;
    tx.commit_attempt("session_create", Outcome::Done, "signed in with a password").await?;
    Ok(FirstStep::Session(Box::new(signed_in)))
}

/// Makes a session of someone who has proved wholly who they are; where the organisation demands a second factor that
/// they do not have, one for enrolling it only. The team is locked, and the caller commits.
pub(crate) async fn session_insert(
    tx: &Tx,
    store: &Store,
    gate: &Gate,
    staff: StaffRow,
    origin: &Origin<'_>,
) -> Result<SignedIn> {
    let now = tx.now();
    for (place, old) in tx.session_list(staff.id).await?.into_iter().enumerate() {
        if place + 1 >= SESSIONS || !gate.is_live(&old, now) {
            tx.session_delete(old.id).await?;
        }
    }
    let settings = security::settings(tx, gate).await?;
    let token = session_token(store.chance().as_ref(), staff.organisation);
    let session = SessionRow {
        id: tx.new_id(),
        staff_id: staff.id,
        token_hash: token.hash,
        user_agent: origin.user_agent.map(printable),
        address: origin.request.source_address.clone(),
        created_at: now,
        seen_at: now,
        expires_at: now + TimeDelta::minutes(settings.absolute_minutes.into()),
        proved_at: now,
        enrolment: settings.require_mfa && !origin.second_factor && !has_second_factor(tx, staff.id.into()).await?,
        idle_minutes: (settings.version > 0).then_some(settings.idle_minutes),
    };
    tx.session_insert(&session).await?;
    Ok(SignedIn { token: token.text, session, staff })
}

pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(USER_AGENT).collect()
}
