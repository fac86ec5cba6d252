//! The states of a template of onboarding, of a client's onboarding, and of its steps.

use super::machine::{WrongState, named, step};
use crate::{Error, Result};

named! {
    /// Where a version of a template stands.
    OnboardingTemplateState {
        /// Being written.
        Draft = "draft",
        /// Assigned to clients from now on; nothing of it changes.
        Published = "published",
        /// Assigned to nobody any more; what was begun goes on.
        Retired = "retired",
    }
}

named! {
    /// What can be done with a version of a template.
    OnboardingTemplateAct {
        /// Change it.
        Edit = "edit",
        /// Fix it for good.
        Publish = "publish",
        /// Assign it to a client.
        Assign = "assign",
        /// Assign it no more.
        Retire = "retire",
    }
}

named! {
    /// Where a client's onboarding stands.
    OnboardingState {
        /// Something of it is to be done.
        Active = "active",
        /// Every step was done or skipped.
        Completed = "completed",
        /// Given up.
        Cancelled = "cancelled",
    }
}

named! {
    /// Where a step stands.
    OnboardingStepState {
        /// To be done.
        Open = "open",
        /// Done.
        Done = "done",
        /// Left out, with a reason.
        Skipped = "skipped",
    }
}

named! {
    /// What can be done with a client's onboarding.
    OnboardingAct {
        /// Do a step.
        Complete = "complete",
        /// Leave a step out.
        Skip = "skip",
        /// Ask for a step again.
        Reopen = "reopen",
        /// Give all of it up.
        Cancel = "cancel",
    }
}

use OnboardingAct as A;
use OnboardingState as S;
use OnboardingStepState as P;
use OnboardingTemplateAct as B;
use OnboardingTemplateState as T;

const OF_TEMPLATES: [(T, B, T); 4] = [
    (T::Draft, B::Edit, T::Draft),
    (T::Draft, B::Publish, T::Published),
    (T::Published, B::Assign, T::Published),
    (T::Published, B::Retire, T::Retired),
];

/// One that is active is completed as soon as none of its steps is open.
const OF_ONBOARDINGS: [(S, A, S); 5] = [
    (S::Active, A::Complete, S::Active),
    (S::Active, A::Skip, S::Active),
    (S::Active, A::Reopen, S::Active),
    (S::Active, A::Cancel, S::Cancelled),
    (S::Completed, A::Reopen, S::Active),
];

const OF_STEPS: [(P, A, P); 4] = [
    (P::Open, A::Complete, P::Done),
    (P::Open, A::Skip, P::Skipped),
    (P::Done, A::Reopen, P::Open),
    (P::Skipped, A::Reopen, P::Open),
];

impl OnboardingTemplateState {
    /// The state after an act; refused where the act is not for this state.
    pub fn after(self, act: OnboardingTemplateAct) -> Result<Self, WrongState> {
        step("template", &OF_TEMPLATES, self, Self::as_str, act, OnboardingTemplateAct::as_str)
    }
}

impl OnboardingState {
    /// The state after an act; refused where the act is not for this state.
    fn after(self, act: OnboardingAct) -> Result<Self, WrongState> {
        step("onboarding", &OF_ONBOARDINGS, self, Self::as_str, act, OnboardingAct::as_str)
    }

    /// The state once it is given up.
    pub fn cancelled(self) -> Result<Self, WrongState> {
        self.after(OnboardingAct::Cancel)
    }
}

impl OnboardingStepState {
    /// The state after an act; refused where the act is not for this state.
    fn after(self, act: OnboardingAct) -> Result<Self, WrongState> {
        step("step", &OF_STEPS, self, Self::as_str, act, OnboardingAct::as_str)
    }
}

/// Which step is to be done now: the first that is open.
pub fn current_step(steps: &[OnboardingStepState]) -> Option<usize> {
    steps.iter().position(|state| *state == P::Open)
}

