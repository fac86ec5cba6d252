//! The client list: search, filters, order and cursor.

use domain::{
    Client, ClientId, ClientStatus, Error, IntegrationFilter, Listed, PageRequest, Range, Result, SortOrder, name_key,
};
use sea_orm::{
    ColumnTrait, ExprTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, LikeExpr},
};
use uuid::Uuid;

use crate::{
    Tx,
    clients::read,
    entity::{client, vendor_entity},
    error::OrDomain,
};

/// Which clients are wanted. Empty means all that are not deleted.
#[derive(Clone, Debug, Default)]
pub struct ClientFilter {
    /// Part of the name; case does not matter, `%` and `_` mean themselves.
    pub search: Option<String>,
    /// Only this status.
    pub status: Option<ClientStatus>,
    /// Mapped, or not, to these integrations.
    pub integrations: Option<IntegrationFilter>,
    /// Number of devices.
    pub devices: Range,
    /// Number of directory users.
    pub users: Range,
}

impl ClientFilter {
    fn is_plain(&self) -> bool {
        self.search.is_none()
            && self.integrations.is_none()
            && self.devices == Range::default()
            && self.users == Range::default()
    }
}

/// Order of the list; ids break ties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ClientSort {
    #[default]
    Name,
    Devices,
    Users,
    Created,
}

impl ClientSort {
    fn column(self) -> client::Column {
        match self {
            Self::Name => client::Column::NameKey,
            Self::Devices => client::Column::DeviceCount,
            Self::Users => client::Column::UserCount,
            Self::Created => client::Column::CreatedAt,
        }
    }

    fn key(self, client: &Client) -> String {
        match self {
            Self::Name => name_key(&client.name),
            Self::Devices => client.device_count.to_string(),
            Self::Users => client.user_count.to_string(),
            Self::Created => client.created_at.timestamp_micros().to_string(),
        }
    }

    fn value(self, key: &str) -> Result<sea_orm::Value> {
        let wrong = || Error::invalid("cursor", "not_a_cursor", "is not a cursor of this list");
        Ok(match self {
            Self::Name => key.into(),
            Self::Devices | Self::Users => key.parse::<i32>().map_err(|_| wrong())?.into(),
            Self::Created => {
                let micros = key.parse::<i64>().map_err(|_| wrong())?;
                domain::Timestamp::from_timestamp_micros(micros).ok_or_else(wrong)?.into()
            }
        })
    }
}

impl Tx {
    /// A page of the client list.
    pub async fn client_list(
        &self,
        filter: &ClientFilter,
        sort: ClientSort,
        order: SortOrder,
        page: &PageRequest,
    ) -> Result<Listed<Client>> {
        if let Some(listed) = self.client_search(filter, sort, order, page).await? {
            return Ok(listed);
        }
        let select = self.client_select(filter);
        let total = if filter.is_plain() {
            let totals = self.client_totals().await?;
            match filter.status {
                None => totals.total(),
                Some(ClientStatus::Active) => totals.active,
                Some(ClientStatus::Inactive) => totals.inactive,
            }
        } else {
            i64::try_from(select.clone().count(self.db()).await.or_domain()?).unwrap_or(i64::MAX)
        };
        let direction = if order == SortOrder::Ascending { Order::Asc } else { Order::Desc };
        let mut select = select.order_by(sort.column(), direction.clone()).order_by(client::Column::Id, direction);
        if let Some((key, id)) = &page.after {
            let place = Expr::tuple([Expr::col(sort.column()), Expr::col(client::Column::Id)]);
            let after = Expr::tuple([Expr::val(sort.value(key)?), Expr::val(*id)]);
            select = select.filter(if order == SortOrder::Ascending { place.gt(after) } else { place.lt(after) });
        }
        let rows = select.limit(page.limit + 1).all(self.db()).await.or_domain()?;
        let mut items = rows.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        let more = items.len() as u64 > page.limit;
        items.truncate(page.limit as usize);
        let next = more.then(|| items.last().map(|last| (sort.key(last), last.id.0))).flatten();
        Ok(Listed { items, next, total })
    }

