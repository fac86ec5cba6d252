//! Showing once more who one is, within a session, before something that cannot be taken back.

use chrono::TimeDelta;
use domain::{Context, Error, Outcome, Problem, Result, SessionId, Timestamp};
use persistence::{SessionRow, Store};
use secrecy::SecretString;

use crate::{
    Gate, SecondProof,
    gate::in_person,
    second_factor::{has_second_factor, second_proof_take, wrong_code},
    throttle,
};

/// How long it holds that someone has shown who they are.
const HOLDS: TimeDelta = TimeDelta::minutes(15);

/// What shows it.
#[derive(Clone, Debug)]
pub enum Proof {
    /// The password.
    Password(SecretString),
    /// A code of the second factor.
    Second(SecondProof),
}

/// Until when a session's owner counts as having shown who they are.
pub fn proved_until(session: &SessionRow) -> Timestamp {
    session.proved_at + HOLDS
}

/// The refusal of a sensitive operation whose caller has not shown lately who they are.
pub fn reauthentication_required() -> Error {
    Error::conflict(
        "reauthentication_required",
        "Show once more who you are, at POST /api/session/reauthenticate, and repeat within 15 minutes.",
    )
}

/// Takes the caller's password, or a code of whoever has a second factor, and answers until when that holds. Wrong ones
/// are counted like sign-ins. Conflicts: `not_enrolled` for a code without a factor, `second_factor_required` for a
/// password with one.
pub async fn session_reauthenticate(
    store: &Store,
    gate: &Gate,
    context: Context,
    session: SessionId,
    proof: &Proof,
) -> Result<Timestamp> {
    let id = in_person(&context)?;
    let tx = store.read(context.clone()).await?;
    let staff = tx.staff(id).await?;
    let has_factor = has_second_factor(&tx, id.into()).await?;
    match proof {
        Proof::Second(_) if !has_factor => {
            let message = "You have no authenticator app: use your password.";
            return Err(Error::conflict("not_enrolled", message));
        }
        // Whoever knows the password alone must not get further with it than signing in lets them.
        Proof::Password(_) if has_factor => {
            let message = "You have an authenticator app: use a code of it, or a recovery code.";
            return Err(Error::conflict("second_factor_required", message));
        }
        _ => {}
    }
    tx.rollback().await?;
    let across = store.across().await?;
    let address = context.source_address.as_deref();
    let admission = match proof {
        Proof::Password(_) => throttle::admit(&across, &staff.email, address, context.now).await?,
        Proof::Second(_) => throttle::admit_code(&across, &staff.email, address, context.now).await?,
    };
    across.commit().await?;
    let right = match proof {
        Proof::Password(password) => match gate.passwords.verify(password, staff.password_hash.as_deref()).await {
            Ok(right) => right,
            Err(error) => {
                admission.refund(store).await?;
                return Err(error);
            }
        },
        Proof::Second(_) => true,
    };
    let until = context.now + HOLDS;
    let tx = store.begin(context).await?;
    let right = match proof {
        Proof::Second(proof) => second_proof_take(&tx, id.into(), proof).await?,
        // The password that was checked must be the one of now.
        Proof::Password(_) => right && tx.staff(id).await?.password_hash == staff.password_hash,
    };
    if !right {
        tx.commit_attempt("session_reauthenticate", Outcome::Denied, "wrong password or code").await?;
        return Err(Error::Invalid(vec![match proof {
            Proof::Password(_) => Problem::new("/password", "wrong", "is not your password"),
            Proof::Second(SecondProof::Code(_)) => wrong_code(),
            Proof::Second(SecondProof::RecoveryCode(_)) => {
                Problem::new("/recovery_code", "wrong", "is not one of your recovery codes, or was used before")
            }
        }]));
    }
    tx.session_proved(session, false).await?;
    tx.commit_attempt("session_reauthenticate", Outcome::Done, "showed once more who they are").await?;
    admission.refund(store).await?;
    Ok(until)
}
