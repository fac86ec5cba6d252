//! How ClientOne is set up: for each client, and the MSP's own look.

use std::collections::HashMap;

use domain::{
    Branding, BrandingSource, ClientId, EffectiveBranding, Error, Listed, PageRequest, PortalConfig, PortalState,
    Result, name_key,
};
use sea_orm::{
    ColumnTrait, ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::Expr,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Tx,
    client_list::literal,
    entity::{client, portal_branding, portal_config as table, portal_user},
    error::OrDomain,
    journalled::Journalled,
};

impl Journalled for table::Entity {
    const KIND: &'static str = "portal_config";
    const WHAT: &'static str = "set-up of ClientOne";

    fn id(row: &table::Model) -> Uuid {
        row.client_id
    }
    fn id_column() -> table::Column {
        table::Column::ClientId
    }
    fn version_column() -> Option<table::Column> {
        Some(table::Column::Version)
    }
    fn version(row: &table::Model) -> i32 {
        row.version
    }
    fn client_of(row: &table::Model) -> Option<ClientId> {
        Some(ClientId(row.client_id))
    }
    fn view(row: &table::Model) -> Result<Value> {
        let parse = |text: &str| serde_json::from_str::<Value>(text).map_err(Error::internal);
        Ok(json!({
            "client_id": row.client_id, "enabled": row.enabled, "settings": parse(&row.settings)?,
            "branding": told(parse(&row.branding)?), "version": row.version,
        }))
    }
}

impl Journalled for portal_branding::Entity {
    const KIND: &'static str = "portal_branding";
    const WHAT: &'static str = "look of ClientOne";

    fn id(row: &portal_branding::Model) -> Uuid {
        row.organisation_id
    }
    fn id_column() -> portal_branding::Column {
        portal_branding::Column::OrganisationId
    }
    fn version_column() -> Option<portal_branding::Column> {
        Some(portal_branding::Column::Version)
    }
    fn version(row: &portal_branding::Model) -> i32 {
        row.version
    }
    fn client_of(_: &portal_branding::Model) -> Option<ClientId> {
        None
    }
    fn view(row: &portal_branding::Model) -> Result<Value> {
        let branding: Value = serde_json::from_str(&row.branding).map_err(Error::internal)?;
        Ok(json!({ "branding": told(branding), "version": row.version }))
    }
}

/// A look as the journal has it: a logo is known by its hash, as a preview has it elsewhere than what it previews.
fn told(mut branding: Value) -> Value {
    if let Some(logo) = branding.get_mut("logo").and_then(Value::as_object_mut) {
        logo.remove("content_id");
    }
    branding
}

fn read(row: table::Model) -> Result<PortalConfig> {
    Ok(PortalConfig {
        client_id: ClientId(row.client_id),
        enabled: row.enabled,
        settings: serde_json::from_str(&row.settings).map_err(Error::internal)?,
        branding: serde_json::from_str(&row.branding).map_err(Error::internal)?,
        updated_at: Some(row.updated_at),
        version: row.version,
    })
}

fn write(tx: &Tx, config: &PortalConfig) -> Result<table::Model> {
    Ok(table::Model {
        organisation_id: tx.organisation().0,
        client_id: config.client_id.0,
        enabled: config.enabled,
        settings: serde_json::to_string(&config.settings).map_err(Error::internal)?,
        branding: serde_json::to_string(&config.branding).map_err(Error::internal)?,
        updated_at: config.updated_at.unwrap_or(tx.now()),
        version: config.version,
    })
}

/// A client, and how ClientOne is set up for it.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedPortal {
    /// The client's name.
    pub name: String,
    /// The set-up.
    pub config: PortalConfig,
    /// Accounts that may sign in.
    pub active: u64,
    /// Accounts that were invited and have not come yet.
    pub invited: u64,
    /// Accounts that are shut out.
    pub deactivated: u64,
}

/// Which clients are wanted.
#[derive(Clone, Debug, Default)]
pub struct PortalFilter {
    /// Only this client.
    pub client: Option<ClientId>,
    /// Only those for which it is enabled, or is not.
    pub enabled: Option<bool>,
    /// Part of the client's name.
    pub search: Option<String>,
}

impl Tx {
    /// How ClientOne is set up for a client; also where nothing was ever set. Whether the client exists is for the
    /// caller to know.
    pub async fn portal_config(&self, client: ClientId) -> Result<PortalConfig> {
        if !self.context().scope.allows(client) {
            return Err(Error::NotFound { what: "client" });
        }
        let select = self.find::<table::Entity>().filter(table::Column::ClientId.eq(client.0));
        match select.one(self.db()).await.or_domain()? {
            Some(row) => read(row),
            None => Ok(PortalConfig::unset(client)),
        }
    }

    /// Writes the set-up of a client that was read before, with the client's row locked.
    pub async fn portal_config_save(&self, before: &PortalConfig, after: PortalConfig) -> Result<PortalConfig> {
        let after = PortalConfig { version: before.version + 1, updated_at: Some(self.now()), ..after };
        if before.version == 0 {
            let plain = PortalConfig { version: 0, updated_at: None, ..after.clone() };
            if plain == *before {
                return Ok(before.clone());
            }
            self.insert_row::<table::Entity>(write(self, &after)?).await?;
            return Ok(after);
        }
        let written = self.update_row::<table::Entity>(&write(self, before)?, write(self, &after)?).await?;
        Ok(if written { after } else { before.clone() })
    }

    /// The MSP's own look, with its version; 0 while nothing was ever set.
    pub async fn portal_branding(&self) -> Result<(Branding, i32)> {
        match self.find::<portal_branding::Entity>().one(self.db()).await.or_domain()? {
            Some(row) => Ok((serde_json::from_str(&row.branding).map_err(Error::internal)?, row.version)),
            None => Ok((Branding::default(), 0)),
        }
    }

