//! Service requests, as staff handle them.

use chrono::{DateTime, Utc};
use clientone::RequestNotes;
use domain::{
    ClientId, FieldAnswer, Permission, ServiceRequest as Row, ServiceRequestAct, ServiceRequestId, ServiceRequestState,
    ServiceRequestStep as Step, ServiceRequestTypeId,
};
use persistence::{PortalNames, ServiceRequestFilter, Tx};
use poem::Request;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::service_types::RequestFieldKind;
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, page_request},
    problem::Failure,
    routes::{Chapter, clientone::base, mirrored::mirrored},
    write::{Asked, Begun},
};

mirrored! {
    /// Where a service request stands
    RequestState = ServiceRequestState {
        /// Nobody has looked at it
        Submitted,
        /// Someone looks at it
        InReview,
        /// It is being done
        InProgress,
        /// It was done
        Completed,
        /// It will not be done; the reason was said
        Rejected,
        /// Taken back by its requester
        Cancelled,
    }
}

mirrored! {
    /// What was done with a service request
    RequestAct = ServiceRequestAct {
        /// Looked at
        Review,
        /// Begun
        Start,
        /// Done
        Complete,
        /// Refused, with the reason
        Reject,
        /// Taken back by its requester
        Cancel,
        /// Something was said
        Note,
    }
}

/// What staff do with a service request
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum RequestActByStaff {
    /// Look at it: from submitted
    Review,
    /// Begin to do it: from in_review
    Start,
    /// Say that it is done: from in_progress
    Complete,
    /// Say that it will not be done, and why in `note`
    Reject,
    /// Only say something
    Note,
}

impl From<RequestActByStaff> for ServiceRequestAct {
    fn from(act: RequestActByStaff) -> Self {
        match act {
            RequestActByStaff::Review => Self::Review,
            RequestActByStaff::Start => Self::Start,
            RequestActByStaff::Complete => Self::Complete,
            RequestActByStaff::Reject => Self::Reject,
            RequestActByStaff::Note => Self::Note,
        }
    }
}

/// What was answered in a field of the form, as the form was then.
#[derive(Debug, Clone, Object)]
pub struct RequestAnswer {
    /// The field's name for machines
    pub key: String,
    /// What people read
    pub label: String,
    pub kind: RequestFieldKind,
    /// The answer
    pub value: String,
}

impl From<FieldAnswer> for RequestAnswer {
    fn from(answer: FieldAnswer) -> Self {
        Self { key: answer.key, label: answer.label, kind: answer.kind.into(), value: answer.value }
    }
}

/// A service request.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ServiceRequest {
    /// Id
    pub id: Uuid,
    /// Client
    pub client_id: Uuid,
    /// Its name
    pub client: String,
    /// Who asked
    pub portal_user_id: Uuid,
    /// Their name
    pub requester: String,
    /// What for
    pub service_request_type_id: Uuid,
    /// What that was called then
    pub type_name: String,
    /// What they want, in their words
    pub description: String,
    /// What they answered
    pub answers: Vec<RequestAnswer>,
    pub state: RequestState,
    /// Why it was rejected
    pub rejected_because: Option<String>,
    /// The ticket that it was turned into
    pub portal_ticket_id: Option<Uuid>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Changed
    pub updated_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// Something that was done with a service request.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ServiceRequestDeed {
    /// When
    pub at: DateTime<Utc>,
    /// The portal user who did it
    pub portal_user_id: Option<Uuid>,
    /// Or the staff user
    pub staff_id: Option<Uuid>,
    /// What; absent for the making of it
    pub act: Option<RequestAct>,
    /// The state after it
    pub state: RequestState,
    /// What was said to the requester
    pub note: Option<String>,
    /// What staff said among themselves
    pub internal_note: Option<String>,
}

/// A service request, and what was done with it.
#[derive(Debug, Clone, Object)]
pub struct ServiceRequestWhole {
    pub request: ServiceRequest,
    /// What was done, in order
    pub steps: Vec<ServiceRequestDeed>,
}

