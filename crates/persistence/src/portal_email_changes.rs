//! Other addresses that portal users are to sign in with, until they are confirmed there.

use domain::{ClientId, Error, PortalUserId, Result, Timestamp};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Tx, access::trace, entity::portal_email_change as table, error::OrDomain, journalled::Journalled};

/// An address that waits to be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalEmailChange {
    /// Whose.
    pub portal_user_id: PortalUserId,
    /// The client that they belong to.
    pub client_id: ClientId,
    /// The address as typed.
    pub email: String,
    /// SHA-256 of the token in the letter to it.
    pub link_hash: Vec<u8>,
    /// When the letter was written.
    pub made_at: Timestamp,
}

impl Journalled for table::Entity {
    const KIND: &'static str = "portal_email_change";
    const WHAT: &'static str = "change of an e-mail address";

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
        // Of the link only a trace that tells one from another.
        let link = format!("sent ({})", trace(&hex::encode(&row.link_hash)));
        Ok(json!({ "id": row.id, "client_id": row.client_id, "email": row.email, "link": link }))
    }
}

fn read(row: table::Model) -> PortalEmailChange {
    PortalEmailChange {
        portal_user_id: row.id.into(),
        client_id: ClientId(row.client_id),
        email: row.email,
        link_hash: row.link_hash,
        made_at: row.made_at,
    }
}

fn write(tx: &Tx, change: &PortalEmailChange) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: change.portal_user_id.0,
        client_id: change.client_id.0,
        email: change.email.clone(),
        link_hash: change.link_hash.clone(),
        made_at: change.made_at,
    }
}

impl Tx {
    /// The address that waits for a portal user's confirmation. The caller has found the user in its scope.
    pub async fn portal_email_change(&self, user: PortalUserId) -> Result<Option<PortalEmailChange>> {
        self.portal_email_change_where(table::Column::Id.eq(user.0)).await
    }

    /// Whose address is confirmed by the token of this hash.
    pub async fn portal_email_change_by_link(&self, hash: &[u8]) -> Result<Option<PortalEmailChange>> {
        self.portal_email_change_where(table::Column::LinkHash.eq(hash.to_vec())).await
    }

    async fn portal_email_change_where(
        &self,
        which: impl sea_orm::sea_query::IntoCondition,
    ) -> Result<Option<PortalEmailChange>> {
        let mut select = self.find::<table::Entity>().filter(which);
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        Ok(select.one(self.db()).await.or_domain()?.map(read))
    }

    /// Notes the address that is to be confirmed, in place of the one that was read before.
    pub async fn portal_email_change_save(
        &self,
        before: Option<&PortalEmailChange>,
        after: &PortalEmailChange,
    ) -> Result<()> {
        match before {
            None => self.insert_row::<table::Entity>(write(self, after)).await,
            Some(before) => self.update_row::<table::Entity>(&write(self, before), write(self, after)).await.map(drop),
        }
    }

    /// Forgets an address that was confirmed, or is not wanted any more.
    pub async fn portal_email_change_delete(&self, change: &PortalEmailChange) -> Result<()> {
        self.delete_row::<table::Entity>(&write(self, change)).await
    }

    /// Refuses an address that another account of the organisation has, or is to have, whatever client it is of.
    pub async fn portal_email_free(&self, user: PortalUserId, email: &str) -> Result<()> {
        let taken = self.portal_email_holder(email).await?.is_some_and(|holder| holder != user);
        if taken {
            return Err(Error::conflict("email_taken", "There is already an account of this e-mail address."));
        }
        Ok(())
    }
}
