//! What vendors tell us: one struct for each kind of record. They are stored as JSON and read back,
//! so a field is added as an `Option` and never changes its meaning.
//!
//! Absent means unknown: a connector leaves a field `None` rather than guess 0, false or "healthy".

mod commerce;
mod entity;
mod fleet;
mod hosted;
mod mail;
mod people;
mod posture;
mod service;
mod telephony;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use self::{
    commerce::{Invoice, Licence, RepeatingInvoice, Subscription},
    entity::{Entity, PostalAddress},
    fleet::{Alert, Backup, BackupState, Device, Location, ManagementServer, Threat},
    hosted::Hosting,
    mail::{MailSender, MailUsage},
    people::{AdminRole, Contact, DirectoryUser, SignInMethods},
    posture::{Domain, SecureScore},
    service::{Document, Job, Ticket},
    telephony::{Extension, PhoneSystem},
};

/// Kinds of record, in the order in which a connection is synced: entities first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// What the vendor calls a customer.
    Entity,
    /// A place of an entity.
    Location,
    /// A person at an entity whom the MSP talks to.
    Contact,
    /// A machine.
    Device,
    /// A service that manages machines (MDM).
    ManagementServer,
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
    /// Web or mail hosting.
    Hosting,
    /// Something a security product detected.
    Threat,
    /// A condition that a monitoring product raised.
    Alert,
    /// One thing that is backed up.
    Backup,
    /// A ticket of a service desk.
    Ticket,
    /// A piece of planned work.
    Job,
    /// A document that a vendor keeps of an entity.
    Document,
    /// A paid subscription.
    Subscription,
    /// An invoice to an entity.
    Invoice,
    /// A template from which invoices are made at set times.
    RepeatingInvoice,
    /// A phone system as a whole.
    PhoneSystem,
    /// A number inside a phone system.
    Extension,
    /// What an account of a mail relay has used.
    MailUsage,
    /// An address that may send through a mail relay.
    MailSender,
}

impl RecordKind {
    /// All kinds, in sync order.
    pub const ALL: [Self; 25] = [
        Self::Entity,
        Self::Location,
        Self::Contact,
        Self::Device,
        Self::ManagementServer,
        Self::DirectoryUser,
        Self::SignInMethods,
        Self::AdminRole,
        Self::Licence,
        Self::SecureScore,
        Self::Domain,
        Self::Hosting,
        Self::Threat,
        Self::Alert,
        Self::Backup,
        Self::Ticket,
        Self::Job,
        Self::Document,
        Self::Subscription,
        Self::Invoice,
        Self::RepeatingInvoice,
        Self::PhoneSystem,
        Self::Extension,
        Self::MailUsage,
        Self::MailSender,
    ];

    /// The name in paths, columns and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Entity => "entity",
            Self::Location => "location",
            Self::Contact => "contact",
            Self::Device => "device",
            Self::ManagementServer => "management_server",
            Self::DirectoryUser => "directory_user",
            Self::SignInMethods => "sign_in_methods",
            Self::AdminRole => "admin_role",
            Self::Licence => "licence",
            Self::SecureScore => "secure_score",
            Self::Domain => "domain",
            Self::Hosting => "hosting",
            Self::Threat => "threat",
            Self::Alert => "alert",
            Self::Backup => "backup",
            Self::Ticket => "ticket",
            Self::Job => "job",
            Self::Document => "document",
            Self::Subscription => "subscription",
            Self::Invoice => "invoice",
            Self::RepeatingInvoice => "repeating_invoice",
            Self::PhoneSystem => "phone_system",
            Self::Extension => "extension",
            Self::MailUsage => "mail_usage",
            Self::MailSender => "mail_sender",
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

/// How bad a threat or an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
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
    Contact => |r| r.name.clone(),
    Threat => |r| r.title.clone(),
    Alert => |r| r.title.clone(),
    Ticket => |r| r.title.clone(),
    Job => |r| r.name.clone(),
    Document => |r| r.title.clone(),
    Invoice => |r| r.number.clone(),
    RepeatingInvoice => |r| r.name.clone(),
    ManagementServer => |r| r.name.clone(),
    Hosting => |r| r.name.clone(),
    PhoneSystem => |r| r.name.clone(),
    Extension => |r| r.name.clone().unwrap_or_else(|| r.number.clone()),
    MailUsage => |r| r.name.clone(),
    MailSender => |r| r.address.clone(),
}

impl RecordType for Backup {
    const KIND: RecordKind = RecordKind::Backup;

    fn title(&self) -> String {
        self.name.clone()
    }

    fn fingerprint(&self) -> Vec<u8> {
        let day = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(|at| at.date_naive());
        let days = (day(self.last_success_at), day(self.last_attempt_at));
        let settled = Self { last_success_at: None, last_attempt_at: None, ..self.clone() };
        serde_json::to_vec(&(settled, days)).unwrap_or_default()
    }
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
