//! Endpoints: the computers and servers of one tenant.

use async_trait::async_trait;
use integration::{Device, Item, Page, Position, Pull, Reach, Result};

use crate::{Sophos, wire};

/// Records asked for at once: the lower of the two limits that are told of.
const SIZE: u32 = 500;

#[async_trait]
impl Pull<Device> for Sophos {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let tenant = at.entity.unwrap_or_default();
        self.api.page_by_key(tenant, &["endpoint", "v1", "endpoints"], SIZE, &[("view", "full")], at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Device>, String> {
        let endpoint: wire::Endpoint = wire::read(raw, "an endpoint")?;
        let id = endpoint.id.0.ok_or("an endpoint without an id")?;
        let os = endpoint.os.0.unwrap_or_default();
        let version: Vec<String> = [os.major_version.0, os.minor_version.0, os.build.0].into_iter().flatten().collect();
        let addresses = [endpoint.ipv4_addresses.0, endpoint.ipv6_addresses.0];
        let person = endpoint.associated_person.0.unwrap_or_default();
        let record = Device {
            name: endpoint.hostname.0.clone().unwrap_or_else(|| format!("Endpoint {id}")),
            hostname: endpoint.hostname.0,
            class: endpoint.class.0,
            os: os.name.0.or(os.platform.0),
            os_version: (!version.is_empty()).then(|| version.join(".")),
            macs: endpoint.mac_addresses.0.unwrap_or_default(),
            ips: addresses.into_iter().flatten().flatten().collect(),
            // When it was last seen is told too, but a reading has no clock to compare it with.
            online: endpoint.online.0,
            last_contact_at: endpoint.last_seen_at.0,
            last_user: person.via_login.0.or(person.name.0),
            ..Device::default()
        };
        Ok(Item { id, entity: None, record })
    }
}
