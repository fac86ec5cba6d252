//! Finding entries of a journal that is long: every filter has an index of its own, times become places in the chain,
//! and what no index can find, a text in what changed, is looked for stretch by stretch.

use chrono::TimeDelta;
use domain::{ClientId, Error, Listed, Outcome, PageRequest, Result, Timestamp};
use sea_orm::{
    ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, Func},
};
use uuid::Uuid;

use crate::{
    JournalEntry, Tx,
    client_list::literal,
    entity::{journal, journal_client, journal_head, journal_record},
    error::OrDomain,
    journal::read,
};

/// Entries that a page of a search for a text looks at, at the most.
const STRETCH: i64 = 20_000;
/// Entries that are counted, at the most.
const COUNTED: u64 = 10_000;
/// How long after its instant an entry is written at the latest, with what clocks differ by: requests end sooner.
const LATE: TimeDelta = TimeDelta::hours(1);

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub struct JournalFilter {
    /// Only those that touched this client.
    pub client: Option<ClientId>,
    /// Only those that touched this row, of whatever kind.
    pub record: Option<Uuid>,
    /// Only this action.
    pub action: Option<String>,
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Only by this staff user, key, portal user or service account.
    pub actor: Option<Uuid>,
    /// Only by actors of this kind.
    pub actor_kind: Option<String>,
    /// Only those for this customer.
    pub acted_for: Option<ClientId>,
    /// Only those of this request or run.
    pub request_id: Option<String>,
    /// Only those whose changes hold this text, in whatever case.
    pub text: Option<String>,
    /// Only from this instant on.
    pub since: Option<Timestamp>,
    /// Only before this instant.
    pub until: Option<Timestamp>,
}

/// A page of a search.
#[derive(Clone, Debug)]
pub struct JournalPage {
    /// Entries, the newest first.
    pub items: Vec<JournalEntry>,
    /// Where the next page begins: before this place. There may be one although this page is short or empty.
    pub next: Option<i64>,
}

impl JournalFilter {
    fn is_bare(&self) -> bool {
        let Self { client, record, action, outcome, actor, actor_kind, acted_for, request_id, text, since, until } =
            self;
        client.is_none()
            && record.is_none()
            && action.is_none()
            && outcome.is_none()
            && actor.is_none()
            && actor_kind.is_none()
            && acted_for.is_none()
            && request_id.is_none()
            && text.is_none()
            && since.is_none()
            && until.is_none()
    }
}

/// Places in the chain between which something lies, neither included.
#[derive(Clone, Copy, Default)]
struct Span {
    after: Option<i64>,
    before: Option<i64>,
}

impl Tx {
    /// Entries, the newest first. A caller with a limited scope sees those that touched its clients. At most 10,000 are
    /// counted; where a text is looked for, those of the page.
    pub async fn journal_list(&self, filter: &JournalFilter, page: &PageRequest) -> Result<Listed<JournalEntry>> {
        let wrong = |_| Error::invalid("cursor", "not_a_cursor", "is not a cursor of this list");
        let before = page.after.as_ref().map(|(seq, _)| seq.parse().map_err(wrong)).transpose()?;
        let JournalPage { items, next } = self.journal_page(filter, before, page.limit).await?;
        let total = match &filter.text {
            Some(_) => items.len() as i64,
            None => self.journal_count(filter).await?,
        };
        Ok(Listed { items, next: next.map(|seq| (seq.to_string(), Uuid::nil())), total })
    }

    /// A page of entries before a place in the chain, the newest first.
    pub async fn journal_page(&self, filter: &JournalFilter, before: Option<i64>, limit: u64) -> Result<JournalPage> {
        use journal::Column as C;
        let mut span = self.journal_span(filter).await?;
        span.before = [span.before, before].into_iter().flatten().min();
        let mut select = self.journal_matching(filter, span);
        let mut floor = None;
        if let Some(text) = &filter.text {
            let top = match span.before {
                Some(before) => before,
                None => self.journal_end().await? + 1,
            };
            let first = span.after.unwrap_or(0) + 1;
            let low = std::cmp::max(top.saturating_sub(STRETCH), first);
            floor = (low > first).then_some(low);
            select = select.filter(C::Seq.gte(low)).filter(holds(text));
        }
        let mut rows = select.order_by_desc(C::Seq).limit(limit + 1).all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > limit;
        rows.truncate(limit as usize);
        let next = if more { rows.last().map(|row| row.seq) } else { floor };
        let mut items = rows.into_iter().map(|row| self.visible(read(row)?)).collect::<Result<Vec<_>>>()?;
        if let Some(text) = filter.text.as_deref().filter(|_| !self.context().scope.is_all()) {
            // What was found must be in what the caller may see of it.
            let text = text.to_lowercase();
            items.retain(|entry| shown(entry).is_some_and(|changes| changes.to_lowercase().contains(&text)));
        }
        Ok(JournalPage { items, next })
    }

