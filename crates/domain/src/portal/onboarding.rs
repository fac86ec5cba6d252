//! Onboarding: what a template asks of a client, step by step, and how far a client has come.

use std::fmt;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{FieldAnswer, FormField, OnboardingState, OnboardingStepState, OnboardingTemplateState, machine::named};
use crate::{
    AgreementId, ClientId, LibraryDocumentId, OnboardingId, OnboardingStepId, OnboardingTemplateId, PortalUserId,
    Problem, StaffId, Timestamp,
};

/// Days without a step done after which an onboarding counts as stalled, where its template says nothing else.
pub const STALLED_AFTER_DAYS: i32 = 7;
/// Most characters of a credential.
const CREDENTIAL: usize = 4_000;

named! {
    /// What sort of step it is.
    OnboardingStepKind {
        /// Sign an agreement.
        Agreement = "agreement",
        /// Give credentials.
        Credentials = "credentials",
        /// Read how it begins, or meet.
        Kickoff = "kickoff",
        /// Answer a form.
        Form = "form",
        /// Read a document.
        Document = "document",
        /// Do something.
        Task = "task",
    }
}

/// What a step asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OnboardingContent {
    /// To sign an agreement, whatever its version.
    Agreement {
        /// Which.
        series_id: AgreementId,
    },
    /// To give credentials.
    Credentials {
        /// What each is called ("Router password").
        wanted: Vec<String>,
    },
    /// To read how it begins.
    Kickoff {
        /// What people read.
        text: String,
        /// Where they go on, over HTTPS ("a calendar"). Not kept as `link`: of fields of that name, which elsewhere hold
        /// traces of tokens, digests of previews count only whether they are there.
        #[serde(rename = "url")]
        link: Option<String>,
    },
    /// To answer a form.
    Form {
        /// What is asked.
        fields: Vec<FormField>,
    },
    /// To read a published document.
    Document {
        /// Which.
        document_id: LibraryDocumentId,
    },
    /// To do something.
    Task {
        /// What.
        text: String,
    },
}

impl OnboardingContent {
    /// What sort of step it makes.
    pub fn kind(&self) -> OnboardingStepKind {
        match self {
            Self::Agreement { .. } => OnboardingStepKind::Agreement,
            Self::Credentials { .. } => OnboardingStepKind::Credentials,
            Self::Kickoff { .. } => OnboardingStepKind::Kickoff,
            Self::Form { .. } => OnboardingStepKind::Form,
            Self::Document { .. } => OnboardingStepKind::Document,
            Self::Task { .. } => OnboardingStepKind::Task,
        }
    }
}

/// A step as a template has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// What people read in the list of steps.
    pub title: String,
    /// What it asks for.
    pub content: OnboardingContent,
}

/// One version of a template. Once it was published nothing of it changes but its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnboardingTemplate {
    /// Id.
    pub id: OnboardingTemplateId,
    /// What its versions have in common: the id of the first.
    pub series_id: OnboardingTemplateId,
    /// Which version; the first is 1.
    pub number: i32,
    /// What it is called.
    pub name: String,
    /// What it is for, among staff.
    pub description: String,
    /// Days without a step done after which an onboarding counts as stalled.
    pub stalled_after_days: i32,
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
    /// Where it stands.
    pub state: OnboardingTemplateState,
    /// Published.
    pub published_at: Option<Timestamp>,
    /// Retired.
    pub retired_at: Option<Timestamp>,
    /// Made.
    pub created_at: Timestamp,
    /// Changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

/// A client's onboarding: made of a version of a template, and on its own from then on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Onboarding {
    /// Id.
    pub id: OnboardingId,
    /// The version it was made of.
    pub template_id: OnboardingTemplateId,
    /// That version's template.
    pub series_id: OnboardingTemplateId,
    /// The client.
    pub client_id: ClientId,
    /// What the template was called.
    pub name: String,
    /// Days without a step done after which it counts as stalled.
    pub stalled_after_days: i32,
    /// Where it stands.
    pub state: OnboardingState,
    /// How many steps it has.
    pub total: i32,
    /// How many of them are done or skipped.
    pub settled: i32,
    /// The title of the step that is to be done now; none once nothing is.
    pub current: Option<String>,
    /// Assigned.
    pub started_at: Timestamp,
    /// When something was last done with a step; at first, assigned.
    pub moved_at: Timestamp,
    /// Completed or cancelled.
    pub ended_at: Option<Timestamp>,
    /// Why it was cancelled.
    pub reason: Option<String>,
    /// Changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

impl Onboarding {
    /// From when on it counts as stalled, if nothing is done before.
    pub fn stalled_at(&self) -> Timestamp {
        self.moved_at + TimeDelta::days(self.stalled_after_days.into())
    }

    /// Whether it is active and nothing was done with it for too long.
    pub fn is_stalled(&self, now: Timestamp) -> bool {
        self.state == OnboardingState::Active && self.stalled_at() <= now
    }
}

