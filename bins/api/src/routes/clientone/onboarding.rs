//! Onboarding, as people of a client do it: one step at a time.

use std::fmt;

use chrono::{DateTime, Utc};
use clientone::{CurrentStep, StepGiven};
use domain::{
    GivenCredential, Onboarding as Row, OnboardingContent, OnboardingId, OnboardingStep as Step, OnboardingStepId,
    PortalPermission,
};
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    PortalChapter,
    service_requests::{GivenAnswer, parts},
};
use crate::{
    app::AppData,
    changes::Written,
    page::{Answer, Page, page_request},
    portal_auth::PortalCaller,
    problem::Failure,
    routes::clientone_admin::{
        agreement_copies::AgreementStanding,
        onboarding_shapes::{OnboardingStanding, OnboardingStepSort, OnboardingStepStanding},
        service_requests::RequestAnswer,
        service_types::{RequestField, shown_form},
    },
    write::{Asked, Begun},
};

/// An onboarding of one's company, and how far it is.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CompanyOnboarding {
    /// Id
    pub id: Uuid,
    /// What it is called
    pub name: String,
    pub state: OnboardingStanding,
    /// How many steps it has
    pub total: i32,
    /// How many of them are done or skipped
    pub done: i32,
    /// The title of the step that is to be done now
    pub current_step: Option<String>,
    /// Begun
    pub started_at: DateTime<Utc>,
    /// When something was last done with a step
    pub moved_at: DateTime<Utc>,
    /// Completed or cancelled
    pub ended_at: Option<DateTime<Utc>>,
}

/// A step of an onboarding.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CompanyOnboardingStep {
    /// Id
    pub id: Uuid,
    /// Its place; the first is 1
    pub number: i32,
    /// What it is called
    pub title: String,
    pub kind: OnboardingStepSort,
    pub state: OnboardingStepStanding,
    /// Done or skipped
    pub settled_at: Option<DateTime<Utc>>,
    /// What was answered in a form; only for Managers
    pub answers: Vec<RequestAnswer>,
    /// Why it was skipped
    pub reason: Option<String>,
}

/// The step that is to be done now.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct OnboardingTodo {
    /// Id
    pub id: Uuid,
    /// Its place; the first is 1
    pub number: i32,
    /// What it is called
    pub title: String,
    pub kind: OnboardingStepSort,
    /// Whether you may do it
    pub may_complete: bool,
    /// Of a kickoff or a task: what is to be read
    pub text: Option<String>,
    /// Of a kickoff: where to go on
    pub link: Option<String>,
    /// Of a form: what is to be answered
    pub fields: Option<Vec<RequestField>>,
    /// Of credentials: what each is called
    pub wanted: Option<Vec<String>>,
    /// Of an agreement: your company's copy of it, to be read and signed; absent while it was not sent
    pub agreement_instance_id: Option<Uuid>,
    /// Of an agreement: where that copy stands
    pub agreement_state: Option<AgreementStanding>,
    /// Of a document: its title; absent while it is not published
    pub document_title: Option<String>,
    /// Of a document: its text, in Markdown
    pub document_text: Option<String>,
}

/// An onboarding with its steps.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CompanyOnboardingWhole {
    pub onboarding: CompanyOnboarding,
    /// Its steps, in order
    pub steps: Vec<CompanyOnboardingStep>,
    /// The step that is to be done now; absent once nothing is
    pub todo: Option<OnboardingTodo>,
}

/// A credential. It is sealed, and shown to nobody of your company again.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct CredentialGiven {
    /// What it is called, as the step says
    pub label: String,
    /// The credential, kept as it is typed
    pub value: String,
}

impl fmt::Debug for CredentialGiven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CredentialGiven({})", self.label)
    }
}

/// What a step needs to be done: answers for a form, credentials where they are wanted, else nothing.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct OnboardingStepComplete {
    /// Of a form: answers to its fields
    pub answers: Option<Vec<GivenAnswer>>,
    /// Of credentials: each that is wanted
    pub credentials: Option<Vec<CredentialGiven>>,
}

/// Onboarding.
pub struct CompanyOnboardings;

