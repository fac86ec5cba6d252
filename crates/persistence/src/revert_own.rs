//! Undoing what happened to rows that people keep of a client and nothing else rests on: contacts, notes, what they say of
//! a tenant, tenants that are being connected, and where a merged client went.

use domain::{Change, ClientContact, ClientId, ClientNote, Error, Problem, Result, TenantConnect, TenantSetting};
use sea_orm::{IntoActiveModel, ModelTrait, QueryFilter, QuerySelect};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Tx, client_contacts, client_notes,
    client_redirects::{self, Redirect},
    entity::{client_contact, client_note, client_redirect, tenant_connect, tenant_setting},
    error::OrDomain,
    files::FILE,
    journalled::{Journalled, stripped},
    library::DOCUMENT,
    revert::conflict,
    tenant_connects, tenants,
};

/// Kinds of rows that are put back here.
pub(crate) const OWN: [&str; 7] =
    ["client_contact", "client_note", "tenant_setting", DOCUMENT, "tenant_connect", "client_redirect", FILE];

/// A row of a client, as the journal has it.
trait Own: Journalled {
    /// What its view is made of.
    type Value: DeserializeOwned;
    /// The row of a view, with another version.
    fn row(tx: &Tx, value: Self::Value, version: i32) -> Result<Self::Model>;
}

impl Own for client_contact::Entity {
    type Value = ClientContact;
    fn row(tx: &Tx, contact: ClientContact, version: i32) -> Result<client_contact::Model> {
        Ok(client_contacts::write(tx, &ClientContact { version, updated_at: tx.now(), ..contact }))
    }
}

impl Own for client_note::Entity {
    type Value = ClientNote;
    fn row(tx: &Tx, note: ClientNote, version: i32) -> Result<client_note::Model> {
        Ok(client_notes::write(tx, &ClientNote { version, updated_at: tx.now(), ..note }))
    }
}

impl Own for tenant_setting::Entity {
    type Value = TenantSetting;
    fn row(tx: &Tx, setting: TenantSetting, version: i32) -> Result<tenant_setting::Model> {
        tenants::write(tx, &TenantSetting { version, updated_at: tx.now(), ..setting })
    }
}

impl Own for tenant_connect::Entity {
    type Value = TenantConnect;
    fn row(tx: &Tx, one: TenantConnect, version: i32) -> Result<tenant_connect::Model> {
        Ok(tenant_connects::write(tx, &TenantConnect { version, updated_at: tx.now(), ..one }))
    }
}

impl Own for client_redirect::Entity {
    type Value = Redirect;
    fn row(tx: &Tx, redirect: Redirect, _: i32) -> Result<client_redirect::Model> {
        Ok(client_redirects::write(tx, &redirect))
    }
}

impl Tx {
    pub(crate) async fn revert_own(&self, change: &Change, despite: bool) -> Result<Option<Problem>> {
        match change.kind.as_str() {
            DOCUMENT => self.revert_document(change, despite).await,
            "tenant_connect" => self.revert_row::<tenant_connect::Entity>(change, despite).await,
            "client_redirect" => self.revert_row::<client_redirect::Entity>(change, despite).await,
            FILE => self.revert_file(change, despite).await,
            "tenant_setting" => self.revert_row::<tenant_setting::Entity>(change, despite).await,
            "client_contact" => self.revert_row::<client_contact::Entity>(change, despite).await,
            _ => self.revert_row::<client_note::Entity>(change, despite).await,
        }
    }

    async fn revert_row<E>(&self, change: &Change, despite: bool) -> Result<Option<Problem>>
    where
        E: Own,
        E::Model: IntoActiveModel<E::ActiveModel> + ModelTrait<Entity = E>,
        E::ActiveModel: Send,
    {
        let current = self.own_row::<E>(change.id).await?;
        let view = current.as_ref().map(E::view).transpose()?;
        if view.as_ref().map(stripped) != change.after.as_ref().map(stripped) && !despite {
            return conflict(change, "changed_since", "was changed since");
        }
        let Some(before) = &change.before else {
            if let Some(current) = current {
                self.delete_row::<E>(&current).await?;
            }
            return Ok(None);
        };
        if !self.client_lives(before).await? {
            return conflict(change, "client_deleted", "belonged to a client that is deleted: restore that first");
        }
        let value: E::Value = serde_json::from_value(before.clone()).map_err(Error::internal)?;
        match current {
            Some(current) => {
                let row = E::row(self, value, E::version(&current) + 1)?;
                self.update_row::<E>(&current, row).await?;
            }
            None => self.insert_row::<E>(E::row(self, value, 1)?).await?,
        }
        Ok(None)
    }

    async fn own_row<E: Journalled>(&self, id: Uuid) -> Result<Option<E::Model>> {
        use sea_orm::ColumnTrait;

        self.find::<E>().filter(E::id_column().eq(id)).lock_exclusive().one(self.db()).await.or_domain()
    }

    async fn client_lives(&self, view: &Value) -> Result<bool> {
        let client: Option<ClientId> = serde_json::from_value(view["client_id"].clone()).map_err(Error::internal)?;
        let Some(client) = client else { return Ok(true) };
        match self.client(client).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(other) => Err(other),
        }
    }
}
