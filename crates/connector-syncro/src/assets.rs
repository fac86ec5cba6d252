//! Assets, as devices. What the agent reports is an object of its own, in types that differ by its version.

use std::net::IpAddr;

use async_trait::async_trait;
use integration::{Device, Item, Page, Position, Pull, Result};
use serde_json::Value;

use crate::{
    Syncro,
    loose::{as_flag, as_instant, as_text},
    wire,
};

#[async_trait]
impl Pull<Device> for Syncro {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.list("customer_assets", "assets", &[], at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Device>, String> {
        let asset: wire::Asset = wire::read("an asset", raw)?;
        let customer = asset.customer_id.ok_or("an asset of Syncro names no customer")?;
        let agent = reported(&asset.properties, &asset.rmm_store);
        let (general, os) = (&agent["general"], &agent["os"]);
        let address = as_text(&general["ip"]);
        let outside = address.as_deref().and_then(|text| text.parse().ok()).is_some_and(is_outside);
        let mut ips = texts(adapters(&agent).map(|adapter| &adapter["ipv4"]));
        let public_ip = address.clone().filter(|_| outside);
        if let Some(inside) = address.filter(|address| !outside && !ips.contains(address)) {
            ips.push(inside);
        }
        let hostname = as_text(&general["name"]);
        let record = Device {
            name: asset.name.or_else(|| hostname.clone()).unwrap_or_else(|| format!("Asset {}", asset.id)),
            hostname,
            class: as_text(&general["form_factor"]).or(asset.asset_type),
            os: as_text(&os["name"]),
            os_version: as_text(&os["build"]).or_else(|| as_text(&os["windows_release_version"])),
            manufacturer: as_text(&general["manufacturer"]),
            model: as_text(&general["model"]),
            serial: asset.asset_serial.or_else(|| as_text(&general["serial_number"])),
            macs: texts(list(&general["mac"]).chain(adapters(&agent).map(|adapter| &adapter["physical_address"]))),
            ips,
            public_ip,
            // The vendor raises this when it has not heard of the agent; without it nothing is said.
            online: as_flag(&asset.rmm_store["triggers"]["agent_offline_triggered"]).filter(|off| *off).map(|off| !off),
            last_contact_at: as_instant(&agent["last_synced_at"]),
            last_user: as_text(&agent["last_user"]),
            location_id: None,
            approval: None,
            created_at: asset.created_at,
            ..Device::default()
        };
        Ok(Item { id: asset.id, entity: Some(customer), record })
    }
}

/// What the agent reports: an object, or with older agents a text that holds it.
fn reported(properties: &Value, store: &Value) -> Value {
    match &properties["kabuto_information"] {
        Value::Object(fields) if !fields.is_empty() => properties["kabuto_information"].clone(),
        _ => store["general"]["info"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
    }
}

fn adapters(agent: &Value) -> impl Iterator<Item = &Value> {
    list(&agent["network_adapters"])
}

/// The parts of an array; one value without an array counts as one part.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice).iter()
}

/// The texts among these, each once.
fn texts<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in values.filter_map(as_text) {
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

/// Whether an address can be seen from outside.
fn is_outside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !(address.is_private() || address.is_loopback() || address.is_link_local()),
        IpAddr::V6(address) => !(address.is_unique_local() || address.is_loopback() || address.is_unicast_link_local()),
    }
}