#[OpenApi(prefix_path = "/api/clientone/onboarding", tag = "PortalChapter::Onboarding")]
impl CompanyOnboardings {
    /// My company's onboardings, the newest first
    #[oai(path = "/", method = "get", operation_id = "onboarding_list")]
    async fn onboarding_list(
        &self,
        caller: PortalCaller,
        uri: &poem::http::Uri,
        /// Only those in this state; those under way when left out
        state: Query<Option<OnboardingStanding>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<CompanyOnboarding>>, Failure> {
        let (tx, visit) = caller.visit()?;
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let (user, settings) = (&visit.user, &visit.config.settings);
        let state = state.0.map(Into::into);
        let listed = clientone::onboardings_seen_by(&tx, user, settings, state, &page).await?;
        Ok(Answer::page(listed.map(view), uri))
    }

    /// One onboarding: its steps, and all of the one that is to be done now
    #[oai(path = "/:onboarding_id", method = "get", operation_id = "onboarding_get")]
    async fn onboarding_get(
        &self,
        caller: PortalCaller,
        onboarding_id: Path<Uuid>,
    ) -> Result<Answer<CompanyOnboardingWhole>, Failure> {
        let (tx, visit) = caller.visit()?;
        let (user, settings) = (&visit.user, &visit.config.settings);
        let id = OnboardingId(onboarding_id.0);
        let seen = clientone::onboarding_seen_by(&tx, user, settings, id).await?;
        let may = tx.context().require_portal(PortalPermission::OnboardingComplete, settings).is_ok();
        Ok(Answer::new(whole(seen, may)))
    }

    /// Do the step that is to be done now
    ///
    /// An agreement's step is done by itself once your company's copy is signed. It takes no idempotency key, because
    /// what it is sent may be secret: a second try finds the step done.
    #[oai(
        path = "/:onboarding_id/steps/:onboarding_step_id/complete",
        method = "post",
        operation_id = "onboarding_step_complete"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn onboarding_step_complete(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        onboarding_id: Path<Uuid>,
        onboarding_step_id: Path<Uuid>,
        body: Json<OnboardingStepComplete>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<CompanyOnboardingWhole>>, Failure> {
        let (context, visit) = parts(caller)?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (permission, settings) = (PortalPermission::OnboardingComplete, &visit.config.settings);
        let (id, step) = (OnboardingId(onboarding_id.0), OnboardingStepId(onboarding_step_id.0));
        let action = "onboarding_step_complete";
        let write = match app.begin_portal(&context, permission, settings, action, asked, &(id, step)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let OnboardingStepComplete { answers, credentials } = body.0;
        let answer = |given: GivenAnswer| (given.key, given.value);
        let credential = |given: CredentialGiven| GivenCredential { label: given.label, value: given.value };
        let given = StepGiven {
            answers: answers.map(|all| all.into_iter().map(answer).collect()),
            credentials: credentials.map(|all| all.into_iter().map(credential).collect()),
        };
        let done = clientone::onboarding_step_complete(&write.tx, &visit.user, settings, id, step, given).await;
        let (write, seen) = app.passed(write, done).await?;
        Ok(Answer::new(write.finish(Some(whole(seen, true)), Vec::new()).await?))
    }
}

fn whole((row, steps, current): (Row, Vec<Step>, Option<CurrentStep>), may: bool) -> CompanyOnboardingWhole {
    CompanyOnboardingWhole {
        onboarding: view(row),
        steps: steps.into_iter().map(step_view).collect(),
        todo: current.map(|current| todo(current, may)),
    }
}

fn view(row: Row) -> CompanyOnboarding {
    CompanyOnboarding {
        id: row.id.0,
        name: row.name,
        state: row.state.into(),
        total: row.total,
        done: row.settled,
        current_step: row.current,
        started_at: row.started_at,
        moved_at: row.moved_at,
        ended_at: row.ended_at,
    }
}

fn step_view(step: Step) -> CompanyOnboardingStep {
    CompanyOnboardingStep {
        id: step.id.0,
        number: step.number,
        kind: step.content.kind().into(),
        title: step.title,
        state: step.state.into(),
        settled_at: step.settled_at,
        answers: step.answers.into_iter().map(Into::into).collect(),
        reason: step.reason,
    }
}

fn todo(current: CurrentStep, may_complete: bool) -> OnboardingTodo {
    let CurrentStep { step, agreement, document } = current;
    let (agreement_instance_id, agreement_state) = agreement
        .map(|copy| (copy.id.0, copy.state.into()))
        .map_or((None, None), |(id, state)| (Some(id), Some(state)));
    let (document_title, document_text) =
        document.map_or((None, None), |document| (Some(document.title), Some(document.content)));
    let mut todo = OnboardingTodo {
        id: step.id.0,
        number: step.number,
        title: step.title,
        kind: step.content.kind().into(),
        may_complete,
        text: None,
        link: None,
        fields: None,
        wanted: None,
        agreement_instance_id,
        agreement_state,
        document_title,
        document_text,
    };
    match step.content {
        OnboardingContent::Kickoff { text, link } => (todo.text, todo.link) = (Some(text), link),
        OnboardingContent::Form { fields } => todo.fields = Some(shown_form(fields)),
        OnboardingContent::Credentials { wanted } => todo.wanted = Some(wanted),
        OnboardingContent::Task { text } => todo.text = Some(text),
        OnboardingContent::Agreement { .. } | OnboardingContent::Document { .. } => {}
    }
    todo
}
