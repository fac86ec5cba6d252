//! What is the matter with an invitation.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The state of an invitation at an instant. It follows from what happened to it and is never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitationState {
    /// It can be accepted.
    Pending,
    /// Nobody accepted it in time; inviting again sends a new link.
    Expired,
    /// It became an account.
    Accepted,
    /// It was taken back.
    Revoked,
}

impl InvitationState {
    /// The state of an invitation with this history.
    pub fn of(
        accepted_at: Option<Timestamp>,
        revoked_at: Option<Timestamp>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Self {
        match (accepted_at, revoked_at) {
            (Some(_), _) => Self::Accepted,
            (None, Some(_)) => Self::Revoked,
            (None, None) if now < expires_at => Self::Pending,
            (None, None) => Self::Expired,
        }
    }

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Expired => "expired",
            Self::Accepted => "accepted",
            Self::Revoked => "revoked",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(seconds, 0).expect("valid")
    }

    proptest! {
        /// Whatever happened to it, it is pending only while it was neither accepted nor revoked and its time runs; and
        /// what was accepted or revoked stays so for ever.
        #[test]
        fn only_an_untouched_invitation_in_its_time_is_pending(
            accepted in proptest::option::of(0i64..100), revoked in proptest::option::of(0i64..100), end in 0i64..100, now in 0i64..200
        ) {
            let state = InvitationState::of(accepted.map(at), revoked.map(at), at(end), at(now));
            prop_assert_eq!(state == InvitationState::Pending, accepted.is_none() && revoked.is_none() && now < end);
            let later = InvitationState::of(accepted.map(at), revoked.map(at), at(end), at(now + 1_000));
            match state {
                InvitationState::Pending => prop_assert_eq!(later, InvitationState::Expired),
                other => prop_assert_eq!(later, other),
            }
        }
    }
}
