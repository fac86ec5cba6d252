//! Devices of all organisations. Without a filter NinjaOne lists the approved ones only.

use async_trait::async_trait;
use integration::{Device, Item, Page, Position, Pull, Result};

use crate::{NinjaOne, wire};

#[async_trait]
impl Pull<Device> for NinjaOne {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page("/v2/devices-detailed", at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Device>, String> {
        let row: wire::Device = wire::read(raw, "device")?;
        let os = row.os.unwrap_or_default();
        let system = row.system.unwrap_or_default();
        let hostname = row.system_name.or(row.dns_name).or(row.netbios_name);
        Ok(Item {
            record: Device {
                name: row.display_name.or_else(|| hostname.clone()).unwrap_or_else(|| format!("Device {}", row.id)),
                hostname,
                class: row.node_class,
                os: os.name.or(row.guest_os),
                os_version: os.build_number.or(os.release_id).or(system.build),
                manufacturer: system.manufacturer.or(row.vendor),
                model: system.model.or(row.model),
                serial: system.serial_number.or(system.bios_serial_number).or(row.service_tag),
                macs: row.mac_addresses,
                ips: row.ip_addresses,
                public_ip: row.public_ip,
                online: row.offline.map(|offline| !offline),
                last_contact_at: row.last_contact,
                last_user: row.last_logged_in_user,
                location_id: row.location_id,
                approval: row.approval_status,
                created_at: row.created,
                ..Device::default()
            },
            id: row.id,
            entity: Some(row.organization_id),
        })
    }
}
