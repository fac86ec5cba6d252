//! Onboarding as staff lead it: assigning templates, skipping steps, asking again, and reading what was given.

use std::collections::BTreeSet;

use domain::{
    ClientId, Error, GivenCredential, NotificationKind, Onboarding, OnboardingAct, OnboardingContent, OnboardingId,
    OnboardingState, OnboardingStep, OnboardingStepId, OnboardingStepState, OnboardingTemplate, OnboardingTemplateAct,
    OnboardingTemplateId, Permission, Problem, Result, Section,
};
use persistence::{PortalNotice, Tx};

use crate::{
    agreements::managers,
    onboarding_course::{Course, counted},
    texts::{valid_optional, valid_text},
};

/// Most clients of one assignment.
const CLIENTS: usize = 200;
/// Most bytes of steps that one assignment copies: all of them stand in one entry of the journal.
const COPIED: usize = 8_000_000;
/// Most characters of a reason.
const REASON: usize = 2_000;

/// Begins onboarding at clients by a published template; their Managers get a letter. The caller commits.
pub async fn onboarding_assign(
    tx: &Tx,
    id: OnboardingTemplateId,
    clients: &[ClientId],
    base: Option<&str>,
) -> Result<(OnboardingTemplate, Vec<Onboarding>)> {
    tx.context().require(Permission::ClientoneManage)?;
    let template = tx.onboarding_template(id).await?;
    template.state.after(OnboardingTemplateAct::Assign)?;
    check_clients(tx, &template, clients).await?;
    let mut begun = Vec::with_capacity(clients.len());
    for client in clients {
        let onboarding = begin(tx, &template, *client).await?;
        let Onboarding { id, name, total, .. } = &onboarding;
        let notice = PortalNotice {
            kind: NotificationKind::OnboardingWaiting,
            subject_id: id.0,
            key: format!("onboarding:{id}:begun"),
            title: format!("Your onboarding begins: {name}"),
            paragraphs: vec![format!("“{name}” has {total} steps. Please do them one after the other.")],
            link: ("Begin", format!("onboarding/{id}")),
            base,
        };
        tx.portal_notify(*client, &managers(tx, *client).await?, &notice).await?;
        begun.push(onboarding);
    }
    Ok((template, begun))
}

async fn begin(tx: &Tx, template: &OnboardingTemplate, client: ClientId) -> Result<Onboarding> {
    let (id, now): (OnboardingId, _) = (tx.new_id(), tx.now());
    let step = |(at, planned): (usize, &domain::PlannedStep)| OnboardingStep {
        id: tx.new_id(),
        onboarding_id: id,
        client_id: client,
        number: i32::try_from(at + 1).unwrap_or(i32::MAX),
        title: planned.title.clone(),
        content: planned.content.clone(),
        state: OnboardingStepState::Open,
        settled_at: None,
        portal_user_id: None,
        staff_id: None,
        answers: Vec::new(),
        reason: None,
        credentials_at: None,
        credentials_reads: 0,
        credentials_read_at: None,
        credentials_read_by: None,
        updated_at: now,
        version: 1,
    };
    let steps: Vec<OnboardingStep> = template.steps.iter().enumerate().map(step).collect();
    let row = Onboarding {
        id,
        template_id: template.id,
        series_id: template.series_id,
        client_id: client,
        name: template.name.clone(),
        stalled_after_days: template.stalled_after_days,
        state: OnboardingState::Active,
        total: 0,
        settled: 0,
        current: None,
        started_at: now,
        moved_at: now,
        ended_at: None,
        reason: None,
        updated_at: now,
        version: 1,
    };
    let row = counted(row, &steps, tx);
    tx.onboarding_insert(&row).await?;
    tx.onboarding_steps_insert(&steps).await?;
    // What the client has signed before is not asked for again.
    let mut course = Course::of(tx, row).await?;
    course.pass_signed(tx).await?;
    Ok(course.save(tx).await?.0)
}

/// Checks every client, with their rows locked.
async fn check_clients(tx: &Tx, template: &OnboardingTemplate, clients: &[ClientId]) -> Result<()> {
    if !(1..=CLIENTS).contains(&clients.len()) {
        let message = format!("must name 1 to {CLIENTS} clients");
        return Err(Error::invalid("/client_ids", "wrong_number", message));
    }
    let long = serde_json::to_string(&template.steps).map_err(Error::internal)?.len();
    if long.saturating_mul(clients.len()) > COPIED {
        return Err(Error::invalid("/client_ids", "too_much", "must be fewer at a time: the steps of this are long"));
    }
    let mut problems = Vec::new();
    let holders: BTreeSet<ClientId> = tx.onboarding_holders(template.series_id, clients).await?.into_iter().collect();
    let mut documents = Vec::new();
    for step in &template.steps {
        if let OnboardingContent::Document { document_id } = step.content {
            match tx.library_document(document_id).await {
                Ok(document) => documents.push((&step.title, Some(document))),
                Err(Error::NotFound { .. }) => documents.push((&step.title, None)),
                Err(other) => return Err(other),
            }
        }
    }
    // Locks in one order; each by itself then waits for nobody.
    tx.clients_by_id(clients).await?;
    for (at, client) in clients.iter().enumerate() {
        let mut refuse =
            |code, message: String| problems.push(Problem::new(format!("/client_ids/{at}"), code, message));
        tx.client(*client).await?;
        if clients[..at].contains(client) {
            refuse("twice", "must not be named twice".to_owned());
        }
        if holders.contains(client) {
            refuse("assigned_already", "has this under way already: complete or cancel that one first".to_owned());
        }
        let config = tx.portal_config(*client).await?;
        if !config.enabled {
            refuse("clientone_disabled", "must have ClientOne enabled, or nobody could do a step".to_owned());
        }
        if !config.settings.sections.contains(&Section::Onboarding) {
            refuse("section_off", "must have the section onboarding on, or nobody could see it".to_owned());
        }
        let unread = |document: &Option<domain::LibraryDocument>| {
            document.as_ref().is_none_or(|document| !document.shown_to(*client))
        };
        for (title, _) in documents.iter().filter(|(_, document)| unread(document)) {
            let message = format!("must be shown the document of the step “{title}”: publish it, for this client");
            refuse("document_not_shown", message);
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::Invalid(problems)) }
}

