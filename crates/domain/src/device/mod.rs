//! Device identity: which observations of several vendors are one machine.
//!
//! An observation is what one connection says of a machine: a stored record of the kind "device". [`join`] puts the
//! observations of **one client** into groups, each a device; [`keep`] gives the groups the ids that devices had
//! before. Both decide by what they are handed alone, whatever its order.
//!
//! Of what the observations of a device say differently, [`choose`] takes the value that is shown; [`follow`] says which
//! device a person's lock belongs to after devices were joined anew.
//!
//! **Another placeholder or adapter that says nothing**: a line in `tables.rs`. **Another weight**: `weigh.rs`.
//! **Another field**: `field.rs`. **Another usual order of integrations**: `usual.rs`.

mod choose;
mod field;
mod groups;
mod keep;
mod normalise;
mod tables;
mod usual;
mod weigh;

#[cfg(test)]
mod choose_tests;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use choose::{Candidate, Choice, ChosenBy, DeviceLock, DeviceOrder, LockTo, Standing, choose, follow, holding};
pub use field::{DeviceField, Told};
pub use groups::join;
pub use keep::{Before, Group, keep};
pub use normalise::{Mac, hostname, mac, serial};
pub use usual::{Trade, usual, usual_order};

use crate::{ClientId, ConnectionId, DeviceId, DeviceRulingId, RecordId, StaffId, Timestamp};

/// A family of operating systems: machines of two families are not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is a name")]
pub enum System {
    Windows,
    Mac,
    Linux,
    Ios,
    Android,
}

/// What one connection says of a machine, as far as it tells machines apart. Placeholders are gone from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The record.
    pub id: RecordId,
    /// Who says it.
    pub connection_id: ConnectionId,
    /// What people call it there.
    pub name: String,
    /// Serial number.
    pub serial: Option<String>,
    /// Hardware addresses.
    pub macs: BTreeSet<Mac>,
    /// Host name, without its domain.
    pub hostname: Option<String>,
    /// Family of its operating system.
    pub system: Option<System>,
}

/// What of a stored device matters here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    name: String,
    hostname: Option<String>,
    serial: Option<String>,
    macs: Vec<String>,
    os: Option<String>,
}

impl Observation {
    /// Reads a stored record of the kind "device". Of a body that cannot be read, nothing is known but the title.
    pub fn read(id: RecordId, connection_id: ConnectionId, title: &str, body: &str) -> Self {
        let said: Said = serde_json::from_str(body).unwrap_or_default();
        let named = said.hostname.as_deref().map(str::trim).filter(|name| !name.is_empty());
        Self {
            id,
            connection_id,
            name: named.unwrap_or(title).to_owned(),
            serial: said.serial.as_deref().and_then(serial),
            macs: said.macs.iter().filter_map(|text| mac(text)).collect(),
            hostname: hostname(named.unwrap_or(&said.name)),
            system: said.os.as_deref().and_then(normalise::system),
        }
    }
}

/// Why two observations are held for one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// A person said so.
    Person,
    /// The same serial number.
    Serial,
    /// A hardware address in common.
    Mac,
    /// The same host name.
    Hostname,
}

/// One reason, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Which.
    pub signal: Signal,
    /// What both say, normalised; empty where a person said it.
    pub value: String,
}

/// An observation in its device.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// The record.
    pub id: RecordId,
    /// Why it belongs to the others: its best reasons; empty where it stands alone.
    pub evidence: Vec<Evidence>,
    /// How sure that is, 0 to 1; `None` where it stands alone.
    pub confidence: Option<f64>,
}

/// What a person decided about two observations. It survives every sync.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceRuling {
    /// Id.
    pub id: DeviceRulingId,
    /// The client they belonged to then.
    pub client_id: ClientId,
    /// The record with the lower id.
    pub record_a: RecordId,
    /// The other.
    pub record_b: RecordId,
    /// Whether they are one machine.
    pub one: bool,
    /// When it was decided.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Option<StaffId>,
}

/// A device as it is stored: what it is made of is asked for apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Id, the same for as long as one of its observations stays.
    pub id: DeviceId,
    /// Whose it is.
    pub client_id: ClientId,
    /// The name that most vendors have for it.
    pub name: String,
    /// When it was first met.
    pub created_at: Timestamp,
}