/// What becomes of an onboarding and its step when something is done with that step: one is done at a time, in order.
pub fn step_after(
    state: OnboardingState,
    steps: &[OnboardingStepState],
    at: usize,
    act: OnboardingAct,
) -> Result<(OnboardingState, OnboardingStepState)> {
    let next = state.after(act)?;
    let before = steps.get(at).copied().ok_or(Error::NotFound { what: "step" })?;
    let settled = before.after(act)?;
    if act == A::Complete && current_step(steps) != Some(at) {
        let message = "The steps before this one are not done yet: do them first.";
        return Err(Error::conflict("not_the_current_step", message));
    }
    let mut after = steps.to_vec();
    after[at] = settled;
    let over = next == S::Active && current_step(&after).is_none();
    Ok((if over { S::Completed } else { next }, settled))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_tables_are_the_reviewed_ones() {
        let row =
            |state: T| B::ALL.iter().map(|act| state.after(*act).map_or("-", T::as_str)).collect::<Vec<_>>().join(" ");
        assert_eq!(row(T::Draft), "draft published - -");
        assert_eq!(row(T::Published), "- - published retired");
        assert_eq!(row(T::Retired), "- - - -");
        let row =
            |state: S| A::ALL.iter().map(|act| state.after(*act).map_or("-", S::as_str)).collect::<Vec<_>>().join(" ");
        assert_eq!(row(S::Active), "active active active cancelled");
        assert_eq!(row(S::Completed), "- - active -");
        assert_eq!(row(S::Cancelled), "- - - -");
        let row =
            |state: P| A::ALL.iter().map(|act| state.after(*act).map_or("-", P::as_str)).collect::<Vec<_>>().join(" ");
        assert_eq!(row(P::Open), "done skipped - -");
        assert_eq!(row(P::Done), "- - open -");
        assert_eq!(row(P::Skipped), "- - open -");
    }

    #[test]
    fn names_are_read_back() {
        assert!(T::ALL.iter().all(|state| T::parse(state.as_str()) == Some(*state)));
        assert!(S::ALL.iter().all(|state| S::parse(state.as_str()) == Some(*state)));
        assert!(P::ALL.iter().all(|state| P::parse(state.as_str()) == Some(*state)));
    }

    proptest! {
        /// Whatever is tried in whatever order: it is completed exactly while nothing is open, what was given up stays
        /// so, steps are done in order, and what is refused changes nothing.
        #[test]
        fn no_sequence_of_acts_takes_a_forbidden_way(
            count in 1_usize..6,
            acts in proptest::collection::vec((0..A::ALL.len(), 0_usize..7), 0..80),
        ) {
            let (mut state, mut steps) = (S::Active, vec![P::Open; count]);
            for (act, at) in acts.into_iter().map(|(act, at)| (A::ALL[act], at)) {
                let before = (state, steps.clone());
                if act == A::Cancel {
                    match state.cancelled() {
                        Ok(next) => {
                            prop_assert_eq!((state, next), (S::Active, S::Cancelled));
                            state = next;
                        }
                        Err(_) => prop_assert_ne!(state, S::Active),
                    }
                } else if let Ok((next, settled)) = step_after(state, &steps, at, act) {
                    prop_assert!(at < count && state != S::Cancelled);
                    prop_assert!(act != A::Complete || steps[..at].iter().all(|one| *one != P::Open));
                    prop_assert_eq!(steps[at] == P::Open, act != A::Reopen);
                    prop_assert_eq!(settled, match act { A::Complete => P::Done, A::Skip => P::Skipped, _ => P::Open });
                    (state, steps[at]) = (next, settled);
                }
                let open = steps.contains(&P::Open);
                prop_assert_eq!(state == S::Completed, state != S::Cancelled && !open);
                if before.0 == S::Cancelled {
                    prop_assert_eq!(before, (state, steps.clone()));
                }
            }
        }

        /// Whoever does the current step again and again, or skips it, comes to the end after as many acts as there
        /// are steps.
        #[test]
        fn every_onboarding_can_be_ended(skips in proptest::collection::vec(any::<bool>(), 1..40)) {
            let (mut state, mut steps) = (S::Active, vec![P::Open; skips.len()]);
            for skip in skips {
                let at = current_step(&steps).expect("one is open");
                let act = if skip { A::Skip } else { A::Complete };
                (state, steps[at]) = step_after(state, &steps, at, act).expect("is possible");
            }
            prop_assert_eq!((state, current_step(&steps)), (S::Completed, None));
        }
    }
}
