//! Service requests, as people of a client make and follow them.

use access::Visit;
use chrono::{DateTime, Utc};
use clientone::NewServiceRequest;
use domain::{
    Context, PortalPermission, ServiceRequest as Row, ServiceRequestId, ServiceRequestStep as Step,
    ServiceRequestType as Kind, ServiceRequestTypeId,
};
use persistence::{PortalNames, Tx};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::PortalChapter;
use crate::{
    app::AppData,
    changes::Written,
    page::{Answer, Page, page_request},
    portal_auth::PortalCaller,
    problem::Failure,
    routes::clientone_admin::{
        service_requests::{RequestAct, RequestAnswer, RequestState},
        service_types::{RequestField, shown_form},
    },
    write::{Asked, Begun},
};

/// Something that can be asked for.
#[derive(Debug, Clone, Object)]
pub struct OfferedService {
    /// Id
    pub id: Uuid,
    /// What it is called
    pub name: String,
    /// What it is
    pub description: String,
    /// What is to be answered
    pub fields: Vec<RequestField>,
}

/// A service request.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct RequestedService {
    /// Id
    pub id: Uuid,
    /// Who asked
    pub portal_user_id: Uuid,
    /// Their name
    pub requester: String,
    /// What for
    pub service_request_type_id: Uuid,
    /// What that was called then
    pub type_name: String,
    /// What is wanted
    pub description: String,
    /// What was answered
    pub answers: Vec<RequestAnswer>,
    pub state: RequestState,
    /// Why it was rejected
    pub rejected_because: Option<String>,
    /// The ticket that it was turned into
    pub portal_ticket_id: Option<Uuid>,
    /// Whether you can still cancel it
    pub can_cancel: bool,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Changed
    pub updated_at: DateTime<Utc>,
}

/// Something that happened with a service request.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct RequestEvent {
    /// When
    pub at: DateTime<Utc>,
    /// What; absent for the making of it
    pub act: Option<RequestAct>,
    /// The state after it
    pub state: RequestState,
    /// What your provider said
    pub note: Option<String>,
}

/// A service request, and what happened with it.
#[derive(Debug, Clone, Object)]
pub struct RequestedServiceWhole {
    pub request: RequestedService,
    /// What happened, in order
    pub events: Vec<RequestEvent>,
}

/// An answer to a field.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct GivenAnswer {
    /// The key of the field
    pub key: String,
    /// The answer: of a choice the option, of a date 2026-11-22, of a number -12.5
    pub value: String,
}

/// What is asked for.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct ServiceRequestCreate {
    /// What for
    pub service_request_type_id: Uuid,
    /// What is wanted, in your words
    pub description: String,
    /// Answers to the fields of the type
    pub answers: Vec<GivenAnswer>,
}

/// Service requests.
pub struct RequestedServices;