/// What to do with a service request.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ServiceRequestDo {
    pub act: RequestActByStaff,
    /// To the requester, who gets it by mail; needed to reject
    pub note: Option<String>,
    /// Among staff: shown in no portal
    pub internal_note: Option<String>,
}

/// Service requests.
pub struct ServiceRequests;

#[OpenApi(prefix_path = "/api/clientone-admin/service-requests", tag = "Chapter::ClientOne")]
impl ServiceRequests {
    /// Requests across clients or of one, the newest first
    #[oai(path = "/", method = "get", operation_id = "service_request_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn service_request_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only of this client
        client_id: Query<Option<Uuid>>,
        state: Query<Option<RequestState>>,
        /// Only of this type
        service_request_type_id: Query<Option<Uuid>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<ServiceRequest>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let filter = ServiceRequestFilter {
            client: client_id.0.map(ClientId),
            requester: None,
            state: state.0.map(Into::into),
            type_id: service_request_type_id.0.map(ServiceRequestTypeId),
        };
        let listed = clientone::service_request_list(&tx, &filter, &page).await?;
        let clients = listed.items.iter().map(|row| row.client_id);
        let names = tx.portal_names(clients, listed.items.iter().map(|row| row.requester)).await?;
        Ok(Answer::page(listed.map(|row| view(row, &names)), uri))
    }

    /// One request, with what was done with it
    #[oai(path = "/:service_request_id", method = "get", operation_id = "service_request_get")]
    async fn service_request_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        service_request_id: Path<Uuid>,
    ) -> Result<Answer<ServiceRequestWhole>, Failure> {
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let (row, steps) = clientone::service_request_get(&tx, ServiceRequestId(service_request_id.0)).await?;
        let version = row.version;
        let whole =
            ServiceRequestWhole { request: named(&tx, row).await?, steps: steps.into_iter().map(deed).collect() };
        Ok(Answer::versioned(whole, version))
    }

    /// Take a request on its way, or reject it: the requester is told by mail
    ///
    /// submitted, in_review, in_progress, completed; rejected from any of the first three, with the reason in `note`.
    #[oai(path = "/:service_request_id/acts", method = "post", operation_id = "service_request_act")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn service_request_act(
        &self,
        app: AppData<'_>,
        caller: Caller,
        request: &Request,
        service_request_id: Path<Uuid>,
        body: Json<ServiceRequestDo>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ServiceRequest>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, permission) = (ServiceRequestId(service_request_id.0), Permission::ClientoneManage);
        let write = match app.begin(&context, permission, "service_request_act", asked, &(id, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let ServiceRequestDo { act, note, internal_note } = body.0;
        let notes = RequestNotes { note, internal_note };
        // Without a public origin the letter goes without a link.
        let base = base(&app, request).ok();
        let row = clientone::service_request_act(&write.tx, id, act.into(), notes, base.as_deref()).await?;
        let version = row.version;
        let view = named(&write.tx, row).await?;
        Ok(Answer::versioned(write.finish(Some(view), Vec::new()).await?, version))
    }
}

async fn named(tx: &Tx, row: Row) -> domain::Result<ServiceRequest> {
    let names = tx.portal_names([row.client_id], [row.requester]).await?;
    Ok(view(row, &names))
}

fn view(row: Row, names: &PortalNames) -> ServiceRequest {
    ServiceRequest {
        id: row.id.0,
        client_id: row.client_id.0,
        client: names.client(row.client_id),
        portal_user_id: row.requester.0,
        requester: names.user(row.requester),
        service_request_type_id: row.type_id.0,
        type_name: row.type_name,
        description: row.description,
        answers: row.answers.into_iter().map(Into::into).collect(),
        state: row.state.into(),
        rejected_because: row.rejected_because,
        portal_ticket_id: row.ticket_id.map(|id| id.0),
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}

fn deed(step: Step) -> ServiceRequestDeed {
    ServiceRequestDeed {
        at: step.at,
        portal_user_id: step.portal_user_id.map(|id| id.0),
        staff_id: step.staff_id.map(|id| id.0),
        act: step.act.map(Into::into),
        state: step.state.into(),
        note: step.note,
        internal_note: step.internal_note,
    }
}
