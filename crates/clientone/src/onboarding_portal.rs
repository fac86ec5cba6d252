//! Onboarding as people of a client do it, one step at a time.

use domain::{
    AgreementInstance, AgreementState, Error, FieldAnswer, GivenCredential, LibraryDocument, Listed, Onboarding,
    OnboardingAct, OnboardingContent, OnboardingId, OnboardingState, OnboardingStep, OnboardingStepId, PageRequest,
    PortalPermission, PortalSettings, Problem, Reach, Result, check_answers, check_credentials, current_step,
};
use persistence::{OnboardingFilter, PortalUserRow, Tx};

use crate::onboarding_course::{Course, signer, states};

/// What someone gives with a step; each only where the step asks for it.
#[derive(Clone, Debug, Default)]
pub struct StepGiven {
    /// Answers by the key of their field.
    pub answers: Option<Vec<(String, String)>>,
    /// Credentials by their label.
    pub credentials: Option<Vec<GivenCredential>>,
}

/// The step that is to be done now, with what it takes to do it.
#[derive(Clone, Debug)]
pub struct CurrentStep {
    /// The step.
    pub step: OnboardingStep,
    /// The client's copy of the agreement that it asks for; none while it was not sent.
    pub agreement: Option<AgreementInstance>,
    /// The document that it asks for; none while it is not published for the client.
    pub document: Option<LibraryDocument>,
}

/// The client's onboardings, the newest first; without a state those that are under way.
pub async fn onboardings_seen_by(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    state: Option<OnboardingState>,
    page: &PageRequest,
) -> Result<Listed<Onboarding>> {
    tx.context().require_portal(PortalPermission::OnboardingView, settings)?;
    let state = Some(state.unwrap_or(OnboardingState::Active));
    let filter = OnboardingFilter { client: Some(user.client_id), state, ..OnboardingFilter::default() };
    tx.onboarding_list(&filter, page).await
}

/// An onboarding of the caller's client with its steps, and the one that is to be done now. What was answered is for
/// those who see all of the client.
pub async fn onboarding_seen_by(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: OnboardingId,
) -> Result<(Onboarding, Vec<OnboardingStep>, Option<CurrentStep>)> {
    let reach = tx.context().require_portal(PortalPermission::OnboardingView, settings)?;
    let row = own(tx, user, id).await?;
    let mut steps = tx.onboarding_steps(id).await?;
    if reach != Reach::All {
        steps.iter_mut().for_each(|step| step.answers.clear());
    }
    let current = onboarding_current(tx, &row, &steps).await?;
    Ok((row, steps, current))
}

/// The step of an onboarding that is to be done now, with what it takes to do it.
pub async fn onboarding_current(tx: &Tx, row: &Onboarding, steps: &[OnboardingStep]) -> Result<Option<CurrentStep>> {
    let at = current_step(&states(steps)).filter(|_| row.state == OnboardingState::Active);
    let Some(step) = at.map(|at| steps[at].clone()) else { return Ok(None) };
    let (mut agreement, mut document) = (None, None);
    match step.content {
        OnboardingContent::Agreement { series_id } => {
            agreement = tx.agreement_copy_of(row.client_id, series_id).await?;
        }
        OnboardingContent::Document { document_id } => {
            document = match tx.library_document(document_id).await {
                Ok(document) => Some(document).filter(|document| document.shown_to(row.client_id)),
                Err(Error::NotFound { .. }) => None,
                Err(other) => return Err(other),
            };
        }
        _ => {}
    }
    Ok(Some(CurrentStep { step, agreement, document }))
}

async fn own(tx: &Tx, user: &PortalUserRow, id: OnboardingId) -> Result<Onboarding> {
    let row = tx.onboarding(id).await?;
    if row.client_id == user.client_id { Ok(row) } else { Err(Error::NotFound { what: "onboarding" }) }
}

/// Does the current step with what its kind needs. Credentials are sealed, and no portal sees them again. The caller
/// commits.
pub async fn onboarding_step_complete(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: OnboardingId,
    step: OnboardingStepId,
    given: StepGiven,
) -> Result<(Onboarding, Vec<OnboardingStep>, Option<CurrentStep>)> {
    tx.context().require_portal(PortalPermission::OnboardingComplete, settings)?;
    let mut course = Course::of(tx, own(tx, user, id).await?).await?;
    let at = course.place(step)?;
    let done = course.settle(at, OnboardingAct::Complete, tx, (Some(user.id), None))?;
    let (answers, credentials) = check_given(tx, user, &done.content, given).await?;
    done.answers = answers;
    if credentials.is_some() {
        done.credentials_at = Some(tx.now());
    }
    course.pass_signed(tx).await?;
    let (row, steps) = course.save(tx).await?;
    if let Some(credentials) = credentials {
        tx.onboarding_credentials_seal(step, Some(&credentials)).await?;
    }
    let current = onboarding_current(tx, &row, &steps).await?;
    Ok((row, steps, current))
}

type Checked = (Vec<FieldAnswer>, Option<Vec<GivenCredential>>);

/// Checks what was given against what the step asks for.
async fn check_given(tx: &Tx, user: &PortalUserRow, content: &OnboardingContent, given: StepGiven) -> Result<Checked> {
    let mut problems = Vec::new();
    let mut unasked = |pointer: &str| {
        problems.push(Problem::new(pointer, "not_asked", "must be left out: this step does not ask for it"));
    };
    if given.answers.is_some() && !matches!(content, OnboardingContent::Form { .. }) {
        unasked("/answers");
    }
    if given.credentials.is_some() && !matches!(content, OnboardingContent::Credentials { .. }) {
        unasked("/credentials");
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    match content {
        OnboardingContent::Form { fields } => {
            let answers = check_answers(fields, &given.answers.unwrap_or_default()).map_err(Error::Invalid)?;
            Ok((answers, None))
        }
        OnboardingContent::Credentials { wanted } => {
            let found = check_credentials(wanted, &given.credentials.unwrap_or_default()).map_err(Error::Invalid)?;
            Ok((Vec::new(), Some(found)))
        }
        OnboardingContent::Agreement { series_id } => {
            if signer(tx, user.client_id, content).await?.is_none() {
                return Err(unsigned(tx.agreement_copy_of(user.client_id, *series_id).await?));
            }
            Ok((Vec::new(), None))
        }
        OnboardingContent::Document { document_id } => {
            let shown = match tx.library_document(*document_id).await {
                Ok(document) => document.shown_to(user.client_id),
                Err(Error::NotFound { .. }) => false,
                Err(other) => return Err(other),
            };
            if !shown {
                let message = "The document of this step is not published any more: ask your provider.";
                return Err(Error::conflict("document_not_published", message));
            }
            Ok((Vec::new(), None))
        }
        OnboardingContent::Kickoff { .. } | OnboardingContent::Task { .. } => Ok((Vec::new(), None)),
    }
}

/// Why an agreement's step cannot be done yet, and what helps.
fn unsigned(copy: Option<AgreementInstance>) -> Error {
    let message = match copy.map(|copy| copy.state) {
        None => "The agreement of this step was not sent to you yet: ask your provider to send it.",
        Some(AgreementState::Declined) => {
            "The agreement of this step was declined: ask your provider to send it again, or to skip this step."
        }
        Some(_) => "Read the agreement of this step and sign it, under Agreements: this step is then done by itself.",
    };
    Error::conflict("agreement_not_signed", message)
}
