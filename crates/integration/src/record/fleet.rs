//! Places and machines, and what is reported of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Severity;

/// A place of an entity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Location {
    /// Name.
    pub name: String,
    /// Address as written.
    pub address: Option<String>,
    /// Description as written.
    pub description: Option<String>,
}

/// A machine, as one vendor sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Device {
    /// Name shown to people.
    pub name: String,
    /// Host name.
    pub hostname: Option<String>,
    /// The vendor's class of device ("WINDOWS_SERVER"); values not known to us are kept.
    pub class: Option<String>,
    /// Operating system.
    pub os: Option<String>,
    /// Its version or build.
    pub os_version: Option<String>,
    /// Maker.
    pub manufacturer: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Serial number as reported; placeholders are not yet removed.
    pub serial: Option<String>,
    /// MAC addresses as reported.
    pub macs: Vec<String>,
    /// IP addresses as reported.
    pub ips: Vec<String>,
    /// Address seen from outside.
    pub public_ip: Option<String>,
    /// Whether the vendor can reach it now.
    pub online: Option<bool>,
    /// When the vendor last heard of it. Stored when something else changes, or once a day.
    pub last_contact_at: Option<DateTime<Utc>>,
    /// Account that last signed in.
    pub last_user: Option<String>,
    /// The vendor's id of its location.
    pub location_id: Option<String>,
    /// The vendor's id of the service that manages it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub management_server_id: Option<String>,
    /// Whether it awaits approval at the vendor.
    pub approval: Option<String>,
    /// When the vendor first knew it.
    pub created_at: Option<DateTime<Utc>>,
}

/// A service that manages machines (MDM), as the vendor that assigns them to it sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ManagementServer {
    /// Name.
    pub name: String,
    /// The vendor's class of it ("MDM").
    pub class: Option<String>,
    /// The vendor's own word for its state.
    pub status: Option<String>,
    /// Machines assigned to it.
    pub device_count: Option<i64>,
    /// Classes of machine that go to it by themselves.
    pub default_for: Vec<String>,
    /// When the vendor first knew it.
    pub created_at: Option<DateTime<Utc>>,
    /// Last change at the vendor.
    pub updated_at: Option<DateTime<Utc>>,
}

/// Something a security product detected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Threat {
    /// What was found, in the vendor's words ("Eicar.exe", "Malware cleaned").
    pub title: String,
    /// How bad it is, on our scale; each connector's README states the rule. `None` where the vendor
    /// gives nothing to judge by.
    pub severity: Option<Severity>,
    /// The vendor's own word or number for that.
    pub severity_word: Option<String>,
    /// Whether it still wants attention; `None` where the vendor's state is not known to us.
    pub active: Option<bool>,
    /// The vendor's own word for its state ("not_mitigated").
    pub status: Option<String>,
    /// The vendor's class ("Ransomware").
    pub category: Option<String>,
    /// The analyst's verdict in the vendor's words ("true_positive").
    pub verdict: Option<String>,
    /// What has been done, in the vendor's words ("quarantined").
    pub action: Option<String>,
    /// The vendor's id of the machine.
    pub device_id: Option<String>,
    /// The machine's name.
    pub device_name: Option<String>,
    /// Account in use at the time.
    pub user: Option<String>,
    /// Path of the file.
    pub path: Option<String>,
    /// When it was detected.
    pub detected_at: Option<DateTime<Utc>>,
    /// When it was settled.
    pub resolved_at: Option<DateTime<Utc>>,
    /// The vendor's page of it.
    pub url: Option<String>,
    /// What the vendor lets be done about this one, in its words; `None` where it does not say.
    // Left out where there is none: threats stored before it was told stay as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_actions: Option<Vec<String>>,
}

/// A condition that a monitoring product raised.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alert {
    /// One line for people.
    pub title: String,
    /// More, as written.
    pub description: Option<String>,
    /// How bad it is, on our scale.
    pub severity: Option<Severity>,
    /// The vendor's own word or number for that.
    pub severity_word: Option<String>,
    /// Whether the condition still holds.
    pub active: Option<bool>,
    /// The vendor's class ("disk", "antivirus").
    pub category: Option<String>,
    /// The vendor's id of the machine.
    pub device_id: Option<String>,
    /// The machine's name.
    pub device_name: Option<String>,
    /// When it was raised.
    pub raised_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub resolved_at: Option<DateTime<Utc>>,
    /// The vendor's page of it.
    pub url: Option<String>,
}

/// One thing that is backed up: a mailbox, a machine, a site.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Backup {
    /// Name shown to people.
    pub name: String,
    /// What it is, in the vendor's words ("mailbox", "server").
    pub class: Option<String>,
    /// How it stands, on our scale; each connector's README states the rule.
    pub state: Option<BackupState>,
    /// The vendor's own word for its state.
    pub status: Option<String>,
    /// Last backup that succeeded. It and the last try are stored when something else changes, or once a day.
    pub last_success_at: Option<DateTime<Utc>>,
    /// Last backup that was tried.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// Bytes held.
    pub bytes: Option<u64>,
    /// Seats billed for it.
    pub seats: Option<i64>,
    /// The vendor's id of the machine, where it is one.
    pub device_id: Option<String>,
}

/// How a backup stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupState {
    /// Recent and complete.
    Healthy,
    /// Late or incomplete.
    AtRisk,
    /// The last attempts failed, or there was never a success.
    Failed,
}
