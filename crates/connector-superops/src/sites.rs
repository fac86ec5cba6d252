//! Sites of all clients.

use async_trait::async_trait;
use integration::{Item, Location, Page, Position, Pull, Result};
use serde::Deserialize;

use crate::{
    Superops,
    loose::{self, Maybe, Text, Tie},
    paging::{List, names_client},
};

const LIST: List = List {
    name: "getClientSiteList",
    input: "GetClientSiteListInput!",
    items: "sites",
    fields: "id name line1 line2 line3 city stateCode postalCode countryCode client",
    sort: None,
    owned: names_client,
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Site {
    id: Text,
    name: Text,
    line1: Text,
    line2: Text,
    line3: Text,
    city: Text,
    state_code: Text,
    postal_code: Text,
    country_code: Text,
    client: Maybe<Tie>,
}

#[async_trait]
impl Pull<Location> for Superops {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&LIST, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Location>, String> {
        let site: Site = loose::read("a site", raw)?;
        let id = site.id.own_id("a site")?;
        let Site { line1, line2, line3, city, state_code, postal_code, country_code, .. } = site;
        let lines = [line1, line2, line3, city, state_code, postal_code, country_code];
        let address = lines.into_iter().filter_map(|line| line.0).collect::<Vec<_>>().join(", ");
        let record = Location {
            name: site.name.0.unwrap_or_else(|| format!("Site {id}")),
            address: Some(address).filter(|address| !address.is_empty()),
            description: None,
        };
        Ok(Item { id, entity: site.client.id(), record })
    }
}
