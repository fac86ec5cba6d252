//! New passwords: one's own, by proving the old one; someone else's, by those who manage the team.

use domain::{Context, Error, Outcome, Permission, Problem, Result, SessionId, StaffId};
use persistence::{StaffRow, Store, Tx};
use secrecy::{ExposeSecret, SecretString};

use crate::{Gate, gate::in_person, passwords::password_problem, staff::require_over, team::member, throttle};

/// Changes the caller's own password. Wrong guesses of the present one are counted like sign-ins.
/// All other sessions of the caller end.
pub async fn password_change(
    store: &Store,
    gate: &Gate,
    context: Context,
    session: SessionId,
    present: &SecretString,
    new: &SecretString,
) -> Result<()> {
    let id = in_person(&context)?;
    let staff = store.read(context.clone()).await?.staff(id).await?;
    if let Some(problem) = password_problem("/new_password", new, &staff.email) {
        return Err(Error::Invalid(vec![problem]));
    }
    let across = store.across().await?;
    let admission = throttle::admit(&across, &staff.email, context.source_address.as_deref(), context.now).await?;
    across.commit().await?;
    let right = match gate.passwords.verify(present, staff.password_hash.as_deref()).await {
        Ok(right) => right,
        Err(error) => {
            admission.refund(store).await?;
            return Err(error);
        }
    };
    if !right {
        let tx = store.begin(context).await?;
        tx.commit_attempt("password_change", Outcome::Denied, "wrong password").await?;
        return Err(Error::Invalid(vec![Problem::new("/present_password", "wrong", "is not your present password")]));
    }
    admission.refund(store).await?;
    let hash = gate.passwords.hash(new).await?;
    let tx = store.begin(context).await?;
    tx.team_lock().await?;
    let current = tx.staff(id).await?;
    if current.password_hash != staff.password_hash {
        return Err(Error::Stale { what: "staff user" });
    }
    set(&tx, &current, &hash).await?;
    tx.sessions_delete(id, Some(session)).await?;
    tx.commit("password_change", None).await.map(drop)
}

/// Sets the password of someone of the team, who is signed out everywhere. Over owners only by
/// owners: who sets a password can sign in with it.
pub async fn staff_password_set(
    store: &Store,
    gate: &Gate,
    context: Context,
    id: StaffId,
    new: &SecretString,
) -> Result<StaffRow> {
    context.require(Permission::TeamManage)?;
    let found = member(&store.read(context.clone()).await?, id).await?;
    if let Some(problem) = password_problem("/new_password", new, &found.email) {
        return Err(Error::Invalid(vec![problem]));
    }
    let hash = gate.passwords.hash(new).await?;
    let tx = store.begin(context).await?;
    tx.team_lock().await?;
    let before = member(&tx, id).await?;
    require_over(tx.context(), &before)?;
    let after = set(&tx, &before, &hash).await?;
    tx.sessions_delete(id, None).await?;
    tx.commit("staff_password_set", None).await?;
    Ok(after)
}

async fn set(tx: &Tx, before: &StaffRow, hash: &SecretString) -> Result<StaffRow> {
    // A link that was sent for the old one is of no use any more.
    tx.password_reset_delete(before.id).await?;
    let after = StaffRow { password_hash: Some(hash.expose_secret().to_owned()), ..before.clone() };
    tx.staff_update(before, after).await
}
