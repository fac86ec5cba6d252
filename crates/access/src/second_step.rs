//! The second step of signing in: a pending sign-in, and a code that makes a session of it.

use chrono::TimeDelta;
use domain::{Account, AccountKind, Context, Error, Outcome, Result, StaffId, Timestamp};
use persistence::{PendingSessionRow, StaffRow, Store, Tx};
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use crate::{
    Gate, RequestMeta, SecondProof, SignedIn,
    gate::staff_context,
    second_factor::{Refusal, second_proof_try},
    sign_in::{Origin, session_insert, settle},
    sso::linked_by,
    throttle,
    tokens::{parse_pending, pending_token},
};

/// How long the second step may take.
const PATIENCE: TimeDelta = TimeDelta::minutes(5);
/// Pending sign-ins of one account at a time.
const MOST: u64 = 5;
/// Wrong codes that end a pending sign-in.
const TRIES: i32 = 5;

/// A sign-in whose password was right. Its token gives no rights, and is good for the second step alone.
pub struct PendingSignIn {
    /// The token; it is not stored.
    pub token: SecretString,
    /// Until when it holds.
    pub expires_at: Timestamp,
    /// Whether the account has a passkey to go on with.
    pub passkey: bool,
}

impl std::fmt::Debug for PendingSignIn {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PendingSignIn(until {})", self.expires_at)
    }
}

/// The second step.
#[derive(Clone, Debug)]
pub struct SecondStep {
    /// The token of the first.
    pub token: SecretString,
    /// What shows who it is.
    pub proof: SecondProof,
    /// What the browser says of itself.
    pub user_agent: Option<String>,
    /// Request id and source address.
    pub request: RequestMeta,
}

/// What a pending sign-in holds of the password that was right: with another one it is void.
pub(crate) fn trace(password_hash: Option<&str>) -> Vec<u8> {
    Sha256::digest(password_hash.unwrap_or_default()).to_vec()
}

/// Makes a pending sign-in of an account of any kind whose password, of this stored hash, was right. The caller
/// commits.
pub async fn pending_create(
    tx: &Tx,
    gate: &Gate,
    account: Account,
    password_hash: Option<&str>,
) -> Result<PendingSignIn> {
    pending_create_proved(tx, gate, account, trace(password_hash)).await
}

/// The same of an account that something else than a password proved: `proof` is a mark of that. The caller commits.
pub(crate) async fn pending_create_proved(
    tx: &Tx,
    gate: &Gate,
    account: Account,
    proof: Vec<u8>,
) -> Result<PendingSignIn> {
    let token = pending_token(gate.passwords.chance(), tx.organisation());
    let row = PendingSessionRow {
        id: tx.new_id(),
        account,
        token_hash: token.hash,
        proof,
        attempts: 0,
        created_at: tx.now(),
        expires_at: tx.now() + PATIENCE,
    };
    tx.pending_insert(&row, MOST).await?;
    let passkey = tx.passkey_count(account).await? > 0;
    Ok(PendingSignIn { token: token.text, expires_at: row.expires_at, passkey })
}

/// Whether the proof ends this pending sign-in, which is locked: a right one uses both up, a wrong one is counted, and
/// why it is wrong is given back. The caller commits either way.
pub(crate) async fn pending_take(tx: &Tx, pending: &PendingSessionRow, proof: &SecondProof) -> Result<Option<Refusal>> {
    let Some(refusal) = second_proof_try(tx, pending.account, proof).await? else {
        tx.pending_delete(pending.id).await?;
        return Ok(None);
    };
    if pending.attempts + 1 >= TRIES {
        tx.pending_delete(pending.id).await?;
    } else {
        tx.pending_attempt(pending).await?;
    }
    Ok(Some(refusal))
}

/// Makes a session of a pending sign-in of a staff user. [`Error::Unauthenticated`] when the token is unknown, used,
/// too old, or the account has changed since; a wrong code is [`Error::Invalid`] and counted like a wrong password,
/// [`Error::TooMany`] while a lock holds.
pub async fn sign_in_complete(store: &Store, gate: &Gate, step: SecondStep) -> Result<SignedIn> {
    let (organisation, hash) = parse_pending(&step.token).ok_or(Error::Unauthenticated)?;
    let now = store.clock().now();
    let tx = store.read(Context::worker(organisation, now, step.request.request_id.clone())).await?;
    let found = tx.pending_by_token(&hash).await?;
    let pending = found.filter(|pending| pending.account.kind == AccountKind::Staff).ok_or(Error::Unauthenticated)?;
    let known = tx.staff(StaffId(pending.account.id)).await?;
    tx.rollback().await?;

    let across = store.across().await?;
    let address = step.request.source_address.as_deref();
    let admission = throttle::admit_code(&across, &known.email, address, now).await?;
    let sole = across.staff_by_email(&known.email, None).await?.len() == 1;
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

/// What the journal says of a second step that was right.
pub(crate) fn how(proof: &SecondProof, linked: bool) -> &'static str {
    match (proof, linked) {
        (SecondProof::Code(_), false) => "signed in with a password and a code",
        (SecondProof::RecoveryCode(_), false) => "signed in with a password and a recovery code",
        (SecondProof::Passkey(_), false) => "signed in with a password and a passkey",
        (SecondProof::Code(_), true) => "signed in through an identity provider and with a code",
        (SecondProof::RecoveryCode(_), true) => "signed in through an identity provider and with a recovery code",
        (SecondProof::Passkey(_), true) => "signed in through an identity provider and with a passkey",
    }
}

/// `None` when the proof is wrong.
async fn finish(
    store: &Store,
    gate: &Gate,
    step: &SecondStep,
    hash: &[u8],
    known: &StaffRow,
) -> Result<Option<SignedIn>> {
    let tx = store.begin(staff_context(known, store.clock().now(), &step.request)).await?;
    tx.team_lock().await?;
    let pending = tx.pending_lock(hash).await?.ok_or(Error::Unauthenticated)?;
    let staff = tx.staff(known.id).await?;
    let linked = linked_by(&tx, staff.id.into(), &pending).await?;
    let proved = linked || trace(staff.password_hash.as_deref()) == pending.proof;
    if staff.suspended_at.is_some() || !proved {
        return Err(Error::Unauthenticated);
    }
    if let Some(refusal) = pending_take(&tx, &pending, &step.proof).await? {
        tx.commit_attempt("session_complete", Outcome::Denied, refusal).await?;
        return Ok(None);
    }
    let how = how(&step.proof, linked);
    let origin = Origin { user_agent: step.user_agent.as_deref(), request: &step.request, second_factor: false };
    let signed_in = session_insert(&tx, store, gate, staff, &origin).await?;
    tx.commit_attempt("session_complete", Outcome::Done, how).await?;
    Ok(Some(signed_in))
}
