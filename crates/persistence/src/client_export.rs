//! Clients in bulk: read page by page for files, and written many at a time.

use std::collections::{BTreeMap, HashMap};

use domain::{Client, ClientId, Error, Result, name_key};
use sea_orm::{ColumnTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use uuid::Uuid;

use crate::{
    ClientFilter, Tx, clients,
    entity::{client, vendor_entity},
    error::OrDomain,
};

/// Whom a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// One client.
    One(ClientId),
    /// Several.
    Several,
}

/// A client with the ids that vendors have for it.
#[derive(Clone, Debug)]
pub struct ExportedClient {
    /// The client.
    pub client: Client,
    /// Vendors' ids of the entities mapped to it, by integration, sorted.
    pub vendor_ids: BTreeMap<String, Vec<String>>,
}

impl Tx {
    /// Integrations of which an entity is mapped to some client of the scope, sorted.
    pub async fn integrations_mapped(&self) -> Result<Vec<String>> {
        self.find::<vendor_entity::Entity>()
            .select_only()
            .column(vendor_entity::Column::Integration)
            .filter(vendor_entity::Column::ClientId.is_not_null())
            .distinct()
            .order_by_asc(vendor_entity::Column::Integration)
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()
    }

    /// At most `limit` clients in the order of names, after the one given: the last of the page before.
    pub async fn clients_exported(
        &self,
        filter: &ClientFilter,
        after: Option<&Client>,
        limit: u64,
    ) -> Result<Vec<ExportedClient>> {
        let mut select = self.client_select(filter);
        if let Some(last) = after {
            let place = Expr::tuple([Expr::col(client::Column::NameKey), Expr::col(client::Column::Id)]);
            select = select.filter(place.gt(Expr::tuple([Expr::val(name_key(&last.name)), Expr::val(last.id.0)])));
        }
        let select = select.order_by_asc(client::Column::NameKey).order_by_asc(client::Column::Id).limit(limit);
        let rows = select.all(self.db()).await.or_domain()?;
        let mut held = self.vendor_ids_of(rows.iter().map(|row| row.id).collect()).await?;
        let exported = rows.into_iter().map(|row| {
            let vendor_ids = held.remove(&row.id).unwrap_or_default();
            Ok(ExportedClient { client: clients::read(row)?, vendor_ids })
        });
        exported.collect()
    }

    async fn vendor_ids_of(&self, clients: Vec<Uuid>) -> Result<HashMap<Uuid, BTreeMap<String, Vec<String>>>> {
        use vendor_entity::Column as C;
        let rows: Vec<(Uuid, String, String)> = self
            .find::<vendor_entity::Entity>()
            .select_only()
            .columns([C::ClientId, C::Integration, C::VendorId])
            .filter(C::ClientId.is_in(clients))
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        let mut held: HashMap<Uuid, BTreeMap<String, Vec<String>>> = HashMap::new();
        for (client, integration, vendor_id) in rows {
            held.entry(client).or_default().entry(integration).or_default().push(vendor_id);
        }
        held.values_mut().flat_map(BTreeMap::values_mut).for_each(|ids| ids.sort_unstable());
        Ok(held)
    }

    /// Whom each name in use stands for, by [`name_key`].
    pub async fn client_name_keys(&self) -> Result<HashMap<String, Named>> {
        let rows: Vec<(Uuid, String)> = self
            .find::<client::Entity>()
            .select_only()
            .columns([client::Column::Id, client::Column::NameKey])
            .filter(client::Column::DeletedAt.is_null())
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        let mut named = HashMap::with_capacity(rows.len());
        for (id, key) in rows {
            named.entry(key).and_modify(|who| *who = Named::Several).or_insert(Named::One(ClientId(id)));
        }
        Ok(named)
    }

    /// Makes clients, many with one statement. Only for callers who see every client.
    pub async fn clients_insert(&self, clients: &[Client]) -> Result<()> {
        if !self.context().scope.is_all() {
            return Err(Error::internal("clients were to be made in bulk by a caller who does not see them all"));
        }
        self.insert_rows::<client::Entity>(clients.iter().map(|one| clients::write(self, one)).collect()).await
    }
}