/// An onboarding with its steps, for those who manage ClientOne.
pub async fn onboarding_get(tx: &Tx, id: OnboardingId) -> Result<(Onboarding, Vec<OnboardingStep>)> {
    tx.context().require(Permission::ClientoneManage)?;
    let row = tx.onboarding(id).await?;
    Ok((row, tx.onboarding_steps(id).await?))
}

async fn led(tx: &Tx, id: OnboardingId) -> Result<Course> {
    tx.context().require(Permission::ClientoneManage)?;
    let row = tx.onboarding(id).await?;
    Course::of(tx, row).await
}

/// Leaves a step out, whether its turn has come or not, and says why. The caller commits.
pub async fn onboarding_step_skip(
    tx: &Tx,
    id: OnboardingId,
    step: OnboardingStepId,
    reason: &str,
) -> Result<(Onboarding, Vec<OnboardingStep>)> {
    let mut course = led(tx, id).await?;
    let at = course.place(step)?;
    let reason = valid_text("/reason", reason, REASON).map_err(|problem| Error::Invalid(vec![problem]))?;
    let skipped = course.settle(at, OnboardingAct::Skip, tx, (None, tx.context().actor.staff()))?;
    skipped.reason = Some(reason);
    course.pass_signed(tx).await?;
    course.save(tx).await
}

/// Asks for a step again: what was given in it is forgotten, and an onboarding that was completed goes on. An agreement
/// is asked for by its step again, which is done once more as soon as someone says so. The caller commits.
pub async fn onboarding_step_reopen(
    tx: &Tx,
    id: OnboardingId,
    step: OnboardingStepId,
) -> Result<(Onboarding, Vec<OnboardingStep>)> {
    let mut course = led(tx, id).await?;
    let at = course.place(step)?;
    let opened = course.act(at, OnboardingAct::Reopen)?;
    let given = opened.credentials_at.is_some();
    *opened = OnboardingStep {
        settled_at: None,
        portal_user_id: None,
        staff_id: None,
        answers: Vec::new(),
        reason: None,
        credentials_at: None,
        credentials_reads: 0,
        credentials_read_at: None,
        credentials_read_by: None,
        ..opened.clone()
    };
    let saved = course.save(tx).await?;
    if given {
        tx.onboarding_credentials_seal(step, None).await?;
    }
    Ok(saved)
}

/// Gives an onboarding up; credentials that were given in it are forgotten. The caller commits.
pub async fn onboarding_cancel(
    tx: &Tx,
    id: OnboardingId,
    reason: Option<&str>,
) -> Result<(Onboarding, Vec<OnboardingStep>)> {
    tx.context().require(Permission::ClientoneManage)?;
    let before = tx.onboarding(id).await?;
    let state = before.state.cancelled()?;
    let reason = valid_optional("/reason", reason, REASON).map_err(|problem| Error::Invalid(vec![problem]))?;
    let after = Onboarding { state, current: None, ended_at: Some(tx.now()), reason, ..before.clone() };
    let saved = tx.onboarding_save(&before, after).await?;
    let mut steps = Vec::new();
    for step in tx.onboarding_steps(id).await? {
        if step.credentials_at.is_none() {
            steps.push(step);
            continue;
        }
        let forgotten = OnboardingStep { credentials_at: None, ..step.clone() };
        steps.push(tx.onboarding_step_save(&step, forgotten).await?);
        tx.onboarding_credentials_seal(step.id, None).await?;
    }
    Ok((saved, steps))
}

/// Reads the credentials given in a step. That it was done, by whom and how often, is a change of the step: the caller
/// commits before anyone sees them.
pub async fn onboarding_credentials_read(
    tx: &Tx,
    id: OnboardingId,
    step: OnboardingStepId,
) -> Result<(OnboardingStep, Vec<GivenCredential>)> {
    let course = led(tx, id).await?;
    let before = &course.steps[course.place(step)?];
    let credentials = tx.onboarding_credentials(step).await?;
    let after = OnboardingStep {
        credentials_reads: before.credentials_reads.saturating_add(1),
        credentials_read_at: Some(tx.now()),
        credentials_read_by: tx.context().actor.staff(),
        ..before.clone()
    };
    Ok((tx.onboarding_step_save(before, after).await?, credentials))
}
