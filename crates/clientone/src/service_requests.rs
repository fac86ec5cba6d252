//! Service requests: someone of a client asks, staff look at it, do it, or say why not.

use domain::{
    DeskNoticeKind, Error, Listed, NotificationKind, PageRequest, Permission, PortalPermission, PortalSettings, Reach,
    Result, ServiceRequest, ServiceRequestAct, ServiceRequestId, ServiceRequestState, ServiceRequestStep,
    ServiceRequestTypeId, check_answers,
};
use persistence::{PortalNotice, PortalUserRow, ServiceRequestFilter, Tx};

use crate::{
    desk_notices::tell_staff,
    texts::{valid_optional, valid_text},
};

/// Most characters of a description or a note.
const TEXT: usize = 2_000;
/// Most times that something is done with one request.
const STEPS: i32 = 500;

/// A request as it was typed.
#[derive(Clone, Debug)]
pub struct NewServiceRequest {
    /// What for.
    pub type_id: ServiceRequestTypeId,
    /// What is wanted, in one's own words.
    pub description: String,
    /// Answers by the key of their field.
    pub answers: Vec<(String, String)>,
}

/// What staff say with what they do.
#[derive(Clone, Debug, Default)]
pub struct RequestNotes {
    /// To the requester; the reason, where it is rejected.
    pub note: Option<String>,
    /// Among themselves.
    pub internal_note: Option<String>,
}

/// Requests of the scope's clients, the newest first, for those who manage ClientOne.
pub async fn service_request_list(
    tx: &Tx,
    filter: &ServiceRequestFilter,
    page: &PageRequest,
) -> Result<Listed<ServiceRequest>> {
    tx.context().require(Permission::ClientoneManage)?;
    tx.service_request_list(filter, page).await
}

/// A request with what was done with it, for those who manage ClientOne.
pub async fn service_request_get(tx: &Tx, id: ServiceRequestId) -> Result<(ServiceRequest, Vec<ServiceRequestStep>)> {
    tx.context().require(Permission::ClientoneManage)?;
    let row = tx.service_request(id).await?;
    Ok((row, tx.service_request_steps(id).await?))
}

/// The requests that a portal user sees: their own, a Manager everyone's of the client.
pub async fn service_requests_seen_by(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    state: Option<ServiceRequestState>,
    page: &PageRequest,
) -> Result<Listed<ServiceRequest>> {
    let reach = tx.context().require_portal(PortalPermission::ServiceRequestsView, settings)?;
    let filter = ServiceRequestFilter {
        client: Some(user.client_id),
        requester: (reach != Reach::All).then_some(user.id),
        state,
        type_id: None,
    };
    tx.service_request_list(&filter, page).await
}

/// A request that a portal user sees, with what was done with it as far as it is for them.
pub async fn service_request_seen_by(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: ServiceRequestId,
) -> Result<(ServiceRequest, Vec<ServiceRequestStep>)> {
    let row = seen(tx, user, settings, id).await?;
    let mut steps = tx.service_request_steps(id).await?;
    for step in &mut steps {
        step.internal_note = None;
    }
    // Where staff only spoke among themselves, nothing happened.
    steps.retain(|step| step.act != Some(ServiceRequestAct::Note) || step.note.is_some());
    Ok((row, steps))
}

async fn seen(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: ServiceRequestId,
) -> Result<ServiceRequest> {
    let reach = tx.context().require_portal(PortalPermission::ServiceRequestsView, settings)?;
    let row = tx.service_request(id).await?;
    let own = row.requester == user.id;
    if row.client_id != user.client_id || !(own || reach == Reach::All) {
        return Err(Error::NotFound { what: "service request" });
    }
    Ok(row)
}

/// Asks for something. The caller commits.
pub async fn service_request_create(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    new: NewServiceRequest,
) -> Result<ServiceRequest> {
    tx.context().require_portal(PortalPermission::ServiceRequestsView, settings)?;
    // Locked, so that it is not retired or changed under the request. One that is retired does not exist in a portal.
    let kind = tx.service_request_type(new.type_id).await?;
    if !kind.active {
        return Err(Error::NotFound { what: "type of service request" });
    }
    let mut problems = Vec::new();
    let description = valid_text("/description", &new.description, TEXT).map_err(|problem| problems.push(problem));
    let answers = check_answers(&kind.fields, &new.answers).map_err(|found| problems.extend(found));
    let (Ok(description), Ok(answers)) = (description, answers) else { return Err(Error::Invalid(problems)) };
    let row = ServiceRequest {
        id: tx.new_id(),
        client_id: user.client_id,
        requester: user.id,
        type_id: kind.id,
        type_name: kind.name,
        description,
        answers,
        state: ServiceRequestState::Submitted,
        rejected_because: None,
        ticket_id: None,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    };
    tx.service_request_insert(&row).await?;
    step_noted(tx, &row, None, RequestNotes::default()).await?;
    let title = format!("{} asks for: {}", user.name, row.type_name);
    tell_staff(tx, DeskNoticeKind::ServiceRequestMade, row.client_id, row.id.0, title).await?;
    Ok(row)
}

