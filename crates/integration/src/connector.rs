//! The connector itself, and the entry by which the registry knows it.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::{
    ActOnThreats, AdminRole, Admission, Alert, ArchiveDocuments, Backup, Consent, Contact, CredentialsForm,
    CustomFields, Device, DirectoryUser, Document, Domain, Entity, Error, Extension, FieldError, FieldSpec,
    HearWebhooks, Hosting, Invoice, Job, Kind, Licence, Location, MailSender, MailUsage, MakeInstallers,
    ManagementServer, PhoneSystem, ReadTemplates, RecordKind, RecordType, RepeatingInvoice, Request, Response, Result,
    SecureScore, SendMail, SetQuantity, SignInMethods, Subscription, Threat, Ticket, Transport, WriteCompanies,
    WriteContacts, WriteTickets,
};

/// Shelf of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Category {
    RmmAndPsa,
    Security,
    Productivity,
    Backup,
    Network,
    Billing,
    Ai,
    DomainsAndHosting,
    Telephony,
    Mail,
}

impl Category {
    /// As people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::RmmAndPsa => "RMM & PSA",
            Self::Security => "Security",
            Self::Productivity => "Productivity",
            Self::Backup => "Backup",
            Self::Network => "Network",
            Self::Billing => "Billing",
            Self::Ai => "AI",
            Self::DomainsAndHosting => "Domains & Hosting",
            Self::Telephony => "Telephony",
            Self::Mail => "Mail",
        }
    }
}

/// Where people say which client an entity belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MappedBy {
    /// In the dialog that matches entities and clients.
    Dialog,
    /// On the form of one client, as an id typed there.
    ClientForm,
    /// In the integration's own settings.
    Settings,
    /// Each connection as a whole belongs to one client.
    Connection,
}

/// What our code for a vendor has been held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The vendor's documentation and what others report; the README names what is not sure.
    Documentation,
    /// The vendor's own machine-readable description of its API.
    Specification,
    /// A real account.
    Account,
}

/// A vendor: its names, its credentials, and how its connector is built.
pub trait Vendor: Connector + Sized + 'static {
    /// Stable id: lower case, the slug of the crate's name.
    const ID: &'static str;
    /// Name in people's words.
    const NAME: &'static str;
    /// Shelf.
    const CATEGORY: Category;
    /// What the vendor calls a customer: singular and plural.
    const ENTITY: (&'static str, &'static str);
    /// What the entity is, across vendors: two connectors of one kind may fill the same entity
    /// ("microsoft_tenant").
    const ENTITY_KIND: &'static str;
    /// The vendor's own page on API access.
    const DOCS: &'static str;
    /// Help for whoever connects it: the crate's README.
    const README: &'static str;
    /// Where its entities are mapped.
    const MAPPED_BY: MappedBy = MappedBy::Dialog;
    /// Whether its entities are imported from what was last synced, because they are too many or too slow
    /// to be asked for while somebody waits.
    const IMPORTED_FROM_SYNC: bool = false;
    /// What the code has been held against.
    const EVIDENCE: Evidence = Evidence::Documentation;
    /// Credentials and settings of one connection.
    type Credentials: CredentialsForm;

    /// Builds the connector. No I/O: credentials are tried by [`Connector::check`].
    fn connect(credentials: Self::Credentials, transport: Arc<dyn Transport>) -> Self;
}

/// What a connection test found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    /// Account at the vendor in people's words, where it says so.
    pub account: Option<String>,
    /// What will not work, and which right to grant at the vendor for it.
    pub warnings: Vec<String>,
}

/// Where a listing goes on: opaque outside the connector, at most 8 KiB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// Wraps the connector's own text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The connector's own text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether one listing covers the connection, or each entity has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// One listing for all; each record names its entity.
    Connection,
    /// One listing for each entity; records do not name it.
    Entity,
}

/// Which page is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Position<'a> {
    /// Vendor id of the entity; set exactly when the reach is [`Reach::Entity`].
    pub entity: Option<&'a str>,
    /// Where to go on; `None` is the first page.
    pub cursor: Option<&'a Cursor>,
    /// For the first page: the mark that the last complete listing left, to hear only of changes.
    pub since: Option<&'a str>,
}

