//! What is asked of whoever opens a ticket.

use poem_openapi::{Object, OpenApi};

use super::PortalChapter;
use crate::{
    page::Answer,
    portal_auth::PortalCaller,
    problem::Failure,
    routes::clientone_admin::service_types::{RequestField, shown_form},
};

/// What is asked of whoever opens a ticket.
#[derive(Debug, Clone, Object)]
pub struct AskedOfTickets {
    /// The fields in order
    pub fields: Vec<RequestField>,
}

/// The ticket form.
pub struct PortalTicketForm;

#[OpenApi(prefix_path = "/api/clientone/ticket-form", tag = "PortalChapter::Tickets")]
impl PortalTicketForm {
    /// What is asked of whoever opens a ticket
    #[oai(path = "/", method = "get", operation_id = "ticket_form_get")]
    async fn ticket_form_get(&self, caller: PortalCaller) -> Result<Answer<AskedOfTickets>, Failure> {
        let (tx, visit) = caller.visit()?;
        let fields = clientone::ticket_form_asked(&tx, &visit.config.settings).await?;
        Ok(Answer::new(AskedOfTickets { fields: shown_form(fields) }))
    }
}
