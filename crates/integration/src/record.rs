//! What vendors tell us: one struct for each kind of record. They are stored as JSON and read back,
//! so a field is added as an `Option` and never changes its meaning.
//!
//! Absent means unknown: a connector leaves a field `None` rather than guess 0, false or "healthy".

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Exact, Money};

/// Kinds of record, in the order in which a connection is synced: entities first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// What the vendor calls a customer.
    Entity,
    /// A place of an entity.
    Location,
    /// A machine.
    Device,
    /// A person in a directory.
    DirectoryUser,
    /// How a directory user can sign in (multi-factor state).
    SignInMethods,
    /// An administrator's role of a directory user.
    AdminRole,
    /// Seats owned and used of one product.
    Licence,
    /// A security score with its maximum.
    SecureScore,
    /// A DNS domain.
    Domain,
    /// A paid subscription.
    Subscription,
}

impl RecordKind {
    /// All kinds, in sync order.
    pub const ALL: [Self; 10] = [
        Self::Entity,
        Self::Location,
        Self::Device,
        Self::DirectoryUser,
        Self::SignInMethods,
        Self::AdminRole,
        Self::Licence,
        Self::SecureScore,
        Self::Domain,
        Self::Subscription,
    ];

    /// The name in paths, columns and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Entity => "entity",
            Self::Location => "location",
            Self::Device => "device",
            Self::DirectoryUser => "directory_user",
            Self::SignInMethods => "sign_in_methods",
            Self::AdminRole => "admin_role",
            Self::Licence => "licence",
            Self::SecureScore => "secure_score",
            Self::Domain => "domain",
            Self::Subscription => "subscription",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A struct that is stored as a record.
pub trait RecordType: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its kind.
    const KIND: RecordKind;

    /// What a person calls it; the default order of lists.
    fn title(&self) -> String;

    /// What decides whether it changed. Values that move with every listing (the minute of last
    /// contact) are left out, so that an unchanged fleet is not rewritten at every sync.
    fn fingerprint(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// What the vendor calls a customer: organisation, site, company, tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entity {
    /// Name as last seen.
    pub name: String,
    /// DNS domains that belong to it, lower case, the main one first.
    pub domains: Vec<String>,
    /// Ids that other systems gave it and that this vendor holds ("psa" → "1042").
    pub external_ids: BTreeMap<String, String>,
    /// Microsoft 365 tenant, if the vendor says so.
    pub tenant_id: Option<String>,
    /// Telephone as written.
    pub phone: Option<String>,
    /// City and the like, for a person to tell two apart.
    pub place: Option<String>,
    /// Whether it is in use at the vendor.
    pub active: Option<bool>,
    /// The vendor's own word for its state.
    pub status: Option<String>,
}

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
    /// Whether it awaits approval at the vendor.
    pub approval: Option<String>,
    /// When the vendor first knew it.
    pub created_at: Option<DateTime<Utc>>,
}

/// A person a vendor told us about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DirectoryUser {
    /// Display name.
    pub name: String,
    /// Sign-in name.
    pub principal_name: Option<String>,
    /// E-mail.
    pub email: Option<String>,
    /// Whether sign-in is allowed.
    pub enabled: Option<bool>,
    /// Whether this is a guest.
    pub guest: Option<bool>,
    /// Job title.
    pub job_title: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// The vendor's ids of assigned licences.
    pub licence_ids: Vec<String>,
    /// When the account was made.
    pub created_at: Option<DateTime<Utc>>,
    /// Last sign-in.
    pub last_sign_in_at: Option<DateTime<Utc>>,
    /// Whether it comes from an on-premises directory.
    pub synchronised: Option<bool>,
}

/// How a directory user can sign in. Its vendor id is the user's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignInMethods {
    /// Sign-in name, for people.
    pub principal_name: Option<String>,
    /// Whether a second factor is registered.
    pub mfa_registered: Option<bool>,
    /// Whether a second factor can be used under today's policy.
    pub mfa_capable: Option<bool>,
    /// Whether sign-in without password is possible.
    pub passwordless_capable: Option<bool>,
    /// The vendor's own mark of an administrator; lags by hours.
    pub is_admin: Option<bool>,
    /// Registered methods in the vendor's words.
    pub methods: Vec<String>,
}

