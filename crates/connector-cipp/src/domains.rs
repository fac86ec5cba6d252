//! DNS domains of a tenant.

use async_trait::async_trait;
use integration::{Domain, Item, Page, Position, Pull, Reach, Result};
use serde::Deserialize;

use crate::{Cipp, api::whole, wire};

/// The case of the flags depends on CIPP's version.
#[derive(Deserialize)]
struct Wire {
    id: String,
    #[serde(default, rename = "isDefault", alias = "isdefault", deserialize_with = "wire::flag")]
    default: Option<bool>,
    #[serde(default, rename = "isInitial", alias = "isinitial", deserialize_with = "wire::flag")]
    initial: Option<bool>,
}

#[async_trait]
impl Pull<Domain> for Cipp {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let reads = |raw: &[u8]| Pull::<Domain>::read(self, raw).is_ok();
        self.api.of_tenant("ListDomains", at, reads).await.map(whole)
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Domain>, String> {
        let wire: Wire = wire::read(raw, "a domain")?;
        let name = wire.id.trim().to_lowercase();
        let record = Domain { name: name.clone(), default: wire.default, initial: wire.initial, ..Domain::default() };
        Ok(Item { id: name, entity: None, record })
    }
}
