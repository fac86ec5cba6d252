//! What onboarding looks like in the document: steps as templates have them, and as clients do them.

use chrono::{DateTime, Utc};
use domain::{
    AgreementId, LibraryDocumentId, Onboarding as Row, OnboardingContent, OnboardingState, OnboardingStep as Step,
    OnboardingStepKind, OnboardingStepState, OnboardingTemplateState, PlannedStep, Problem,
};
use persistence::PortalNames;
use poem_openapi::Object;
use uuid::Uuid;

use super::{
    service_requests::RequestAnswer,
    service_types::{RequestField, form, shown_form},
};
use crate::routes::mirrored::mirrored;

mirrored! {
    /// What sort of step it is
    OnboardingStepSort = OnboardingStepKind {
        /// Sign an agreement
        Agreement,
        /// Give credentials
        Credentials,
        /// Read how it begins, or meet
        Kickoff,
        /// Answer a form
        Form,
        /// Read a document
        Document,
        /// Do something
        Task,
    }
}

mirrored! {
    /// Where a version of a template stands
    OnboardingTemplateStanding = OnboardingTemplateState {
        /// Being written
        Draft,
        /// Assigned from now on; nothing of it changes
        Published,
        /// Assigned to nobody any more
        Retired,
    }
}

mirrored! {
    /// Where an onboarding stands
    OnboardingStanding = OnboardingState {
        /// Something of it is to be done
        Active,
        /// Every step was done or skipped
        Completed,
        /// Given up
        Cancelled,
    }
}

mirrored! {
    /// Where a step stands
    OnboardingStepStanding = OnboardingStepState {
        /// To be done
        Open,
        /// Done
        Done,
        /// Left out, with a reason
        Skipped,
    }
}

/// A step. What it asks for is in the fields of its kind; the others are left out.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct OnboardingPlan {
    /// What people read in the list of steps
    pub title: String,
    pub kind: OnboardingStepSort,
    /// Of an agreement: the id of it, by whichever of its versions; shown is that of the first
    pub agreement_id: Option<Uuid>,
    /// Of credentials: what each is called, at most 20
    pub wanted: Option<Vec<String>>,
    /// Of a kickoff or a task: what people read
    pub text: Option<String>,
    /// Of a kickoff: where they go on, over HTTPS
    pub link: Option<String>,
    /// Of a form: what is asked, at most 30 fields
    pub fields: Option<Vec<RequestField>>,
    /// Of a document: which one of the library for customers; it must be published by then
    pub document_id: Option<Uuid>,
}

