//! What portal users did: the journal's entries of theirs.

use domain::{ClientId, Error, Listed, Outcome, PageRequest, PortalUserId, Result, Timestamp};
use sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use uuid::Uuid;

use crate::{
    JournalEntry, Tx,
    entity::{journal, portal_user},
    error::OrDomain,
};

/// Which of it is wanted.
#[derive(Clone, Debug, Default)]
pub struct ActivityFilter {
    /// Only by people of this client.
    pub client: Option<ClientId>,
    /// Only by this portal user.
    pub user: Option<PortalUserId>,
    /// Only these actions; none means all.
    pub actions: Option<Vec<&'static str>>,
    /// Only this action.
    pub action: Option<String>,
    /// Only with this outcome.
    pub outcome: Option<Outcome>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

/// Something that a portal user did.
#[derive(Clone, Debug)]
pub struct PortalActivity {
    /// The entry.
    pub entry: JournalEntry,
    /// Who.
    pub user: PortalUserId,
    /// Their name as it is now.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their client.
    pub client_id: ClientId,
}

impl Tx {
    /// What portal users of the scope's clients did, the newest first.
    pub async fn portal_activity(&self, filter: &ActivityFilter, page: &PageRequest) -> Result<Listed<PortalActivity>> {
        use journal::Column as C;
        // Those out of scope are not found here, and what they did is not found by them.
        let mut people = self.find::<portal_user::Entity>();
        if let Some(client) = filter.client {
            people = people.filter(portal_user::Column::ClientId.eq(client.0));
        }
        if let Some(user) = filter.user {
            people = people.filter(portal_user::Column::Id.eq(user.0));
        }
        let ids = people.clone().select_only().column(portal_user::Column::Id).into_query();
        let mut select =
            self.find::<journal::Entity>().filter(C::ActorKind.eq("portal_user")).filter(C::ActorId.in_subquery(ids));
        if let Some(actions) = &filter.actions {
            select = select.filter(C::Action.is_in(actions.iter().copied()));
        }
        if let Some(action) = &filter.action {
            select = select.filter(C::Action.eq(action));
        }
        if let Some(outcome) = filter.outcome {
            select = select.filter(C::Outcome.eq(outcome.as_str()));
        }
        if let Some(from) = filter.from {
            select = select.filter(C::At.gte(from));
        }
        if let Some(until) = filter.until {
            select = select.filter(C::At.lt(until));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((seq, _)) = &page.after {
            let wrong = |_| Error::invalid("cursor", "not_a_cursor", "is not a cursor of this list");
            select = select.filter(C::Seq.lt(seq.parse::<i64>().map_err(wrong)?));
        }
        let mut rows = select.order_by_desc(C::Seq).limit(page.limit + 1).all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|row| (row.seq.to_string(), row.id))).flatten();
        let actors: Vec<Uuid> = rows.iter().filter_map(|row| row.actor_id).collect();
        let people = people.filter(portal_user::Column::Id.is_in(actors)).all(self.db()).await.or_domain()?;
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(person) = people.iter().find(|person| Some(person.id) == row.actor_id) else { continue };
            items.push(PortalActivity {
                user: person.id.into(),
                name: person.name.clone(),
                email: person.email.clone(),
                client_id: ClientId(person.client_id),
                entry: crate::journal::read(row)?,
            });
        }
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }
}
