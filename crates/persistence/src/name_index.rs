//! An index of client names in memory, for search: any part of a name, in the order of names, with
//! the number of hits. An organisation of 100,000 clients takes about 8 MB and a search below a
//! millisecond, where a scan of the table takes many.
//!
//! The journal's sequence number is the revision: each change of a client raises it. A transaction
//! reads the revision it sees, and the index is brought to it before use, so that a search never
//! answers from another instant than the rows it returns.

use std::{collections::HashMap, sync::Arc};

use domain::{ClientId, ClientScope, ClientStatus, Error, OrganisationId, Result};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::sync::{Mutex, RwLock};
use uuid::Uuid;

use crate::{
    Tx,
    entity::{client, journal_client, journal_head},
    error::{OrDomain, known},
};

/// More touched clients than this, and the index is made anew.
const FEW: usize = 2_000;
/// Organisations kept; the one that was made first gives way.
const ORGANISATIONS: usize = 64;
/// Between two names: in no name, because names hold no control characters.
const END: char = '\n';

struct Row {
    start: u32,
    id: Uuid,
    status: ClientStatus,
}

/// The names of one organisation at one revision, in order of (name, id).
pub(crate) struct NameIndex {
    revision: i64,
    names: Arc<Names>,
}

struct Names {
    text: String,
    rows: Vec<Row>,
}

/// What a search found.
pub(crate) struct Hits {
    /// Ids of the page, in order.
    pub ids: Vec<ClientId>,
    /// Hits in all.
    pub total: i64,
    /// Whether there are more after the page.
    pub more: bool,
}

impl Names {
    fn build(mut names: Vec<(String, Uuid, ClientStatus)>) -> Self {
        names.sort_unstable_by(|a, b| (a.0.as_bytes(), a.1).cmp(&(b.0.as_bytes(), b.1)));
        let mut text = String::with_capacity(names.iter().map(|(name, ..)| name.len() + 1).sum());
        let mut rows = Vec::with_capacity(names.len());
        for (name, id, status) in names {
            rows.push(Row { start: text.len() as u32, id, status });
            text.push_str(&name);
            text.push(END);
        }
        Self { text, rows }
    }

    fn name(&self, at: usize) -> &str {
        let end = self.rows.get(at + 1).map_or(self.text.len(), |next| next.start as usize);
        &self.text[self.rows[at].start as usize..end - END.len_utf8()]
    }

    /// The same names with these clients as they are now (absent ones are deleted or archived).
    fn with(&self, touched: &[Uuid], fresh: Vec<(String, Uuid, ClientStatus)>) -> Self {
        let gone: std::collections::HashSet<&Uuid> = touched.iter().collect();
        let kept = self.rows.iter().enumerate().filter(|(_, row)| !gone.contains(&row.id));
        let mut names: Vec<_> = kept.map(|(at, row)| (self.name(at).to_owned(), row.id, row.status)).collect();
        names.extend(fresh);
        Self::build(names)
    }

    /// Names that hold `needle`, after the place (name, id), at most `limit`.
    fn search(
        &self,
        needle: &str,
        status: Option<ClientStatus>,
        scope: &ClientScope,
        after: Option<(&str, Uuid)>,
        limit: usize,
    ) -> Hits {
        let mut hits = Hits { ids: Vec::with_capacity(limit), total: 0, more: false };
        let (mut from, mut row) = (0, 0);
        while let Some(found) = self.text[from..].find(needle) {
            let at = from + found;
            // Hits come in order, mostly close together: look near before searching far.
            row += self.rows[row..].partition_point(|r| r.start as usize <= at) - 1;
            let entry = &self.rows[row];
            let wanted = status.is_none_or(|status| status == entry.status) && scope.allows(ClientId(entry.id));
            if wanted {
                hits.total += 1;
                if after.is_none_or(|(name, id)| (self.name(row).as_bytes(), entry.id) > (name.as_bytes(), id)) {
                    if hits.ids.len() < limit {
                        hits.ids.push(ClientId(entry.id));
                    } else {
                        hits.more = true;
                    }
                }
            }
            row += 1;
            match self.rows.get(row) {
                Some(next) => from = next.start as usize,
                None => break,
            }
        }
        hits
    }
}

impl NameIndex {
    fn build(revision: i64, names: Vec<(String, Uuid, ClientStatus)>) -> Self {
        Self { revision, names: Arc::new(Names::build(names)) }
    }

    /// Names that hold `needle`, after the place (name, id), at most `limit`.
    pub(crate) fn search(
        &self,
        needle: &str,
        status: Option<ClientStatus>,
        scope: &ClientScope,
        after: Option<(&str, Uuid)>,
        limit: usize,
    ) -> Hits {
        self.names.search(needle, status, scope, after, limit)
    }
}

/// The indexes of all organisations in use.
#[derive(Default)]
pub(crate) struct NameIndexes {
    kept: RwLock<HashMap<OrganisationId, Arc<NameIndex>>>,
    making: Mutex<()>,
}

