//! Rows of devices. A page of 1,000 is written straight from the world, without a tree in between: at
//! 500,000 devices this is what a simulated sync would otherwise spend its time on.

use std::net::Ipv4Addr;

use chrono::{DateTime, TimeDelta, Utc};
use integration::Vendor;
use vendorkit::{
    World,
    world::{Business, Device, DeviceClass},
};

use super::{
    answers::{Query, Refusal, json},
    device_row::{Memory, Nothing, OperatingSystem, Processor, Row, System, Volume},
};
use crate::NinjaOne;

/// A page of devices, with their details or without.
pub(super) fn list(world: &World, query: &Query, detailed: bool) -> Result<Vec<u8>, Refusal> {
    let (after, size, filter) = (query.after()?, query.page_size()?, query.filter()?);
    let listed = |&(business, device): &(&Business, &Device)| known(business) && filter.matches(business, device);
    let rows: Vec<Row<'_>> = match (filter.devices(), filter.organizations()) {
        (None, None) => {
            world.devices_after(after).filter(listed).take(size).map(|(b, d)| row(b, d, detailed)).collect()
        }
        (named, organizations) => {
            let mut page: Vec<(&Business, &Device)> = match (named, organizations) {
                (Some(keys), _) => keys.iter().filter_map(|key| world.device(*key)).collect(),
                (None, keys) => {
                    let businesses = keys.into_iter().flatten().filter_map(|key| world.business(*key));
                    businesses
                        .flat_map(|business| business.devices.iter().map(move |device| (business, device)))
                        .collect()
                }
            };
            page.retain(|found| found.1.key > after && listed(found));
            page.sort_unstable_by_key(|(_, device)| device.key);
            page.dedup_by_key(|(_, device)| device.key);
            page.into_iter().take(size).map(|(b, d)| row(b, d, detailed)).collect()
        }
    };
    json(&rows)
}

pub(super) fn one(world: &World, id: &str) -> Result<Vec<u8>, Refusal> {
    let found = id.parse().ok().and_then(|key| world.device(key)).filter(|(business, _)| known(business));
    let (business, device) = found.ok_or_else(|| Refusal::api(404, "Device not found"))?;
    json(&row(business, device, true))
}

pub(super) fn node_class(class: DeviceClass) -> &'static str {
    match class {
        DeviceClass::Workstation => "WINDOWS_WORKSTATION",
        DeviceClass::Server => "WINDOWS_SERVER",
        DeviceClass::Mac => "MAC",
        DeviceClass::LinuxServer => "LINUX_SERVER",
        DeviceClass::Firewall => "NMS_FIREWALL",
        DeviceClass::Switch => "NMS_SWITCH",
    }
}

fn known(business: &Business) -> bool {
    business.vendors.contains(NinjaOne::ID)
}

/// A device as NinjaOne tells it. Network devices run no agent: of them only what a probe sees is known.
fn row<'a>(business: &'a Business, device: &'a Device, detailed: bool) -> Row<'a> {
    let class = device.class;
    let agent = !matches!(class, DeviceClass::Firewall | DeviceClass::Switch);
    let windows = matches!(class, DeviceClass::Workstation | DeviceClass::Server);
    let contact = seconds(device.last_contact);
    let role = 11 + class as u32;
    let mut row = Row {
        id: device.key,
        uid: format!("{:08x}-4e4a-4000-8000-{:012x}", (device.key as u32).wrapping_mul(0x9E37_79B9), device.key),
        organization_id: business.key,
        location_id: device.location,
        node_class: node_class(class),
        node_role_id: role,
        role_policy_id: role + 10,
        approval_status: "APPROVED",
        offline: !device.online,
        display_name: &device.hostname,
        system_name: &device.hostname,
        dns_name: format!("{}.{}", device.hostname.to_ascii_lowercase(), business.domain),
        netbios_name: windows.then(|| device.hostname.get(..15).unwrap_or(&device.hostname)),
        created: seconds(device.created),
        last_contact: contact,
        last_update: contact - (device.key % 3600) as f64,
        user_data: Nothing {},
        tags: [],
        ..Row::default()
    };
    if !detailed {
        return row;
    }
    row.ip_addresses = Some([&device.ip]);
    row.mac_addresses = Some([&device.mac]);
    row.public_ip = Some(Ipv4Addr::new(203, 0, 113, (business.key % 254 + 1) as u8));
    row.device_type = Some(if agent { "AgentDevice" } else { "NMSTarget" });
    row.notes = Some([]);
    if agent {
        equip(&mut row, business, device, windows);
    }
    row
}

