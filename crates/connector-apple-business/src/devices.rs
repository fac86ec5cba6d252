//! Devices that the organisation owns, each with the service that manages it.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Cursor, Device, Error, Item, Page, Position, Pull, Result};
use serde_json::value::RawValue;

use crate::{
    AppleBusiness,
    api::{NAME, PAGE_SIZE},
    assigned::Servers,
    wire::{self, KeptDevice},
};

#[async_trait]
impl Pull<Device> for AppleBusiness {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let cursor = at.cursor.map(Cursor::as_str);
        let slice = self.api.list(&["orgDevices"], PAGE_SIZE, &[], cursor).await?;
        // Afterwards: once all services are asked, nothing can fail that would have them asked again.
        let servers = self.memory.servers(&self.api, cursor.is_none()).await?;
        let records = slice.records.iter().map(|raw| keep(&servers, raw)).collect::<Result<_>>()?;
        Ok(Page { records, next: slice.next.map(Cursor::new), total: slice.total, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Device>, String> {
        let kept: wire::Kept = wire::read(raw, "a device")?;
        let device = kept.device.attributes.unwrap_or_default();
        let (model, serial) = (device.device_model.0.or(device.product_type.0), device.serial_number.0);
        let name = match (&model, &serial) {
            (Some(model), Some(serial)) => format!("{model} ({serial})"),
            (Some(one), None) | (None, Some(one)) => one.clone(),
            (None, None) => kept.device.id.clone(),
        };
        let addresses = [device.wifi_mac_address, device.ethernet_mac_address, device.bluetooth_mac_address];
        let record = Device {
            name,
            class: device.product_family.0,
            manufacturer: Some("Apple".to_owned()),
            model,
            serial,
            macs: addresses.into_iter().filter_map(|address| address.0).flat_map(|address| address.0).collect(),
            management_server_id: kept.server,
            created_at: device.added_to_org_date_time.0,
            ..Device::default()
        };
        Ok(Item { id: kept.device.id, entity: Some(self.api.account().to_owned()), record })
    }
}

fn keep(servers: &Servers, raw: &Bytes) -> Result<Bytes> {
    let device: &RawValue = serde_json::from_slice(raw).map_err(|why| Error::unreadable(NAME, why))?;
    // One that cannot be read stays, so that it is counted as rejected.
    let server = wire::id_of(raw).ok().and_then(|id| servers.get(&id)).map(String::as_str);
    let kept = serde_json::to_vec(&KeptDevice { server, device }).map_err(|why| Error::unreadable(NAME, why))?;
    Ok(kept.into())
}
