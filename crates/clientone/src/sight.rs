//! Which devices someone sees.

use domain::{PortalRole, PortalSettings, PortalUserId, Result};
use persistence::{PortalUserRow, Tx};

/// Whether someone sees every device of the client, and not only those assigned:
///
/// | | some assigned | none assigned | none, and the client's switch is on |
/// |---|---|---|---|
/// | User | those | none | all |
/// | Manager | those | all | all |
pub fn sees_all_devices(role: PortalRole, any_assigned: bool, settings: &PortalSettings) -> bool {
    !any_assigned && (role == PortalRole::Manager || settings.all_devices_when_unassigned)
}

/// To whom the devices must be assigned for this user to see them: themself, or nobody, who sees them all.
pub async fn device_sight(tx: &Tx, user: &PortalUserRow, settings: &PortalSettings) -> Result<Option<PortalUserId>> {
    // Those that are gone count too: what narrowed a person's sight must not widen it by going.
    let any_assigned = tx.portal_devices_assigned(user.id).await? > 0;
    Ok((!sees_all_devices(user.role, any_assigned, settings)).then_some(user.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_in_the_documentation_holds() {
        let sees = |role, assigned, switch| {
            let settings = PortalSettings { all_devices_when_unassigned: switch, ..PortalSettings::default() };
            sees_all_devices(role, assigned, &settings)
        };
        for switch in [false, true] {
            for role in PortalRole::ALL {
                assert!(!sees(role, true, switch), "what is assigned narrows");
            }
            assert!(sees(PortalRole::Manager, false, switch));
            assert_eq!(sees(PortalRole::User, false, switch), switch);
        }
    }
}
