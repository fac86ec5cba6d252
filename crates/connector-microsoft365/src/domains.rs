//! DNS domains of a tenant.

use async_trait::async_trait;
use integration::{Domain, Item, Page, Position, Pull, Reach, Result};
use serde::Deserialize;

use crate::{Microsoft365, api::Source, wire};

const DOMAINS: Source = Source { path: "domains", query: "", right: "Directory.Read.All" };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: String,
    authentication_type: Option<String>,
    is_default: Option<bool>,
    is_initial: Option<bool>,
    is_verified: Option<bool>,
    supported_services: Option<Vec<String>>,
}

#[async_trait]
impl Pull<Domain> for Microsoft365 {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&DOMAINS, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Domain>, String> {
        let wire: Wire = wire::read(raw, "a domain")?;
        let name = wire.id.to_lowercase();
        let record = Domain {
            name: name.clone(),
            verified: wire.is_verified,
            default: wire.is_default,
            initial: wire.is_initial,
            authentication: wire::text(wire.authentication_type),
            services: wire.supported_services.unwrap_or_default(),
            ..Domain::default()
        };
        Ok(Item { id: name, entity: None, record })
    }
}