/// Steps as they were typed: each field that a kind needs, and none that it does not.
pub(super) fn planned(steps: Vec<OnboardingPlan>) -> domain::Result<Vec<PlannedStep>> {
    let (mut found, mut problems) = (Vec::with_capacity(steps.len()), Vec::new());
    for (at, plan) in steps.into_iter().enumerate() {
        match plan.read(at) {
            Ok(step) => found.push(step),
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(domain::Error::Invalid(problems)) }
}

impl OnboardingPlan {
    fn read(self, at: usize) -> Result<PlannedStep, Vec<Problem>> {
        use OnboardingStepSort as K;
        let Self { title, kind, agreement_id, wanted, text, link, fields, document_id } = self;
        // Field, whether it is there, kinds that take it, whether they need it.
        let rules: [(&str, bool, &[K], bool); 6] = [
            ("agreement_id", agreement_id.is_some(), &[K::Agreement], true),
            ("wanted", wanted.is_some(), &[K::Credentials], true),
            ("text", text.is_some(), &[K::Kickoff, K::Task], true),
            ("link", link.is_some(), &[K::Kickoff], false),
            ("fields", fields.is_some(), &[K::Form], true),
            ("document_id", document_id.is_some(), &[K::Document], true),
        ];
        let mut problems = Vec::new();
        for (name, given, kinds, needed) in rules {
            let pointer = format!("/steps/{at}/{name}");
            match (given, kinds.contains(&kind)) {
                (true, false) => {
                    problems.push(Problem::new(pointer, "not_asked", "must be left out in a step of this kind"));
                }
                (false, true) if needed => {
                    problems.push(Problem::new(pointer, "required", "must be given in a step of this kind"));
                }
                _ => {}
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let text = text.unwrap_or_default();
        let content = match kind {
            K::Agreement => OnboardingContent::Agreement { series_id: AgreementId(agreement_id.unwrap_or_default()) },
            K::Credentials => OnboardingContent::Credentials { wanted: wanted.unwrap_or_default() },
            K::Kickoff => OnboardingContent::Kickoff { text, link },
            K::Form => OnboardingContent::Form { fields: form(fields.unwrap_or_default()) },
            K::Document => {
                OnboardingContent::Document { document_id: LibraryDocumentId(document_id.unwrap_or_default()) }
            }
            K::Task => OnboardingContent::Task { text },
        };
        Ok(PlannedStep { title, content })
    }

    /// A step as it is shown.
    pub(crate) fn shown(title: String, content: OnboardingContent) -> Self {
        let mut plan = Self {
            title,
            kind: content.kind().into(),
            agreement_id: None,
            wanted: None,
            text: None,
            link: None,
            fields: None,
            document_id: None,
        };
        match content {
            OnboardingContent::Agreement { series_id } => plan.agreement_id = Some(series_id.0),
            OnboardingContent::Credentials { wanted } => plan.wanted = Some(wanted),
            OnboardingContent::Kickoff { text, link } => (plan.text, plan.link) = (Some(text), link),
            OnboardingContent::Form { fields } => plan.fields = Some(shown_form(fields)),
            OnboardingContent::Document { document_id } => plan.document_id = Some(document_id.0),
            OnboardingContent::Task { text } => plan.text = Some(text),
        }
        plan
    }
}

/// A client's onboarding, and how far it is.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ClientOnboarding {
    /// Id
    pub id: Uuid,
    /// The version of a template that it was made of
    pub onboarding_template_id: Uuid,
    /// Client
    pub client_id: Uuid,
    /// Its name
    pub client: String,
    /// What it is called
    pub name: String,
    pub state: OnboardingStanding,
    /// Whether it is active and no step was done for too long
    pub stalled: bool,
    /// Days without a step done after which it counts as stalled
    pub stalled_after_days: i32,
    /// How many steps it has
    pub total: i32,
    /// How many of them are done or skipped
    pub done: i32,
    /// The title of the step that is to be done now
    pub current_step: Option<String>,
    /// Assigned
    pub started_at: DateTime<Utc>,
    /// When something was last done with a step
    pub moved_at: DateTime<Utc>,
    /// Completed or cancelled
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it was cancelled
    pub reason: Option<String>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// A step of a client's onboarding.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ClientOnboardingStep {
    /// Id
    pub id: Uuid,
    /// Its place; the first is 1
    pub number: i32,
    /// What it asks for
    pub plan: OnboardingPlan,
    pub state: OnboardingStepStanding,
    /// Done or skipped
    pub settled_at: Option<DateTime<Utc>>,
    /// By which portal user
    pub portal_user_id: Option<Uuid>,
    /// Their name
    pub portal_user: Option<String>,
    /// Or by which staff user
    pub staff_id: Option<Uuid>,
    /// What was answered in a form
    pub answers: Vec<RequestAnswer>,
    /// Why it was skipped
    pub reason: Option<String>,
    /// When credentials were given; they are read by an operation of their own
    pub credentials_at: Option<DateTime<Utc>>,
    /// How often they were read
    pub credentials_reads: i32,
    /// When they were last read
    pub credentials_read_at: Option<DateTime<Utc>>,
    /// And by which staff user
    pub credentials_read_by: Option<Uuid>,
}

/// A client's onboarding with its steps.
#[derive(Debug, Clone, Object)]
pub struct ClientOnboardingWhole {
    pub onboarding: ClientOnboarding,
    /// Its steps, in order
    pub steps: Vec<ClientOnboardingStep>,
}

impl ClientOnboarding {
    pub(super) fn of(row: Row, names: &PortalNames, now: DateTime<Utc>) -> Self {
        Self {
            id: row.id.0,
            onboarding_template_id: row.template_id.0,
            client_id: row.client_id.0,
            client: names.client(row.client_id),
            stalled: row.is_stalled(now),
            name: row.name,
            state: row.state.into(),
            stalled_after_days: row.stalled_after_days,
            total: row.total,
            done: row.settled,
            current_step: row.current,
            started_at: row.started_at,
            moved_at: row.moved_at,
            ended_at: row.ended_at,
            reason: row.reason,
            version: row.version,
        }
    }
}

impl ClientOnboardingStep {
    pub(super) fn of(step: Step, names: &PortalNames) -> Self {
        Self {
            id: step.id.0,
            number: step.number,
            plan: OnboardingPlan::shown(step.title, step.content),
            state: step.state.into(),
            settled_at: step.settled_at,
            portal_user_id: step.portal_user_id.map(|id| id.0),
            portal_user: step.portal_user_id.map(|id| names.user(id)),
            staff_id: step.staff_id.map(|id| id.0),
            answers: step.answers.into_iter().map(Into::into).collect(),
            reason: step.reason,
            credentials_at: step.credentials_at,
            credentials_reads: step.credentials_reads,
            credentials_read_at: step.credentials_read_at,
            credentials_read_by: step.credentials_read_by.map(|id| id.0),
        }
    }
}
