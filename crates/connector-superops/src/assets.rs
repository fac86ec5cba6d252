//! Assets: machines with SuperOps's agent. SuperOps cannot filter them by a client's id and refuses to
//! sort them by last contact, so they come in its own order, all clients together.

use async_trait::async_trait;
use integration::{Device, Item, Page, Position, Pull, Result};
use serde::Deserialize;

use crate::{
    Superops,
    loose::{self, Maybe, Text, Tie, Time},
    paging::{List, names_client},
};

const LIST: List = List {
    name: "getAssetList",
    input: "ListInfoInput!",
    items: "assets",
    fields: "assetId name assetClass client site primaryMac loggedInUser serialNumber manufacturer model hostName \
             publicIp platform status lastCommunicatedTime platformCategory platformVersion",
    sort: None,
    owned: names_client,
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Asset {
    asset_id: Text,
    name: Text,
    asset_class: Maybe<Tie>,
    client: Maybe<Tie>,
    site: Maybe<Tie>,
    primary_mac: Text,
    logged_in_user: Text,
    serial_number: Text,
    manufacturer: Text,
    model: Text,
    host_name: Text,
    public_ip: Text,
    platform: Text,
    status: Text,
    last_communicated_time: Time,
    platform_category: Text,
    platform_version: Text,
}

#[async_trait]
impl Pull<Device> for Superops {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&LIST, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Device>, String> {
        let asset: Asset = loose::read("an asset", raw)?;
        let id = asset.asset_id.own_id("an asset")?;
        let name = asset.name.0.or_else(|| asset.host_name.0.clone());
        let record = Device {
            name: name.unwrap_or_else(|| format!("Asset {id}")),
            hostname: asset.host_name.0,
            class: asset.platform_category.0.or_else(|| asset.asset_class.name()),
            os: asset.platform.0,
            os_version: asset.platform_version.0,
            manufacturer: asset.manufacturer.0,
            model: asset.model.0,
            serial: asset.serial_number.0,
            macs: asset.primary_mac.0.into_iter().collect(),
            public_ip: asset.public_ip.0,
            online: match asset.status.0.as_deref() {
                Some("ONLINE") => Some(true),
                Some("OFFLINE") => Some(false),
                _ => None,
            },
            last_contact_at: asset.last_communicated_time.0,
            last_user: asset.logged_in_user.0,
            location_id: asset.site.id(),
            ..Device::default()
        };
        Ok(Item { id, entity: asset.client.id(), record })
    }
}
