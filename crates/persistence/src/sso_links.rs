//! Which identity of a provider opens which account.

use domain::{Account, AccountKind, ClientId, Error, Result, SsoLink, SsoLinkId, SsoProviderId};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    Tx,
    entity::sso_link::{self as table, Column as C},
    error::OrDomain,
    journalled::Journalled,
};

impl Journalled for table::Entity {
    const KIND: &'static str = "sso_link";
    const WHAT: &'static str = "link to an identity provider";

    fn id(row: &table::Model) -> Uuid {
        row.id
    }
    fn id_column() -> table::Column {
        C::Id
    }
    fn version_column() -> Option<table::Column> {
        None
    }
    fn version(_: &table::Model) -> i32 {
        1
    }
    fn client_of(row: &table::Model) -> Option<ClientId> {
        row.client_id.map(ClientId)
    }
    fn view(row: &table::Model) -> Result<Value> {
        // Of the subject only a mark: it is nobody's business, and tells one identity from another.
        let subject = hex::encode(&Sha256::digest(row.subject.as_bytes())[..8]);
        Ok(json!({
            "id": row.id, "provider_id": row.provider_id, "staff_id": row.staff_id,
            "portal_user_id": row.portal_user_id, "issuer": row.issuer, "tenant": row.tenant, "subject": subject,
        }))
    }
}

fn read(row: table::Model) -> Result<SsoLink> {
    let account = match (row.staff_id, row.portal_user_id) {
        (Some(id), None) => Account { kind: AccountKind::Staff, id },
        (None, Some(id)) => Account { kind: AccountKind::Portal, id },
        _ => return Err(Error::internal("a link to an identity provider is of no account, or of two")),
    };
    Ok(SsoLink {
        id: row.id.into(),
        provider_id: row.provider_id.into(),
        account,
        client_id: row.client_id.map(ClientId),
        issuer: row.issuer,
        tenant: Some(row.tenant).filter(|tenant| !tenant.is_empty()),
        subject: row.subject,
        created_at: row.created_at,
    })
}

fn write(tx: &Tx, link: &SsoLink) -> table::Model {
    let of = |kind| (link.account.kind == kind).then_some(link.account.id);
    table::Model {
        organisation_id: tx.organisation().0,
        id: link.id.0,
        provider_id: link.provider_id.0,
        staff_id: of(AccountKind::Staff),
        portal_user_id: of(AccountKind::Portal),
        client_id: link.client_id.map(|client| client.0),
        issuer: link.issuer.clone(),
        tenant: link.tenant.clone().unwrap_or_default(),
        subject: link.subject.clone(),
        created_at: link.created_at,
    }
}

fn of(account: Account) -> Condition {
    Condition::all().add(match account.kind {
        AccountKind::Staff => C::StaffId.eq(account.id),
        AccountKind::Portal => C::PortalUserId.eq(account.id),
    })
}

impl Tx {
    /// The link of an identity at a provider.
    pub async fn sso_link_by_identity(
        &self,
        provider: SsoProviderId,
        issuer: &str,
        tenant: Option<&str>,
        subject: &str,
    ) -> Result<Option<SsoLink>> {
        let select = self.find::<table::Entity>().filter(C::ProviderId.eq(provider.0)).filter(C::Issuer.eq(issuer));
        let select = select.filter(C::Tenant.eq(tenant.unwrap_or_default())).filter(C::Subject.eq(subject));
        select.one(self.db()).await.or_domain()?.map(read).transpose()
    }

    /// An account's links, the oldest first.
    pub async fn sso_links_of(&self, account: Account) -> Result<Vec<SsoLink>> {
        let select = self.find::<table::Entity>().filter(of(account));
        let rows = select.order_by_asc(C::CreatedAt).order_by_asc(C::Id).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// A provider's links, the oldest first; after this one, at most so many.
    pub async fn sso_links_at(
        &self,
        provider: SsoProviderId,
        after: Option<SsoLinkId>,
        most: u64,
    ) -> Result<Vec<SsoLink>> {
        let mut select = self.find::<table::Entity>().filter(C::ProviderId.eq(provider.0));
        if let Some(after) = after {
            select = select.filter(C::Id.gt(after.0));
        }
        let rows = select.order_by_asc(C::Id).limit(most).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// One of a provider's links.
    pub async fn sso_link_at(&self, provider: SsoProviderId, id: SsoLinkId) -> Result<SsoLink> {
        let select = self.find::<table::Entity>().filter(C::ProviderId.eq(provider.0)).filter(C::Id.eq(id.0));
        select.one(self.db()).await.or_domain()?.map(read).transpose()?.ok_or(Error::NotFound { what: "link" })
    }

    /// Links an account. An identity that is linked already is the conflict `linked_already`.
    pub async fn sso_link_insert(&self, link: &SsoLink) -> Result<()> {
        self.insert_row::<table::Entity>(write(self, link)).await
    }

    /// Ends a link.
    pub async fn sso_link_delete(&self, link: &SsoLink) -> Result<()> {
        self.delete_row::<table::Entity>(&write(self, link)).await
    }
}
