//! The list in which people map what a connection lists.

use chrono::{DateTime, Utc};
use directory::{WorkbenchSort, WorkbenchState, mapping_workbench, typed_list};
use domain::{ConnectionId, Error, Permission, SortOrder};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{
    Chapter,
    clients::Direction,
    mappings::{Entity, EntitySuggestion, Suggestion},
};
use crate::{
    app::AppData,
    auth::Caller,
    freshness::EntityList,
    page::{Answer, page_request},
    problem::Failure,
};

/// Which rows are wanted
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum MappingFilter {
    /// Entities that nobody has decided about
    Unmapped,
    /// Those of them for which several clients fit alike
    Ambiguous,
    /// Entities that belong to a client
    Mapped,
    /// Entities that deliberately belong to none
    Excluded,
    /// Every entity
    All,
    /// Ids that people typed for clients and that nobody lists yet; they come as `unverified`
    Unverified,
}

/// By what suggestions are sorted
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SuggestionOrder {
    /// By the entity's name
    Name,
    /// By the score of the likeliest client
    Score,
}

/// An id that a person typed for a client before a connection listed it.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct UnverifiedId {
    /// Id of the entry
    pub id: Uuid,
    /// Client it was typed for
    pub client_id: Uuid,
    /// The vendor's id, as typed
    pub vendor_id: String,
    /// Why a sync that met it did not map it
    pub problem: Option<String>,
    /// When it was typed
    pub created_at: DateTime<Utc>,
}

/// Suggestions for what a connection lists.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Suggestions {
    /// One for each entity wanted; what somebody has decided about comes without suggestions, and says `none`
    pub items: Vec<EntitySuggestion>,
    /// Ids typed by hand for the connection's integration, if these are wanted
    pub unverified: Vec<UnverifiedId>,
    /// Send it as `cursor` for the next page; absent on the last
    pub next_cursor: Option<String>,
    /// Rows of the whole list under its filters
    pub total: i64,
    /// Score from which a suggestion is marked `accept`
    pub threshold: f64,
    /// How old the connection's list is
    pub listed: EntityList,
}

/// The list in which people map.
pub struct Workbench;

#[OpenApi(prefix_path = "/api/connections", tag = "Chapter::Mappings")]
impl Workbench {
    /// Suggest clients for what a connection lists, with reasons
    ///
    /// All open entities at once, as long as neither `limit` nor `cursor` is given.
    #[oai(path = "/:connection_id/mapping-suggestions", method = "get", operation_id = "mapping_suggest")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn mapping_suggest(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        connection_id: Path<Uuid>,
        /// Score from which a suggestion may be accepted without a person, 0.5 to 1; the organisation's own when left out
        threshold: Query<Option<f64>>,
        /// Which rows; `unmapped` when left out
        state: Query<Option<MappingFilter>>,
        /// Part of the entity's name; of an unverified id part of the id
        search: Query<Option<String>>,
        /// Only entities for which a client scores as much, 0 to 1
        min_score: Query<Option<f64>>,
        /// By what; `name` when left out. Unverified ids are always sorted by id
        sort: Query<Option<SuggestionOrder>>,
        direction: Query<Option<Direction>>,
        /// Rows of a page, 1 to 100
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Suggestions>, Failure> {
        between("threshold", threshold.0, 0.5)?;
        between("min_score", min_score.0, 0.0)?;
        let paged = limit.0.is_some() || cursor.0.is_some();
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let page = paged.then_some(&page);
        let context = caller.context()?;
        let tx = app.read_as(&context, Permission::MappingsSave).await?;
        let connection = tx.connection(ConnectionId(connection_id.0)).await?;
        app.permit_vendor(&context, Permission::MappingsSave, &connection.integration)?;
        let threshold = match threshold.0 {
            Some(threshold) => threshold,
            None => tx.matching_settings().await?.threshold.score(),
        };
        let age = EntityList::read(&tx, &connection).await?;
        let state = match state.0.unwrap_or(MappingFilter::Unmapped) {
            MappingFilter::Unmapped => WorkbenchState::Unmapped,
            MappingFilter::Ambiguous => WorkbenchState::Ambiguous,
            MappingFilter::Mapped => WorkbenchState::Mapped,
            MappingFilter::Excluded => WorkbenchState::Excluded,
            MappingFilter::All => WorkbenchState::All,
            MappingFilter::Unverified => {
                let listed = typed_list(&tx, &connection.integration, search.0.as_deref(), page).await?;
                let Answer::Ok(body, link, _) = Answer::page(listed.map(unverified), uri);
                let (next_cursor, total) = (body.0.next_cursor, body.0.total);
                let view = Suggestions {
                    items: Vec::new(),
                    unverified: body.0.items,
                    next_cursor,
                    total,
                    threshold,
                    listed: age,
                };
                return Ok(Answer::Ok(Json(view), link, None));
            }
        };
        let wanted = directory::Workbench {
            state,
            search: search.0,
            min_score: min_score.0,
            sort: match sort.0 {
                None | Some(SuggestionOrder::Name) => WorkbenchSort::Name,
                Some(SuggestionOrder::Score) => WorkbenchSort::Score,
            },
            order: match direction.0 {
                None | Some(Direction::Asc) => SortOrder::Ascending,
                Some(Direction::Desc) => SortOrder::Descending,
            },
            threshold,
        };
        let listed = mapping_workbench(&tx, connection.id, &wanted, page).await?;
        let Answer::Ok(body, link, _) = Answer::page(listed.map(suggestion), uri);
        let (next_cursor, total) = (body.0.next_cursor, body.0.total);
        let view =
            Suggestions { items: body.0.items, unverified: Vec::new(), next_cursor, total, threshold, listed: age };
        Ok(Answer::Ok(Json(view), link, None))
    }
}

/// Refuses a score that is not from `least` to 1.
fn between(parameter: &str, score: Option<f64>, least: f64) -> domain::Result<()> {
    match score {
        Some(score) if !(least..=1.0).contains(&score) => {
            Err(Error::invalid(parameter, "out_of_range", format!("must be from {least} to 1")))
        }
        _ => Ok(()),
    }
}

fn suggestion(one: directory::MappingSuggestion) -> EntitySuggestion {
    EntitySuggestion {
        entity: Entity::of(one.entity),
        advice: one.decision.into(),
        suggestions: one.suggestions.into_iter().map(Suggestion::of).collect(),
    }
}

fn unverified(typed: domain::UnverifiedMapping) -> UnverifiedId {
    UnverifiedId {
        id: typed.id.0,
        client_id: typed.client_id.0,
        vendor_id: typed.vendor_id,
        problem: typed.problem,
        created_at: typed.created_at,
    }
}