#[OpenApi(prefix_path = "/api/clientone", tag = "PortalChapter::ServiceRequests")]
impl RequestedServices {
    /// What can be asked for
    #[oai(path = "/service-request-types", method = "get", operation_id = "service_request_type_list")]
    async fn service_request_type_list(
        &self,
        caller: PortalCaller,
        uri: &poem::http::Uri,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<OfferedService>>, Failure> {
        let (tx, visit) = caller.visit()?;
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let listed = clientone::service_request_types_offered(&tx, &visit.config.settings, &page).await?;
        let offered = |kind: Kind| OfferedService {
            id: kind.id.0,
            name: kind.name,
            description: kind.description,
            fields: shown_form(kind.fields),
        };
        Ok(Answer::page(listed.map(offered), uri))
    }

    /// My requests, a Manager's list those of the whole company; the newest first
    #[oai(path = "/service-requests", method = "get", operation_id = "service_request_list")]
    async fn service_request_list(
        &self,
        caller: PortalCaller,
        uri: &poem::http::Uri,
        state: Query<Option<RequestState>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<RequestedService>>, Failure> {
        let (tx, visit) = caller.visit()?;
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let (user, settings) = (&visit.user, &visit.config.settings);
        let state = state.0.map(Into::into);
        let listed = clientone::service_requests_seen_by(&tx, user, settings, state, &page).await?;
        let names = tx.portal_names([], listed.items.iter().map(|row| row.requester)).await?;
        Ok(Answer::page(listed.map(|row| view(row, &names, &visit)), uri))
    }

    /// Ask for something
    #[oai(path = "/service-requests", method = "post", operation_id = "service_request_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn service_request_create(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        body: Json<ServiceRequestCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<RequestedService>>, Failure> {
        let (context, visit) = parts(caller)?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, settings) = (PortalPermission::ServiceRequestsView, &visit.config.settings);
        let action = "service_request_create";
        let write = match app.begin_portal(&context, permission, settings, action, asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let ServiceRequestCreate { service_request_type_id, description, answers } = body.0;
        let new = NewServiceRequest {
            type_id: ServiceRequestTypeId(service_request_type_id),
            description,
            answers: answers.into_iter().map(|answer| (answer.key, answer.value)).collect(),
        };
        let row = clientone::service_request_create(&write.tx, &visit.user, settings, new).await?;
        let view = named(&write.tx, row, &visit).await?;
        Ok(Answer::new(write.finish(Some(view), Vec::new()).await?))
    }

    /// One request, and what happened with it
    #[oai(path = "/service-requests/:service_request_id", method = "get", operation_id = "service_request_get")]
    async fn service_request_get(
        &self,
        caller: PortalCaller,
        service_request_id: Path<Uuid>,
    ) -> Result<Answer<RequestedServiceWhole>, Failure> {
        let (tx, visit) = caller.visit()?;
        let (user, settings) = (&visit.user, &visit.config.settings);
        let id = ServiceRequestId(service_request_id.0);
        let (row, steps) = clientone::service_request_seen_by(&tx, user, settings, id).await?;
        let request = named(&tx, row, &visit).await?;
        Ok(Answer::new(RequestedServiceWhole { request, events: steps.into_iter().map(event).collect() }))
    }

    /// Take back a request of mine that nobody has looked at
    #[oai(
        path = "/service-requests/:service_request_id/cancel",
        method = "post",
        operation_id = "service_request_cancel"
    )]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn service_request_cancel(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        service_request_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<RequestedService>>, Failure> {
        let (context, visit) = parts(caller)?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, settings) = (PortalPermission::ServiceRequestsView, &visit.config.settings);
        let (id, action) = (ServiceRequestId(service_request_id.0), "service_request_cancel");
        let write = match app.begin_portal(&context, permission, settings, action, asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = clientone::service_request_cancel(&write.tx, &visit.user, settings, id).await?;
        let view = named(&write.tx, row, &visit).await?;
        Ok(Answer::new(write.finish(Some(view), Vec::new()).await?))
    }
}

/// Who calls, for a write.
pub(super) fn parts(caller: PortalCaller) -> domain::Result<(Context, Visit)> {
    let (tx, visit) = caller.visit()?;
    Ok((tx.context().clone(), visit))
}

async fn named(tx: &Tx, row: Row, visit: &Visit) -> domain::Result<RequestedService> {
    let names = tx.portal_names([], [row.requester]).await?;
    Ok(view(row, &names, visit))
}

fn view(row: Row, names: &PortalNames, visit: &Visit) -> RequestedService {
    let own = row.requester == visit.user.id;
    RequestedService {
        id: row.id.0,
        portal_user_id: row.requester.0,
        requester: names.user(row.requester),
        service_request_type_id: row.type_id.0,
        type_name: row.type_name,
        description: row.description,
        answers: row.answers.into_iter().map(Into::into).collect(),
        can_cancel: own && row.state.after(domain::ServiceRequestAct::Cancel).is_ok(),
        state: row.state.into(),
        rejected_because: row.rejected_because,
        portal_ticket_id: row.ticket_id.map(|id| id.0),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn event(step: Step) -> RequestEvent {
    RequestEvent { at: step.at, act: step.act.map(Into::into), state: step.state.into(), note: step.note }
}