/// An administrator's role of a directory user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdminRole {
    /// The user's vendor id.
    pub user_id: String,
    /// Role in people's words ("Global Administrator"), or its id where the name is not known.
    pub role: String,
    /// The vendor's id of the role.
    pub role_id: String,
    /// What the role covers; `/` is everything.
    pub scope: Option<String>,
}

/// Seats owned and used of one product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Licence {
    /// Product in people's words where known, else the vendor's part number.
    pub name: String,
    /// Vendor's part number.
    pub part_number: String,
    /// The id that users' assignments name.
    pub sku_id: String,
    /// Seats owned.
    pub total: Option<i64>,
    /// Seats in use; may be above the total.
    pub used: Option<i64>,
    /// The vendor's own word for its state.
    pub status: Option<String>,
    /// Free of charge and practically unlimited: left out of counts.
    pub unlimited: bool,
}

/// A security score.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecureScore {
    /// Points reached.
    pub current: f64,
    /// Points possible.
    pub max: f64,
    /// Day of the score.
    pub day: Option<NaiveDate>,
    /// Average of all customers of the vendor.
    pub average: Option<f64>,
}

/// A DNS domain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Domain {
    /// Name, lower case.
    pub name: String,
    /// Whether ownership is proven to the vendor.
    pub verified: Option<bool>,
    /// Whether it is the main one.
    pub default: Option<bool>,
    /// Whether the vendor made it (`….onmicrosoft.com`).
    pub initial: Option<bool>,
    /// How people of it sign in: managed or federated.
    pub authentication: Option<String>,
    /// What it is used for, in the vendor's words.
    pub services: Vec<String>,
}

/// A paid subscription.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subscription {
    /// Product in people's words.
    pub product: String,
    /// Vendor's id of the product.
    pub product_id: Option<String>,
    /// Seats or units; may be fractional for usage.
    pub quantity: Option<Exact>,
    /// What the client pays for one.
    pub price: Option<Money>,
    /// What the MSP pays for one.
    pub cost: Option<Money>,
    /// Vendor's own word for its state ("Active").
    pub status: String,
    /// Vendor's own word for the term of billing ("Monthly").
    pub billing_term: Option<String>,
    /// Length of the commitment, in the vendor's words.
    pub commitment_term: Option<String>,
    /// End of the commitment: until then less is refused.
    pub commitment_ends_at: Option<DateTime<Utc>>,
    /// Start.
    pub starts_at: Option<DateTime<Utc>>,
    /// End.
    pub ends_at: Option<DateTime<Utc>>,
    /// Last change at the vendor.
    pub updated_at: Option<DateTime<Utc>>,
}

macro_rules! record_types {
    ($($type:ident => |$record:ident| $title:expr),+ $(,)?) => {
        $(impl RecordType for $type {
            const KIND: RecordKind = RecordKind::$type;
            fn title(&self) -> String {
                let $record = self;
                $title
            }
        })+
    };
}

record_types! {
    Entity => |r| r.name.clone(),
    Location => |r| r.name.clone(),
    DirectoryUser => |r| r.name.clone(),
    SignInMethods => |r| r.principal_name.clone().unwrap_or_default(),
    AdminRole => |r| r.role.clone(),
    Licence => |r| r.name.clone(),
    SecureScore => |r| r.day.map(|day| day.to_string()).unwrap_or_default(),
    Domain => |r| r.name.clone(),
    Subscription => |r| r.product.clone(),
}

impl RecordType for Device {
    const KIND: RecordKind = RecordKind::Device;

    fn title(&self) -> String {
        self.name.clone()
    }

    fn fingerprint(&self) -> Vec<u8> {
        let day = self.last_contact_at.map(|at| at.date_naive());
        let settled = Self { last_contact_at: None, ..self.clone() };
        serde_json::to_vec(&(settled, day)).unwrap_or_default()
    }
}