/// A step of a client's onboarding. The credentials given in it stand sealed in its row and nowhere else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnboardingStep {
    /// Id.
    pub id: OnboardingStepId,
    /// Of which onboarding.
    pub onboarding_id: OnboardingId,
    /// The client.
    pub client_id: ClientId,
    /// Its place; the first is 1.
    pub number: i32,
    /// What people read in the list of steps.
    pub title: String,
    /// What it asks for.
    pub content: OnboardingContent,
    /// Where it stands.
    pub state: OnboardingStepState,
    /// Done or skipped.
    pub settled_at: Option<Timestamp>,
    /// By which portal user; none also where it was done by itself.
    pub portal_user_id: Option<PortalUserId>,
    /// Or by which staff user.
    pub staff_id: Option<StaffId>,
    /// What was answered in a form.
    pub answers: Vec<FieldAnswer>,
    /// Why it was skipped.
    pub reason: Option<String>,
    /// When credentials were given.
    pub credentials_at: Option<Timestamp>,
    /// How often they were read.
    pub credentials_reads: i32,
    /// When they were last read.
    pub credentials_read_at: Option<Timestamp>,
    /// And by whom.
    pub credentials_read_by: Option<StaffId>,
    /// Changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

/// A credential, with what it is called. It is stored sealed only, and never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenCredential {
    /// What it is called.
    pub label: String,
    /// What was given.
    pub value: String,
}

impl fmt::Debug for GivenCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GivenCredential({})", self.label)
    }
}

/// Checks credentials against what is wanted, and puts them into its order. They are kept as they were typed; a message
/// never repeats one.
pub fn check_credentials(wanted: &[String], given: &[GivenCredential]) -> Result<Vec<GivenCredential>, Vec<Problem>> {
    let mut problems = Vec::new();
    for (at, one) in given.iter().enumerate() {
        let mut refuse = |field: &str, code, message: &str| {
            problems.push(Problem::new(format!("/credentials/{at}/{field}"), code, message));
        };
        if !wanted.contains(&one.label) {
            refuse("label", "unknown_label", "must be the label of a credential that this step asks for");
        } else if given[..at].iter().any(|before| before.label == one.label) {
            refuse("label", "twice", "must not be given twice");
        }
        if one.value.chars().count() > CREDENTIAL {
            refuse("value", "too_long", "must have at most 4,000 characters");
        }
        if one.value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            refuse("value", "control_character", "must not contain control characters");
        }
    }
    let mut found = Vec::new();
    for label in wanted {
        match given.iter().find(|one| one.label == *label && !one.value.trim().is_empty()) {
            Some(one) => found.push(one.clone()),
            None => problems.push(Problem::new("/credentials", "required", format!("must give “{label}”"))),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn given(pairs: &[(&str, &str)]) -> Vec<GivenCredential> {
        let one = |(label, value): &(&str, &str)| GivenCredential { label: (*label).into(), value: (*value).into() };
        pairs.iter().map(one).collect()
    }

    #[test]
    fn credentials_are_checked_by_their_labels_and_kept_as_typed() {
        let wanted = ["Router".to_owned(), "Wi-Fi".to_owned()];
        let sound = given(&[("Wi-Fi", " a b "), ("Router", "x")]);
        let checked = check_credentials(&wanted, &sound).expect("are sound");
        assert_eq!(checked, given(&[("Router", "x"), ("Wi-Fi", " a b ")]), "in the order of the step");
        let wrong = given(&[("Wi-Fi", "x\u{7}"), ("Wi-Fi", "y"), ("Printer", "secret"), ("Router", " ")]);
        let problems = check_credentials(&wanted, &wrong).expect_err("are refused");
        let codes: Vec<&str> = problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, ["control_character", "twice", "unknown_label", "required"]);
        assert!(!format!("{problems:?} {wrong:?}").contains("secret"));
    }

    #[test]
    fn it_stalls_to_the_instant_and_only_while_it_is_active() {
        let at = Timestamp::UNIX_EPOCH;
        let id = uuid::Uuid::nil();
        let active = Onboarding {
            id: OnboardingId(id),
            template_id: OnboardingTemplateId(id),
            series_id: OnboardingTemplateId(id),
            client_id: ClientId(id),
            name: String::new(),
            stalled_after_days: 7,
            state: OnboardingState::Active,
            total: 1,
            settled: 0,
            current: None,
            started_at: at,
            moved_at: at,
            ended_at: None,
            reason: None,
            updated_at: at,
            version: 1,
        };
        let week = at + TimeDelta::days(7);
        assert!(active.is_stalled(week) && !active.is_stalled(week - TimeDelta::microseconds(1)));
        for state in [OnboardingState::Completed, OnboardingState::Cancelled] {
            assert!(!Onboarding { state, ..active.clone() }.is_stalled(week));
        }
    }

    proptest! {
        /// What is taken holds each label that is wanted once, and nothing else.
        #[test]
        fn what_is_taken_is_what_was_wanted(
            wanted in proptest::sample::subsequence(vec!["a", "b", "c", "d"], 1..4),
            pairs in proptest::collection::vec(("[a-e]", "[ x]{0,3}"), 0..6),
        ) {
            let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
            let pairs: Vec<GivenCredential> =
                pairs.into_iter().map(|(label, value)| GivenCredential { label, value }).collect();
            if let Ok(taken) = check_credentials(&wanted, &pairs) {
                let labels: Vec<String> = taken.iter().map(|one| one.label.clone()).collect();
                prop_assert_eq!(&labels, &wanted);
                prop_assert_eq!(pairs.len(), wanted.len());
                prop_assert!(taken.iter().all(|one| pairs.contains(one) && !one.value.trim().is_empty()));
            }
        }
    }
}