impl Tx {
    /// The name index at this transaction's instant; `None` where another one is already further, or
    /// this transaction writes (what it wrote is not for others to see).
    pub(crate) async fn name_index(&self) -> Result<Option<Arc<NameIndex>>> {
        if self.require_writable().is_ok() {
            return Ok(None);
        }
        let head = self.find::<journal_head::Entity>().one(self.db()).await.or_domain()?;
        let revision = head.ok_or_else(|| Error::internal("the organisation has no journal head"))?.seq;
        let indexes = self.store().name_indexes();
        let organisation = self.organisation();
        let kept = indexes.kept.read().await.get(&organisation).cloned();
        if let Some(index) = kept.filter(|index| index.revision >= revision) {
            return Ok((index.revision == revision).then_some(index));
        }
        // One request makes it; the others wait and find it made.
        let _making = indexes.making.lock().await;
        let kept = indexes.kept.read().await.get(&organisation).cloned();
        let made = match kept {
            Some(index) if index.revision >= revision => {
                return Ok((index.revision == revision).then_some(index));
            }
            Some(index) => self.name_index_renewed(&index, revision).await?,
            None => NameIndex::build(revision, self.names(None).await?),
        };
        let made = Arc::new(made);
        let mut kept = indexes.kept.write().await;
        if kept.len() >= ORGANISATIONS
            && !kept.contains_key(&organisation)
            && let Some(oldest) = kept.keys().min().copied()
        {
            kept.remove(&oldest);
        }
        kept.insert(organisation, made.clone());
        Ok(Some(made))
    }

    async fn name_index_renewed(&self, index: &NameIndex, revision: i64) -> Result<NameIndex> {
        let mut touched: Vec<Uuid> = self
            .unscoped_find::<journal_client::Entity>()
            .select_only()
            .column(journal_client::Column::ClientId)
            .filter(journal_client::Column::Seq.gt(index.revision))
            .distinct()
            .limit(FEW as u64 + 1)
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        if touched.len() > FEW {
            return Ok(NameIndex::build(revision, self.names(None).await?));
        }
        if touched.is_empty() {
            return Ok(NameIndex { revision, names: index.names.clone() });
        }
        touched.sort_unstable();
        let mut fresh = Vec::with_capacity(touched.len());
        for chunk in touched.chunks(500) {
            fresh.extend(self.names(Some(chunk)).await?);
        }
        Ok(NameIndex { revision, names: Arc::new(index.names.with(&touched, fresh)) })
    }

    /// Names of the whole organisation, whatever the caller's scope: the index is shared, and each
    /// search of it is limited to its caller's scope.
    async fn names(&self, ids: Option<&[Uuid]>) -> Result<Vec<(String, Uuid, ClientStatus)>> {
        let mut select = self
            .unscoped_find::<client::Entity>()
            .select_only()
            .columns([client::Column::NameKey, client::Column::Id, client::Column::Status])
            .filter(client::Column::DeletedAt.is_null())
            .filter(client::Column::ArchivedAt.is_null());
        select = match ids {
            Some(ids) => select.filter(client::Column::Id.is_in(ids.iter().copied())),
            None => select.order_by_asc(client::Column::NameKey),
        };
        let rows: Vec<(String, Uuid, String)> = select.into_tuple().all(self.db()).await.or_domain()?;
        rows.into_iter()
            .map(|(name, id, status)| Ok((name, id, known(ClientStatus::parse(&status), "client.status")?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(n: usize) -> Uuid {
        Uuid::from_u128(n as u128)
    }

    proptest! {
        #[test]
        fn a_search_finds_what_a_scan_finds(
            names in proptest::collection::vec("[abcä ]{0,6}", 0..40),
            needle in "[abcä ]{1,3}",
            limit in 1usize..5,
            cut in 0usize..60,
            touched in proptest::collection::vec((0usize..40, proptest::option::of("[abcä ]{0,6}")), 0..10),
        ) {
            let mut all: HashMap<usize, (String, ClientStatus)> = names.into_iter().enumerate().map(|(n, name)| {
                (n, (name, if n % 3 == 0 { ClientStatus::Inactive } else { ClientStatus::Active }))
            }).collect();
            let listed = |all: &HashMap<usize, (String, ClientStatus)>| -> Vec<_> {
                all.iter().map(|(n, (name, status))| (name.clone(), id(*n), *status)).collect()
            };
            let index = Names::build(listed(&all));
            let mut ids = Vec::new();
            let mut fresh = Vec::new();
            for (n, name) in touched {
                ids.push(id(n));
                fresh.retain(|(_, known, _)| *known != id(n));
                match name {
                    Some(name) => {
                        all.insert(n, (name.clone(), ClientStatus::Active));
                        fresh.push((name, id(n), ClientStatus::Active));
                    }
                    None => { all.remove(&n); }
                }
            }
            let index = index.with(&ids, fresh);
            let scope = ClientScope::AllBut([ClientId(id(1))].into());
            let mut expected: Vec<_> = listed(&all).into_iter()
                .filter(|(name, n, status)| name.contains(&needle) && *status == ClientStatus::Active && *n != id(1))
                .map(|(name, n, _)| (name, n)).collect();
            expected.sort_unstable_by(|a, b| (a.0.as_bytes(), a.1).cmp(&(b.0.as_bytes(), b.1)));
            let after = expected.get(cut).cloned();
            let hits = index.search(&needle, Some(ClientStatus::Active), &scope, after.as_ref().map(|(name, n)| (name.as_str(), *n)), limit);
            let rest: Vec<_> = expected.iter().filter(|place| after.as_ref().is_none_or(|after| *place > after)).collect();
            prop_assert_eq!(hits.total, expected.len() as i64);
            prop_assert_eq!(hits.ids, rest.iter().take(limit).map(|(_, n)| ClientId(*n)).collect::<Vec<_>>());
            prop_assert_eq!(hits.more, rest.len() > limit);
        }
    }
}