    /// A search by name alone, or with a status, answered from the index of names.
    async fn client_search(
        &self,
        filter: &ClientFilter,
        sort: ClientSort,
        order: SortOrder,
        page: &PageRequest,
    ) -> Result<Option<Listed<Client>>> {
        let Some(search) = filter.search.as_deref().map(name_key).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let only_name = ClientFilter { search: None, status: None, ..filter.clone() }.is_plain();
        if !only_name || sort != ClientSort::Name || order != SortOrder::Ascending {
            return Ok(None);
        }
        let Some(index) = self.name_index().await? else { return Ok(None) };
        let after = page.after.as_ref().map(|(key, id)| (key.as_str(), *id));
        let hits = index.search(&search, filter.status, &self.context().scope, after, page.limit as usize);
        let mut items = self.clients_by_id(&hits.ids).await?;
        items.sort_by_cached_key(|client| (name_key(&client.name), client.id));
        let next = hits.more.then(|| items.last().map(|last| (sort.key(last), last.id.0))).flatten();
        Ok(Some(Listed { items, next, total: hits.total }))
    }

    fn client_select(&self, filter: &ClientFilter) -> Select<client::Entity> {
        let mut select = self.find::<client::Entity>().filter(client::Column::DeletedAt.is_null());
        if let Some(status) = filter.status {
            select = select.filter(client::Column::Status.eq(status.as_str()));
        }
        if let Some(search) = filter.search.as_deref().map(name_key).filter(|text| !text.is_empty()) {
            select = select.filter(Expr::col(client::Column::NameKey).like(literal(&search)));
        }
        for (range, column) in
            [(filter.devices, client::Column::DeviceCount), (filter.users, client::Column::UserCount)]
        {
            if let Some(min) = range.min {
                select = select.filter(column.gte(min));
            }
            if let Some(max) = range.max {
                select = select.filter(column.lte(max));
            }
        }
        match &filter.integrations {
            None => {}
            Some(IntegrationFilter::Has(all)) => {
                for integration in all {
                    select = select.filter(client::Column::Id.in_subquery(self.mapped_to(integration)));
                }
            }
            Some(IntegrationFilter::Missing(any)) => {
                let lacking = any.iter().fold(sea_orm::Condition::any(), |lacking, integration| {
                    lacking.add(client::Column::Id.not_in_subquery(self.mapped_to(integration)))
                });
                select = select.filter(lacking);
            }
        }
        select
    }

    /// Ids of the clients that have an entity of this integration.
    fn mapped_to(&self, integration: &str) -> sea_orm::sea_query::SelectStatement {
        self.find::<vendor_entity::Entity>()
            .select_only()
            .column(vendor_entity::Column::ClientId)
            .filter(vendor_entity::Column::Integration.eq(integration))
            .filter(vendor_entity::Column::ClientId.is_not_null())
            .into_query()
    }

    /// The integrations that these clients are mapped to: pairs of client and integration.
    pub async fn client_integrations(&self, clients: &[ClientId]) -> Result<Vec<(ClientId, String)>> {
        let rows: Vec<(Uuid, String)> = self
            .find::<vendor_entity::Entity>()
            .select_only()
            .columns([vendor_entity::Column::ClientId, vendor_entity::Column::Integration])
            .filter(vendor_entity::Column::ClientId.is_in(clients.iter().map(|client| client.0)))
            .distinct()
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(|(client, integration)| (ClientId(client), integration)).collect())
    }
}

/// A pattern that finds `text` anywhere and takes `%`, `_` and `\` literally.
pub(crate) fn literal(text: &str) -> LikeExpr {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    LikeExpr::new(format!("%{escaped}%")).escape('\\')
}
