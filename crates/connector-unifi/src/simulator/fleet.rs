//! Who has which console, site and device.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use integration::Vendor;
use vendorkit::{
    World,
    world::{Business, DeviceClass},
};

use crate::Unifi;

/// A console, or a server that several businesses share.
pub(super) struct Host<'a> {
    pub id: String,
    pub name: String,
    pub sites: Vec<&'a Business>,
    pub shared: bool,
    pub online: bool,
    /// Key that addresses and such are made of.
    pub key: u64,
}

/// One device at a site.
pub(super) struct Gear {
    /// Twelve digits in capitals.
    pub mac: String,
    pub name: String,
    pub model: &'static str,
    pub shortname: &'static str,
    pub feature: &'static str,
    pub line: &'static str,
    pub ip: String,
    pub online: bool,
    pub console: bool,
    pub since: DateTime<Utc>,
}

/// Every console and server, the businesses' own first.
pub(super) fn hosts(world: &World) -> Vec<Host<'_>> {
    let mut shared: BTreeMap<u64, Vec<&Business>> = BTreeMap::new();
    let mut hosts = Vec::new();
    for business in world.known_to(Unifi::ID) {
        if is_shared(business) {
            shared.entry(business.key / 20).or_default().push(business);
            continue;
        }
        // The console of a site called "Default" is what has the client's name.
        let name = if is_unnamed(business) { business.name_at(Unifi::ID) } else { format!("UDM-{}", business.psa_id) };
        let online = !business.key.is_multiple_of(9);
        hosts.push(Host {
            id: id(business.key),
            name,
            sites: vec![business],
            shared: false,
            online,
            key: business.key,
        });
    }
    hosts.extend(shared.into_iter().map(|(number, sites)| {
        let key = 1_000_000 + number;
        Host { id: id(key), name: format!("Hosted network {number}"), sites, shared: true, online: true, key }
    }));
    hosts
}

/// Every business, as the one console on its own has them.
pub(super) fn everybody(world: &World) -> Vec<&Business> {
    world.known_to(Unifi::ID).collect()
}

fn id(key: u64) -> String {
    format!("74ACB9{key:06X}0000000008112233{:016X}:{}", key.wrapping_mul(0x9E37_79B9), 450_000_000 + key)
}

pub(super) fn is_shared(business: &Business) -> bool {
    business.key.is_multiple_of(4)
}

/// Whether nobody gave its site a name.
pub(super) fn is_unnamed(business: &Business) -> bool {
    !is_shared(business) && business.key % 3 == 2
}

pub(super) fn site_id(business: &Business) -> String {
    format!("66a1b2c3{:016x}", business.key)
}

/// The internal name of a site, which both APIs have.
pub(super) fn reference(business: &Business, shared: bool) -> String {
    if shared { format!("site{:06x}", business.key) } else { "default".to_owned() }
}

/// What stands at a site: the console itself, switches, an access point beside every fourth machine, cameras.
pub(super) fn gear(business: &Business, own_console: bool) -> Vec<Gear> {
    let mut all = Vec::new();
    let subnet = business.key % 250;
    if own_console && !business.devices.is_empty() {
        all.push(Gear {
            mac: mac(0x0A, business.key),
            name: "Gateway".to_owned(),
            model: "UDM Pro",
            shortname: "UDMPRO",
            feature: "gateway",
            line: "network",
            ip: format!("10.{subnet}.0.1"),
            online: true,
            console: true,
            since: business.since,
        });
    }
    for device in &business.devices {
        let [.., low] = device.key.to_be_bytes();
        let (model, shortname, feature, line, head) = match device.class {
            DeviceClass::Switch => ("USW 24 PoE", "USL24P", "switching", "network", None),
            _ if device.key.is_multiple_of(4) => ("U6 Pro", "UAP6MP", "accessPoint", "network", Some(0x06)),
            _ if own_console && device.key % 10 == 3 => ("G4 Bullet", "UVCG4", "camera", "protect", Some(0x0E)),
            _ => continue,
        };
        all.push(Gear {
            mac: head.map_or_else(|| device.mac.replace(':', ""), |head| mac(head, device.key)),
            name: if head.is_some() { format!("{model} {}", device.hostname) } else { device.hostname.clone() },
            model,
            shortname,
            feature,
            line,
            ip: format!("10.{subnet}.1.{low}"),
            online: device.online,
            console: false,
            since: device.created,
        });
    }
    all
}

fn mac(head: u8, key: u64) -> String {
    format!("{head:02X}005E{:06X}", key & 0xFF_FFFF)
}

/// When a console last reported.
pub(super) fn reported(world: &World, host: &Host<'_>) -> DateTime<Utc> {
    world.now - if host.online { TimeDelta::minutes(4) } else { TimeDelta::days(3) }
}

/// A segment of a path, as it was before it was percent-encoded.
pub(super) fn decoded(segment: &str) -> String {
    let text = format!("x={}", segment.replace('+', "%2B"));
    let mut pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
