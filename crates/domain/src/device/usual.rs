//! The usual order in which integrations are believed, by what they are for.

use super::DeviceField;

/// What an integration is for, as far as it matters to what it knows of machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trade {
    /// Looks after machines with an agent on them, and keeps the desk's own list.
    Management,
    /// Registers machines for the business that owns them.
    Registry,
    /// Protects machines.
    Security,
    /// Backs machines up.
    Backup,
    /// Sees machines on the network.
    Network,
    /// Anything else.
    Other,
}

use Trade::{Backup, Management, Network, Registry, Security};

/// An agent on the machine knows it best; who only sees it on the network least.
const BY_AGENT: &[Trade] = &[Management, Security, Registry, Backup, Network];
/// Where machines are registered, the maker itself often says what they are.
const BY_REGISTER: &[Trade] = &[Registry, Management, Security, Backup, Network];
/// What changes within hours: whoever heard last is right.
const BY_TIME: &[Trade] = &[];

/// The order of each field. The name is not in it: unless the organisation says otherwise, it is what most call it.
const USUAL: &[(DeviceField, &[Trade])] = &[
    (DeviceField::Hostname, BY_AGENT),
    (DeviceField::Class, BY_AGENT),
    (DeviceField::Os, BY_AGENT),
    (DeviceField::OsVersion, BY_AGENT),
    (DeviceField::Manufacturer, BY_REGISTER),
    (DeviceField::Model, BY_REGISTER),
    (DeviceField::Serial, BY_REGISTER),
    (DeviceField::LastUser, BY_TIME),
    (DeviceField::PublicIp, BY_TIME),
];

/// The place of a trade in the usual order of a field, from 0; the same for all that are not in it.
pub fn usual(field: DeviceField, trade: Trade) -> usize {
    usual_order(field).iter().position(|other| *other == trade).unwrap_or(usize::MAX)
}

/// The usual order of a field.
pub fn usual_order(field: DeviceField) -> &'static [Trade] {
    USUAL.iter().find(|(of, _)| *of == field).map_or(BY_TIME, |(_, order)| order)
}
