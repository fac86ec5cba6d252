//! Devices: first those with Gorelo's agent, then those that the MSP entered itself. Those that no client
//! has yet are left out.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integration::{Cursor, Device, Item, Page, Position, Pull, Result};
use serde::Deserialize;

use crate::{
    Gorelo,
    loose::{self, Code, Text, Time},
    paging::List,
};

const AGENTS: List = List { path: &["assets", "agents"], query: &[], owned: loose::names_client };
const CUSTOM: List = List { path: &["assets", "custom"], query: &[], owned: loose::names_client };

/// Before a cursor in the second listing; alone, its first page.
const SECOND: &str = "custom:";

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Row {
    id: Text,
    client_id: Text,
    location_id: Text,
    name: Text,
    display_name: Text,
    status: Code,
    created_on: Time,
    last_disconnect_date_time: Time,
    last_logged_on_user: Text,
    os: Text,
    os_name: Text,
    os_version: Text,
    hardware_type: Text,
    manufacturer: Text,
    model: Text,
    #[serde(alias = "SerialNumber")]
    serial_no: Text,
    #[serde(rename = "LocalIPAddress", alias = "IpAddress")]
    local_ip: Text,
    #[serde(rename = "PublicIPAddress")]
    public_ip: Text,
}

#[async_trait]
impl Pull<Device> for Gorelo {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let second = at.cursor.and_then(|cursor| cursor.as_str().strip_prefix(SECOND));
        let mut page = match second {
            None => self.api.page(&AGENTS, at.cursor).await?,
            Some("") => self.api.page(&CUSTOM, None).await?,
            Some(cursor) => self.api.page(&CUSTOM, Some(&Cursor::new(cursor))).await?,
        };
        page.next = match (page.next, second) {
            (Some(next), Some(_)) => Some(Cursor::new(format!("{SECOND}{}", next.as_str()))),
            (None, None) => Some(Cursor::new(SECOND)),
            (next, _) => next,
        };
        // Each listing counts its own only.
        page.total = None;
        Ok(page)
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Device>, String> {
        let row: Row = loose::read("a device", raw)?;
        let id = row.id.own_id("a device")?;
        let online = match row.status.word().as_str() {
            "online" => Some(true),
            "offline" => Some(false),
            _ => None,
        };
        let name = row.display_name.0.or_else(|| row.name.0.clone());
        let addresses = row.local_ip.0.unwrap_or_default();
        let record = Device {
            name: name.unwrap_or_else(|| format!("Device {id}")),
            hostname: row.name.0,
            class: row.hardware_type.0,
            os: row.os.0.or(row.os_name.0),
            os_version: row.os_version.0,
            manufacturer: row.manufacturer.0,
            model: row.model.0,
            serial: row.serial_no.0,
            ips: addresses.split([',', ' ']).filter(|ip| !ip.is_empty()).map(str::to_owned).collect(),
            public_ip: row.public_ip.0,
            last_contact_at: last_contact(online, row.last_disconnect_date_time.0),
            online,
            last_user: row.last_logged_on_user.0,
            location_id: row.location_id.other_id(),
            created_at: row.created_on.0,
            ..Device::default()
        };
        Ok(Item { id, entity: row.client_id.other_id(), record })
    }
}

/// Gorelo says when it last lost a device, not when it last heard of one that it has.
fn last_contact(online: Option<bool>, disconnected: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    disconnected.filter(|_| online == Some(false))
}
