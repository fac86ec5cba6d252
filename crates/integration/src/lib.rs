//! What a connector is. A connector is our code for one vendor: it turns "the next page of devices"
//! into a [`Request`] and a [`Response`] into records, and knows nothing of organisations or clients.
//!
//! * [`credentials!`] declares a vendor's credentials: parser, storage shape and form in one struct.
//! * [`Vendor`] names the vendor and builds its connector, without I/O.
//! * [`Connector`] is asked what it can do; an accessor that answers `Some(self)` is the capability.
//! * [`Pull`] lists one kind of record a page at a time, raw, and reads one raw record at a time.
//! * [`SetQuantity`], [`WriteTickets`] … change something at the vendor (`push.rs`).
//! * [`Consent`] asks a person at the vendor's own page; [`Grant`] is what they gave, [`oauth`] keeps it fresh.
//! * [`Transport`] sends. Connectors own no HTTP client, so every one of them can be replayed,
//!   simulated and broken on purpose.
//!
//! **A new kind of record**: a struct under `record/` with its [`RecordType`], one accessor with the
//! default `None` on [`Connector`], and one line in [`Connector::listings`]. No vendor changes.
//!
//! This crate is compiled before all connectors: keep it small and slow to change.

mod admission;
mod connector;
mod consent;
mod credentials;
mod error;
mod exact;
mod form;
mod http;
pub mod loose;
pub mod oauth;
mod push;
mod record;
mod walk;

pub use admission::{Admission, AdmissionAnswer, AdmissionAsk};
pub use connector::{
    Capability, Category, Checked, Connector, Cursor, Entry, Evidence, Item, Listing, MappedBy, Page, Position, Pull,
    Reach, ReadRecord, Vendor,
};
pub use consent::{Consent, ConsentAnswer, ConsentAsk, Exchange, Grant, GrantStore, consent_missing};
#[doc(hidden)]
pub use credentials::read_field;
pub use credentials::{CredentialsForm, Secret};
pub use error::{Error, Kind, Result, Retry};
pub use exact::{Exact, Money};
pub use form::{Field, FieldError, FieldSpec, Input};
pub use http::{Body, Http, Method, Request, Response, Transport, raw_array, raw_slice};
pub use push::{
    ActOnThreats, ArchiveDocuments, Choice, CompanyDraft, ContactDraft, CustomField, CustomFields, Delivery,
    HearWebhooks, Heard, Installer, KeptNote, MailDraft, MakeInstallers, ReadTemplates, SendMail, SentMail,
    SetQuantity, Template, TicketChoices, TicketDraft, TicketFile, TicketNote, WriteCompanies, WriteContacts,
    WriteTickets,
};
pub use record::{
    AdminRole, Alert, Backup, BackupState, Contact, Device, DirectoryUser, Document, Domain, Entity, Extension,
    Hosting, Invoice, Job, Licence, Location, MailSender, MailUsage, ManagementServer, PhoneSystem, PostalAddress,
    RecordKind, RecordType, RepeatingInvoice, SecureScore, Severity, SignInMethods, Subscription, Threat, Ticket,
};
pub use walk::Walk;

#[doc(hidden)]
pub use serde as __serde;
#[doc(hidden)]
pub use serde_json as __json;
