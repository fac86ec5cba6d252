//! Rows of organisations and locations.

use integration::Vendor;
use serde::Serialize;
use serde_json::{Value, json};
use vendorkit::{
    World,
    world::{Business, Location},
};

use super::{
    answers::{Query, Refusal, json as to_json},
    device_row::Nothing,
};
use crate::NinjaOne;

/// Node roles and the policies they have in every organisation.
const POLICIES: [(u32, u32); 4] = [(11, 21), (12, 22), (13, 23), (14, 24)];

const INSTALLERS: [(&str, &str); 10] = [
    ("WINDOWS_MSI", "msi"),
    ("WINDOWS_ARM64_MSI", "msi"),
    ("MAC_DMG", "dmg"),
    ("MAC_PKG", "pkg"),
    ("LINUX_DEB", "deb"),
    ("LINUX_RPM", "rpm"),
    ("LINUX_ARM64_DEB", "deb"),
    ("LINUX_ARMV7A_DEB", "deb"),
    ("LINUX_ARM64_RPM", "rpm"),
    ("LINUX_ARMV7A_RPM", "rpm"),
];

/// A page of organisations, each as `row` writes it.
pub(super) fn list(world: &World, query: &Query, row: fn(&Business) -> Value) -> Result<Vec<u8>, Refusal> {
    let after = query.after()?;
    let page = world.known_to(NinjaOne::ID).filter(|business| business.key > after).take(query.page_size()?);
    to_json(&page.map(row).collect::<Vec<_>>())
}

pub(super) fn one(world: &World, id: &str) -> Result<Vec<u8>, Refusal> {
    to_json(&detailed(find(world, id)?))
}

pub(super) fn locations_of(world: &World, id: &str) -> Result<Vec<u8>, Refusal> {
    let business = find(world, id)?;
    to_json(&business.locations.iter().map(|location| row(location, None)).collect::<Vec<_>>())
}

/// A page of the locations of all organisations.
pub(super) fn locations(world: &World, query: &Query) -> Result<Vec<u8>, Refusal> {
    let after = query.after()?;
    let all = world.known_to(NinjaOne::ID).flat_map(|business| business.locations.iter().map(move |at| (business, at)));
    let mut page: Vec<_> = all.filter(|(_, location)| location.key > after).collect();
    page.sort_unstable_by_key(|(_, location)| location.key);
    page.truncate(query.page_size()?);
    to_json(&page.into_iter().map(|(business, location)| row(location, Some(business.key))).collect::<Vec<_>>())
}

/// A link that enrols whoever runs what is behind it.
pub(super) fn installer(world: &World, id: &str, place: &str, kind: &str) -> Result<Vec<u8>, Refusal> {
    let (business, location) = place_of(world, id, place)?;
    let Some((_, ending)) = INSTALLERS.iter().find(|(known, _)| *known == kind) else {
        return Err(Refusal::api(400, "Installer type is not valid"));
    };
    let token = vendorkit::world::uuid("ninjaone/installer", location.key);
    let file = format!("agent-{}-{}-auto.{ending}", business.key, location.key);
    to_json(&json!({"url": format!("https://installers.example/agent/installer/{token}/{file}")}))
}

/// A location with its organisation.
pub(super) fn place_of<'a>(world: &'a World, id: &str, place: &str) -> Result<(&'a Business, &'a Location), Refusal> {
    let business = find(world, id)?;
    let key: Option<u64> = place.parse().ok();
    let location = business.locations.iter().find(|location| Some(location.key) == key);
    location.map(|location| (business, location)).ok_or_else(|| Refusal::api(404, "Location not found"))
}

pub(super) fn brief(business: &Business) -> Value {
    json!({
        "name": business.name_at(NinjaOne::ID),
        "description": format!("{}, {}", business.city, business.country),
        "userData": {},
        "nodeApprovalMode": "AUTOMATIC",
        "id": business.key,
    })
}

pub(super) fn detailed(business: &Business) -> Value {
    let off = json!({"enabled": false, "targets": []});
    let mut organization = brief(business);
    organization["locations"] = business.locations.iter().map(|location| json!(row(location, None))).collect();
    organization["policies"] =
        POLICIES.iter().map(|(role, policy)| json!({"nodeRoleId": role, "policyId": policy})).collect();
    organization["settings"] = json!({"trayicon": off, "splashtop": off, "teamviewer": off, "backup": off, "psa": off});
    organization
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LocationRow<'a> {
    name: &'a str,
    address: &'a str,
    description: &'a str,
    user_data: Nothing,
    id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    organization_id: Option<u64>,
}

fn row(location: &Location, organization_id: Option<u64>) -> LocationRow<'_> {
    LocationRow {
        name: &location.name,
        address: &location.address,
        description: "",
        user_data: Nothing {},
        id: location.key,
        organization_id,
    }
}

pub(super) fn find<'a>(world: &'a World, id: &str) -> Result<&'a Business, Refusal> {
    let business = id.parse().ok().and_then(|key| world.business(key));
    business
        .filter(|business| business.vendors.contains(NinjaOne::ID))
        .ok_or_else(|| Refusal::api(404, "Organization not found"))
}
