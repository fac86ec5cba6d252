//! What people of clients asked for, signed and were asked to do: for merging.

use domain::{
    Agreement, AgreementInstance, AgreementState, ClientId, GivenCredential, Onboarding, OnboardingContent,
    OnboardingId, OnboardingState, OnboardingStep, OnboardingStepState, OnboardingTemplate, PortalTicket,
    PortalTicketId, PortalTicketMessage, PortalTicketState, PortalUserId, ServiceRequest, ServiceRequestState,
    ServiceRequestStep, ServiceRequestType, Signature, TicketLink, TicketMessageKind, TicketSending, TicketSendingKind,
    TicketSendingState,
};
use persistence::{PortalUserRow, Tx};
use uuid::Uuid;

use crate::house::Source;

/// A ticket with a message, a reader, its place at a PSA and something under way there.
pub async fn ticket(tx: &Tx, client: ClientId, requester: Option<&PortalUserRow>, source: Source) -> PortalTicket {
    let id: PortalTicketId = tx.new_id();
    let requester = requester.map(|user| user.id);
    let row = PortalTicket {
        id,
        client_id: client,
        number: tx.portal_ticket_next_number().await.expect("counts"),
        subject: "The printer".to_owned(),
        description: "It does not print.".to_owned(),
        answers: Vec::new(),
        requester,
        made_by: None,
        state: PortalTicketState::Open,
        assignee: None,
        service_request_id: None,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    };
    tx.portal_ticket_insert(&row).await.expect("makes");
    let message = PortalTicketMessage {
        id: tx.new_id(),
        ticket_id: id,
        client_id: client,
        number: 1,
        at: tx.now(),
        kind: TicketMessageKind::Reply,
        portal_user_id: requester,
        staff_id: None,
        author: None,
        act: None,
        state: row.state,
        text: Some("Please.".to_owned()),
        vendor_note_id: None,
    };
    tx.portal_ticket_message_insert(&message).await.expect("says");
    let entity = tx.entities_of_client(client).await.expect("lists").remove(0);
    let link = TicketLink {
        ticket_id: id,
        client_id: client,
        connection_id: source.id,
        entity_id: entity.id,
        record_id: None,
        number: Some("T1".to_owned()),
        status: None,
        open: Some(true),
        notes_read_at: None,
    };
    tx.ticket_link_insert(&link).await.expect("links");
    let sending = TicketSending {
        id: tx.new_id(),
        ticket_id: id,
        client_id: client,
        connection_id: source.id,
        kind: TicketSendingKind::Note,
        message_id: Some(message.id),
        state: TicketSendingState::Queued,
        queued_at: tx.now(),
        tried_at: None,
        sent_at: None,
        problem: None,
    };
    tx.ticket_sending_insert(&sending).await.expect("queues");
    row
}

pub async fn request(tx: &Tx, requester: &PortalUserRow, of: &ServiceRequestType) {
    let row = ServiceRequest {
        id: tx.new_id(),
        client_id: requester.client_id,
        requester: requester.id,
        type_id: of.id,
        type_name: of.name.clone(),
        description: "One more, please.".to_owned(),
        answers: Vec::new(),
        state: ServiceRequestState::Submitted,
        rejected_because: None,
        ticket_id: None,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    };
    tx.service_request_insert(&row).await.expect("asks");
    let step = ServiceRequestStep {
        id: tx.new_id(),
        request_id: row.id,
        client_id: row.client_id,
        number: 1,
        at: tx.now(),
        portal_user_id: Some(requester.id),
        staff_id: None,
        act: None,
        state: row.state,
        note: None,
        internal_note: None,
    };
    tx.service_request_step_insert(&step).await.expect("notes");
}

pub async fn copy(
    tx: &Tx,
    client: ClientId,
    agreement: &Agreement,
    person: Option<&PortalUserRow>,
    state: AgreementState,
) {
    let signed = (state == AgreementState::Signed).then(|| Signature {
        by: person.map_or(PortalUserId(Uuid::nil()), |person| person.id),
        name: "A Person".to_owned(),
        at: tx.now(),
        source_address: None,
        user_agent: None,
        text_hash: "hash".to_owned(),
    });
    let row = AgreementInstance {
        id: tx.new_id(),
        agreement_id: agreement.id,
        series_id: agreement.series_id,
        client_id: client,
        addressee: person.map(|person| person.id),
        state,
        sent_at: tx.now(),
        viewed_at: (state != AgreementState::Pending).then(|| tx.now()),
        ended_at: (!state.is_open()).then(|| tx.now()),
        reason: None,
        signature: signed,
        updated_at: tx.now(),
        version: 1,
    };
    tx.agreement_instance_insert(&row).await.expect("sends");
}

pub async fn onboarding(tx: &Tx, client: ClientId, of: &OnboardingTemplate, state: OnboardingState) {
    let id: OnboardingId = tx.new_id();
    let active = state == OnboardingState::Active;
    let row = Onboarding {
        id,
        template_id: of.id,
        series_id: of.series_id,
        client_id: client,
        name: of.name.clone(),
        stalled_after_days: 7,
        state,
        total: 1,
        settled: 0,
        current: active.then(|| "Passwords".to_owned()),
        started_at: tx.now(),
        moved_at: tx.now(),
        ended_at: (!active).then(|| tx.now()),
        reason: None,
        updated_at: tx.now(),
        version: 1,
    };
    tx.onboarding_insert(&row).await.expect("begins");
    let step = OnboardingStep {
        id: tx.new_id(),
        onboarding_id: id,
        client_id: client,
        number: 1,
        title: "Passwords".to_owned(),
        content: OnboardingContent::Credentials { wanted: vec!["Router".to_owned()] },
        state: OnboardingStepState::Open,
        settled_at: None,
        portal_user_id: None,
        staff_id: None,
        answers: Vec::new(),
        reason: None,
        credentials_at: Some(tx.now()),
        credentials_reads: 0,
        credentials_read_at: None,
        credentials_read_by: None,
        updated_at: tx.now(),
        version: 1,
    };
    tx.onboarding_steps_insert(std::slice::from_ref(&step)).await.expect("makes");
    let given = [GivenCredential { label: "Router".to_owned(), value: "a secret".to_owned() }];
    tx.onboarding_credentials_seal(step.id, Some(&given)).await.expect("seals");
}