/// What an agent sees of its machine.
fn equip<'a>(row: &mut Row<'a>, business: &'a Business, device: &'a Device, windows: bool) {
    let server = matches!(device.class, DeviceClass::Server | DeviceClass::LinuxServer);
    let booted = device.last_contact - TimeDelta::hours((device.key % 600) as i64);
    let memory = if server { 64 << 30 } else { 16 << 30 };
    let domain = business.domain.split('.').next().unwrap_or_default();
    row.os = Some(OperatingSystem {
        manufacturer: os_maker(device.class),
        name: &device.os,
        architecture: "64-bit",
        last_boot_time: seconds(booted),
        build_number: &device.os_version,
        locale: "en-GB",
        language: "en",
        needs_reboot: device.key.is_multiple_of(17),
    });
    row.system = Some(System {
        name: &device.hostname,
        manufacturer: &device.manufacturer,
        model: &device.model,
        bios_serial_number: &device.serial,
        serial_number: &device.serial,
        domain: if windows { &business.domain } else { "WORKGROUP" },
        domain_role: if server { "Member Server" } else { "Member Workstation" },
        number_of_processors: 1,
        total_physical_memory: memory,
        virtual_machine: false,
        chassis_type: if server { "UNKNOWN" } else { "LAPTOP" },
    });
    row.memory = Some(Memory { capacity: memory });
    row.processors = Some([Processor {
        architecture: "x64",
        max_clock_speed: 4_700_000_000,
        clock_speed: 1_700_000_000,
        name: "Example Core 7 1355U",
        num_cores: 10,
        num_logical_cores: 12,
    }]);
    row.volumes = Some(volumes(device.key, device.class));
    row.last_logged_in_user = device.person.and_then(|key| business.person(key)).map(|person| {
        let account = person.email.split('@').next().unwrap_or_default();
        if windows { format!("{}\\{account}", domain.to_ascii_uppercase()) } else { account.to_owned() }
    });
}

fn volumes(key: u64, class: DeviceClass) -> [Volume; 2] {
    let (names, file_system) = match class {
        DeviceClass::Mac => (["/", "/Volumes/Data"], "APFS"),
        DeviceClass::LinuxServer => (["/", "/data"], "ext4"),
        _ => (["C:", "D:"], "NTFS"),
    };
    let volume = |number: u64, name, label, capacity: u64| Volume {
        name,
        drive_letter: (file_system == "NTFS").then_some(name),
        label,
        device_type: "Local Disk",
        file_system,
        auto_mount: true,
        compressed: false,
        capacity,
        free_space: capacity / 100 * (5 + (key * 7 + number * 31) % 90),
        serial_number: (key as u32).wrapping_mul(2_654_435_761) ^ number as u32,
    };
    let [first, second] = names;
    [volume(1, first, "System", 511_101_108_224), volume(2, second, "Data", 1_000_202_039_296)]
}

fn os_maker(class: DeviceClass) -> &'static str {
    match class {
        DeviceClass::Mac => "Apple Inc.",
        DeviceClass::LinuxServer => "Canonical",
        _ => "Microsoft Corporation",
    }
}

/// Epoch seconds with a fraction.
pub(super) fn seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp_micros() as f64 / 1e6
}
