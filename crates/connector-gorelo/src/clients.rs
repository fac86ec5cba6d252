//! Clients: the MSP's customers. Gorelo hides those out of use unless they are asked for.

use async_trait::async_trait;
use integration::{Entity, Item, Page, Position, Pull, Result};
use serde::Deserialize;

use crate::{
    Gorelo,
    loose::{self, Code, Text},
    paging::List,
};

/// Status of a client in use.
pub(crate) const ACTIVE: u8 = 1;
/// Status of a client out of use.
pub(crate) const INACTIVE: u8 = 2;

const LIST: List = List { path: &["clients"], query: &[("StatusIds", "1,2")], owned: |_| true };

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Client {
    id: Text,
    name: Text,
    status: Code,
    domains: Vec<Domain>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Domain {
    name: Text,
}

#[async_trait]
impl Pull<Entity> for Gorelo {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&LIST, at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let client: Client = loose::read("a client", raw)?;
        let id = client.id.own_id("a client")?;
        let record = Entity {
            name: client.name.0.ok_or("a client without a name")?,
            domains: client
                .domains
                .into_iter()
                .filter_map(|domain| domain.name.0)
                .map(|name| name.to_lowercase())
                .collect(),
            active: match client.status.word().as_str() {
                "active" => Some(true),
                "inactive" => Some(false),
                _ => None,
            },
            status: client.status.name,
            ..Entity::default()
        };
        Ok(Item { id, entity: None, record })
    }
}
