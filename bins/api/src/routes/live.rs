//! What is asked of a vendor live: what tickets can be set to, and templates.

use domain::{ConnectionId, Permission};
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use super::{
    Chapter,
    acting::{CHOICE, Fields},
};
use crate::{app::AppData, auth::Caller, page::Answer, problem::Failure};

/// One of several things to choose from.
#[derive(Debug, Clone, Object)]
pub struct Choice {
    /// As a request names it
    pub id: String,
    /// As people read it
    pub label: String,
}

/// What tickets can be set to.
#[derive(Debug, Clone, Object)]
pub struct TicketChoices {
    /// States
    pub statuses: Vec<Choice>,
    /// Priorities
    pub priorities: Vec<Choice>,
    /// Boards, queues or teams
    pub queues: Vec<Choice>,
}

/// Something that the vendor keeps for the whole account.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Template {
    /// The vendor's id
    pub id: String,
    /// Name
    pub name: String,
    /// Description
    pub description: Option<String>,
    /// Its parts: fields of a document, tasks of a checklist
    pub parts: Vec<String>,
}

/// Templates of one shelf.
#[derive(Debug, Clone, Object)]
pub struct TemplateShelf {
    /// Every shelf there is
    pub shelves: Vec<Choice>,
    /// Which one this is
    pub shelf: String,
    /// What stands on it
    pub items: Vec<Template>,
}

fn choices(found: Vec<integration::Choice>) -> Vec<Choice> {
    found.into_iter().map(|one| Choice { id: one.id, label: one.label }).collect()
}

/// What is read live.
pub struct Live;

#[OpenApi(prefix_path = "/api/connections", tag = "Chapter::Connections")]
impl Live {
    /// What tickets can be set to, asked of the vendor
    #[oai(path = "/:connection_id/ticket-choices", method = "get", operation_id = "ticket_choices_get")]
    async fn ticket_choices_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
        /// Board, queue or team whose states are wanted, where states belong to one
        queue: Query<Option<String>>,
    ) -> Result<Answer<TicketChoices>, Failure> {
        let context = caller.context()?;
        context.require(Permission::ServiceView)?;
        let mut fields = Fields::default();
        let queue = fields.line("queue", queue.0, CHOICE);
        fields.check()?;
        let id = ConnectionId(connection_id.0);
        let found = app.engine.ticket_choices_get(&context, id, queue.as_deref()).await?;
        Ok(Answer::new(TicketChoices {
            statuses: choices(found.statuses),
            priorities: choices(found.priorities),
            queues: choices(found.queues),
        }))
    }

    /// Templates and the like, asked of the vendor
    #[oai(path = "/:connection_id/templates", method = "get", operation_id = "template_list")]
    async fn template_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        connection_id: Path<Uuid>,
        /// Which shelf; the first when left out
        shelf: Query<Option<String>>,
    ) -> Result<Answer<TemplateShelf>, Failure> {
        let context = caller.context()?;
        context.require(Permission::ServiceView)?;
        let found = app.engine.template_list(&context, ConnectionId(connection_id.0), shelf.0.as_deref()).await?;
        let view = |template: integration::Template| Template {
            id: template.id,
            name: template.name,
            description: template.description,
            parts: template.parts,
        };
        Ok(Answer::new(TemplateShelf {
            shelves: choices(found.shelves),
            shelf: found.shelf,
            items: found.templates.into_iter().map(view).collect(),
        }))
    }
}
