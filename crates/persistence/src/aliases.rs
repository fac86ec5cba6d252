//! What clients are known by at vendors. Every row belongs to a client that lives: a merge moves its rows, a deletion
//! takes them away, and reverting either brings them back.

use domain::{
    AliasKind, Change, ClientAlias, ClientAliasId, ClientId, Error, Listed, PageRequest, Problem, Result, StaffId,
};
use sea_orm::{ColumnTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx,
    entity::client_alias as table,
    error::{OrDomain, known},
    journalled::Journalled,
    revert::conflict,
};

impl Journalled for table::Entity {
    const KIND: &'static str = "client_alias";
    const WHAT: &'static str = "alias";

    fn id(row: &table::Model) -> Uuid {
        row.id
    }
    fn id_column() -> table::Column {
        table::Column::Id
    }
    fn version_column() -> Option<table::Column> {
        None
    }
    fn version(_: &table::Model) -> i32 {
        1
    }
    fn client_of(row: &table::Model) -> Option<ClientId> {
        Some(ClientId(row.client_id))
    }
    fn view(row: &table::Model) -> Result<Value> {
        serde_json::to_value(read(row.clone())?).map_err(Error::internal)
    }
}

fn read(row: table::Model) -> Result<ClientAlias> {
    Ok(ClientAlias {
        id: row.id.into(),
        client_id: ClientId(row.client_id),
        kind: known(AliasKind::parse(&row.kind), "client_alias.kind")?,
        alias: row.alias,
        key: row.alias_key,
        entity_id: row.entity_id.into(),
        entity_name: row.entity_name,
        integration: row.integration,
        learned_at: row.learned_at,
        learned_by: row.learned_by.map(StaffId),
    })
}

fn write(tx: &Tx, alias: &ClientAlias) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: alias.id.0,
        client_id: alias.client_id.0,
        kind: alias.kind.as_str().to_owned(),
        alias: alias.alias.clone(),
        alias_key: alias.key.clone(),
        entity_id: alias.entity_id.0,
        entity_name: alias.entity_name.clone(),
        integration: alias.integration.clone(),
        learned_at: alias.learned_at,
        learned_by: alias.learned_by.map(|staff| staff.0),
    }
}

impl Tx {
    /// Everything that clients within the scope are known by, for matching.
    pub async fn aliases(&self) -> Result<Vec<ClientAlias>> {
        let select = self.find::<table::Entity>().order_by_asc(table::Column::ClientId).order_by_asc(table::Column::Id);
        select.all(self.db()).await.or_domain()?.into_iter().map(read).collect()
    }

    /// A page of what a client is known by, in the order of the keys.
    pub async fn alias_list(&self, client: ClientId, page: &PageRequest) -> Result<Listed<ClientAlias>> {
        use table::Column as C;
        let mut select = self.find::<table::Entity>().filter(C::ClientId.eq(client.0));
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((key, id)) = &page.after {
            let place = Expr::tuple([Expr::col(C::AliasKey), Expr::col(C::Id)]);
            select = select.filter(place.gt(Expr::tuple([Expr::val(key.as_str()), Expr::val(*id)])));
        }
        let select = select.order_by_asc(C::AliasKey).order_by_asc(C::Id).limit(page.limit + 1);
        let mut rows = select.all(self.db()).await.or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|last| (last.alias_key.clone(), last.id))).flatten();
        let items = rows.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// Everything that these clients are known by. Who writes aliases has locked their clients before.
    pub async fn aliases_of_clients(&self, clients: &[ClientId]) -> Result<Vec<ClientAlias>> {
        let mut found = Vec::new();
        for chunk in clients.chunks(500) {
            let select = self
                .find::<table::Entity>()
                .filter(table::Column::ClientId.is_in(chunk.iter().map(|client| client.0)))
                .order_by_asc(table::Column::Id);
            for row in select.all(self.db()).await.or_domain()? {
                found.push(read(row)?);
            }
        }
        Ok(found)
    }

    /// Something that a client is known by.
    pub async fn alias(&self, client: ClientId, id: ClientAliasId) -> Result<ClientAlias> {
        let select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        let row = select.filter(table::Column::ClientId.eq(client.0)).one(self.db()).await.or_domain()?;
        row.ok_or(Error::NotFound { what: "alias" }).and_then(read)
    }

    /// Keeps what was learned.
    pub async fn aliases_insert(&self, aliases: &[ClientAlias]) -> Result<()> {
        self.insert_rows::<table::Entity>(aliases.iter().map(|alias| write(self, alias)).collect()).await
    }

    /// Gives an alias to another client, who must not have it yet.
    pub async fn alias_move(&self, before: &ClientAlias, client: ClientId) -> Result<()> {
        let after = ClientAlias { client_id: client, ..before.clone() };
        self.update_row::<table::Entity>(&write(self, before), write(self, &after)).await.map(drop)
    }

    /// Forgets an alias.
    pub async fn alias_delete(&self, alias: &ClientAlias) -> Result<()> {
        self.delete_row::<table::Entity>(&write(self, alias)).await
    }

    /// Forgets everything that a client is known by: it is being deleted.
    pub async fn aliases_drop(&self, client: ClientId) -> Result<()> {
        for alias in self.aliases_of_clients(&[client]).await? {
            self.alias_delete(&alias).await?;
        }
        Ok(())
    }

    /// The inverse of a change of an alias. That it was forgotten since, or is known again, is as good as undone.
    pub(crate) async fn revert_alias(&self, change: &Change) -> Result<Option<Problem>> {
        let select = self.find::<table::Entity>().filter(table::Column::Id.eq(change.id)).lock_exclusive();
        let current = select.one(self.db()).await.or_domain()?.map(read).transpose()?;
        let Some(before) = change.before.clone() else {
            if let Some(current) = current {
                self.alias_delete(&current).await?;
            }
            return Ok(None);
        };
        let before: ClientAlias = serde_json::from_value(before).map_err(Error::internal)?;
        if current.is_none() && change.after.is_some() {
            return Ok(None);
        }
        match self.client(before.client_id).await {
            Ok(_) => {}
            Err(Error::NotFound { .. }) => {
                let why = format!("“{}” belonged to a client that is deleted: restore that first", before.alias);
                return conflict(change, "client_deleted", &why);
            }
            Err(other) => return Err(other),
        }
        let held = self.aliases_of_clients(&[before.client_id]).await?;
        let held = held.iter().any(|held| (held.kind, &held.key) == (before.kind, &before.key));
        match current {
            Some(current) if current.client_id == before.client_id => {}
            Some(current) if held => self.alias_delete(&current).await?,
            Some(current) => self.alias_move(&current, before.client_id).await?,
            None if held => {}
            None => self.aliases_insert(&[before]).await?,
        }
        Ok(None)
    }
}
