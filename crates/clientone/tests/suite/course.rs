//! What tests of onboarding begin with: templates, what they ask for, and people who do it.

use clientone::{
    AgreementDraft, OnboardingTemplateDraft, Sending, SignatureGiven, StepGiven, agreement_create, agreement_send,
    agreement_sign, agreement_view, onboarding_assign, onboarding_step_complete, onboarding_template_create,
    onboarding_template_publish, text_hash,
};
use domain::{
    Agreement, AgreementInstanceId, ClientId, Error, FieldKind, FormField, GivenCredential, Library, LibraryDocument,
    LibraryDocumentId, Onboarding, OnboardingContent, OnboardingId, OnboardingStep, OnboardingTemplate,
    OnboardingTemplateId, PlannedStep,
};
use persistence::PortalUserRow;

use crate::house::House;

/// A step with the title "Do it".
pub fn task(title: &str) -> PlannedStep {
    PlannedStep { title: title.to_owned(), content: OnboardingContent::Task { text: "Do it.".to_owned() } }
}

/// A step that asks for two credentials.
pub fn credentials(title: &str) -> PlannedStep {
    let wanted = vec!["Router".to_owned(), "Wi-Fi".to_owned()];
    PlannedStep { title: title.to_owned(), content: OnboardingContent::Credentials { wanted } }
}

/// A step with a form of one number.
pub fn form(title: &str) -> PlannedStep {
    let field = FormField {
        key: "seats".to_owned(),
        label: "Seats".to_owned(),
        kind: FieldKind::Number,
        options: Vec::new(),
        required: true,
    };
    PlannedStep { title: title.to_owned(), content: OnboardingContent::Form { fields: vec![field] } }
}

/// A step that asks for an agreement, named by a version of it.
pub fn agreement_step(title: &str, agreement: &Agreement) -> PlannedStep {
    PlannedStep { title: title.to_owned(), content: OnboardingContent::Agreement { series_id: agreement.id } }
}

/// A step that asks to read a document.
pub fn document_step(title: &str, document_id: LibraryDocumentId) -> PlannedStep {
    PlannedStep { title: title.to_owned(), content: OnboardingContent::Document { document_id } }
}

/// What is typed of a template.
pub fn typed(steps: Vec<PlannedStep>) -> OnboardingTemplateDraft {
    OnboardingTemplateDraft {
        name: "Welcome".to_owned(),
        description: String::new(),
        stalled_after_days: Some(7),
        steps,
    }
}

/// Both credentials of a step.
pub fn both() -> Vec<GivenCredential> {
    let one = |label: &str, value: &str| GivenCredential { label: label.to_owned(), value: value.to_owned() };
    vec![one("Router", "canary-router-71"), one("Wi-Fi", " canary wi-fi ")]
}

/// A template that is published.
pub async fn published(house: &House, steps: Vec<PlannedStep>) -> OnboardingTemplate {
    let tx = house.staff().await;
    let draft = onboarding_template_create(&tx, typed(steps)).await.expect("makes");
    let template = onboarding_template_publish(&tx, draft.id).await.expect("publishes");
    tx.commit("onboarding_template_publish", None).await.expect("commits");
    template
}

/// Assigns a template.
pub async fn assign(
    house: &House,
    template: OnboardingTemplateId,
    clients: &[ClientId],
) -> Result<Vec<Onboarding>, Error> {
    let tx = house.staff().await;
    let (_, begun) = onboarding_assign(&tx, template, clients, None).await?;
    tx.commit("onboarding_assign", None).await?;
    Ok(begun)
}

/// An onboarding with its steps, as staff see it.
pub async fn now(house: &House, id: OnboardingId) -> (Onboarding, Vec<OnboardingStep>) {
    clientone::onboarding_get(&house.staff().await, id).await.expect("reads")
}

/// Does the step at this place.
pub async fn complete(
    house: &House,
    user: &PortalUserRow,
    id: OnboardingId,
    at: usize,
    given: StepGiven,
) -> Result<Onboarding, Error> {
    let step = now(house, id).await.1[at].id;
    let tx = house.of(user).await;
    let (row, ..) = onboarding_step_complete(&tx, user, &house.settings, id, step, given).await?;
    tx.commit("onboarding_step_complete", None).await?;
    Ok(row)
}

/// An agreement that was made and sent to nobody.
pub async fn agreement(house: &House) -> Agreement {
    let tx = house.staff().await;
    let draft = AgreementDraft { title: "Terms".to_owned(), text: "One".to_owned(), managers_only: true };
    let row = agreement_create(&tx, draft).await.expect("makes");
    tx.commit("agreement_create", None).await.expect("commits");
    row
}

/// Sends it to a client.
pub async fn send(house: &House, agreement: &Agreement, client: ClientId) -> AgreementInstanceId {
    let tx = house.staff().await;
    let sending = Sending { clients: vec![client], addressee: None };
    let (_, copies) = agreement_send(&tx, agreement.id, sending, None).await.expect("sends");
    tx.commit("agreement_send", None).await.expect("commits");
    copies[0].id
}

/// Reads and signs a copy.
pub async fn sign(house: &House, user: &PortalUserRow, copy: AgreementInstanceId) {
    let tx = house.of(user).await;
    agreement_view(&tx, user, &house.settings, copy).await.expect("reads");
    let given = SignatureGiven { name: user.name.clone(), text_hash: text_hash("One"), user_agent: None };
    agreement_sign(&tx, user, &house.settings, copy, given).await.expect("signs");
    tx.commit("agreement_sign", None).await.expect("commits");
}

/// A document for customers, of one client or of all.
pub async fn document(house: &House, client_id: Option<ClientId>, published: bool) -> LibraryDocument {
    let tx = house.staff().await;
    let id: LibraryDocumentId = tx.new_id();
    let row = LibraryDocument {
        id,
        library: Library::Customer,
        client_id,
        title: "How to reach us".to_owned(),
        slug: format!("how-to-{id}"),
        category: None,
        content: "Call us.".to_owned(),
        content_hash: text_hash("Call us."),
        published_at: published.then(|| tx.now()),
        created_at: tx.now(),
        created_by: None,
        updated_at: tx.now(),
        updated_by: None,
        deleted_at: None,
        version: 1,
    };
    tx.library_insert(&row).await.expect("makes");
    tx.commit("library_document_create", None).await.expect("commits");
    row
}

/// Publishes a document, or takes it back.
pub async fn publish(house: &House, id: LibraryDocumentId, published: bool) {
    let tx = house.staff().await;
    let before = tx.library_document(id).await.expect("reads");
    let after = LibraryDocument { published_at: published.then(|| tx.now()), ..before.clone() };
    tx.library_update(&before, after).await.expect("changes");
    tx.commit("library_document_update", None).await.expect("commits");
}
