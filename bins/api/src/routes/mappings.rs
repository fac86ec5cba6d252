//! Entities of vendors, and mapping them to clients.

use chrono::{DateTime, Utc};
use directory::{
    MappingChoice, Target, mapping_save,
    matching::{self, Decision},
};
use domain::{ClientId, ConnectionId, EntityId, MappingState, Permission};
use persistence::EntityFilter;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::Chapter;
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, page_request},
    problem::Failure,
    write::{Asked, Begun},
};

/// How an entity relates to clients
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum EntityState {
    /// Nobody has decided yet
    Unmapped,
    /// Belongs to a client
    Mapped,
    /// Deliberately belongs to none
    Excluded,
}

impl From<MappingState> for EntityState {
    fn from(state: MappingState) -> Self {
        match state {
            MappingState::Unmapped => Self::Unmapped,
            MappingState::Mapped => Self::Mapped,
            MappingState::Excluded => Self::Excluded,
        }
    }
}

/// What a vendor calls a customer.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Entity {
    /// Id
    pub id: Uuid,
    /// Connection that told us
    pub connection_id: Uuid,
    /// Its integration
    pub integration: String,
    /// What it is across vendors
    pub kind: String,
    /// The vendor's id
    pub vendor_id: String,
    /// Name as last seen
    pub name: String,
    pub state: EntityState,
    /// Client it belongs to
    pub client_id: Option<Uuid>,
    /// Why it was mapped or excluded
    pub reason: Option<String>,
    /// When that was decided
    pub mapped_at: Option<DateTime<Utc>>,
    /// Devices under it
    pub device_count: i32,
    /// Directory users under it
    pub user_count: i32,
    /// First seen
    pub first_seen_at: DateTime<Utc>,
    /// When the vendor stopped listing it
    pub removed_at: Option<DateTime<Utc>>,
}

impl Entity {
    /// The view of an entity.
    pub fn of(entity: domain::Entity) -> Self {
        Self {
            id: entity.id.0,
            connection_id: entity.connection_id.0,
            integration: entity.integration,
            kind: entity.kind,
            vendor_id: entity.vendor_id,
            name: entity.name,
            state: entity.mapping_state.into(),
            client_id: entity.client_id.map(|client| client.0),
            reason: entity.mapping_reason,
            mapped_at: entity.mapped_at,
            device_count: entity.device_count,
            user_count: entity.user_count,
            first_seen_at: entity.first_seen_at,
            removed_at: entity.removed_at,
        }
    }
}

/// A page of what a connection lists.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct EntityPage {
    /// Rows
    pub items: Vec<Entity>,
    /// Send it as `cursor` for the next page; absent on the last
    pub next_cursor: Option<String>,
    /// Rows of the whole list under its filters
    pub total: i64,
    /// When the vendor's list was last stored whole; absent when it never was: an empty page says nothing then
    pub synced_at: Option<DateTime<Utc>>,
    /// Whether it is older than twice the connection's cadence, or the connection does not work
    pub stale: bool,
    /// Whether a sync waits or runs; `sync_start` starts one
    pub syncing: bool,
    /// Why the last attempt to list them failed
    pub problem: Option<String>,
}

/// A reason for or against a match.
#[derive(Debug, Clone, Object)]
pub struct Signal {
    /// What it is about
    pub kind: String,
    /// How much it tells, 0 to 1
    pub weight: f64,
    /// In words
    pub detail: String,
}

/// A client that an entity may belong to.
#[derive(Debug, Clone, Object)]
pub struct Suggestion {
    /// Client
    pub client_id: Uuid,
    /// 0 to 1
    pub score: f64,
    /// What speaks for it
    pub signals: Vec<Signal>,
    /// What speaks against it
    pub against: Vec<Signal>,
}

impl Suggestion {
    /// The view of a suggestion.
    pub fn of(suggestion: matching::Suggestion) -> Self {
        let view = |signal: matching::Signal| Signal {
            kind: serde_json::to_value(signal.kind)
                .ok()
                .and_then(|v| v.as_str().map(str::to_owned))
                .unwrap_or_default(),
            weight: signal.weight,
            detail: signal.detail,
        };
        Self {
            client_id: suggestion.client_id.0,
            score: suggestion.score,
            signals: suggestion.signals.into_iter().map(view).collect(),
            against: suggestion.against.into_iter().map(view).collect(),
        }
    }
}

/// What may be done without a person
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum Advice {
    /// Map it to the first suggestion
    Accept,
    /// Several clients fit alike
    Ambiguous,
    /// A person should look
    Review,
    /// No client fits
    None,
}

