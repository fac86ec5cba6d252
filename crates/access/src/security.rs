//! What an organisation demands of those who sign in to it.

use domain::{Account, Error, Permission, Problem, Result, StaffId};
use persistence::{SecuritySettingsRow, Tx};

use crate::{Gate, gate::in_person, second_factor::second_factors_delete, staff::require_over};

/// Minutes that an unused session may be let live.
const IDLE: std::ops::RangeInclusive<i32> = 5..=24 * 60;
/// Minutes that any session may be let live.
const ABSOLUTE: std::ops::RangeInclusive<i32> = 60..=30 * 24 * 60;

/// What to change; `None` leaves it as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct SecurityPatch {
    /// Whether everyone needs a second factor, set up at the next sign-in.
    pub require_mfa: Option<bool>,
    /// Minutes after which an unused session ends.
    pub idle_minutes: Option<i32>,
    /// Minutes after which any session ends.
    pub absolute_minutes: Option<i32>,
    /// Refuse unless the settings have this version.
    pub version: Option<i32>,
}

/// The settings that hold: the organisation's own, or those of the installation.
pub(crate) async fn settings(tx: &Tx, gate: &Gate) -> Result<SecuritySettingsRow> {
    let minutes = |time: chrono::TimeDelta| i32::try_from(time.num_minutes()).unwrap_or(i32::MAX);
    Ok(tx.security_settings().await?.unwrap_or(SecuritySettingsRow {
        require_mfa: false,
        idle_minutes: minutes(gate.options.session_idle),
        absolute_minutes: minutes(gate.options.session_absolute),
        version: 0,
    }))
}

/// The settings that hold, for those who manage the team.
pub async fn security_settings(tx: &Tx, gate: &Gate) -> Result<SecuritySettingsRow> {
    tx.context().require(Permission::TeamManage)?;
    settings(tx, gate).await
}

/// Changes the settings. The caller commits (`security_settings_update`). Running sessions end as early as new ones
/// would; nobody is signed out for want of a second factor.
pub async fn security_settings_update(tx: &Tx, gate: &Gate, patch: SecurityPatch) -> Result<SecuritySettingsRow> {
    tx.context().require(Permission::TeamManage)?;
    tx.team_lock().await?;
    let before = settings(tx, gate).await?;
    if patch.version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "security settings" });
    }
    let after = SecuritySettingsRow {
        require_mfa: patch.require_mfa.unwrap_or(before.require_mfa),
        idle_minutes: patch.idle_minutes.unwrap_or(before.idle_minutes),
        absolute_minutes: patch.absolute_minutes.unwrap_or(before.absolute_minutes),
        version: before.version,
    };
    let problems = problems(&after);
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let times = |row: &SecuritySettingsRow| (row.idle_minutes, row.absolute_minutes);
    let saved = tx.security_settings_save(before, after).await?;
    if times(&saved) != times(&before) {
        tx.sessions_bound(saved).await?;
    }
    Ok(saved)
}

fn problems(row: &SecuritySettingsRow) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (at, value, range) in
        [("/idle_minutes", row.idle_minutes, IDLE), ("/absolute_minutes", row.absolute_minutes, ABSOLUTE)]
    {
        if !range.contains(&value) {
            let message = format!("must be from {} to {} minutes", range.start(), range.end());
            problems.push(Problem::new(at, "out_of_range", message));
        }
    }
    if problems.is_empty() && row.idle_minutes > row.absolute_minutes {
        problems.push(Problem::new("/idle_minutes", "too_large", "must not be more than absolute_minutes"));
    }
    problems
}

/// Takes the second factors of someone of the team away who has lost them, passkeys too, and signs them out everywhere: they sign in
/// with the password, and set up another. The caller commits (`second_factor_reset`). Over owners only by owners, and
/// never by a key.
pub async fn second_factor_reset(tx: &Tx, id: StaffId) -> Result<()> {
    let context = tx.context();
    context.require(Permission::TeamManage)?;
    in_person(context)?;
    tx.team_lock().await?;
    require_over(context, &tx.staff(id).await?)?;
    let account = Account::from(id);
    if !second_factors_delete(tx, account).await? {
        return Err(nothing_to_reset());
    }
    tx.sessions_delete(id, None).await.map(drop)
}

pub(crate) fn nothing_to_reset() -> Error {
    Error::conflict("not_enrolled", "There is no second factor to reset.")
}
