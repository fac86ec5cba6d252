//! Consents under way, and the renewal of the grants that they gave.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use domain::{ConnectionId, Error, Result, SessionId, StaffId, Timestamp};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QuerySelect, sea_query::LockType};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    Store, Tx,
    entity::{connection, consent},
    error::OrDomain,
    keys::Place,
};

/// A person was sent to a vendor's page and is not back yet.
#[derive(Clone, Debug)]
pub struct ConsentRow {
    /// Id.
    pub id: Uuid,
    /// For which connection.
    pub connection_id: ConnectionId,
    /// Whom.
    pub staff_id: StaffId,
    /// From which session.
    pub session_id: SessionId,
    /// SHA-256 of the state that comes back.
    pub state_hash: Vec<u8>,
    /// Where the vendor sends them back to.
    pub redirect_uri: String,
    /// The connection's credentials as they were: the page was made of them.
    pub credentials_version: i32,
    /// Begun.
    pub created_at: Timestamp,
    /// Ends.
    pub expires_at: Timestamp,
}

fn verifier_place(tx: &Tx, id: Uuid) -> Place<'static> {
    Place { organisation: tx.organisation().0, table: "consent", row: id, column: "verifier" }
}

impl Tx {
    /// Notes that a person is sent to a vendor's page. Their earlier consents for the connection, and all
    /// that are over, are forgotten. Not journalled: what comes of it is.
    pub async fn consent_insert(&self, row: &ConsentRow, verifier: &str) -> Result<()> {
        self.require_writable()?;
        let replaced = Condition::all()
            .add(consent::Column::ConnectionId.eq(row.connection_id.0))
            .add(consent::Column::StaffId.eq(row.staff_id.0));
        let over = Condition::any().add(consent::Column::ExpiresAt.lte(self.now())).add(replaced);
        self.delete_many::<consent::Entity>().filter(over).exec(self.db()).await.or_domain()?;
        let store = self.store();
        let sealed = store.keys().seal(&verifier_place(self, row.id), verifier.as_bytes(), store.chance().as_ref())?;
        let row = consent::Model {
            organisation_id: self.organisation().0,
            id: row.id,
            connection_id: row.connection_id.0,
            staff_id: row.staff_id.0,
            session_id: row.session_id.0,
            state_hash: row.state_hash.clone(),
            verifier: sealed,
            redirect_uri: row.redirect_uri.clone(),
            credentials_version: row.credentials_version,
            created_at: row.created_at,
            expires_at: row.expires_at,
        };
        self.insert_many::<consent::Entity>(vec![row], &[], &[]).await
    }

    /// Takes the consent of this state away, with its verifier: whoever comes second finds none. It is
    /// gone once this transaction is committed.
    pub async fn consent_take(&self, state_hash: &[u8]) -> Result<Option<(ConsentRow, String)>> {
        self.require_writable()?;
        let mine = consent::Column::StateHash.eq(state_hash.to_vec());
        let select = self.find::<consent::Entity>().filter(mine).lock_exclusive();
        let Some(row) = select.one(self.db()).await.or_domain()? else { return Ok(None) };
        let delete = self.delete_many::<consent::Entity>().filter(consent::Column::Id.eq(row.id));
        if delete.exec(self.db()).await.or_domain()?.rows_affected == 0 {
            return Ok(None);
        }
        let plain = self.store().keys().open(&verifier_place(self, row.id), &row.verifier)?;
        let verifier = String::from_utf8(plain).map_err(Error::internal)?;
        let row = ConsentRow {
            id: row.id,
            connection_id: row.connection_id.into(),
            staff_id: row.staff_id.into(),
            session_id: row.session_id.into(),
            state_hash: row.state_hash,
            redirect_uri: row.redirect_uri,
            credentials_version: row.credentials_version,
            created_at: row.created_at,
            expires_at: row.expires_at,
        };
        Ok(Some((row, verifier)))
    }

    /// A connection's credentials, with its row held until this transaction ends: on PostgreSQL, for all
    /// processes. Rows that refer to the connection can be written meanwhile.
    pub async fn connection_credentials_held(&self, id: ConnectionId) -> Result<Value> {
        self.require_writable()?;
        let select = self.find::<connection::Entity>().filter(connection::Column::Id.eq(id.0));
        let row = select.lock(LockType::NoKeyUpdate).one(self.db()).await.or_domain()?;
        row.ok_or(Error::NotFound { what: "connection" })?;
        self.connection_credentials(id).await
    }
}

/// Whose turn it is, for each connection: in this process only.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<ConnectionId, Weak<tokio::sync::Mutex<()>>>>);

impl Store {
    /// Waits until nobody else of this process renews the grant of this connection.
    pub async fn grant_turn(&self, connection: ConnectionId) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns().0.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let known = turns.get(&connection).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let turn = Arc::default();
                turns.insert(connection, Arc::downgrade(&turn));
                turn
            })
        };
        turn.lock_owned().await
    }
}
