//! Identity providers and their sealed client secrets.

use domain::{ClientId, Error, Result, SsoAudience, SsoKind, SsoProvider, SsoProviderId};
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Across, Tx,
    entity::{organisation, sso_provider as table},
    error::{OrDomain, known},
    journalled::Journalled,
    keys::Place,
};

impl Journalled for table::Entity {
    const KIND: &'static str = "sso_provider";
    const WHAT: &'static str = "identity provider";

    fn id(row: &table::Model) -> Uuid {
        row.id
    }
    fn id_column() -> table::Column {
        table::Column::Id
    }
    fn version_column() -> Option<table::Column> {
        Some(table::Column::Version)
    }
    fn version(row: &table::Model) -> i32 {
        row.version
    }
    fn client_of(row: &table::Model) -> Option<ClientId> {
        row.client_id.map(ClientId)
    }
    fn view(row: &table::Model) -> Result<Value> {
        serde_json::to_value(read(row.clone())?).map_err(Error::internal)
    }
    fn settle(row: &mut table::ActiveModel) {
        // Written by its own function alone.
        row.secret = ActiveValue::NotSet;
    }
}

pub(crate) fn read(row: table::Model) -> Result<SsoProvider> {
    Ok(SsoProvider {
        id: row.id.into(),
        audience: known(SsoAudience::parse(&row.audience), "sso_provider.audience")?,
        client_id: row.client_id.map(ClientId),
        name: row.name,
        kind: known(SsoKind::parse(&row.kind), "sso_provider.kind")?,
        issuer: row.issuer,
        app_id: row.app_id,
        secret_version: row.secret_version,
        enabled: row.enabled,
        tenants: serde_json::from_str(&row.tenants).map_err(Error::internal)?,
        domains: serde_json::from_str(&row.domains).map_err(Error::internal)?,
        just_in_time: row.just_in_time,
        trusts_mfa: row.trusts_mfa,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn write(tx: &Tx, provider: &SsoProvider) -> Result<table::Model> {
    Ok(table::Model {
        organisation_id: tx.organisation().0,
        id: provider.id.0,
        audience: provider.audience.as_str().to_owned(),
        client_id: provider.client_id.map(|client| client.0),
        name: provider.name.clone(),
        kind: provider.kind.as_str().to_owned(),
        issuer: provider.issuer.clone(),
        app_id: provider.app_id.clone(),
        secret: None,
        secret_version: provider.secret_version,
        enabled: provider.enabled,
        tenants: serde_json::to_string(&provider.tenants).map_err(Error::internal)?,
        domains: serde_json::to_string(&provider.domains).map_err(Error::internal)?,
        just_in_time: provider.just_in_time,
        trusts_mfa: provider.trusts_mfa,
        created_at: provider.created_at,
        updated_at: provider.updated_at,
        version: provider.version,
    })
}

fn place(tx: &Tx, id: SsoProviderId) -> Place<'static> {
    Place { organisation: tx.organisation().0, table: "sso_provider", row: id.0, column: "secret" }
}

impl Across {
    /// The organisation of this slug.
    pub async fn organisation_by_slug(&self, slug: &str) -> Result<Option<domain::OrganisationId>> {
        #[allow(clippy::disallowed_methods, reason = "which organisation it is has yet to be found")]
        let select = <organisation::Entity as sea_orm::EntityTrait>::find();
        let row = select.filter(organisation::Column::Slug.eq(slug)).one(self.db()).await.or_domain()?;
        Ok(row.map(|row| row.organisation_id.into()))
    }
}

impl Tx {
    /// A provider within the scope. In a transaction that writes, its row is locked.
    pub async fn sso_provider(&self, id: SsoProviderId) -> Result<SsoProvider> {
        let mut select = self.find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        let row = select.one(self.db()).await.or_domain()?.ok_or(Error::NotFound { what: "identity provider" })?;
        read(row)
    }

    /// A provider through which somebody signs in, whatever the scope of whom it lets in: the MSP's own is nobody's
    /// client's.
    pub async fn sso_provider_used(&self, id: SsoProviderId) -> Result<Option<SsoProvider>> {
        let select = self.unscoped_find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        select.one(self.db()).await.or_domain()?.map(read).transpose()
    }

    /// All providers of the scope, or those of a client: the MSP's own first.
    pub async fn sso_provider_list(&self, client: Option<ClientId>) -> Result<Vec<SsoProvider>> {
        let mut select = self.find::<table::Entity>();
        if let Some(client) = client {
            select = select.filter(table::Column::ClientId.eq(client.0));
        }
        let rows = select.order_by_asc(table::Column::CreatedAt).order_by_asc(table::Column::Id);
        let rows = rows.limit(5_000).all(self.db()).await.or_domain()?;
        let mut providers = rows.into_iter().map(read).collect::<Result<Vec<_>>>()?;
        providers.sort_by_key(|provider| provider.client_id.is_some());
        Ok(providers)
    }

    /// The MSP's own provider for staff, or for the people of clients, enabled or not.
    pub async fn sso_provider_own(&self, audience: SsoAudience) -> Result<Option<SsoProvider>> {
        let select = self.unscoped_find::<table::Entity>().filter(table::Column::Audience.eq(audience.as_str()));
        let select = select.filter(table::Column::ClientId.is_null());
        select.one(self.db()).await.or_domain()?.map(read).transpose()
    }

    /// The provider of a client's people that is enabled: its own, or else the MSP's. While it has one of its own, the
    /// MSP's is none of its, also if that one is disabled.
    pub async fn sso_provider_for(&self, client: ClientId) -> Result<Option<SsoProvider>> {
        let select = self.unscoped_find::<table::Entity>().filter(table::Column::ClientId.eq(client.0));
        let own = select.one(self.db()).await.or_domain()?.map(read).transpose()?;
        let found = match own {
            Some(own) => Some(own),
            None => self.sso_provider_own(SsoAudience::Portal).await?,
        };
        Ok(found.filter(|provider| provider.enabled))
    }

    /// The clients' provider that is offered for a domain, enabled or not. A domain is only letters, digits, dots and
    /// hyphens: none of them means anything in a pattern.
    pub async fn sso_provider_of_domain(&self, domain: &str) -> Result<Option<SsoProvider>> {
        let pattern = format!("%\"{domain}\"%");
        let select = self.unscoped_find::<table::Entity>().filter(table::Column::ClientId.is_not_null());
        let select = select.filter(Expr::col(table::Column::Domains).like(pattern));
        let row = select.order_by_asc(table::Column::CreatedAt).one(self.db()).await.or_domain()?;
        row.map(read).transpose()
    }

    /// Makes a provider, without its secret.
    pub async fn sso_provider_insert(&self, provider: &SsoProvider) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, provider)?).await
    }

    /// Changes a provider that was read before; not its secret.
    pub async fn sso_provider_update(&self, before: &SsoProvider, after: SsoProvider) -> Result<SsoProvider> {
        let after = SsoProvider { version: before.version + 1, updated_at: self.now(), ..after };
        let written = self.update_row::<table::Entity>(&write(self, before)?, write(self, &after)?).await?;
        Ok(if written { after } else { before.clone() })
    }

    /// Deletes a provider; sign-ins under way go with it. Its links are deleted before, each with its change.
    pub async fn sso_provider_delete(&self, provider: &SsoProvider) -> Result<()> {
        self.delete_row::<table::Entity>(&write(self, provider)?).await
    }

    /// Seals a provider's client secret. The caller raises `secret_version`, so that the journal shows that it changed.
    pub async fn sso_secret_seal(&self, id: SsoProviderId, secret: &SecretString) -> Result<()> {
        let store = self.store();
        let plain = secret.expose_secret().as_bytes();
        let sealed = store.keys().seal(&place(self, id), plain, store.chance().as_ref())?;
        let row = table::ActiveModel { secret: ActiveValue::Set(Some(sealed)), ..ActiveModelTrait::default() };
        let own = Condition::all().add(table::Column::Id.eq(id.0));
        self.update_row_where::<table::Entity>(row, own).await.map(drop)
    }

    /// Opens a provider's client secret: for its token endpoint, nothing else.
    pub async fn sso_secret(&self, id: SsoProviderId) -> Result<SecretString> {
        let select = self.unscoped_find::<table::Entity>().filter(table::Column::Id.eq(id.0));
        let row = select.one(self.db()).await.or_domain()?.ok_or(Error::NotFound { what: "identity provider" })?;
        let sealed = row.secret.ok_or_else(|| Error::conflict("no_secret", "The provider has no client secret."))?;
        let plain = self.store().keys().open(&place(self, id), &sealed)?;
        String::from_utf8(plain).map(Into::into).map_err(Error::internal)
    }

    /// Seals anew what an old key sealed; returns how many that were.
    pub async fn sso_secrets_reseal(&self) -> Result<usize> {
        let mut resealed = 0;
        for row in self.find::<table::Entity>().all(self.db()).await.or_domain()? {
            if row.secret.as_ref().is_some_and(|sealed| !self.store().keys().is_current(sealed)) {
                let secret = self.sso_secret(row.id.into()).await?;
                self.sso_secret_seal(row.id.into(), &secret).await?;
                resealed += 1;
            }
        }
        Ok(resealed)
    }
}
