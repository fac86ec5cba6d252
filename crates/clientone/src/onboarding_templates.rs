//! Templates of onboarding: drafts, versions, and what each step asks for.

use std::collections::BTreeSet;

use domain::{
    AgreementId, Error, Library, LibraryDocumentId, OnboardingContent, OnboardingTemplate, OnboardingTemplateAct,
    OnboardingTemplateId, OnboardingTemplateState, PlannedStep, Problem, Result, STALLED_AFTER_DAYS, check_form,
    name_key, valid_name,
};
use persistence::Tx;

use crate::{
    config::manage_all,
    texts::{valid_optional, valid_text},
};

/// Most steps of a template.
const STEPS: usize = 40;
/// Most credentials that one step asks for.
const CREDENTIALS: usize = 20;
/// Most characters of a description.
const DESCRIPTION: usize = 2_000;
/// Most characters of what a step says.
const TEXT: usize = 20_000;
/// Most characters of a link.
const LINK: usize = 2_000;
/// Most days until one counts as stalled.
const DAYS: i32 = 365;

/// A template as it was typed. An agreement in it may be named by any of its versions.
#[derive(Clone, Debug)]
pub struct OnboardingTemplateDraft {
    /// What it is called.
    pub name: String,
    /// What it is for; may be blank.
    pub description: String,
    /// Days without a step done after which one counts as stalled; none means the usual.
    pub stalled_after_days: Option<i32>,
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
}

/// What to change about a draft; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct OnboardingTemplatePatch {
    /// What it is called.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Days until one counts as stalled.
    pub stalled_after_days: Option<i32>,
    /// All steps anew.
    pub steps: Option<Vec<PlannedStep>>,
    /// The version of the row that was read.
    pub version: Option<i32>,
}

/// A draft that was checked.
struct Checked {
    name: String,
    description: String,
    stalled_after_days: i32,
    steps: Vec<PlannedStep>,
}

impl OnboardingTemplateDraft {
    async fn check(self, tx: &Tx) -> Result<Checked> {
        let mut problems = Vec::new();
        let name = valid_name("/name", &self.name).map_err(|problem| problems.push(problem)).unwrap_or_default();
        let description = valid_optional("/description", Some(&self.description), DESCRIPTION);
        let description = description.map_err(|problem| problems.push(problem)).unwrap_or_default();
        let stalled_after_days = self.stalled_after_days.unwrap_or(STALLED_AFTER_DAYS);
        if !(1..=DAYS).contains(&stalled_after_days) {
            let message = format!("must be from 1 to {DAYS}");
            problems.push(Problem::new("/stalled_after_days", "out_of_range", message));
        }
        if !(1..=STEPS).contains(&self.steps.len()) {
            problems.push(Problem::new("/steps", "wrong_number", format!("must hold 1 to {STEPS} steps")));
            return Err(Error::Invalid(problems));
        }
        let mut steps = Vec::with_capacity(self.steps.len());
        for (at, step) in self.steps.into_iter().enumerate() {
            let pointer = format!("/steps/{at}");
            let title = valid_name(&format!("{pointer}/title"), &step.title);
            let content = match check_content(&pointer, step.content) {
                Ok(content) => found(tx, &pointer, content).await?,
                Err(wrong) => Err(wrong),
            };
            match (title, content) {
                (Ok(title), Ok(content)) => steps.push(PlannedStep { title, content }),
                (title, content) => {
                    problems.extend(title.err());
                    problems.extend(content.err().unwrap_or_default());
                }
            }
        }
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        Ok(Checked { name, description: description.unwrap_or_default(), stalled_after_days, steps })
    }
}

/// Checks what a step asks for, as far as that can be told from itself.
fn check_content(pointer: &str, content: OnboardingContent) -> Result<OnboardingContent, Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    let said = |text: &str| valid_text(&format!("{pointer}/text"), text, TEXT).map_err(one);
    Ok(match content {
        OnboardingContent::Credentials { wanted } => {
            OnboardingContent::Credentials { wanted: check_labels(&format!("{pointer}/wanted"), &wanted)? }
        }
        OnboardingContent::Kickoff { text, link } => {
            let link = valid_link(&format!("{pointer}/link"), link.as_deref()).map_err(one);
            match (said(&text), link) {
                (Ok(text), Ok(link)) => OnboardingContent::Kickoff { text, link },
                (text, link) => return Err([text.err(), link.err()].into_iter().flatten().flatten().collect()),
            }
        }
        OnboardingContent::Form { fields } => {
            if fields.is_empty() {
                let message = "must ask for something";
                return Err(one(Problem::new(format!("{pointer}/fields"), "required", message)));
            }
            let placed = |problem: Problem| Problem { pointer: format!("{pointer}{}", problem.pointer), ..problem };
            let refused = |found: Vec<Problem>| found.into_iter().map(placed).collect::<Vec<_>>();
            OnboardingContent::Form { fields: check_form(fields).map_err(refused)? }
        }
        OnboardingContent::Task { text } => OnboardingContent::Task { text: said(&text)? },
        other @ (OnboardingContent::Agreement { .. } | OnboardingContent::Document { .. }) => other,
    })
}

