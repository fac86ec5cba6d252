//! The states of a ticket that ClientOne keeps, and of what is to reach a PSA of it.

use super::machine::{WrongState, named, step};

named! {
    /// Where a ticket stands.
    PortalTicketState {
        /// Nobody has begun to work on it.
        Open = "open",
        /// Someone works on it.
        InProgress = "in_progress",
        /// It waits for an answer of whoever asked.
        Waiting = "waiting",
        /// It is done with.
        Closed = "closed",
    }
}

named! {
    /// What can be done with a ticket.
    PortalTicketAct {
        /// Begin to work on it.
        Start = "start",
        /// Wait for an answer of whoever asked.
        Wait = "wait",
        /// Say something to whoever asked: staff.
        Reply = "reply",
        /// Say something to staff: someone of the client.
        Answer = "answer",
        /// Be done with it.
        Close = "close",
        /// Take it up again.
        Reopen = "reopen",
    }
}

use PortalTicketAct as A;
use PortalTicketState as S;

const STEPS: [(S, A, S); 15] = [
    (S::Open, A::Start, S::InProgress),
    (S::Open, A::Wait, S::Waiting),
    (S::Open, A::Reply, S::Open),
    (S::Open, A::Answer, S::Open),
    (S::Open, A::Close, S::Closed),
    (S::InProgress, A::Wait, S::Waiting),
    (S::InProgress, A::Reply, S::InProgress),
    (S::InProgress, A::Answer, S::InProgress),
    (S::InProgress, A::Close, S::Closed),
    (S::Waiting, A::Start, S::InProgress),
    (S::Waiting, A::Reply, S::Waiting),
    // Who was waited for has spoken.
    (S::Waiting, A::Answer, S::Open),
    (S::Waiting, A::Close, S::Closed),
    (S::Closed, A::Reopen, S::Open),
    // Two who close it at once have both closed it.
    (S::Closed, A::Close, S::Closed),
];

impl PortalTicketState {
    /// The state after an act; refused where the act is not for this state.
    pub fn after(self, act: PortalTicketAct) -> Result<Self, WrongState> {
        step("ticket", &STEPS, self, Self::as_str, act, PortalTicketAct::as_str)
    }

    /// Whether anything is still to be done.
    pub fn is_open(self) -> bool {
        self != Self::Closed
    }

    /// The state in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InProgress => "in progress",
            Self::Waiting => "waiting for your answer",
            Self::Closed => "closed",
        }
    }
}

named! {
    /// How something is that is to reach a PSA.
    TicketSendingState {
        /// It waits for its turn, or for the PSA.
        Queued = "queued",
        /// It is on its way.
        Sending = "sending",
        /// The PSA has it.
        Sent = "sent",
        /// No answer came: whether the PSA has it is not known.
        Unknown = "unknown",
        /// The PSA does not take it.
        Refused = "refused",
    }
}

named! {
    /// What happens to something that is to reach a PSA.
    TicketSendingAct {
        /// Someone takes it in hand, alone.
        Take = "take",
        /// The PSA took it, or tells that it has it.
        Arrive = "arrive",
        /// It surely did not get there, and may later.
        PutBack = "put_back",
        /// No answer came.
        Lose = "lose",
        /// The PSA said no.
        Refuse = "refuse",
        /// Someone wants it tried once more.
        Again = "again",
    }
}

use TicketSendingAct as T;
use TicketSendingState as Q;

/// From `Sending` and `Unknown` nothing leads to another sending but knowing that it did not get there.
const SENDING: [(Q, T, Q); 8] = [
    (Q::Queued, T::Take, Q::Sending),
    (Q::Sending, T::Arrive, Q::Sent),
    (Q::Sending, T::PutBack, Q::Queued),
    (Q::Sending, T::Lose, Q::Unknown),
    (Q::Sending, T::Refuse, Q::Refused),
    (Q::Unknown, T::Arrive, Q::Sent),
    (Q::Unknown, T::PutBack, Q::Queued),
    (Q::Refused, T::Again, Q::Queued),
];

impl TicketSendingState {
    /// The state after this; refused where it is not for this state.
    pub fn after(self, act: TicketSendingAct) -> Result<Self, WrongState> {
        step("message to the PSA", &SENDING, self, Self::as_str, act, TicketSendingAct::as_str)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The whole table as text: what a reviewer reads.
    fn rows() -> Vec<String> {
        let cell = |state: S, act: A| state.after(act).map_or("-", S::as_str);
        S::ALL.iter().map(|state| A::ALL.iter().map(|act| cell(*state, *act)).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn the_table_is_the_reviewed_one() {
        // start, wait, reply, answer, close, reopen
        let expected = [
            "in_progress waiting open open closed -",
            "- waiting in_progress in_progress closed -",
            "in_progress - waiting open closed -",
            "- - - - closed open",
        ];
        assert_eq!(rows(), expected);
        assert!(S::ALL.iter().all(|state| S::parse(state.as_str()) == Some(*state)));
        assert!(A::ALL.iter().all(|act| A::parse(act.as_str()) == Some(*act)));
    }

    proptest! {
        /// Whatever is tried in whatever order: what is closed is taken up again by nothing but reopening, nothing is
        /// said about what is closed, and talking closes nothing.
        #[test]
        fn no_sequence_of_acts_takes_a_forbidden_way(acts in proptest::collection::vec(0..A::ALL.len(), 0..60)) {
            let mut state = S::Open;
            for act in acts.into_iter().map(|at| A::ALL[at]) {
                match state.after(act) {
                    Ok(next) => {
                        prop_assert_eq!(next == S::Closed, act == A::Close);
                        if state == S::Closed {
                            prop_assert!(matches!(act, A::Reopen | A::Close));
                        }
                        if act == A::Answer {
                            prop_assert_ne!(next, S::Waiting);
                        }
                        state = next;
                    }
                    Err(refused) => {
                        prop_assert!(!refused.possible.contains(&act.as_str()));
                        prop_assert!(!refused.possible.is_empty(), "nothing can be done any more");
                    }
                }
            }
        }

        /// Whatever happens in whatever order: between two sendings stands the knowledge that the first did not get
        /// there, and what got there is sent no more.
        #[test]
        fn nothing_is_sent_twice_on_a_guess(acts in proptest::collection::vec(0..T::ALL.len(), 0..60)) {
            let (mut state, mut surely_not_there, mut there) = (Q::Queued, true, false);
            for act in acts.into_iter().map(|at| T::ALL[at]) {
                let Ok(next) = state.after(act) else { continue };
                match act {
                    T::Take => {
                        prop_assert!(surely_not_there && !there);
                        surely_not_there = false;
                    }
                    T::PutBack | T::Refuse => surely_not_there = true,
                    T::Arrive => there = true,
                    T::Lose | T::Again => {}
                }
                state = next;
            }
            prop_assert_eq!(there, state == Q::Sent);
        }
    }
}
