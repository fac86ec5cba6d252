//! The shape of a device's row, in NinjaOne's order. Unlike `wire.rs` it has the fields that a real
//! row has, so that a simulated page weighs what a real one weighs.

use std::net::Ipv4Addr;

use serde::Serialize;

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row<'a> {
    pub id: u64,
    pub uid: String,
    pub organization_id: u64,
    pub location_id: u64,
    pub node_class: &'static str,
    pub node_role_id: u32,
    pub role_policy_id: u32,
    pub approval_status: &'static str,
    pub offline: bool,
    pub display_name: &'a str,
    pub system_name: &'a str,
    pub dns_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub netbios_name: Option<&'a str>,
    pub created: f64,
    pub last_contact: f64,
    pub last_update: f64,
    pub user_data: Nothing,
    pub tags: [&'a str; 0],
    // The rest is told in detail only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_addresses: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac_addresses: Option<[&'a str; 1]>,
    #[serde(rename = "publicIP", skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<Ipv4Addr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<[&'a str; 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_type: Option<&'static str>,
    // The rest is what an agent sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<OperatingSystem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<System<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processors: Option<[Processor; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volumes: Option<[Volume; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_logged_in_user: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperatingSystem<'a> {
    pub manufacturer: &'static str,
    pub name: &'a str,
    pub architecture: &'static str,
    pub last_boot_time: f64,
    pub build_number: &'a str,
    pub locale: &'static str,
    pub language: &'static str,
    pub needs_reboot: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct System<'a> {
    pub name: &'a str,
    pub manufacturer: &'a str,
    pub model: &'a str,
    pub bios_serial_number: &'a str,
    pub serial_number: &'a str,
    pub domain: &'a str,
    pub domain_role: &'static str,
    pub number_of_processors: u32,
    pub total_physical_memory: u64,
    pub virtual_machine: bool,
    pub chassis_type: &'static str,
}

#[derive(Serialize)]
pub(super) struct Memory {
    pub capacity: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Processor {
    pub architecture: &'static str,
    pub max_clock_speed: u64,
    pub clock_speed: u64,
    pub name: &'static str,
    pub num_cores: u32,
    pub num_logical_cores: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Volume {
    pub name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drive_letter: Option<&'static str>,
    pub label: &'static str,
    pub device_type: &'static str,
    pub file_system: &'static str,
    pub auto_mount: bool,
    pub compressed: bool,
    pub capacity: u64,
    pub free_space: u64,
    pub serial_number: u32,
}

/// An object without fields.
#[derive(Default, Serialize)]
pub(super) struct Nothing {}