fn check_labels(pointer: &str, wanted: &[String]) -> Result<Vec<String>, Vec<Problem>> {
    if !(1..=CREDENTIALS).contains(&wanted.len()) {
        let message = format!("must name 1 to {CREDENTIALS} credentials");
        return Err(vec![Problem::new(pointer, "wrong_number", message)]);
    }
    let (mut labels, mut problems, mut known) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (at, label) in wanted.iter().enumerate() {
        match valid_name(&format!("{pointer}/{at}"), label) {
            Ok(label) if known.insert(name_key(&label)) => labels.push(label),
            Ok(_) => problems.push(Problem::new(format!("{pointer}/{at}"), "twice", "must differ from the others")),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(labels) } else { Err(problems) }
}

/// A link that a browser may be sent to: over HTTPS, with a host and without a name or password before it.
fn valid_link(pointer: &str, link: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(link) = valid_optional(pointer, link, LINK)? else { return Ok(None) };
    let host = link.strip_prefix("https://").map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let plain = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c);
    match host {
        Some(host) if !host.is_empty() && !host.contains('@') && link.chars().all(plain) => Ok(Some(link)),
        _ => Err(Problem::new(pointer, "not_a_link", "must be an address such as https://calendar.example/kickoff")),
    }
}

/// Whether what a step names is there; an agreement is settled to what its versions have in common.
async fn found(tx: &Tx, pointer: &str, content: OnboardingContent) -> Result<Result<OnboardingContent, Vec<Problem>>> {
    Ok(match content {
        OnboardingContent::Agreement { series_id } => match series(tx, series_id).await? {
            Some(series_id) => Ok(OnboardingContent::Agreement { series_id }),
            None => {
                let message = "must be the id of an agreement, of whichever version";
                Err(vec![Problem::new(format!("{pointer}/agreement_id"), "unknown", message)])
            }
        },
        OnboardingContent::Document { document_id } => match published(tx, document_id).await? {
            Some(_) => Ok(OnboardingContent::Document { document_id }),
            None => {
                let message = "must be the id of a document for customers";
                Err(vec![Problem::new(format!("{pointer}/document_id"), "unknown", message)])
            }
        },
        other => Ok(other),
    })
}

async fn series(tx: &Tx, id: AgreementId) -> Result<Option<AgreementId>> {
    Ok(tx.agreements_by_id([id]).await?.first().map(|agreement| agreement.series_id))
}