    /// What the portal of a client is called; where nobody named it, the MSP.
    pub async fn portal_brand(&self, config: &PortalConfig) -> Result<String> {
        let (organisation, _) = self.portal_branding().await?;
        let name = EffectiveBranding::of(Some(&config.branding), &organisation).product_name;
        if name.source == BrandingSource::Default { Ok(self.organisation_name().await?.0) } else { Ok(name.value) }
    }

    /// Writes the MSP's own look over the version read before, with the organisation locked; returns its version.
    pub async fn portal_branding_save(&self, before: &(Branding, i32), after: &Branding) -> Result<i32> {
        let row = |branding: &Branding, version: i32| -> Result<portal_branding::Model> {
            let branding = serde_json::to_string(branding).map_err(Error::internal)?;
            Ok(portal_branding::Model {
                organisation_id: self.organisation().0,
                branding,
                updated_at: self.now(),
                version,
            })
        };
        let next = before.1 + 1;
        if before.1 > 0 {
            let old = row(&before.0, before.1)?;
            let written = self.update_row::<portal_branding::Entity>(&old, row(after, next)?).await?;
            return Ok(if written { next } else { before.1 });
        }
        if *after == Branding::default() {
            return Ok(0);
        }
        self.insert_row::<portal_branding::Entity>(row(after, next)?).await?;
        Ok(next)
    }

    /// A page of clients with their set-up and how many accounts each has, by name. Archived clients are left out,
    /// unless one is asked for.
    pub async fn portal_config_list(&self, filter: &PortalFilter, page: &PageRequest) -> Result<Listed<ListedPortal>> {
        let mut select = self.find::<client::Entity>().filter(client::Column::DeletedAt.is_null());
        select = match filter.client {
            Some(client) => select.filter(client::Column::Id.eq(client.0)),
            None => select.filter(client::Column::ArchivedAt.is_null()),
        };
        if let Some(enabled) = filter.enabled {
            let on = self.enabled_portals().select_only().column(table::Column::ClientId).into_query();
            let id = client::Column::Id;
            select = select.filter(if enabled { id.in_subquery(on) } else { id.not_in_subquery(on) });
        }
        if let Some(search) = filter.search.as_deref().map(name_key).filter(|text| !text.is_empty()) {
            select = select.filter(Expr::col(client::Column::NameKey).like(literal(&search)));
        }
        let total = select.clone().count(self.db()).await.or_domain()?;
        if let Some((key, id)) = &page.after {
            let place = Expr::tuple([Expr::col(client::Column::NameKey), Expr::col(client::Column::Id)]);
            select = select.filter(place.gt(Expr::tuple([Expr::val(key.as_str()), Expr::val(*id)])));
        }
        let mut rows: Vec<(Uuid, String, String)> = select
            .select_only()
            .columns([client::Column::Id, client::Column::Name, client::Column::NameKey])
            .order_by_asc(client::Column::NameKey)
            .order_by_asc(client::Column::Id)
            .limit(page.limit + 1)
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        let more = rows.len() as u64 > page.limit;
        rows.truncate(page.limit as usize);
        let next = more.then(|| rows.last().map(|(id, _, key)| (key.clone(), *id))).flatten();
        let ids: Vec<Uuid> = rows.iter().map(|(id, ..)| *id).collect();
        let (configs, counts) = (self.portal_configs(&ids).await?, self.portal_user_counts(&ids).await?);
        let item = |(id, name, _): (Uuid, String, String)| {
            let count = |state: PortalState| counts.get(&(id, state.as_str().to_owned())).copied().unwrap_or_default();
            ListedPortal {
                name,
                config: configs.get(&id).cloned().unwrap_or_else(|| PortalConfig::unset(ClientId(id))),
                active: count(PortalState::Active),
                invited: count(PortalState::Invited),
                deactivated: count(PortalState::Deactivated),
            }
        };
        let items = rows.into_iter().map(item).collect();
        Ok(Listed { items, next, total: i64::try_from(total).unwrap_or(i64::MAX) })
    }

    /// For how many clients of the scope it is enabled.
    pub async fn portals_enabled(&self) -> Result<u64> {
        self.enabled_portals().count(self.db()).await.or_domain()
    }

    fn enabled_portals(&self) -> sea_orm::Select<table::Entity> {
        self.find::<table::Entity>().filter(table::Column::Enabled.eq(true))
    }

    async fn portal_configs(&self, clients: &[Uuid]) -> Result<HashMap<Uuid, PortalConfig>> {
        let select = self.find::<table::Entity>().filter(table::Column::ClientId.is_in(clients.iter().copied()));
        let rows = select.all(self.db()).await.or_domain()?;
        rows.into_iter().map(|row| Ok((row.client_id, read(row)?))).collect()
    }

    async fn portal_user_counts(&self, clients: &[Uuid]) -> Result<HashMap<(Uuid, String), u64>> {
        use portal_user::Column as C;
        let rows: Vec<(Uuid, String, i64)> = self
            .find::<portal_user::Entity>()
            .select_only()
            .columns([C::ClientId, C::State])
            .column_as(C::Id.count(), "accounts")
            .filter(C::ClientId.is_in(clients.iter().copied()))
            .group_by(C::ClientId)
            .group_by(C::State)
            .into_tuple()
            .all(self.db())
            .await
            .or_domain()?;
        Ok(rows.into_iter().map(|(client, state, n)| ((client, state), u64::try_from(n).unwrap_or_default())).collect())
    }
}
