//! What portal users can ask for.

use chrono::{DateTime, Utc};
use clientone::{ServiceRequestTypeDraft, ServiceRequestTypePatch};
use domain::{FieldKind, FormField, Permission, ServiceRequestType as Kind, ServiceRequestTypeId};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, if_match, page_request},
    problem::Failure,
    routes::{Chapter, mirrored::mirrored},
    write::{Asked, Begun},
};

mirrored! {
    /// What a field takes
    RequestFieldKind = FieldKind {
        /// A text
        Text,
        /// One of its options
        Choice,
        /// A day, as 2026-11-22
        Date,
        /// A number, as -12.5
        Number,
    }
}

/// A field of a form.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct RequestField {
    /// Its name for machines: small letters, digits and underscores, unique in the form
    pub key: String,
    /// What people read
    pub label: String,
    pub kind: RequestFieldKind,
    /// What can be chosen; only of a choice
    pub options: Option<Vec<String>>,
    /// Whether it must be answered
    pub required: bool,
}

/// A type of service request.
#[derive(Debug, Clone, Object)]
pub struct ServiceRequestType {
    /// Id
    pub id: Uuid,
    /// What it is called
    pub name: String,
    /// What it is
    pub description: String,
    /// What is asked of whoever wants it
    pub fields: Vec<RequestField>,
    /// Whether it can be asked for; one that is not is retired
    pub active: bool,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Changed
    pub updated_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// A type that is to be offered to every client.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct ServiceRequestTypeCreate {
    /// What it is called
    pub name: String,
    /// What it is, for whoever wants it
    pub description: String,
    /// What is asked of them, at most 30
    pub fields: Vec<RequestField>,
}

/// What to change about a type; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ServiceRequestTypeUpdate {
    /// What it is called
    pub name: Option<String>,
    /// What it is
    pub description: Option<String>,
    /// What is asked; requests made before keep the form they had
    pub fields: Option<Vec<RequestField>>,
    /// False retires it, true offers it again
    pub active: Option<bool>,
}

/// Types of service requests.
pub struct ServiceRequestTypes;

#[OpenApi(prefix_path = "/api/clientone-admin/service-request-types", tag = "Chapter::ClientOne")]
impl ServiceRequestTypes {
    /// Types by name, with those that are retired
    #[oai(path = "/", method = "get", operation_id = "service_request_type_list")]
    async fn service_request_type_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only those that are offered, or that are retired
        active: Query<Option<bool>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<ServiceRequestType>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let listed = clientone::service_request_type_list(&tx, active.0, &page).await?;
        Ok(Answer::page(listed.map(view), uri))
    }

    /// Offer something new to every client; only by those who see every client
    #[oai(path = "/", method = "post", operation_id = "service_request_type_create")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn service_request_type_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<ServiceRequestTypeCreate>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ServiceRequestType>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (permission, action) = (Permission::ClientoneManage, "service_request_type_create");
        let write = match app.begin(&context, permission, action, asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let ServiceRequestTypeCreate { name, description, fields } = body.0;
        let draft = ServiceRequestTypeDraft { name, description, fields: form(fields) };
        let done = clientone::service_request_type_create(&write.tx, draft).await;
        let (write, row) = app.passed(write, done).await?;
        let version = row.version;
        Ok(Answer::versioned(write.finish(Some(view(row)), Vec::new()).await?, version))
    }

    /// Change a type, retire it, or offer it again; only by those who see every client
    #[oai(path = "/:service_request_type_id", method = "patch", operation_id = "service_request_type_update")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn service_request_type_update(
        &self,
        app: AppData<'_>,
        caller: Caller,
        service_request_type_id: Path<Uuid>,
        body: Json<ServiceRequestTypeUpdate>,
        /// ETag of the type as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<ServiceRequestType>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (permission, action) = (Permission::ClientoneManage, "service_request_type_update");
        let id = ServiceRequestTypeId(service_request_type_id.0);
        let write = match app.begin(&context, permission, action, asked, &(id, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let ServiceRequestTypeUpdate { name, description, fields, active } = body.0;
        let version = if_match(version.0.as_deref())?;
        let patch = ServiceRequestTypePatch { name, description, fields: fields.map(form), active, version };
        let done = clientone::service_request_type_update(&write.tx, id, patch).await;
        let (write, row) = app.passed(write, done).await?;
        let version = row.version;
        Ok(Answer::versioned(write.finish(Some(view(row)), Vec::new()).await?, version))
    }
}

/// A form as it was typed.
pub(super) fn form(fields: Vec<RequestField>) -> Vec<FormField> {
    let field = |field: RequestField| FormField {
        key: field.key,
        label: field.label,
        kind: field.kind.into(),
        options: field.options.unwrap_or_default(),
        required: field.required,
    };
    fields.into_iter().map(field).collect()
}

/// A form as it is shown.
pub(crate) fn shown_form(fields: Vec<FormField>) -> Vec<RequestField> {
    let field = |field: FormField| RequestField {
        key: field.key,
        label: field.label,
        options: (field.kind == FieldKind::Choice).then_some(field.options),
        kind: field.kind.into(),
        required: field.required,
    };
    fields.into_iter().map(field).collect()
}

fn view(row: Kind) -> ServiceRequestType {
    ServiceRequestType {
        id: row.id.0,
        name: row.name,
        description: row.description,
        fields: shown_form(row.fields),
        active: row.active,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}
