//! The client list: search, filters, order and cursor.

use std::sync::Arc;

use domain::{
    Archived, Client, ClientId, ClientStatus, ConnectionState, Error, IntegrationFilter, Listed, PageRequest, Range,
    Result, SortOrder, Timestamp, name_key,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, ExprTrait, FromQueryResult, Order, QueryFilter, QueryOrder, QueryResult,
    QuerySelect, QueryTrait, Select,
    sea_query::{Expr, LikeExpr, SelectStatement},
};

use crate::{
    Tx,
    clients::read,
    entity::{client, connection, journal_head, vendor_entity},
    error::{OrDomain, known},
};

/// Which clients are wanted. Empty means all that are neither deleted nor archived.
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
    /// Whether archived ones are among them.
    pub archived: Archived,
    /// Whether the number of devices is known.
    pub devices_known: Option<KnownBy>,
    /// Whether the number of directory users is known.
    pub users_known: Option<KnownBy>,
    /// Only with this tag, in its kept form.
    pub tag: Option<String>,
}

/// Whether a figure of a client is known: where something that tells it is mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownBy {
    /// The integrations that tell it.
    pub integrations: Vec<String>,
    /// Whether it is to be known, or not to be.
    pub known: bool,
}

impl ClientFilter {
    fn is_plain(&self) -> bool {
        self.search.is_none()
            && self.integrations.is_none()
            && self.devices == Range::default()
            && self.users == Range::default()
            && self.archived == Archived::Hidden
            && self.devices_known.is_none()
            && self.users_known.is_none()
            && self.tag.is_none()
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
                Timestamp::from_timestamp_micros(micros).ok_or_else(wrong)?.into()
            }
        })
    }
}

/// A client as the list shows it.
#[derive(Clone, Debug)]
pub struct ListedClient {
    /// The client.
    pub client: Client,
    /// Integrations that it is mapped to, sorted.
    pub integrations: Vec<String>,
    /// How old is what each connection says; all of the organisation's, the same for every client of a page.
    pub ages: Arc<[ConnectionAge]>,
}

/// How old what a connection says is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionAge {
    /// Its integration.
    pub integration: String,
    /// When a sync of all its kinds last ended well.
    pub synced_at: Option<Timestamp>,
    /// Whether that is too long ago, or it does not work.
    pub stale: bool,
}

/// Names of the columns that the list adds to a client's own.
const INTEGRATIONS: &str = "integrations";
const TOTAL: &str = "total";

/// A row of the list: the client's columns, and those above.
struct Row {
    client: client::Model,
    integrations: Option<String>,
    total: Option<i64>,
}

impl FromQueryResult for Row {
    fn from_query_result(row: &QueryResult, prefix: &str) -> std::result::Result<Self, DbErr> {
        Ok(Self {
            client: client::Model::from_query_result(row, prefix)?,
            integrations: row.try_get(prefix, INTEGRATIONS)?,
            total: row.try_get(prefix, TOTAL)?,
        })
    }
}

impl Row {
    fn read(self, ages: Arc<[ConnectionAge]>) -> Result<ListedClient> {
        let joined = self.integrations.unwrap_or_default();
        let mut integrations: Vec<String> = joined.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
        integrations.sort_unstable();
        Ok(ListedClient { client: read(self.client)?, integrations, ages })
    }
}

impl Tx {
    /// A page of the client list.
    ///
    /// One statement answers rows, integrations and total: on SQLite each statement is a hop to another
    /// thread, on PostgreSQL a round trip.
    pub async fn client_list(
        &self,
        filter: &ClientFilter,
        sort: ClientSort,
        order: SortOrder,
        page: &PageRequest,
    ) -> Result<Listed<ListedClient>> {
        if let Some(listed) = self.client_search(filter, sort, order, page).await? {
            return Ok(listed);
        }
        let direction = if order == SortOrder::Ascending { Order::Asc } else { Order::Desc };
        let place = |select: Select<client::Entity>| {
            select.order_by(sort.column(), direction.clone()).order_by(client::Column::Id, direction.clone())
        };
        // First the ids, which an index alone tells; then what is shown of those few.
        let mut page_of_ids = self.client_select(filter);
        if let Some((key, id)) = &page.after {
            let place = Expr::tuple([Expr::col(sort.column()), Expr::col(client::Column::Id)]);
            let after = Expr::tuple([Expr::val(sort.value(key)?), Expr::val(*id)]);
            let further = if order == SortOrder::Ascending { place.gt(after) } else { place.lt(after) };
            page_of_ids = page_of_ids.filter(further);
        }
        let page_of_ids =
            place(page_of_ids).limit(page.limit + 1).select_only().column(client::Column::Id).into_query();
        let select = self.find::<client::Entity>().filter(client::Column::Id.in_subquery(page_of_ids));
        let rows = self.listed(place(select), self.client_total(filter)).await?;
        let headless = || Error::internal("the organisation has no journal head");
        let total = match rows.first() {
            Some(first) => first.total.ok_or_else(headless)?,
            None => {
                let count = self.db().get_database_backend().build(&self.client_total(filter));
                let counted = self.db().query_one_raw(count).await.or_domain()?;
                counted.ok_or_else(headless)?.try_get_by_index(0).or_domain()?
            }
        };
        let more = rows.len() as u64 > page.limit;
        let ages = self.connection_ages().await?;
        let rows = rows.into_iter().take(page.limit as usize);
        let items = rows.map(|row| row.read(ages.clone())).collect::<Result<Vec<_>>>()?;
        let next = more.then(|| items.last().map(|last| (sort.key(&last.client), last.client.id.0))).flatten();
        Ok(Listed { items, next, total })
    }

