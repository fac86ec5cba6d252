//! What the world is made of. Every name, address and number in it is invented.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use uuid::Uuid;

use super::{
    change::Change,
    random::Random,
    work::{Alert, Document, Invoice, Job, Threat, Ticket},
};

/// The world: everything true about the fictional MSP at one instant.
///
/// It is read through methods ([`World::businesses`], [`World::known_to`], [`World::devices_after`] …)
/// and changed only by the methods that also keep its indexes and its history.
#[derive(Clone, Debug)]
pub struct World {
    /// What it was made from: the same seed gives the same world.
    pub seed: u64,
    /// The world's present: the one clock of everything simulated.
    pub now: DateTime<Utc>,
    /// Ordered by key.
    pub(super) businesses: Vec<Business>,
    /// Keys of devices and subscriptions, each with the key of the business that has it.
    pub(super) device_homes: BTreeMap<u64, u64>,
    pub(super) subscription_homes: BTreeMap<u64, u64>,
    pub(super) person_homes: BTreeMap<u64, u64>,
    pub(super) work_homes: BTreeMap<u64, u64>,
    pub(super) next: NextKeys,
    pub(super) chance: Random,
    /// Number of the newest change.
    pub(super) revision: u64,
    /// Changes after `remembered`, oldest first.
    pub(super) history: Vec<Change>,
    pub(super) remembered: u64,
}

/// The next free keys. A key is never used twice.
#[derive(Clone, Debug)]
pub(super) struct NextKeys {
    pub business: u64,
    pub location: u64,
    pub device: u64,
    pub person: u64,
    pub subscription: u64,
    pub work: u64,
}

/// One client business.
#[derive(Clone, Debug)]
pub struct Business {
    /// Stable number, from 1; vendors derive their own ids from it.
    pub key: u64,
    /// Registered name with its legal form ("Harbour Dental Pty Ltd").
    pub legal_name: String,
    /// Name without legal form ("Harbour Dental").
    pub short_name: String,
    /// Main DNS domain, under a reserved ending ("harbourdental.example").
    pub domain: String,
    /// Its Microsoft 365 tenant; [`World::by_tenant`] finds it.
    pub tenant_id: Uuid,
    /// Its id in the MSP's PSA ("1042"), which some vendors hold too.
    pub psa_id: String,
    /// City.
    pub city: String,
    /// Region or state.
    pub region: String,
    /// ISO 3166 code of two letters.
    pub country: String,
    /// Street and number; a second line after a line break, for vendors that keep two.
    pub street: String,
    /// Post code.
    pub post_code: String,
    /// Telephone.
    pub phone: String,
    /// Since when it is a client.
    pub since: DateTime<Utc>,
    /// Ids of the vendors that know it ("ninjaone", "microsoft365", "pax8" …).
    pub vendors: BTreeSet<String>,
    /// Whether its tenant has Entra P1: without it Microsoft tells nothing of MFA.
    pub premium_directory: bool,
    /// Places, at least one.
    pub locations: Vec<Location>,
    /// Machines, ordered by key.
    pub devices: Vec<Device>,
    /// People, ordered by key.
    pub people: Vec<Person>,
    /// Subscriptions, ordered by key.
    pub subscriptions: Vec<Subscription>,
    /// Threats, ordered by key.
    pub threats: Vec<Threat>,
    /// Alerts, ordered by key.
    pub alerts: Vec<Alert>,
    /// Tickets, ordered by key.
    pub tickets: Vec<Ticket>,
    /// Jobs, ordered by key.
    pub jobs: Vec<Job>,
    /// Invoices, ordered by key.
    pub invoices: Vec<Invoice>,
    /// Documents, ordered by key.
    pub documents: Vec<Document>,
}

/// A place.
#[derive(Clone, Debug)]
pub struct Location {
    /// Stable number, unique in the world.
    pub key: u64,
    /// Name ("Main office").
    pub name: String,
    /// Address on one line.
    pub address: String,
}

/// Class of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum DeviceClass {
    Workstation,
    Server,
    Mac,
    LinuxServer,
    Firewall,
    Switch,
}

/// A machine.
#[derive(Clone, Debug)]
pub struct Device {
    /// Stable number, unique in the world.
    pub key: u64,
    /// Host name ("HARB-WS-014").
    pub hostname: String,
    /// Class.
    pub class: DeviceClass,
    /// Maker.
    pub manufacturer: String,
    /// Model.
    pub model: String,
    /// Serial number; about one in fifty is a placeholder such as "To Be Filled By O.E.M.".
    pub serial: String,
    /// MAC address ("00:00:5E:…").
    pub mac: String,
    /// Private IP address.
    pub ip: String,
    /// Operating system in people's words.
    pub os: String,
    /// Build or version.
    pub os_version: String,
    /// Key of its location.
    pub location: u64,
    /// Key of the person who uses it, if one does.
    pub person: Option<u64>,
    /// Whether it is reachable.
    pub online: bool,
    /// Last heard of.
    pub last_contact: DateTime<Utc>,
    /// First known.
    pub created: DateTime<Utc>,
}

/// State of a person's second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum MfaState {
    Registered,
    NotRegistered,
}

/// A person.
#[derive(Clone, Debug)]
pub struct Person {
    /// Stable number, unique in the world.
    pub key: u64,
    /// Directory object id.
    pub id: Uuid,
    /// Given name.
    pub given: String,
    /// Family name.
    pub family: String,
    /// Address in the business's domain.
    pub email: String,
    /// Job title.
    pub title: String,
    /// Department.
    pub department: String,
    /// Whether sign-in is allowed.
    pub enabled: bool,
    /// Whether this is a guest.
    pub guest: bool,
    /// Second factor.
    pub mfa: MfaState,
    /// Whether this is an administrator of the tenant.
    pub admin: bool,
    /// Part numbers of assigned licences ("SPB").
    pub licences: Vec<String>,
    /// When the account was made.
    pub created: DateTime<Utc>,
}

/// A subscription bought for the business.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Stable number, unique in the world.
    pub key: u64,
    /// The distributor's id.
    pub id: Uuid,
    /// Product in people's words.
    pub product: String,
    /// The distributor's id of the product.
    pub product_id: Uuid,
    /// Microsoft's part number, where the product is Microsoft's.
    pub part_number: Option<String>,
    /// Seats.
    pub quantity: u32,
    /// What the client pays for one.
    pub price: Decimal,
    /// What the MSP pays for one.
    pub cost: Decimal,
    /// ISO 4217 code.
    pub currency: String,
    /// The distributor's word for its state.
    pub status: String,
    /// Term of billing ("Monthly").
    pub billing_term: String,
    /// End of the commitment, if there is one.
    pub commitment_ends: Option<DateTime<Utc>>,
    /// Start.
    pub starts: DateTime<Utc>,
    /// Last change.
    pub updated: DateTime<Utc>,
}