impl From<Decision> for Advice {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Accept(_) => Self::Accept,
            Decision::Ambiguous => Self::Ambiguous,
            Decision::Review => Self::Review,
            Decision::None => Self::None,
        }
    }
}

/// How an entity might be mapped.
#[derive(Debug, Clone, Object)]
pub struct EntitySuggestion {
    /// The entity
    pub entity: Entity,
    pub advice: Advice,
    /// The likeliest clients
    pub suggestions: Vec<Suggestion>,
}

/// What an entity is to belong to
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum MappingTarget {
    /// The client named
    Client,
    /// Nobody, for now
    Nobody,
    /// Nobody, deliberately
    Excluded,
}

/// A decision about one entity.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub struct MappingDecision {
    /// Which entity
    pub entity_id: Uuid,
    pub target: MappingTarget,
    /// Which client, for that target
    pub client_id: Option<Uuid>,
    /// Why; required for an exclusion
    pub reason: Option<String>,
}

/// Decisions, saved together or not at all.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct MappingSave {
    /// At most 5,000
    pub mappings: Vec<MappingDecision>,
}

/// The entities that a save decided about.
#[derive(Debug, Clone, Object)]
pub struct SavedMappings {
    /// As they are now
    pub entities: Vec<Entity>,
}

/// Entities and mappings.
pub struct Mappings;

#[OpenApi(prefix_path = "/api", tag = "Chapter::Mappings")]
impl Mappings {
    /// What a connection lists, with what it is mapped to
    #[oai(path = "/connections/:connection_id/entities", method = "get", operation_id = "entity_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn entity_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        connection_id: Path<Uuid>,
        /// Part of the name
        search: Query<Option<String>>,
        state: Query<Option<EntityState>>,
        /// Also those that the vendor no longer lists
        with_removed: Query<Option<bool>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<EntityPage>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let context = caller.context()?;
        let tx = app.read_as(&context, Permission::ConnectionsView).await?;
        let connection = tx.connection(ConnectionId(connection_id.0)).await?;
        app.permit_vendor(&context, Permission::ConnectionsView, &connection.integration)?;
        let filter = EntityFilter {
            connection: Some(connection.id),
            state: state.0.map(|state| match state {
                EntityState::Unmapped => MappingState::Unmapped,
                EntityState::Mapped => MappingState::Mapped,
                EntityState::Excluded => MappingState::Excluded,
            }),
            search: search.0,
            with_removed: with_removed.0.unwrap_or(false),
        };
        let listed = tx.entity_list(&filter, &page).await?;
        let listing = tx.listings(&[connection.id]).await?.into_iter().find(|one| one.kind == "entity");
        let synced_at = listing.as_ref().and_then(|listing| listing.complete_at);
        let syncing = tx.job_pending(&sync::sync_key(connection.id)).await?.is_some();
        let Answer::Ok(page, link, _) = Answer::page(listed.map(Entity::of), uri);
        let view = EntityPage {
            items: page.0.items,
            next_cursor: page.0.next_cursor,
            total: page.0.total,
            synced_at,
            stale: connection.is_stale(synced_at, tx.now()),
            syncing,
            problem: listing.and_then(|listing| listing.message).or(connection.state_reason),
        };
        Ok(Answer::Ok(Json(view), link, None))
    }

    /// Save decisions about entities, as one change set; what is stored under them follows at once
    #[oai(path = "/mappings", method = "put", operation_id = "mapping_save")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn mapping_save(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<MappingSave>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<SavedMappings>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let begun = app.begin(&context, Permission::MappingsSave, "mapping_save", asked, &body.0).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let mut choices = Vec::with_capacity(body.0.mappings.len());
        for (at, mapping) in body.0.mappings.into_iter().enumerate() {
            let wrong = |message: &str| {
                domain::Error::invalid(format!("/mappings/{at}/client_id"), "required", message.to_owned())
            };
            let target = match (mapping.target, mapping.client_id) {
                (MappingTarget::Client, Some(client)) => Target::Client(ClientId(client)),
                (MappingTarget::Client, None) => return Err(wrong("must name the client").into()),
                (_, Some(_)) => return Err(wrong("must be left out unless the target is a client").into()),
                (MappingTarget::Nobody, None) => Target::Nobody,
                (MappingTarget::Excluded, None) => Target::Excluded,
            };
            choices.push(MappingChoice { entity_id: EntityId(mapping.entity_id), target, reason: mapping.reason });
        }
        let may = |integration: &str| app.permit_vendor(&context, Permission::MappingsSave, integration).is_ok();
        let saved = mapping_save(&write.tx, &choices, may).await?;
        let item = SavedMappings { entities: saved.into_iter().map(Entity::of).collect() };
        Ok(Answer::new(write.finish(Some(item), Vec::new()).await?))
    }
}
