//! Agreements: their versions, what a client's copy of one goes through, and who may sign it.

use serde::{Deserialize, Serialize};

use super::{
    PortalRole,
    machine::{WrongState, named, step},
};
use crate::{AgreementId, AgreementInstanceId, ClientId, PortalUserId, Timestamp};

named! {
    /// Where a client's copy of an agreement stands.
    AgreementState {
        /// Sent; nobody who may sign has opened it.
        Pending = "pending",
        /// Someone who may sign has opened it.
        Viewed = "viewed",
        /// Signed.
        Signed = "signed",
        /// Someone who may sign said no.
        Declined = "declined",
        /// A newer version was sent.
        Superseded = "superseded",
        /// Taken back by staff.
        Withdrawn = "withdrawn",
    }
}

named! {
    /// What can be done with a client's copy.
    AgreementAct {
        /// Open it.
        View = "view",
        /// Sign it.
        Sign = "sign",
        /// Say no.
        Decline = "decline",
        /// Send a newer version.
        Supersede = "supersede",
        /// Take it back.
        Withdraw = "withdraw",
    }
}

use AgreementAct as A;
use AgreementState as S;

const STEPS: [(S, A, S); 12] = [
    (S::Pending, A::View, S::Viewed),
    (S::Pending, A::Supersede, S::Superseded),
    (S::Pending, A::Withdraw, S::Withdrawn),
    (S::Viewed, A::View, S::Viewed),
    (S::Viewed, A::Sign, S::Signed),
    (S::Viewed, A::Decline, S::Declined),
    (S::Viewed, A::Supersede, S::Superseded),
    (S::Viewed, A::Withdraw, S::Withdrawn),
    // What has ended may be read for ever.
    (S::Signed, A::View, S::Signed),
    (S::Declined, A::View, S::Declined),
    (S::Superseded, A::View, S::Superseded),
    (S::Withdrawn, A::View, S::Withdrawn),
];

impl AgreementState {
    /// The state after an act; refused where the act is not for this state. Nothing is signed or declined unread.
    pub fn after(self, act: AgreementAct) -> Result<Self, WrongState> {
        step("agreement", &STEPS, self, Self::as_str, act, AgreementAct::as_str)
    }

    /// Whether it waits for someone.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Viewed)
    }
}

/// One version of an agreement. Once it was sent nothing of it changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Id.
    pub id: AgreementId,
    /// What its versions have in common: the id of the first.
    pub series_id: AgreementId,
    /// Which version; the first is 1.
    pub number: i32,
    /// Title.
    pub title: String,
    /// The text, plain or Markdown.
    pub text: String,
    /// Whether only Managers may sign.
    pub managers_only: bool,
    /// When it was first sent; none while it is a draft.
    pub sent_at: Option<Timestamp>,
    /// Made.
    pub created_at: Timestamp,
    /// Changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

/// A signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Who signed.
    pub by: PortalUserId,
    /// The name they typed.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// From which address.
    pub source_address: Option<String>,
    /// With which browser.
    pub user_agent: Option<String>,
    /// SHA-256 of the exact text that was signed, hex.
    pub text_hash: String,
}

/// A client's copy of one version of an agreement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgreementInstance {
    /// Id.
    pub id: AgreementInstanceId,
    /// The version.
    pub agreement_id: AgreementId,
    /// The agreement.
    pub series_id: AgreementId,
    /// The client.
    pub client_id: ClientId,
    /// To whom it is addressed; none means all Managers.
    pub addressee: Option<PortalUserId>,
    /// Where it stands.
    pub state: AgreementState,
    /// Sent.
    pub sent_at: Timestamp,
    /// First opened by someone who may sign.
    pub viewed_at: Option<Timestamp>,
    /// Signed, declined, superseded or withdrawn.
    pub ended_at: Option<Timestamp>,
    /// Why it was declined.
    pub reason: Option<String>,
    /// The signature.
    pub signature: Option<Signature>,
    /// Changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

impl AgreementInstance {
    /// Whether this person may sign it or say no.
    pub fn may_be_signed_by(&self, agreement: &Agreement, user: PortalUserId, role: PortalRole) -> bool {
        match self.addressee {
            Some(addressee) => addressee == user && (role == PortalRole::Manager || !agreement.managers_only),
            None => role == PortalRole::Manager,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_is_the_reviewed_one() {
        let row =
            |state: S| A::ALL.iter().map(|act| state.after(*act).map_or("-", S::as_str)).collect::<Vec<_>>().join(" ");
        assert_eq!(row(S::Pending), "viewed - - superseded withdrawn");
        assert_eq!(row(S::Viewed), "viewed signed declined superseded withdrawn");
        for ended in [S::Signed, S::Declined, S::Superseded, S::Withdrawn] {
            assert_eq!(row(ended), format!("{} - - - -", ended.as_str()));
        }
        assert!(S::ALL.iter().all(|state| S::parse(state.as_str()) == Some(*state)));
    }

    proptest! {
        /// Whatever is tried in whatever order: nothing is signed or declined unread, and there is one end at most.
        #[test]
        fn no_sequence_of_acts_signs_twice_or_unread(acts in proptest::collection::vec(0..A::ALL.len(), 0..60)) {
            let (mut state, mut viewed, mut ends) = (S::Pending, false, Vec::new());
            for act in acts.into_iter().map(|at| A::ALL[at]) {
                let before = state;
                if let Ok(next) = state.after(act) {
                    prop_assert!(viewed || !matches!(act, A::Sign | A::Decline));
                    viewed |= act == A::View;
                    if !next.is_open() && next != before {
                        ends.push(next);
                    }
                    state = next;
                } else {
                    prop_assert_ne!(act, A::View);
                }
            }
            prop_assert!(ends.len() <= 1 && ends.last().is_none_or(|end| *end == state));
        }

        /// Only Managers sign where only they may, and nobody signs what is addressed to another.
        #[test]
        fn only_those_meant_may_sign(managers_only: bool, addressed in proptest::option::of(0_u128..3), user in 0_u128..3, manager: bool) {
            let id = |n: u128| PortalUserId(uuid::Uuid::from_u128(n));
            let at = Timestamp::UNIX_EPOCH;
            let any = AgreementId(uuid::Uuid::nil());
            let agreement = Agreement {
                id: any, series_id: any, number: 1, title: String::new(), text: String::new(), managers_only,
                sent_at: Some(at), created_at: at, updated_at: at, version: 1,
            };
            let instance = AgreementInstance {
                id: AgreementInstanceId(uuid::Uuid::nil()), agreement_id: any, series_id: any,
                client_id: ClientId(uuid::Uuid::nil()), addressee: addressed.map(id), state: S::Viewed, sent_at: at,
                viewed_at: None, ended_at: None, reason: None, signature: None, updated_at: at, version: 1,
            };
            let role = if manager { PortalRole::Manager } else { PortalRole::User };
            let may = instance.may_be_signed_by(&agreement, id(user), role);
            prop_assert!(!(may && managers_only && !manager));
            prop_assert!(!(may && addressed.is_some_and(|other| other != user)));
            prop_assert!(!may || manager || addressed == Some(user), "a User signs what is addressed to them alone");
            let meant = if addressed.is_some() { manager || !managers_only } else { manager };
            prop_assert_eq!(may, meant && addressed.is_none_or(|one| one == user));
        }
    }
}
