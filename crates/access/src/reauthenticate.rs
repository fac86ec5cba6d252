//! Showing once more who one is, within a session, before something that cannot be taken back.

use chrono::TimeDelta;
use domain::{
    Account, AccountKind, Context, Error, Outcome, PortalSessionId, PortalUserId, Problem, Result, SessionId, StaffId,
    Timestamp,
};
use persistence::{SessionRow, Store, Tx};
use secrecy::SecretString;
use uuid::Uuid;

use crate::{
    Gate, SecondProof,
    gate::in_person,
    portal::counted as portal_counted,
    second_factor::{has_second_factor, second_proof_try},
    throttle,
};

/// How long it holds that someone has shown who they are.
const HOLDS: TimeDelta = TimeDelta::minutes(15);

/// What shows it.
#[derive(Clone, Debug)]
pub enum Proof {
    /// The password.
    Password(SecretString),
    /// A second factor.
    Second(SecondProof),
}

impl Proof {
    /// What is wrong with it when it is not taken, for whoever gave it.
    pub(crate) fn wrong(&self) -> Problem {
        match self {
            Self::Password(_) => Problem::new("/password", "wrong", "is not your password"),
            Self::Second(proof) => proof.wrong(),
        }
    }
}

/// Until when a session's owner counts as having shown who they are.
pub fn proved_until(session: &SessionRow) -> Timestamp {
    proof_holds_until(session.proved_at)
}

/// The refusal of a sensitive operation whose caller has not shown lately who they are.
pub fn reauthentication_required() -> Error {
    Error::conflict(
        "reauthentication_required",
        "Show once more who you are, at POST /api/session/reauthenticate, and repeat within 15 minutes.",
    )
}

/// The same in ClientOne.
pub fn portal_reauthentication_required() -> Error {
    Error::conflict(
        "reauthentication_required",
        "Show once more who you are, at POST /api/clientone/session/reauthenticate, and repeat within 15 minutes.",
    )
}

/// Until when it holds that someone showed at this instant who they are.
pub fn proof_holds_until(proved_at: Timestamp) -> Timestamp {
    proved_at + HOLDS
}

/// Takes the caller's password, or the second factor of whoever has one, and answers until when that holds. Wrong ones
/// are counted like sign-ins. Conflicts: `not_enrolled` for a factor where there is none, `second_factor_required` for a
/// password where there is one.
pub async fn session_reauthenticate(
    store: &Store,
    gate: &Gate,
    context: Context,
    session: SessionId,
    proof: &Proof,
) -> Result<Timestamp> {
    let account = in_person(&context)?.into();
    reauthenticate(store, gate, context, (account, session.0), "session_reauthenticate", proof).await
}

/// The same in ClientOne.
pub async fn portal_session_reauthenticate(
    store: &Store,
    gate: &Gate,
    context: Context,
    session: PortalSessionId,
    proof: &Proof,
) -> Result<Timestamp> {
    let account = context.actor.portal_user().ok_or(Error::Unauthenticated)?.into();
    reauthenticate(store, gate, context, (account, session.0), "portal_session_reauthenticate", proof).await
}

/// The name under which attempts on an account are counted, and the hash of its password.
async fn known(tx: &Tx, account: Account) -> Result<(String, Option<String>)> {
    match account.kind {
        AccountKind::Staff => {
            let staff = tx.staff(StaffId(account.id)).await?;
            Ok((staff.email, staff.password_hash))
        }
        AccountKind::Portal => {
            let user = tx.portal_user(PortalUserId(account.id)).await?;
            Ok((portal_counted(&user.email), user.password_hash))
        }
    }
}

async fn reauthenticate(
    store: &Store,
    gate: &Gate,
    context: Context,
    (account, session): (Account, Uuid),
    action: &str,
    proof: &Proof,
) -> Result<Timestamp> {
    let tx = store.read(context.clone()).await?;
    let (counted, password_hash) = known(&tx, account).await?;
    let has_factor = has_second_factor(&tx, account).await?;
    match proof {
        Proof::Second(_) if !has_factor => {
            let message = "You have no second factor: use your password.";
            return Err(Error::conflict("not_enrolled", message));
        }
        // Whoever knows the password alone must not get further with it than signing in lets them.
        Proof::Password(_) if has_factor => {
            let message =
                "You have a second factor: use a passkey, a code of your authenticator app, or a recovery code.";
            return Err(Error::conflict("second_factor_required", message));
        }
        _ => {}
    }
    tx.rollback().await?;
    let across = store.across().await?;
    let address = context.source_address.as_deref();
    let admission = match proof {
        Proof::Password(_) => throttle::admit(&across, &counted, address, context.now).await?,
        Proof::Second(_) => throttle::admit_code(&across, &counted, address, context.now).await?,
    };
    across.commit().await?;
    let right = match proof {
        Proof::Password(password) => match gate.passwords.verify(password, password_hash.as_deref()).await {
            Ok(right) => right,
            Err(error) => {
                admission.refund(store).await?;
                return Err(error);
            }
        },
        Proof::Second(_) => true,
    };
    let until = proof_holds_until(context.now);
    let tx = store.begin(context).await?;
    let refusal = match proof {
        Proof::Second(proof) => second_proof_try(&tx, account, proof).await?,
        // The password that was checked must be the one of now.
        Proof::Password(_) => {
            let right = right && known(&tx, account).await?.1 == password_hash;
            (!right).then_some("wrong password")
        }
    };
    if let Some(refusal) = refusal {
        tx.commit_attempt(action, Outcome::Denied, refusal).await?;
        return Err(Error::Invalid(vec![proof.wrong()]));
    }
    match account.kind {
        AccountKind::Staff => tx.session_proved(session.into(), false).await?,
        AccountKind::Portal => tx.portal_session_proved(session.into(), false).await?,
    }
    tx.commit_attempt(action, Outcome::Done, "showed once more who they are").await?;
    admission.refund(store).await?;
    Ok(until)
}