/// Whether a document for customers is published; none where there is no such document.
async fn published(tx: &Tx, id: LibraryDocumentId) -> Result<Option<bool>> {
    match tx.library_document(id).await {
        Ok(document) => Ok((document.library == Library::Customer).then_some(document.published_at.is_some())),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Makes a template: the draft of its first version. The caller commits.
pub async fn onboarding_template_create(tx: &Tx, draft: OnboardingTemplateDraft) -> Result<OnboardingTemplate> {
    manage_all(tx)?;
    let checked = draft.check(tx).await?;
    let id: OnboardingTemplateId = tx.new_id();
    let row = version_of(tx, id, id, 1, checked);
    tx.onboarding_template_insert(&row).await?;
    Ok(row)
}

fn version_of(
    tx: &Tx,
    id: OnboardingTemplateId,
    series_id: OnboardingTemplateId,
    number: i32,
    checked: Checked,
) -> OnboardingTemplate {
    let Checked { name, description, stalled_after_days, steps } = checked;
    let now = tx.now();
    OnboardingTemplate {
        id,
        series_id,
        number,
        name,
        description,
        stalled_after_days,
        steps,
        state: OnboardingTemplateState::Draft,
        published_at: None,
        retired_at: None,
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

/// Changes a draft. The caller commits.
pub async fn onboarding_template_update(
    tx: &Tx,
    id: OnboardingTemplateId,
    patch: OnboardingTemplatePatch,
) -> Result<OnboardingTemplate> {
    manage_all(tx)?;
    let before = tx.onboarding_template(id).await?;
    if patch.version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "template" });
    }
    if before.state.after(OnboardingTemplateAct::Edit).is_err() {
        let message = "A template that was published cannot be changed any more: make a new version of it.";
        return Err(Error::conflict("published_already", message));
    }
    let draft = OnboardingTemplateDraft {
        name: patch.name.unwrap_or_else(|| before.name.clone()),
        description: patch.description.unwrap_or_else(|| before.description.clone()),
        stalled_after_days: Some(patch.stalled_after_days.unwrap_or(before.stalled_after_days)),
        steps: patch.steps.unwrap_or_else(|| before.steps.clone()),
    };
    let Checked { name, description, stalled_after_days, steps } = draft.check(tx).await?;
    let after = OnboardingTemplate { name, description, stalled_after_days, steps, ..before.clone() };
    tx.onboarding_template_save(&before, after).await
}

/// Makes the draft of the next version, as the last one is. The caller commits.
pub async fn onboarding_template_revise(tx: &Tx, id: OnboardingTemplateId) -> Result<OnboardingTemplate> {
    manage_all(tx)?;
    let series = tx.onboarding_template(id).await?.series_id;
    let versions = tx.onboarding_template_versions(series).await?;
    let last = versions.last().ok_or(Error::NotFound { what: "template" })?;
    if last.state == OnboardingTemplateState::Draft {
        let message = format!("Version {} is a draft still: change that one.", last.number);
        return Err(Error::conflict("draft_exists", message));
    }
    let same = Checked {
        name: last.name.clone(),
        description: last.description.clone(),
        stalled_after_days: last.stalled_after_days,
        steps: last.steps.clone(),
    };
    let row = version_of(tx, tx.new_id(), series, last.number + 1, same);
    tx.onboarding_template_insert(&row).await?;
    Ok(row)
}

/// Publishes a draft: from then on nothing of it changes, and it takes the place of the version that was published
/// before. Onboardings that were begun go on as they are. The caller commits.
pub async fn onboarding_template_publish(tx: &Tx, id: OnboardingTemplateId) -> Result<OnboardingTemplate> {
    manage_all(tx)?;
    let series = tx.onboarding_template(id).await?.series_id;
    let versions = tx.onboarding_template_versions(series).await?;
    let draft = versions.iter().find(|one| one.id == id).ok_or(Error::NotFound { what: "template" })?;
    let state = draft.state.after(OnboardingTemplateAct::Publish)?;
    let mut problems = Vec::new();
    for (at, step) in draft.steps.iter().enumerate() {
        let OnboardingContent::Document { document_id } = step.content else { continue };
        if published(tx, document_id).await? != Some(true) {
            let message = "must be published, or nobody could read it";
            problems.push(Problem::new(format!("/steps/{at}/document_id"), "not_published", message));
        }
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    for old in versions.iter().filter(|one| one.state == OnboardingTemplateState::Published) {
        retired(tx, old).await?;
    }
    let after = OnboardingTemplate { state, published_at: Some(tx.now()), ..draft.clone() };
    tx.onboarding_template_save(draft, after).await
}

/// Retires a version: it is assigned to nobody any more. Onboardings that were begun go on. The caller commits.
pub async fn onboarding_template_retire(tx: &Tx, id: OnboardingTemplateId) -> Result<OnboardingTemplate> {
    manage_all(tx)?;
    let before = tx.onboarding_template(id).await?;
    retired(tx, &before).await
}

async fn retired(tx: &Tx, before: &OnboardingTemplate) -> Result<OnboardingTemplate> {
    let state = before.state.after(OnboardingTemplateAct::Retire)?;
    let after = OnboardingTemplate { state, retired_at: Some(tx.now()), ..before.clone() };
    tx.onboarding_template_save(before, after).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_over_https_to_a_host() {
        for good in ["https://calendar.example", "https://calendar.example/kick?off=1#now"] {
            assert_eq!(valid_link("/link", Some(good)), Ok(Some(good.to_owned())));
        }
        for bad in [
            "http://calendar.example",
            "https://",
            "https:///path",
            "javascript:alert(1)",
            "https://user@evil.example",
            "https://a.example/ b",
            "https://a.example/\"x",
        ] {
            assert_eq!(valid_link("/link", Some(bad)).map_err(|problem| problem.code), Err("not_a_link"), "{bad}");
        }
        assert_eq!(valid_link("/link", Some(" ")), Ok(None));
    }

    #[test]
    fn what_a_step_asks_for_is_checked_by_its_places() {
        let wanted = |labels: &[&str]| OnboardingContent::Credentials {
            wanted: labels.iter().map(|label| (*label).to_owned()).collect(),
        };
        let places = |content| -> Vec<(String, &'static str)> {
            match check_content("/steps/3", content) {
                Ok(_) => Vec::new(),
                Err(problems) => problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect(),
            }
        };
        assert!(places(wanted(&["Router", "Wi-Fi"])).is_empty());
        assert_eq!(places(wanted(&[])), [("/steps/3/wanted".to_owned(), "wrong_number")]);
        assert_eq!(places(wanted(&["Router", "router "])), [("/steps/3/wanted/1".to_owned(), "twice")]);
        let kickoff = OnboardingContent::Kickoff { text: " ".to_owned(), link: Some("ftp://x".to_owned()) };
        let both = [("/steps/3/text".to_owned(), "required"), ("/steps/3/link".to_owned(), "not_a_link")];
        assert_eq!(places(kickoff), both);
        let form = OnboardingContent::Form { fields: Vec::new() };
        assert_eq!(places(form), [("/steps/3/fields".to_owned(), "required")]);
    }
}
