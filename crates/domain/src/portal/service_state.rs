//! The states of a service request.

use super::machine::{WrongState, named, step};

named! {
    /// Where a service request stands.
    ServiceRequestState {
        /// Sent by someone of a client; nobody has looked at it.
        Submitted = "submitted",
        /// Someone looks at it.
        InReview = "in_review",
        /// It is being done.
        InProgress = "in_progress",
        /// It was done.
        Completed = "completed",
        /// It will not be done; the reason was said.
        Rejected = "rejected",
        /// Taken back by whoever sent it.
        Cancelled = "cancelled",
    }
}

named! {
    /// What can be done with a service request.
    ServiceRequestAct {
        /// Look at it.
        Review = "review",
        /// Begin to do it.
        Start = "start",
        /// Say that it was done.
        Complete = "complete",
        /// Say that it will not be done, and why.
        Reject = "reject",
        /// Take it back: only its requester.
        Cancel = "cancel",
        /// Only say something.
        Note = "note",
    }
}

use ServiceRequestAct as A;
use ServiceRequestState as S;

const STEPS: [(S, A, S); 10] = [
    (S::Submitted, A::Review, S::InReview),
    (S::Submitted, A::Reject, S::Rejected),
    (S::Submitted, A::Cancel, S::Cancelled),
    (S::Submitted, A::Note, S::Submitted),
    (S::InReview, A::Start, S::InProgress),
    (S::InReview, A::Reject, S::Rejected),
    (S::InReview, A::Note, S::InReview),
    (S::InProgress, A::Complete, S::Completed),
    (S::InProgress, A::Reject, S::Rejected),
    (S::InProgress, A::Note, S::InProgress),
];

impl ServiceRequestState {
    /// The state after an act; refused where the act is not for this state.
    pub fn after(self, act: ServiceRequestAct) -> Result<Self, WrongState> {
        step("service request", &STEPS, self, Self::as_str, act, ServiceRequestAct::as_str)
    }

    /// Whether anything can still become of it.
    pub fn is_open(self) -> bool {
        STEPS.iter().any(|(from, ..)| *from == self)
    }

    /// The state in a sentence ("in review").
    pub fn words(self) -> String {
        self.as_str().replace('_', " ")
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
        assert_eq!(row(S::Submitted), "in_review - - rejected cancelled submitted");
        assert_eq!(row(S::InReview), "- in_progress - rejected - in_review");
        assert_eq!(row(S::InProgress), "- - completed rejected - in_progress");
        for state in [S::Completed, S::Rejected, S::Cancelled] {
            assert_eq!(row(state), "- - - - - -");
            assert!(!state.is_open());
        }
    }

    #[test]
    fn names_are_read_back() {
        assert!(S::ALL.iter().all(|state| S::parse(state.as_str()) == Some(*state)));
        assert!(A::ALL.iter().all(|act| A::parse(act.as_str()) == Some(*act)));
        assert_eq!(serde_json::to_value(S::InReview).expect("writes"), "in_review");
    }

    proptest! {
        /// Whatever is tried in whatever order: nothing is completed that was not looked at and begun, nothing is
        /// cancelled that anybody has looked at, and what has ended stays as it ended.
        #[test]
        fn no_sequence_of_acts_takes_a_forbidden_way(acts in proptest::collection::vec(0..A::ALL.len(), 0..60)) {
            let (mut state, mut way) = (S::Submitted, vec![S::Submitted]);
            for act in acts.into_iter().map(|at| A::ALL[at]) {
                let ended = matches!(state, S::Completed | S::Rejected | S::Cancelled);
                match state.after(act) {
                    Ok(next) => {
                        prop_assert!(!ended);
                        prop_assert_eq!(next == state, act == A::Note);
                        state = next;
                        way.push(next);
                    }
                    Err(refused) => {
                        prop_assert!(!refused.possible.contains(&act.as_str()));
                        prop_assert_eq!(refused.possible.is_empty(), ended);
                    }
                }
            }
            way.dedup();
            let whole = [S::Submitted, S::InReview, S::InProgress];
            match state {
                S::Completed => prop_assert_eq!(&way[..], &[&whole[..], &[S::Completed][..]].concat()[..]),
                S::Cancelled => prop_assert_eq!(&way[..], &[S::Submitted, S::Cancelled]),
                S::Rejected => prop_assert_eq!(&way[..way.len() - 1], &whole[..way.len() - 1]),
                _ => prop_assert_eq!(&way[..], &whole[..way.len()]),
            }
        }
    }
}
