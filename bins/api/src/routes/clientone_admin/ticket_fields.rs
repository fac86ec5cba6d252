//! The form with which portal users open a ticket.

use domain::{FieldKind, Permission, TicketField as Field, TicketForm as Form};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Query},
    payload::Json,
};

use super::service_types::{RequestField, RequestFieldKind, form};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, if_match},
    problem::Failure,
    routes::Chapter,
    write::{Asked, Begun},
};

/// An option of a choice.
#[derive(Debug, Clone, Object)]
pub struct TicketOption {
    /// What people choose
    pub name: String,
    /// Offered no more; older tickets name it
    pub retired: bool,
}

/// A field of the ticket form.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct TicketField {
    /// Its name for machines; `priority` and `category` are always there
    pub key: String,
    /// What people read
    pub label: String,
    pub kind: RequestFieldKind,
    /// What can be chosen, then what could be; only of a choice
    pub options: Option<Vec<TicketOption>>,
    /// Whether it must be answered
    pub required: bool,
    /// Asked no more; older tickets name it
    pub retired: bool,
}

/// The ticket form.
#[derive(Debug, Clone, Object)]
pub struct TicketForm {
    /// What is asked, in order, then what was
    pub fields: Vec<TicketField>,
    /// Goes up with each change; also the ETag. 0 while nothing was ever set
    pub version: i32,
}

/// What is to be asked from now on.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct TicketFormSet {
    /// The fields in order: `priority` and `category`, which are choices, and your own. What is left out is retired
    pub fields: Vec<RequestField>,
}

/// Ticket fields.
pub struct TicketFields;

#[OpenApi(prefix_path = "/api/clientone-admin/ticket-fields", tag = "Chapter::ClientOne")]
impl TicketFields {
    /// What portal users are asked who open a ticket, and what they were asked before
    #[oai(path = "/", method = "get", operation_id = "ticket_form_get")]
    async fn ticket_form_get(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<TicketForm>, Failure> {
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let (form, version) = clientone::ticket_form_get(&tx).await?;
        Ok(Answer::versioned(view(form, version), version))
    }

    /// Set what portal users are asked; only by those who see every client
    ///
    /// Fields and options that are left out are retired, and come back when they are named again.
    #[oai(path = "/", method = "put", operation_id = "ticket_form_set")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn ticket_form_set(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<TicketFormSet>,
        /// ETag of the form as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<TicketForm>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (permission, action) = (Permission::ClientoneManage, "ticket_form_set");
        let write = match app.begin(&context, permission, action, asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let version = if_match(version.0.as_deref())?;
        let done = clientone::ticket_form_set(&write.tx, form(body.0.fields), version).await;
        let (write, (form, version)) = app.passed(write, done).await?;
        Ok(Answer::versioned(write.finish(Some(view(form, version)), Vec::new()).await?, version))
    }
}

fn view(form: Form, version: i32) -> TicketForm {
    let option = |one: domain::TicketOption| TicketOption { name: one.name, retired: one.retired };
    let field = |field: Field| TicketField {
        key: field.key,
        label: field.label,
        options: (field.kind == FieldKind::Choice).then(|| field.options.into_iter().map(option).collect()),
        kind: field.kind.into(),
        required: field.required,
        retired: field.retired,
    };
    TicketForm { fields: form.fields.into_iter().map(field).collect(), version }
}
