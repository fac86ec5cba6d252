//! Network devices. Site Manager names only the console of a device: where that has one site, the device is
//! there; where it has several, the console's own Network application is asked for each of them.

use async_trait::async_trait;
use bytes::Bytes;
use chrono::TimeDelta;
use integration::{Cursor, Device, Error, Item, Kind, Page, Position, Pull, Reach, Result};
use serde_json::value::RawValue;

use crate::{
    Unifi, Way,
    api::NAME,
    cloud,
    estate::{Estate, Shared, settled},
    gear, network,
    wire::{self, KeptDevice},
};

/// How old the word of a console may be that does not say whether it is connected.
const FRESH: TimeDelta = TimeDelta::hours(1);
/// Sites without devices that one page may pass over.
const SITES_AT_ONCE: usize = 20;

#[async_trait]
impl Pull<Device> for Unifi {
    fn reach(&self) -> Reach {
        match self.api.way {
            Way::SiteManager => Reach::Connection,
            Way::Console => Reach::Entity,
        }
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let place = at.cursor.map(Cursor::as_str);
        if self.api.way == Way::Console {
            let site = at.entity.ok_or_else(|| Error::new(Kind::NotFound, "UniFi has devices of a site only"))?;
            let path = ["sites", site, "devices"];
            let slice = self.api.network_page(None, &path, network::PAGE_SIZE, place).await?;
            let records = slice.records.iter().map(|raw| of_network(None, raw)).collect::<Result<_>>()?;
            let (next, total) = (slice.next.map(Cursor::new), Some(slice.total));
            return Ok(Page { records, next, total, ..Page::default() });
        }
        let estate = self.memory.estate(&self.api, place.is_none()).await?;
        match place.map(|place| place.split_once('/').ok_or_else(forgotten)).transpose()? {
            None => self.groups(&estate, None).await,
            Some(("consoles", token)) => self.groups(&estate, Some(token)).await,
            Some(("site", rest)) => self.sites(&estate, rest).await,
            Some(_) => Err(forgotten()),
        }
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Device>, String> {
        let kept: wire::KeptDeviceRead = wire::read(raw, "a device")?;
        let (id, record) = match (kept.unknown, kept.device, kept.network) {
            (Some(why), ..) => return Err(why),
            (_, Some(device), _) => gear::of_site_manager(device, kept.reports == Some(true)),
            (_, _, Some(device)) => gear::of_network_application(device),
            _ => return Err("a device has an unexpected shape".to_owned()),
        };
        Ok(Item { id: id.ok_or("a device has neither a MAC address nor an id")?, entity: kept.site, record })
    }
}

impl Unifi {
    /// One page of consoles with their devices; those with several sites come afterwards, site by site.
    async fn groups(&self, estate: &Estate, token: Option<&str>) -> Result<Page> {
        let slice = self.api.list("devices", cloud::PAGE_SIZE, token).await?;
        let mut records = Vec::new();
        for raw in &slice.records {
            let group: wire::Group<'_> =
                serde_json::from_slice(raw).map_err(|why| Error::unreadable(NAME, format!("a console: {why}")))?;
            let Some(console) = group.host_id.0 else {
                return Err(Error::unreadable(NAME, "devices without their console"));
            };
            // Without a site, as a recorder for cameras is, or with several.
            let Some(site) = estate.only.get(&console) else { continue };
            let fresh = || group.updated_at.0.is_some_and(|at| self.api.http.now() - at <= FRESH);
            let reports = estate.consoles.get(&console).and_then(|console| console.reports).unwrap_or_else(fresh);
            for device in group.devices.into_iter().flatten().filter(|device| is_network(device)) {
                records.push(keep(&KeptDevice { reports: Some(reports), device: Some(device), ..blank(Some(site)) })?);
            }
        }
        let shared = || estate.shared.keys().next().map(|site| format!("site/0/0/{site}"));
        let next = slice.next.map(|token| format!("consoles/{token}")).or_else(shared);
        Ok(Page { records, next: next.map(Cursor::new), ..Page::default() })
    }

    /// One page of a site of a console with several, or of the next one that has devices.
    async fn sites(&self, estate: &Estate, place: &str) -> Result<Page> {
        let mut page = Page::default();
        let mut next = Some(place.to_owned());
        for _ in 0..SITES_AT_ONCE {
            let Some(place) = next.take() else { break };
            let (offset, (total, from)) =
                split(&place).and_then(|(offset, rest)| Some((offset, split(rest)?))).ok_or_else(forgotten)?;
            // One that went meanwhile is passed over.
            let Some((site, shared)) = estate.at_or_after(from) else { break };
            let inside = (site == from && offset != "0").then(|| format!("{offset}/{total}"));
            let more = match self.of_shared(estate, shared, inside.as_deref()).await? {
                Ok(slice) => {
                    for raw in &slice.records {
                        page.records.push(of_network(Some(site), raw)?);
                    }
                    slice.next
                }
                Err(why) => {
                    let name = estate.name_of(&shared.console).unwrap_or("without a name");
                    let why = format!("only the console {name} knows the devices of one of its sites: {why}");
                    page.records.push(keep(&KeptDevice { unknown: Some(&why), ..blank(Some(site)) })?);
                    None
                }
            };
            let following = || estate.after(site).map(|site| format!("0/0/{site}"));
            next = more.map(|place| format!("{place}/{site}")).or_else(following);
            if !page.records.is_empty() {
                break;
            }
        }
        page.next = next.map(|place| Cursor::new(format!("site/{place}")));
        Ok(page)
    }

    async fn of_shared(
        &self,
        estate: &Estate,
        shared: &Shared,
        place: Option<&str>,
    ) -> Result<Result<network::Slice, String>> {
        let told = estate.told_by(&self.api, &shared.console).await?;
        let ids = match told.as_ref() {
            Ok(ids) => ids,
            Err(why) => return Ok(Err(why.clone())),
        };
        let Some(id) = shared.name.as_ref().and_then(|name| ids.get(name)) else {
            return Ok(Err("it does not know this site".to_owned()));
        };
        let path = ["sites", id, "devices"];
        settled(self.api.network_page(Some(&shared.console), &path, network::PAGE_SIZE, place).await)
    }
}

fn split(text: &str) -> Option<(&str, &str)> {
    text.split_once('/')
}

fn forgotten() -> Error {
    Error::new(Kind::Expired, "this place in a listing of UniFi is not known: list anew")
}

/// Cameras, phones and door gear are left out; what does not say what it is stays.
fn is_network(device: &RawValue) -> bool {
    let Ok(device) = serde_json::from_str::<wire::Device>(device.get()) else { return true };
    device.is_console.0 == Some(true) || device.product_line.0.is_none_or(|line| line == "network")
}

fn blank(site: Option<&String>) -> KeptDevice<'_> {
    KeptDevice { site: site.map(String::as_str), reports: None, device: None, network: None, unknown: None }
}

fn of_network(site: Option<&String>, raw: &[u8]) -> Result<Bytes> {
    let network: &RawValue = serde_json::from_slice(raw).map_err(|why| Error::unreadable(NAME, why))?;
    keep(&KeptDevice { network: Some(network), ..blank(site) })
}

fn keep(device: &KeptDevice<'_>) -> Result<Bytes> {
    serde_json::to_vec(device).map(Bytes::from).map_err(|why| Error::unreadable(NAME, why))
}