    /// How many entries fit; at most 10,000 are counted, but of the whole journal all.
    async fn journal_count(&self, filter: &JournalFilter) -> Result<i64> {
        if filter.is_bare() && self.context().scope.is_all() {
            return self.journal_end().await;
        }
        let span = self.journal_span(filter).await?;
        let select = self.journal_matching(filter, span).select_only().column(journal::Column::Seq).limit(COUNTED);
        let found: Vec<i64> = select.into_tuple().all(self.db()).await.or_domain()?;
        Ok(i64::try_from(found.len()).unwrap_or(i64::MAX))
    }

    /// The place of the last entry; 0 where there is none.
    pub async fn journal_end(&self) -> Result<i64> {
        Ok(self.find::<journal_head::Entity>().one(self.db()).await.or_domain()?.map_or(0, |head| head.seq))
    }

    /// Where in the chain the entries of a time lie. Entries follow one another almost in the order of their instants;
    /// what was written [`LATE`] lies within.
    async fn journal_span(&self, filter: &JournalFilter) -> Result<Span> {
        use journal::Column as C;
        let place = |select: Select<journal::Entity>| async move {
            let found: Option<i64> =
                select.select_only().column(C::Seq).limit(1).into_tuple().one(self.db()).await.or_domain()?;
            Ok::<_, Error>(found)
        };
        let mut span = Span::default();
        if let Some(since) = filter.since {
            let earlier = self.find::<journal::Entity>().filter(C::At.lt(since - LATE));
            span.after = place(earlier.order_by_desc(C::At)).await?;
        }
        if let Some(until) = filter.until {
            let later = self.find::<journal::Entity>().filter(C::At.gte(until + LATE));
            span.before = place(later.order_by_asc(C::At)).await?;
        }
        Ok(span)
    }

    fn journal_matching(&self, filter: &JournalFilter, span: Span) -> Select<journal::Entity> {
        use journal::Column as C;
        let mut select = self.find::<journal::Entity>();
        if filter.client.is_some() || !self.context().scope.is_all() {
            let mut touched = self.find::<journal_client::Entity>().select_only().column(journal_client::Column::Seq);
            if let Some(client) = filter.client {
                touched = touched.filter(journal_client::Column::ClientId.eq(client.0));
            }
            select = select.filter(C::Seq.in_subquery(touched.into_query()));
        }
        if let Some(record) = filter.record {
            let touched = self.find::<journal_record::Entity>().select_only().column(journal_record::Column::Seq);
            let touched = touched.filter(journal_record::Column::RecordId.eq(record));
            select = select.filter(C::Seq.in_subquery(touched.into_query()));
        }
        let conditions = [
            filter.action.as_ref().map(|action| C::Action.eq(action.as_str())),
            filter.outcome.map(|outcome| C::Outcome.eq(outcome.as_str())),
            filter.actor.map(|actor| C::ActorId.eq(actor)),
            filter.actor_kind.as_ref().map(|kind| C::ActorKind.eq(kind.as_str())),
            filter.acted_for.map(|client| C::ActedFor.eq(client.0)),
            filter.request_id.as_ref().map(|request| C::RequestId.eq(request.as_str())),
            filter.since.map(|since| C::At.gte(since)),
            filter.until.map(|until| C::At.lt(until)),
            span.after.map(|seq| C::Seq.gt(seq)),
            span.before.map(|seq| C::Seq.lt(seq)),
        ];
        conditions.into_iter().flatten().fold(select, |select, condition| select.filter(condition))
    }
}

/// Whether the changes hold a text. In them it stands as JSON writes it; lower case is what the database can make of it,
/// so that a text that is there as it was typed is always found.
fn holds(text: &str) -> Condition {
    use sea_orm::ExprTrait;

    let changes = || Expr::col((journal::Entity, journal::Column::Changes));
    let written = as_json(text);
    let lower = Expr::expr(Func::lower(changes())).like(literal(&written.to_lowercase()));
    Condition::any().add(changes().like(literal(&written))).add(lower)
}

/// A text as it stands within a text of JSON.
fn as_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// All texts of what a caller sees of an entry's changes.
fn shown(entry: &JournalEntry) -> Option<String> {
    Some(serde_json::to_string(&entry.changes).ok()?.replace("\\\"", "\"").replace("\\\\", "\\"))
}

#[cfg(test)]
mod tests {
    use super::as_json;

    #[test]
    fn a_text_is_looked_for_as_json_writes_it() {
        for (text, written) in [("Kite", "Kite"), ("a \"b\" \\", "a \\\"b\\\" \\\\"), ("é\n", "é\\n"), ("", "")] {
            assert_eq!(as_json(text), written);
        }
    }
}
