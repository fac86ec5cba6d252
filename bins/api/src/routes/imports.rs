//! Importing a connection's entities as clients: previewed, applied as one entry, revertible whole.

use directory::{ImportChoice, ImportWish, import_apply};
use domain::{ClientId, ConnectionId, EntityId, Permission};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    mappings::{Entity, Suggestion},
};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    freshness::EntityList,
    page::Answer,
    problem::Failure,
    write::{Asked, Begun},
};

/// What to do with an entity
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ImportDecision {
    /// Make a client
    Create,
    /// Map it to the client named
    Link,
    /// Leave it alone
    Skip,
}

/// What is wanted for one entity.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct ImportEntity {
    /// Which entity
    pub entity_id: Uuid,
    pub decision: Option<ImportDecision>,
    /// Client to link, for that decision
    pub client_id: Option<Uuid>,
    /// Name of the client to make, instead of the entity's
    pub name: Option<String>,
}

/// An import.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ImportRequest {
    /// From which connection
    pub connection_id: Uuid,
    /// Which entities; all that the connection lists when left out. Without a decision the matching decides
    pub entities: Option<Vec<ImportEntity>>,
}

/// What is done with an entity
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ImportAction {
    /// A client is made and mapped
    Create,
    /// It is mapped to a client that exists
    Link,
    /// It was mapped before
    AlreadyMapped,
    /// A person must decide: nothing is done
    Conflict,
    /// Nothing is done, as asked
    Skip,
}

/// One entity of an import.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ImportRow {
    /// The entity as it was
    pub entity: Entity,
    pub action: ImportAction,
    /// Client it belongs to afterwards; of a preview's new clients the ids change when it is applied
    pub client_id: Option<Uuid>,
    /// Why
    pub reason: String,
    /// The likeliest clients
    pub suggestions: Vec<Suggestion>,
}

/// An import, or its preview.
#[derive(Debug, Clone, Object)]
pub struct ImportResult {
    /// Clients made
    pub created: u64,
    /// Entities mapped to clients that exist
    pub linked: u64,
    /// Mapped before
    pub already_mapped: u64,
    /// For a person to decide
    pub conflicts: u64,
    /// Left alone
    pub skipped: u64,
    /// One row for each entity
    pub rows: Vec<ImportRow>,
    /// How old the list is that this is imported from
    pub listed: EntityList,
}

/// Imports.
pub struct Imports;

#[OpenApi(prefix_path = "/api/imports", tag = "Chapter::Imports")]
impl Imports {
    /// Import entities as clients
    ///
    /// With `dry_run=true` this is the preview: what would be made, linked, left alone, and why. Send its
    /// digest as `expect` to apply just that. One journal entry holds the whole import and reverts it whole.
    #[oai(path = "/", method = "post", operation_id = "import_apply")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn import_apply(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<ImportRequest>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ImportResult>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let begun = app.begin(&context, Permission::ClientsImport, "import_apply", asked, &body.0).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let wishes = body.0.entities.map(wishes).transpose()?;
        let rows = import_apply(&write.tx, ConnectionId(body.0.connection_id), wishes.as_deref()).await?;
        let connection = write.tx.connection(ConnectionId(body.0.connection_id)).await?;
        let listed = EntityList::read(&write.tx, &connection).await?;
        let count = |action: directory::ImportAction| rows.iter().filter(|row| row.action == action).count() as u64;
        let item = ImportResult {
            created: count(directory::ImportAction::Create),
            linked: count(directory::ImportAction::Link),
            already_mapped: count(directory::ImportAction::AlreadyMapped),
            conflicts: count(directory::ImportAction::Conflict),
            skipped: count(directory::ImportAction::Skip),
            rows: rows.into_iter().map(row).collect(),
            listed,
        };
        Ok(Answer::new(write.finish(Some(item), Vec::new()).await?))
    }
}

fn wishes(entities: Vec<ImportEntity>) -> domain::Result<Vec<ImportWish>> {
    let mut wishes = Vec::with_capacity(entities.len());
    for (at, entity) in entities.into_iter().enumerate() {
        let wrong = |field: &str, message: &str| {
            domain::Error::invalid(format!("/entities/{at}/{field}"), "does_not_fit", message.to_owned())
        };
        let choice = match (entity.decision, entity.client_id, entity.name) {
            (Some(ImportDecision::Link), Some(client), None) => Some(ImportChoice::Link(ClientId(client))),
            (Some(ImportDecision::Link), None, _) => return Err(wrong("client_id", "must name the client to link")),
            (Some(ImportDecision::Create), None, name) => Some(ImportChoice::Create(name)),
            (Some(ImportDecision::Skip), None, None) => Some(ImportChoice::Skip),
            (None, None, None) => None,
            (_, Some(_), _) => return Err(wrong("client_id", "belongs to the decision link only")),
            (_, _, Some(_)) => return Err(wrong("name", "belongs to the decision create only")),
        };
        wishes.push(ImportWish { entity_id: EntityId(entity.entity_id), choice });
    }
    Ok(wishes)
}

fn row(row: directory::ImportRow) -> ImportRow {
    ImportRow {
        entity: Entity::of(row.entity),
        action: match row.action {
            directory::ImportAction::Create => ImportAction::Create,
            directory::ImportAction::Link => ImportAction::Link,
            directory::ImportAction::AlreadyMapped => ImportAction::AlreadyMapped,
            directory::ImportAction::Conflict => ImportAction::Conflict,
            directory::ImportAction::Skip => ImportAction::Skip,
        },
        client_id: row.client_id.map(|client| client.0),
        reason: row.reason,
        suggestions: row.suggestions.into_iter().map(Suggestion::of).collect(),
    }
}
