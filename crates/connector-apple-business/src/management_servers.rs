//! Services that manage devices (MDM).

use async_trait::async_trait;
use integration::{Cursor, Item, ManagementServer, Page, Position, Pull, Result};

use crate::{AppleBusiness, api::PAGE_SIZE, wire};

/// Attributes wanted: Apple leaves the newer ones out unless they are named.
const FIELDS: (&str, &str) = (
    "fields[mdmServers]",
    "serverName,serverType,status,deviceCount,defaultProductFamilies,createdDateTime,updatedDateTime",
);

#[async_trait]
impl Pull<ManagementServer> for AppleBusiness {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let slice = self.api.list(&["mdmServers"], PAGE_SIZE, &[FIELDS], at.cursor.map(Cursor::as_str)).await?;
        let next = slice.next.map(Cursor::new);
        Ok(Page { records: slice.records, next, total: slice.total, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<ManagementServer>, String> {
        let resource: wire::Resource<wire::Server> = wire::read(raw, "a management server")?;
        let server = resource.attributes.unwrap_or_default();
        let record = ManagementServer {
            name: server.server_name.0.unwrap_or_else(|| resource.id.clone()),
            class: server.server_type.0,
            status: server.status.0,
            device_count: server.device_count.0.and_then(|count| i64::try_from(count).ok()),
            default_for: server.default_product_families.0.unwrap_or_default(),
            created_at: server.created_date_time.0,
            updated_at: server.updated_date_time.0,
        };
        Ok(Item { id: resource.id, entity: Some(self.api.account().to_owned()), record })
    }
}
