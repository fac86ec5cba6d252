//! How an onboarding goes on: the one way in which its steps change, whoever does them.

use domain::{
    AgreementState, ClientId, Error, Onboarding, OnboardingAct, OnboardingContent, OnboardingState, OnboardingStep,
    OnboardingStepId, OnboardingStepState, PortalUserId, Result, StaffId, current_step, step_after,
};
use persistence::Tx;

/// An onboarding with its steps, as they were read and as they are to be.
pub(crate) struct Course {
    before: Onboarding,
    steps_before: Vec<OnboardingStep>,
    /// Where it is to stand.
    pub state: OnboardingState,
    /// The steps, in order.
    pub steps: Vec<OnboardingStep>,
}

/// The states of steps.
pub(crate) fn states(steps: &[OnboardingStep]) -> Vec<OnboardingStepState> {
    steps.iter().map(|step| step.state).collect()
}

impl Course {
    /// An onboarding, read with its row locked in a transaction that writes.
    pub async fn of(tx: &Tx, before: Onboarding) -> Result<Self> {
        let steps = tx.onboarding_steps(before.id).await?;
        Ok(Self { state: before.state, steps_before: steps.clone(), steps, before })
    }

    /// Where a step stands in it.
    pub fn place(&self, id: OnboardingStepId) -> Result<usize> {
        self.steps.iter().position(|step| step.id == id).ok_or(Error::NotFound { what: "step" })
    }

    /// Does something with a step.
    pub fn act(&mut self, at: usize, act: OnboardingAct) -> Result<&mut OnboardingStep> {
        let (state, settled) = step_after(self.state, &states(&self.steps), at, act)?;
        self.state = state;
        self.steps[at].state = settled;
        Ok(&mut self.steps[at])
    }

    /// Does the step, in the name of a portal user or a staff user.
    pub fn settle(
        &mut self,
        at: usize,
        act: OnboardingAct,
        tx: &Tx,
        by: (Option<PortalUserId>, Option<StaffId>),
    ) -> Result<&mut OnboardingStep> {
        let step = self.act(at, act)?;
        step.settled_at = Some(tx.now());
        (step.portal_user_id, step.staff_id) = by;
        Ok(step)
    }

    /// Passes agreements that are signed already: as long as one is the current step, it is done by itself.
    pub async fn pass_signed(&mut self, tx: &Tx) -> Result<()> {
        while let Some(at) = current_step(&states(&self.steps)) {
            let Some(signer) = signer(tx, self.before.client_id, &self.steps[at].content).await? else { break };
            self.settle(at, OnboardingAct::Complete, tx, (Some(signer), None))?;
        }
        Ok(())
    }

    /// Writes what has changed.
    pub async fn save(self, tx: &Tx) -> Result<(Onboarding, Vec<OnboardingStep>)> {
        let mut steps = Vec::with_capacity(self.steps.len());
        for (before, after) in self.steps_before.iter().zip(self.steps) {
            steps.push(if *before == after { after } else { tx.onboarding_step_save(before, after).await? });
        }
        if steps == self.steps_before && self.state == self.before.state {
            return Ok((self.before, steps));
        }
        let moved = Onboarding { state: self.state, ..self.before.clone() };
        let after = tx.onboarding_save(&self.before, counted(moved, &steps, tx)).await?;
        Ok((after, steps))
    }
}

/// An onboarding that moved just now, with how far it is by its steps.
pub(crate) fn counted(row: Onboarding, steps: &[OnboardingStep], tx: &Tx) -> Onboarding {
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let current = current_step(&states(steps)).filter(|_| row.state == OnboardingState::Active);
    Onboarding {
        total: number(steps.len()),
        settled: number(steps.iter().filter(|step| step.state != OnboardingStepState::Open).count()),
        current: current.map(|at| steps[at].title.clone()),
        moved_at: tx.now(),
        ended_at: (row.state != OnboardingState::Active).then(|| tx.now()),
        ..row
    }
}

/// Who signed the newest copy of the agreement that a step asks for; none while nobody has, and of other steps.
pub(crate) async fn signer(tx: &Tx, client: ClientId, content: &OnboardingContent) -> Result<Option<PortalUserId>> {
    let OnboardingContent::Agreement { series_id } = content else { return Ok(None) };
    let copy = tx.agreement_copy_of(client, *series_id).await?;
    let signed = copy.filter(|copy| copy.state == AgreementState::Signed);
    Ok(signed.and_then(|copy| copy.signature).map(|signature| signature.by))
}

/// A client's agreement was signed: what waits for that goes on. The caller commits.
pub(crate) async fn agreement_signed(tx: &Tx, client: ClientId) -> Result<()> {
    for onboarding in tx.onboardings_active(client).await? {
        let mut course = Course::of(tx, onboarding).await?;
        course.pass_signed(tx).await?;
        course.save(tx).await?;
    }
    Ok(())
}