/// One page of a listing, not yet read.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The records' raw JSON, each a slice of the response.
    pub records: Vec<Bytes>,
    /// Vendor ids that the vendor itself says are gone (change feeds).
    pub removed: Vec<String>,
    /// The next page; `None` ends the listing.
    pub next: Option<Cursor>,
    /// How many records the whole listing has, where the vendor says so.
    pub total: Option<u64>,
    /// On the last page: the mark from which the next listing can hear only of changes.
    pub mark: Option<String>,
    /// Whether the listing holds changes only: absence means nothing then.
    pub changes_only: bool,
}

/// One record, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Item<T> {
    /// The vendor's id, stable and unique within connection and kind (within the entity when the
    /// reach is [`Reach::Entity`]).
    pub id: String,
    /// Vendor id of the entity it belongs to; `None` for entities and when the reach is
    /// [`Reach::Entity`].
    pub entity: Option<String>,
    /// The record.
    pub record: T,
}

/// Lists one kind of record.
#[async_trait]
pub trait Pull<T: RecordType>: Send + Sync {
    /// Whether one listing covers the connection.
    fn reach(&self) -> Reach {
        Reach::Connection
    }

    /// Whether [`Page::mark`] is offered.
    fn incremental(&self) -> bool {
        false
    }

    /// Fetches one page, raw. [`Kind::Expired`] means: the cursor or mark is forgotten, list anew.
    async fn page(&self, at: Position<'_>) -> Result<Page>;

    /// Reads one raw record. Pure: stored raw records can be read again years later. The error is
    /// one sentence without the record's content.
    fn read(&self, raw: &[u8]) -> Result<Item<T>, String>;
}

macro_rules! accessors {
    (
        listings { $($accessor:ident: $type:ident),+ $(,)? }
        actions { $($action:ident: $trait:ident = $what:literal),+ $(,)? }
    ) => {
        /// A connector. An accessor answers `Some(self)` where the trait is implemented; the default
        /// is `None`, so there is no flag to keep true.
        #[async_trait]
        pub trait Connector: Send + Sync {
            /// Tries the credentials: one cheap, harmless request or two.
            async fn check(&self) -> Result<Checked>;

            $(
                #[doc = concat!("Listing of [`", stringify!($type), "`] records.")]
                fn $accessor(&self) -> Option<&dyn Pull<$type>> {
                    None
                }
            )+

            $(
                #[doc = concat!($what, ": see [`", stringify!($trait), "`].")]
                fn $action(&self) -> Option<&dyn $trait> {
                    None
                }
            )+

            /// Consent at the vendor's own page: see [`Consent`]. Its credentials have a field for the grant; `None`
            /// where what was entered does without.
            fn consent(&self) -> Option<&dyn Consent> {
                None
            }

            /// Entities that an administrator of their own lets in: see [`Admission`].
            fn admission(&self) -> Option<&dyn Admission> {
                None
            }

            /// The names of everything it can do besides listing, in a settled order.
            fn actions(&self) -> Vec<&'static str> {
                let mut names = Vec::new();
                $( if self.$action().is_some() { names.push(stringify!($action)); } )+
                names
            }

            /// Every listing it offers, in sync order.
            fn listings(&self) -> Vec<Box<dyn Listing + '_>> {
                let mut listings: Vec<Box<dyn Listing + '_>> = Vec::new();
                $( if let Some(pull) = self.$accessor() { listings.push(Box::new(Erased(pull))); } )+
                listings
            }
        }
    };
}

