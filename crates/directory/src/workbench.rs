//! The list in which people map what a connection lists: every entity with its state and, where nobody has decided, the
//! clients it may belong to.

use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashSet},
};

use domain::{
    ClientId, ConnectionId, Entity, Listed, MappingState, PageRequest, Result, SortOrder, UnverifiedMapping, name_key,
};
use persistence::Tx;
use uuid::Uuid;

use crate::{
    mappings::{MappingSuggestion, matcher, suggest},
    matching::{Decision, decide},
};

/// Clients suggested for each entity at most.
const BEST: usize = 5;
/// Scores are told apart by so many decimals, as cursors hold them.
const DECIMALS: usize = 6;

/// Which entities are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorkbenchState {
    /// Nobody has decided yet, whatever is suggested.
    #[default]
    Unmapped,
    /// Those of them for which several clients fit alike.
    Ambiguous,
    /// Belong to a client.
    Mapped,
    /// Deliberately belong to none.
    Excluded,
    /// Every one.
    All,
}

/// By what the list is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorkbenchSort {
    /// By the entity's name.
    #[default]
    Name,
    /// By the score of the likeliest client; entities without one count as 0.
    Score,
}

/// What is wanted of a connection's entities.
#[derive(Clone, Debug, Default)]
pub struct Workbench {
    /// In which state.
    pub state: WorkbenchState,
    /// Part of the name.
    pub search: Option<String>,
    /// Only those for which a client scores as much, 0 to 1.
    pub min_score: Option<f64>,
    /// By what they are sorted.
    pub sort: WorkbenchSort,
    /// In which direction.
    pub order: SortOrder,
    /// Score from which a suggestion may be taken without a person.
    pub threshold: f64,
}

impl Workbench {
    /// Whether rows must be scored before it is known which are on the page.
    fn scores_first(&self) -> bool {
        self.min_score.is_some() || self.sort == WorkbenchSort::Score || self.state == WorkbenchState::Ambiguous
    }

    fn wants(&self, entity: &Entity) -> bool {
        match self.state {
            WorkbenchState::All => true,
            WorkbenchState::Unmapped | WorkbenchState::Ambiguous => entity.mapping_state == MappingState::Unmapped,
            WorkbenchState::Mapped => entity.mapping_state == MappingState::Mapped,
            WorkbenchState::Excluded => entity.mapping_state == MappingState::Excluded,
        }
    }

    fn wants_scored(&self, row: &MappingSuggestion) -> bool {
        let score = row.suggestions.first().map_or(0.0, |best| best.score);
        self.min_score.is_none_or(|least| score >= least)
            && (self.state != WorkbenchState::Ambiguous || row.decision == Decision::Ambiguous)
    }

    /// Where a row stands in the list, as a cursor holds it.
    fn place(&self, row: &MappingSuggestion) -> (String, Uuid) {
        let key = match self.sort {
            WorkbenchSort::Name => name_key(&row.entity.name),
            // All as long as each other, and so in the order of their values.
            WorkbenchSort::Score => {
                format!("{:.DECIMALS$}", row.suggestions.first().map_or(0.0, |best| best.score))
            }
        };
        (key, row.entity.id.0)
    }

    fn compare(&self, one: &(String, Uuid), other: &(String, Uuid)) -> Ordering {
        match self.order {
            SortOrder::Ascending => one.cmp(other),
            SortOrder::Descending => other.cmp(one),
        }
    }
}

/// The entities of a connection that are wanted, a page of them or all. Those that somebody has decided about come
/// without suggestions.
pub async fn mapping_workbench(
    tx: &Tx,
    connection: ConnectionId,
    wanted: &Workbench,
    page: Option<&PageRequest>,
) -> Result<Listed<MappingSuggestion>> {
    tx.connection(connection).await?;
    let mut entities = tx.entities_of(connection).await?;
    let search = wanted.search.as_deref().map(name_key).filter(|text| !text.is_empty());
    entities.retain(|entity| {
        wanted.wants(entity) && search.as_ref().is_none_or(|search| name_key(&entity.name).contains(search))
    });
    let open = entities.iter().any(|entity| entity.mapping_state == MappingState::Unmapped);
    let matcher = if open { Some(matcher(tx).await?) } else { None };
    let score = |row: &mut MappingSuggestion| {
        if let Some(matcher) = matcher.as_ref().filter(|_| row.entity.mapping_state == MappingState::Unmapped) {
            row.suggestions = suggest(matcher, &row.entity, BEST);
            row.decision = decide(&row.suggestions, wanted.threshold);
        }
    };
    let mut rows: Vec<MappingSuggestion> = entities.into_iter().map(unscored).collect();
    if wanted.scores_first() {
        rows.iter_mut().for_each(score);
        rows.retain(|row| wanted.wants_scored(row));
    }
    let placed = rows.into_iter().map(|row| (wanted.place(&row), row)).collect();
    let mut listed = cut(placed, |one, other| wanted.compare(one, other), page);
    if !wanted.scores_first() {
        listed.items.iter_mut().for_each(score);
    }
    Ok(listed)
}

fn unscored(entity: Entity) -> MappingSuggestion {
    MappingSuggestion { entity, suggestions: Vec::new(), decision: Decision::None }
}

/// A page of rows with their places, or all of them.
fn cut<T>(
    mut rows: Vec<((String, Uuid), T)>,
    compare: impl Fn(&(String, Uuid), &(String, Uuid)) -> Ordering,
    page: Option<&PageRequest>,
) -> Listed<T> {
    let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    rows.sort_unstable_by(|one, other| compare(&one.0, &other.0));
    let mut next = None;
    if let Some(page) = page {
        if let Some(after) = &page.after {
            rows.retain(|(place, _)| compare(place, after) == Ordering::Greater);
        }
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        if rows.len() > limit {
            next = rows.get(limit.saturating_sub(1)).map(|(place, _)| place.clone());
            rows.truncate(limit);
        }
    }
    Listed { items: rows.into_iter().map(|(_, row)| row).collect(), next, total }
}

/// Ids that people typed for clients and that no connection of the integration lists yet, by id; a page of them or all.
/// What is searched for is part of the id.
pub async fn typed_list(
    tx: &Tx,
    integration: &str,
    search: Option<&str>,
    page: Option<&PageRequest>,
) -> Result<Listed<UnverifiedMapping>> {
    let mut typed = tx.unverified_of_integration(integration).await?;
    let clients: BTreeSet<ClientId> = typed.iter().map(|typed| typed.client_id).collect();
    let living = tx.clients_by_id(&Vec::from_iter(clients)).await?;
    let living: HashSet<ClientId> = living.into_iter().map(|client| client.id).collect();
    let key = |typed: &UnverifiedMapping| typed.vendor_id.to_lowercase();
    let search = search.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty());
    typed.retain(|typed| {
        living.contains(&typed.client_id) && search.as_ref().is_none_or(|search| key(typed).contains(search))
    });
    let rows = typed.into_iter().map(|typed| ((key(&typed), typed.id.0), typed)).collect();
    Ok(cut(rows, Ord::cmp, page))
}
