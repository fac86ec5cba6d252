//! The matching of clients, handed to what makes clients and companies by themselves.

use std::collections::HashMap;

use async_trait::async_trait;
use domain::{Client, ClientId, Entity, EntityId, Result};
use persistence::Tx;
use sync::{Like, Likeness};

/// The directory's matching.
#[derive(Clone, Copy, Debug)]
pub struct Matching;

#[async_trait]
impl Likeness for Matching {
    async fn clients_like(&self, tx: &Tx, companies: &[Entity]) -> Result<Vec<Option<Like<ClientId>>>> {
        let found = directory::clients_like(tx, companies).await?;
        let names: HashMap<ClientId, String> = tx.client_names().await?.into_iter().collect();
        let named = |(id, because)| Like { id, name: names.get(&id).cloned().unwrap_or_default(), because };
        Ok(found.into_iter().map(|one| one.map(named)).collect())
    }

    async fn companies_like(
        &self,
        _: &Tx,
        clients: &[Client],
        companies: &[Entity],
    ) -> Result<Vec<Option<Like<EntityId>>>> {
        let name = |id: EntityId| companies.iter().find(|row| row.id == id).map(|row| row.name.clone());
        let named = |(id, because)| Like { id, name: name(id).unwrap_or_default(), because };
        Ok(directory::companies_like(clients, companies).into_iter().map(|one| one.map(named)).collect())
    }
}