// One line for each kind of record, in sync order; then one for each thing that can be done.
accessors! {
    listings {
        entities: Entity,
        locations: Location,
        contacts: Contact,
        devices: Device,
        management_servers: ManagementServer,
        directory_users: DirectoryUser,
        sign_in_methods: SignInMethods,
        admin_roles: AdminRole,
        licences: Licence,
        secure_scores: SecureScore,
        domains: Domain,
        hostings: Hosting,
        threats: Threat,
        alerts: Alert,
        backups: Backup,
        tickets: Ticket,
        jobs: Job,
        documents: Document,
        subscriptions: Subscription,
        invoices: Invoice,
        repeating_invoices: RepeatingInvoice,
        phone_systems: PhoneSystem,
        extensions: Extension,
        mail_usages: MailUsage,
        mail_senders: MailSender,
    }
    actions {
        subscription_quantity: SetQuantity = "Change of a subscription's quantity",
        threat_actions: ActOnThreats = "Actions on threats",
        company_writes: WriteCompanies = "Companies made and changed",
        contact_writes: WriteContacts = "Contacts made, changed and removed",
        ticket_writes: WriteTickets = "Tickets made and changed",
        installer_links: MakeInstallers = "Links to agent installers",
        custom_fields: CustomFields = "Custom fields of a place",
        document_archive: ArchiveDocuments = "Documents archived and restored",
        templates: ReadTemplates = "Templates, read live",
        webhooks: HearWebhooks = "Webhooks received",
        mail_sending: SendMail = "Mail sent",
    }
}

/// A [`Pull`] whose record type is forgotten: what the sync engine walks.
#[async_trait]
pub trait Listing: Send + Sync {
    /// Kind of its records.
    fn kind(&self) -> RecordKind;
    /// See [`Pull::reach`].
    fn reach(&self) -> Reach;
    /// See [`Pull::incremental`].
    fn incremental(&self) -> bool;
    /// See [`Pull::page`].
    async fn page(&self, at: Position<'_>) -> Result<Page>;
    /// See [`Pull::read`].
    fn read(&self, raw: &[u8]) -> Result<ReadRecord, String>;
}

/// A record read by a [`Listing`].
#[derive(Clone, Debug)]
pub struct ReadRecord {
    /// Vendor's id.
    pub id: String,
    /// Vendor id of its entity.
    pub entity: Option<String>,
    /// What a person calls it.
    pub title: String,
    /// The record as JSON, to be stored.
    pub body: String,
    /// See [`RecordType::fingerprint`].
    pub fingerprint: Vec<u8>,
}

struct Erased<'a, T>(&'a dyn Pull<T>);

#[async_trait]
impl<T: RecordType> Listing for Erased<'_, T> {
    fn kind(&self) -> RecordKind {
        T::KIND
    }
    fn reach(&self) -> Reach {
        self.0.reach()
    }
    fn incremental(&self) -> bool {
        self.0.incremental()
    }
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.0.page(at).await
    }
    fn read(&self, raw: &[u8]) -> Result<ReadRecord, String> {
        let item = self.0.read(raw)?;
        Ok(ReadRecord {
            title: item.record.title(),
            body: serde_json::to_string(&item.record).map_err(|why| why.to_string())?,
            fingerprint: item.record.fingerprint(),
            id: item.id,
            entity: item.entity,
        })
    }
}

/// One thing a connector can do, for the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// "device", "subscription_quantity" …
    pub name: &'static str,
    /// Whether it changes something at the vendor.
    pub writes: bool,
    /// Whether it can hear only of changes.
    pub incremental: bool,
}

/// Credentials as an object of texts.
type Values = Map<String, Value>;
type Build = fn(&Values, Arc<dyn Transport>) -> Result<Box<dyn Connector>, Vec<FieldError>>;
type Normalise = fn(&Values) -> Result<Values, Vec<FieldError>>;

/// A vendor as the registry lists it.
#[derive(Clone, Copy)]
pub struct Entry {
    /// See [`Vendor::ID`].
    pub id: &'static str,
    /// See [`Vendor::NAME`].
    pub name: &'static str,
    /// See [`Vendor::CATEGORY`].
    pub category: Category,
    /// See [`Vendor::ENTITY`].
    pub entity: (&'static str, &'static str),
    /// See [`Vendor::ENTITY_KIND`].
    pub entity_kind: &'static str,
    /// See [`Vendor::DOCS`].
    pub docs: &'static str,
    /// See [`Vendor::README`].
    pub readme: &'static str,
    /// See [`Vendor::MAPPED_BY`].
    pub mapped_by: MappedBy,
    /// See [`Vendor::IMPORTED_FROM_SYNC`].
    pub imported_from_sync: bool,
    /// See [`Vendor::EVIDENCE`].
    pub evidence: Evidence,
    fields: fn() -> Vec<FieldSpec>,
    normalise: Normalise,
    build: Build,
    example: fn() -> Map<String, Value>,
}