    /// A search by name alone, or with a status, answered from the index of names.
    async fn client_search(
        &self,
        filter: &ClientFilter,
        sort: ClientSort,
        order: SortOrder,
        page: &PageRequest,
    ) -> Result<Option<Listed<ListedClient>>> {
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
        let select = self
            .find::<client::Entity>()
            .filter(client::Column::DeletedAt.is_null())
            .filter(client::Column::Id.is_in(hits.ids.iter().map(|client| client.0)));
        let ages = self.connection_ages().await?;
        let rows = self.listed(select, Expr::cust("NULL")).await?.into_iter();
        let mut items = rows.map(|row| row.read(ages.clone())).collect::<Result<Vec<_>>>()?;
        items.sort_by_cached_key(|item| (name_key(&item.client.name), item.client.id));
        let next = hits.more.then(|| items.last().map(|last| (sort.key(&last.client), last.client.id.0))).flatten();
        Ok(Some(Listed { items, next, total: hits.total }))
    }

    /// A client that is not deleted, archived or not, with its integrations.
    pub async fn client_listed(&self, id: ClientId) -> Result<ListedClient> {
        let any = ClientFilter { archived: Archived::Included, ..ClientFilter::default() };
        let select = self.client_select(&any).filter(client::Column::Id.eq(id.0));
        let row = self.listed(select, Expr::cust("NULL")).await?.pop().ok_or(Error::NotFound { what: "client" })?;
        row.read(self.connection_ages().await?)
    }

    /// How old what each connection says is.
    async fn connection_ages(&self) -> Result<Arc<[ConnectionAge]>> {
        use connection::Column as C;
        let rows: Vec<(String, String, i32, Option<Timestamp>)> = self
            .find::<connection::Entity>()
            .select_only()
            .columns([C::Integration, C::State, C::CadenceMinutes, C::LastSyncedAt])
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        let age = |(integration, state, cadence_minutes, synced_at): (String, String, i32, Option<Timestamp>)| {
            let state = known(ConnectionState::parse(&state), "connection.state")?;
            let stale = state.is_stale(cadence_minutes, synced_at, self.now());
            Ok(ConnectionAge { integration, synced_at, stale })
        };
        rows.into_iter().map(age).collect()
    }

    /// The rows of a selection of clients, each with its integrations, and with a total that is the same for all.
    async fn listed(&self, select: Select<client::Entity>, total: impl Into<Expr>) -> Result<Vec<Row>> {
        let own = Expr::col((client::Entity, client::Column::Id));
        let join = if self.store().is_postgres() {
            "string_agg(DISTINCT \"entity\".\"integration\", ',')"
        } else {
            "group_concat(DISTINCT \"entity\".\"integration\")"
        };
        let integrations = self
            .find::<vendor_entity::Entity>()
            .select_only()
            .expr(Expr::cust(join))
            .filter(own.eq(Expr::col((vendor_entity::Entity, vendor_entity::Column::ClientId))))
            .into_query();
        let select = select.expr_as(integrations, INTEGRATIONS).expr_as(total, TOTAL);
        select.into_model::<Row>().all(self.db()).await.or_domain()
    }

    /// How many clients the filter leaves: a query of one value.
    fn client_total(&self, filter: &ClientFilter) -> SelectStatement {
        use journal_head::Column::{ClientsActive, ClientsInactive};
        let head = || self.find::<journal_head::Entity>().select_only();
        match filter.status {
            _ if !filter.is_plain() || !self.context().scope.is_all() => {
                self.client_select(filter).select_only().expr(client::Column::Id.count()).into_query()
            }
            None => head().expr(Expr::col(ClientsActive).add(Expr::col(ClientsInactive))).into_query(),
            Some(ClientStatus::Active) => head().column(ClientsActive).into_query(),
            Some(ClientStatus::Inactive) => head().column(ClientsInactive).into_query(),
        }
    }

    pub(crate) fn client_select(&self, filter: &ClientFilter) -> Select<client::Entity> {
        let mut select = self.find::<client::Entity>().filter(client::Column::DeletedAt.is_null());
        select = match filter.archived {
            Archived::Hidden => select.filter(client::Column::ArchivedAt.is_null()),
            Archived::Only => select.filter(client::Column::ArchivedAt.is_not_null()),
            Archived::Included => select,
        };
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
        if let Some(tag) = &filter.tag {
            // Tags are a JSON list: the quotes around each keep one from being found within another.
            let quoted = serde_json::Value::from(tag.as_str()).to_string();
            select = select.filter(Expr::col(client::Column::Tags).like(literal(&quoted)));
        }
        for figure in [&filter.devices_known, &filter.users_known].into_iter().flatten() {
            let told = self.mapped_to_any(&figure.integrations);
            let id = client::Column::Id;
            select = select.filter(if figure.known { id.in_subquery(told) } else { id.not_in_subquery(told) });
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
    fn mapped_to(&self, integration: &str) -> SelectStatement {
        self.mapped_to_any(&[integration.to_owned()])
    }

    /// Ids of the clients that have an entity of one of these integrations.
    fn mapped_to_any(&self, integrations: &[String]) -> SelectStatement {
        self.find::<vendor_entity::Entity>()
            .select_only()
            .column(vendor_entity::Column::ClientId)
            .filter(vendor_entity::Column::Integration.is_in(integrations.iter().cloned()))
            .filter(vendor_entity::Column::ClientId.is_not_null())
            .into_query()
    }
}

/// A pattern that finds `text` anywhere and takes `%`, `_` and `\` literally.
pub(crate) fn literal(text: &str) -> LikeExpr {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    LikeExpr::new(format!("%{escaped}%")).escape('\\')
}
