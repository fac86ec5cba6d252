//! Managed devices, group by group: a device does not name its groups, and may be in several.

use async_trait::async_trait;
use integration::{Device, Error, Item, Kind, Page, Position, Pull, Reach, Result};

use crate::{Teamviewer, wire};

#[async_trait]
impl Pull<Device> for Teamviewer {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let Some(group) = at.entity else {
            return Err(Error::new(Kind::Refused, "devices of TeamViewer are listed group by group"));
        };
        self.api.page(&["managed", "groups", group, "devices"], at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Device>, String> {
        let row: wire::Device = wire::read(raw, "managed device")?;
        let name = row.name.or_else(|| row.teamviewer_id.map(|id| format!("TeamViewer ID {id}")));
        let record = Device {
            // People rename devices here, so the name is not taken for the host's.
            name: name.unwrap_or_else(|| format!("Device {}", row.id)),
            online: row.is_online,
            last_contact_at: row.last_seen,
            ..Device::default()
        };
        Ok(Item { id: row.id, entity: None, record })
    }
}
