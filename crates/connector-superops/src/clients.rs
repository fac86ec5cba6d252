//! Clients: the MSP's customers.

use async_trait::async_trait;
use integration::{Entity, Item, Page, Position, Pull, Result};
use serde::Deserialize;

use crate::{
    Superops,
    loose::{self, Maybe, Text, Tie},
    paging::List,
};

/// What is asked of a client, wherever one is answered.
pub(crate) const FIELDS: &str = "accountId name stage status emailDomains hqSite";

pub(crate) const LIST: List = List {
    name: "getClientList",
    input: "ListInfoInput!",
    items: "clients",
    fields: FIELDS,
    sort: Some("name"),
    owned: |_| true,
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Client {
    account_id: Text,
    name: Text,
    /// Where it is in its life.
    stage: Text,
    /// How it is billed.
    status: Text,
    email_domains: Maybe<Vec<Text>>,
    hq_site: Maybe<Tie>,
}

#[async_trait]
impl Pull<Entity> for Superops {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&LIST, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Entity>, String> {
        let client: Client = loose::read("a client", raw)?;
        let id = client.account_id.own_id("a client")?;
        let domains = client.email_domains.0.into_iter().flatten().filter_map(|domain| domain.0);
        let record = Entity {
            name: client.name.0.ok_or("a client without a name")?,
            domains: domains.map(|domain| domain.to_lowercase()).collect(),
            place: client.hq_site.name(),
            active: client.stage.0.as_deref().and_then(active),
            status: client.stage.0.or(client.status.0),
            ..Entity::default()
        };
        Ok(Item { id, entity: None, record })
    }
}

/// Stages can be the MSP's own; of those we do not know we say nothing.
fn active(stage: &str) -> Option<bool> {
    match stage.to_lowercase().as_str() {
        "active" => Some(true),
        "prospect" | "lead" | "inactive" | "former" | "churned" | "lost" => Some(false),
        _ => None,
    }
}