/// Takes a request back that nobody has looked at: only its requester. The caller commits.
pub async fn service_request_cancel(
    tx: &Tx,
    user: &PortalUserRow,
    settings: &PortalSettings,
    id: ServiceRequestId,
) -> Result<ServiceRequest> {
    let before = seen(tx, user, settings, id).await?;
    if before.requester != user.id {
        return Err(Error::conflict("not_the_requester", "Only the person who made this request can cancel it."));
    }
    go(tx, &before, ServiceRequestAct::Cancel, RequestNotes::default()).await
}

/// Does something with a request, and tells the requester: of each change of its state, and of each note for them. The
/// caller commits.
pub async fn service_request_act(
    tx: &Tx,
    id: ServiceRequestId,
    act: ServiceRequestAct,
    notes: RequestNotes,
    base: Option<&str>,
) -> Result<ServiceRequest> {
    tx.context().require(Permission::ClientoneManage)?;
    let before = tx.service_request(id).await?;
    if act == ServiceRequestAct::Cancel {
        let message = "Only the requester cancels a request. Reject it, and say why.";
        return Err(Error::conflict("not_the_requester", message));
    }
    let mut problems = Vec::new();
    let mut read = |pointer, text: &Option<String>| {
        valid_optional(pointer, text.as_deref(), TEXT).map_err(|problem| problems.push(problem)).unwrap_or_default()
    };
    let note = read("/note", &notes.note);
    let internal_note = read("/internal_note", &notes.internal_note);
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    if act == ServiceRequestAct::Reject && note.is_none() {
        return Err(Error::invalid("/note", "required", "must say to the requester why it is rejected"));
    }
    if act == ServiceRequestAct::Note && note.is_none() && internal_note.is_none() {
        return Err(Error::invalid("/note", "required", "must say something, here or in internal_note"));
    }
    let after = go(tx, &before, act, RequestNotes { note: note.clone(), internal_note }).await?;
    if after.state != before.state || note.is_some() {
        tell(tx, &before, &after, note, base).await?;
    }
    Ok(after)
}

/// The one way from state to state.
async fn go(tx: &Tx, before: &ServiceRequest, act: ServiceRequestAct, notes: RequestNotes) -> Result<ServiceRequest> {
    let state = before.state.after(act)?;
    let rejected_because = if act == ServiceRequestAct::Reject { notes.note.clone() } else { None };
    let after = ServiceRequest { state, rejected_because, ..before.clone() };
    let after = tx.service_request_save(before, after).await?;
    step_noted(tx, &after, Some(act), notes).await?;
    Ok(after)
}

pub(crate) async fn step_noted(
    tx: &Tx,
    row: &ServiceRequest,
    act: Option<ServiceRequestAct>,
    RequestNotes { note, internal_note }: RequestNotes,
) -> Result<()> {
    let number = if act.is_none() { 1 } else { tx.service_request_step_count(row.id).await? + 1 };
    if number > STEPS {
        return Err(Error::conflict("too_many_steps", "So much was done with this request that no more can be noted."));
    }
    let actor = tx.context().actor;
    let step = ServiceRequestStep {
        id: tx.new_id(),
        request_id: row.id,
        client_id: row.client_id,
        number,
        at: tx.now(),
        portal_user_id: actor.portal_user(),
        staff_id: actor.staff(),
        act,
        state: row.state,
        note,
        internal_note,
    };
    tx.service_request_step_insert(&step).await
}

async fn tell(
    tx: &Tx,
    before: &ServiceRequest,
    after: &ServiceRequest,
    note: Option<String>,
    base: Option<&str>,
) -> Result<()> {
    let requester = tx.portal_user(after.requester).await?;
    let (name, words) = (&after.type_name, after.state.words());
    let subject = if after.state == before.state {
        format!("About your request “{name}”")
    } else {
        format!("Your request “{name}” is {words}")
    };
    let mut paragraphs = vec![format!("Your request “{name}” is {words}.")];
    paragraphs.extend(note);
    let notice = PortalNotice {
        kind: NotificationKind::ServiceRequestStatus,
        subject_id: after.id.0,
        key: format!("service_request:{}:{}", after.id, tx.service_request_step_count(after.id).await?),
        title: subject,
        paragraphs,
        link: ("See your request", format!("service-requests/{}", after.id)),
        base,
    };
    tx.portal_notify(after.client_id, &[requester], &notice).await
}
