//! Assets, as devices. What an asset says of itself stands in fields that each account names for itself;
//! those with common names are understood.

use async_trait::async_trait;
use integration::{Device, Item, Page, Position, Pull, Result};

use crate::{Halopsa, loose::as_text, wire};

#[async_trait]
impl Pull<Device> for Halopsa {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        // Inactive assets are no longer in use: they are left out.
        self.api.list("Asset", "assets", &[("includeassetfields", "true")], at.cursor).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Device>, String> {
        let asset: wire::Asset = wire::read("an asset", raw)?;
        let client = asset.client_id.ok_or("an asset of HaloPSA names no client")?;
        let fields = asset.fields.unwrap_or_default();
        let field = |names: &[&str]| names.iter().find_map(|name| value_of(&fields, name));
        let record = Device {
            name: asset.inventory_number.or(asset.key_field).unwrap_or_else(|| format!("Asset {}", asset.id)),
            hostname: field(&["hostname", "computername", "devicename", "systemname"]),
            class: asset.assettype_name,
            os: field(&["operatingsystem", "os"]),
            os_version: field(&["osversion", "operatingsystemversion"]),
            manufacturer: field(&["manufacturer", "make"]),
            model: field(&["model"]),
            serial: field(&["serialnumber", "serialno", "serial"]),
            macs: field(&["macaddress", "macaddresses", "mac"]).map(|text| several(&text)).unwrap_or_default(),
            ips: field(&["ipaddress", "ipaddresses", "ip"]).map(|text| several(&text)).unwrap_or_default(),
            last_user: asset.username,
            location_id: asset.site_id,
            ..Device::default()
        };
        Ok(Item { id: asset.id, entity: Some(client), record })
    }
}

/// The value of the field of this name, whatever its case and the spaces in it.
fn value_of(fields: &[wire::Field], name: &str) -> Option<String> {
    let field = fields.iter().find(|field| {
        let letters = field.name.iter().flat_map(|name| name.chars()).filter(|letter| letter.is_alphanumeric());
        letters.map(|letter| letter.to_ascii_lowercase()).eq(name.chars())
    })?;
    let shown = field.display.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    shown.or_else(|| as_text(&field.value))
}

fn several(text: &str) -> Vec<String> {
    text.split([',', ';', ' ']).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}
