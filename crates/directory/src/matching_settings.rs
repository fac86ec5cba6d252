//! How far an organisation trusts the matching.

use domain::{Error, Permission, Result, Threshold};
use persistence::{MatchingSettingsRow, Tx};

/// What to change; `None` leaves it as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct MatchingPatch {
    /// From this score on suggestions are marked as accepted, and imports link by themselves: 0.50 to 1.00, in steps of
    /// 0.01.
    pub threshold: Option<f64>,
    /// Refuse unless the settings have this version.
    pub version: Option<i32>,
}

/// The settings of the matching, for those who set them.
pub async fn matching_settings_get(tx: &Tx) -> Result<MatchingSettingsRow> {
    tx.context().require(Permission::MatchingManage)?;
    tx.matching_settings().await
}

/// Changes the settings of the matching. Whatever the threshold, what is ambiguous or contradicted waits for a person
/// (`matching/decide.rs`).
pub async fn matching_settings_update(tx: &Tx, patch: MatchingPatch) -> Result<MatchingSettingsRow> {
    tx.context().require(Permission::MatchingManage)?;
    // One after another: two who set the first would both make it.
    tx.team_lock().await?;
    let before = tx.matching_settings().await?;
    if patch.version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "matching settings" });
    }
    let threshold = match patch.threshold {
        None => before.threshold,
        Some(score) => Threshold::checked("/threshold", score).map_err(|problem| Error::Invalid(vec![problem]))?,
    };
    tx.matching_settings_save(before, MatchingSettingsRow { threshold, ..before }).await
}