impl Entry {
    /// The entry of a vendor.
    pub const fn of<V: Vendor>() -> Self {
        Self {
            id: V::ID,
            name: V::NAME,
            category: V::CATEGORY,
            entity: V::ENTITY,
            entity_kind: V::ENTITY_KIND,
            docs: V::DOCS,
            readme: V::README,
            mapped_by: V::MAPPED_BY,
            imported_from_sync: V::IMPORTED_FROM_SYNC,
            evidence: V::EVIDENCE,
            fields: V::Credentials::fields,
            normalise: |values| V::Credentials::parse(values).map(|parsed| parsed.store()),
            build: |values, transport| {
                V::Credentials::parse(values)
                    .map(|parsed| Box::new(V::connect(parsed, transport)) as Box<dyn Connector>)
            },
            example: V::Credentials::example,
        }
    }

    /// The connect form.
    pub fn fields(&self) -> Vec<FieldSpec> {
        (self.fields)()
    }

    /// The field for what a person grants at the vendor's page, where the vendor asks for that.
    pub fn consent_field(&self) -> Option<&'static str> {
        self.fields().into_iter().find(|field| field.input == crate::Input::Consent).map(|field| field.name)
    }

    /// The same where these credentials want consent: a vendor may have another way to connect as well, and its
    /// connector then has no [`Connector::consent`]. Credentials that do not parse are taken to want it.
    pub fn consent_wanted(&self, values: &Map<String, Value>) -> Option<&'static str> {
        let field = self.consent_field()?;
        let without = self.connect(values, Arc::new(Refusing)).is_ok_and(|connector| connector.consent().is_none());
        (!without).then_some(field)
    }

    /// Whether an entity's own administrator can let us in.
    pub fn admits(&self) -> bool {
        self.connect(&self.example(), Arc::new(Refusing)).is_ok_and(|connector| connector.admission().is_some())
    }

    /// Checks entered credentials and returns them as they are to be sealed. Every mistake is named.
    pub fn normalise(&self, values: &Map<String, Value>) -> Result<Map<String, Value>, Vec<FieldError>> {
        (self.normalise)(values)
    }

    /// Builds the connector. No I/O.
    pub fn connect(
        &self,
        values: &Map<String, Value>,
        transport: Arc<dyn Transport>,
    ) -> Result<Box<dyn Connector>, Vec<FieldError>> {
        (self.build)(values, transport)
    }

    /// Credentials that parse; they open nothing.
    pub fn example(&self) -> Map<String, Value> {
        (self.example)()
    }

    /// What the connector can do: asked of one built from the example credentials over a transport
    /// that refuses to send.
    pub fn capabilities(&self) -> Vec<Capability> {
        let Ok(connector) = self.connect(&self.example(), Arc::new(Refusing)) else {
            return Vec::new();
        };
        let mut found: Vec<Capability> = connector
            .listings()
            .iter()
            .map(|l| Capability { name: l.kind().as_str(), writes: false, incremental: l.incremental() })
            .collect();
        let reads = ["templates", "webhooks"];
        found.extend(connector.actions().into_iter().map(|name| Capability {
            name,
            writes: !reads.contains(&name),
            incremental: false,
        }));
        found
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({})", self.id)
    }
}

/// Refuses to send: capabilities are found without I/O.
struct Refusing;

#[async_trait]
impl Transport for Refusing {
    async fn send(&self, _: Request) -> Result<Response> {
        Err(Error::new(Kind::Unavailable, "this transport sends nothing"))
    }
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }
}
