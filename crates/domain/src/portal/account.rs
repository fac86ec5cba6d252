//! A portal account: its role, and the states it goes through.

use serde::{Deserialize, Serialize};

/// A portal user's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortalRole {
    /// Someone of a client.
    User,
    /// Someone of a client who sees all of it, and looks after its users.
    Manager,
}

impl PortalRole {
    /// Both roles.
    pub const ALL: [Self; 2] = [Self::User, Self::Manager];

    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Manager => "manager",
        }
    }

    /// The role of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

/// Where an account stands. One whose invitation is revoked is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PortalState {
    /// Asked to come; nobody has yet.
    Invited,
    /// May sign in.
    Active,
    /// May not, and keeps everything.
    Deactivated,
}

/// What can be done to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortalAct {
    /// Send a new invitation, which voids the one before.
    Reinvite,
    /// Come in by an invitation.
    Accept,
    /// Take an invitation back: the account is gone.
    Revoke,
    /// Shut out.
    Deactivate,
    /// Let in again.
    Reactivate,
}

impl PortalState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Invited, Self::Active, Self::Deactivated];

    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Deactivated => "deactivated",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// The state after an act: `Err` where the act is not for this state, `Ok(None)` where the account is gone then.
    /// What is done already may be done again and changes nothing.
    pub fn after(self, act: PortalAct) -> Result<Option<Self>, IllegalAct> {
        use PortalAct as A;
        Ok(Some(match (self, act) {
            (Self::Invited, A::Reinvite) => Self::Invited,
            (Self::Invited, A::Accept) | (Self::Active | Self::Deactivated, A::Reactivate) => Self::Active,
            (Self::Invited, A::Revoke) => return Ok(None),
            (Self::Active | Self::Deactivated, A::Deactivate) => Self::Deactivated,
            (state, act) => return Err(IllegalAct { state, act }),
        }))
    }
}

/// An act that is not for the state an account is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalAct {
    /// The state.
    pub state: PortalState,
    /// The act.
    pub act: PortalAct,
}

impl From<IllegalAct> for crate::Error {
    fn from(refused: IllegalAct) -> Self {
        let (code, message) = match (refused.state, refused.act) {
            (PortalState::Invited, _) => {
                ("not_accepted", "This person has not accepted the invitation yet: revoke it, or send it again.")
            }
            _ => {
                ("accepted_already", "This person has accepted the invitation already: deactivate the account instead.")
            }
        };
        Self::conflict(code, message)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ACTS: [PortalAct; 5] =
        [PortalAct::Reinvite, PortalAct::Accept, PortalAct::Revoke, PortalAct::Deactivate, PortalAct::Reactivate];

    #[test]
    fn the_table_is_the_reviewed_one() {
        let row = |state: PortalState| {
            ACTS.map(|act| match state.after(act) {
                Ok(Some(next)) => next.as_str(),
                Ok(None) => "gone",
                Err(_) => "-",
            })
        };
        assert_eq!(row(PortalState::Invited), ["invited", "active", "gone", "-", "-"]);
        assert_eq!(row(PortalState::Active), ["-", "-", "-", "deactivated", "active"]);
        assert_eq!(row(PortalState::Deactivated), ["-", "-", "-", "deactivated", "active"]);
    }

    proptest! {
        /// Nobody is let in by anything but an invitation that they accepted, whatever is tried in whatever order, and
        /// an invitation is accepted once.
        #[test]
        fn whoever_is_active_accepted_once(acts in proptest::collection::vec(0..ACTS.len(), 0..40)) {
            let (mut state, mut accepted) = (PortalState::Invited, 0);
            for act in acts.into_iter().map(|at| ACTS[at]) {
                match state.after(act) {
                    Ok(Some(next)) => {
                        accepted += usize::from(act == PortalAct::Accept);
                        state = next;
                    }
                    Ok(None) => {
                        prop_assert_eq!(accepted, 0);
                        break;
                    }
                    Err(refused) => prop_assert_eq!(refused, IllegalAct { state, act }),
                }
                prop_assert_eq!(accepted, usize::from(state != PortalState::Invited));
            }
        }
    }

    #[test]
    fn names_are_read_back() {
        assert!(PortalState::ALL.into_iter().all(|state| PortalState::parse(state.as_str()) == Some(state)));
        assert!(PortalRole::ALL.into_iter().all(|role| PortalRole::parse(role.as_str()) == Some(role)));
    }
}
