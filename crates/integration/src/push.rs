//! What a connector can change at its vendor: one trait for each thing, each an accessor of
//! [`crate::Connector`].
//!
//! A write is sent once. A request whose repetition would act twice is not marked as idempotent, so
//! no layer repeats it; after [`crate::Kind::Unavailable`] the outcome is unknown until the thing is
//! fetched again. Where a write answers raw bytes, they are what the listing of the same kind reads.

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Error, Exact, Kind, Result, Subscription, Threat};

/// Changes the quantity of a subscription.
#[async_trait]
pub trait SetQuantity: Send + Sync {
    /// Says why the vendor would refuse, as far as that can be known without asking.
    fn refusal(&self, subscription: &Subscription, to: Exact, now: DateTime<Utc>) -> Option<String>;

    /// Changes it and returns the vendor's raw record afterwards. Not to be repeated blindly: after
    /// [`crate::Kind::Unavailable`] the outcome is unknown until the subscription is read again.
    async fn set_quantity(&self, subscription_id: &str, to: Exact) -> Result<Bytes>;

    /// Reads the subscription as the vendor has it now, raw.
    async fn fetch(&self, subscription_id: &str) -> Result<Bytes>;
}

/// One of several things to choose from: what the vendor calls it and how a request names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// As a write names it.
    pub id: String,
    /// As people read it.
    pub label: String,
}

/// Acts on a detected threat.
#[async_trait]
pub trait ActOnThreats: Send + Sync {
    /// The actions there are: `id` is given to [`Self::act`].
    fn actions(&self) -> Vec<Choice>;

    /// Says why the vendor would refuse, as far as that can be known without asking.
    fn refusal(&self, threat: &Threat, action: &str) -> Option<String>;

    /// Does it to a threat of an entity. The vendor may take its time: what came of it shows in a later read.
    async fn act(&self, entity_id: &str, threat_id: &str, action: &str) -> Result<()>;

    /// Reads the threat as the vendor has it now, raw. A vendor that lists open ones only says
    /// [`crate::Kind::NotFound`] of one that is settled.
    async fn fetch(&self, entity_id: &str, threat_id: &str) -> Result<Bytes>;
}

/// What a company is to be; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct CompanyDraft {
    pub name: Option<String>,
    pub phone: Option<String>,
    pub website: Option<String>,
    pub street: Option<String>,
    pub city: Option<String>,
    pub region: Option<String>,
    pub post_code: Option<String>,
    /// ISO 3166 code of two letters.
    pub country: Option<String>,
    pub active: Option<bool>,
}

/// Makes and changes what the vendor calls a customer.
#[async_trait]
pub trait WriteCompanies: Send + Sync {
    /// Makes one; a name is required. Answers the raw entity.
    async fn create(&self, draft: &CompanyDraft) -> Result<Bytes>;

    /// Changes one. Answers the raw entity.
    async fn update(&self, entity_id: &str, draft: &CompanyDraft) -> Result<Bytes>;

    /// Whether the listing tells all that can be changed. Where it does not, one company is read at a time.
    fn listed_whole(&self) -> bool {
        true
    }

    /// Reads one as the vendor has it now, raw.
    async fn fetch(&self, entity_id: &str) -> Result<Bytes>;
}

/// What a contact is to be; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ContactDraft {
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub mobile: Option<String>,
    pub job_title: Option<String>,
    /// The vendor's id of the place where they work.
    pub location_id: Option<String>,
    pub active: Option<bool>,
}

/// Makes, changes and removes contacts.
#[async_trait]
pub trait WriteContacts: Send + Sync {
    /// Makes one under an entity. Answers the raw contact.
    async fn create(&self, entity_id: &str, draft: &ContactDraft) -> Result<Bytes>;

    /// Changes one. Answers the raw contact.
    async fn update(&self, entity_id: &str, contact_id: &str, draft: &ContactDraft) -> Result<Bytes>;

    /// Whether the vendor lets contacts be removed by its API.
    fn removable(&self) -> bool {
        false
    }

    /// Removes one; where the vendor has no such thing, [`crate::Kind::Refused`].
    async fn remove(&self, entity_id: &str, contact_id: &str) -> Result<()>;

    /// Reads one as the vendor has it now, raw.
    async fn fetch(&self, entity_id: &str, contact_id: &str) -> Result<Bytes>;
}

/// What a ticket is to be; `None` leaves a field as it is, or to the vendor's default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TicketDraft {
    /// One line for people.
    pub title: Option<String>,
    /// First description; vendors that keep it as a note ignore it in a change.
    pub description: Option<String>,
    /// A [`TicketChoices::statuses`] id.
    pub status_id: Option<String>,
    /// A [`TicketChoices::priorities`] id.
    pub priority_id: Option<String>,
    /// A [`TicketChoices::queues`] id.
    pub queue_id: Option<String>,
    /// The vendor's id of the contact who asks.
    pub contact_id: Option<String>,
}

/// A note on a ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketNote {
    /// The text.
    pub text: String,
    /// Whether the client may see it.
    pub public: bool,
}

/// A note as the vendor has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptNote {
    /// The vendor's id of it, unique for the ticket.
    pub id: String,
    /// The text, as written.
    pub text: String,
    /// Whether the client may see it.
    pub public: bool,
    /// Who wrote it.
    pub author: Option<String>,
    /// When.
    pub at: Option<DateTime<Utc>>,
}

/// A file that is to be attached to a ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketFile {
    /// Its name, with the extension.
    pub name: String,
    /// What it is listed as at the vendor.
    pub title: String,
    /// Media type.
    pub media_type: String,
    /// Whether the client may see it.
    pub public: bool,
    /// What is in it.
    pub content: Bytes,
}

/// What tickets can be set to at this vendor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketChoices {
    /// States.
    pub statuses: Vec<Choice>,
    /// Priorities.
    pub priorities: Vec<Choice>,
    /// Boards, queues or teams.
    pub queues: Vec<Choice>,
}

/// Makes and changes tickets.
#[async_trait]
pub trait WriteTickets: Send + Sync {
    /// What there is to choose from, asked of the vendor. `queue` narrows it where states belong to a
    /// board.
    async fn choices(&self, queue: Option<&str>) -> Result<TicketChoices>;

    /// Makes one for an entity; a title is required. Answers the raw ticket.
    async fn create(&self, entity_id: &str, draft: &TicketDraft) -> Result<Bytes>;

    /// Changes one. Answers the raw ticket.
    async fn update(&self, ticket_id: &str, draft: &TicketDraft) -> Result<Bytes>;

    /// Adds a note.
    async fn add_note(&self, ticket_id: &str, note: &TicketNote) -> Result<()>;

    /// The notes of a ticket, the oldest first, ours among them; `None` where the connector cannot read them.
    async fn notes(&self, _ticket_id: &str) -> Result<Option<Vec<KeptNote>>> {
        Ok(None)
    }

    /// The most bytes of a file that can be attached; `None` where the vendor takes none, or the connector gives none.
    fn takes_files(&self) -> Option<u64> {
        None
    }

    /// Attaches a file. Not to be repeated blindly; [`Self::attached`] tells whether it is there.
    async fn attach(&self, _ticket_id: &str, _file: &TicketFile) -> Result<()> {
        Err(Error::new(Kind::Refused, "files cannot be attached to tickets of this vendor"))
    }

    /// As what the files of a ticket are listed; `None` where the connector cannot read that.
    async fn attached(&self, _ticket_id: &str) -> Result<Option<Vec<String>>> {
        Ok(None)
    }

    /// Reads one as the vendor has it now, raw.
    async fn fetch(&self, ticket_id: &str) -> Result<Bytes>;
}

/// Where an agent's installer can be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installer {
    /// The address: it enrols whoever runs it, so it is shown and never stored.
    pub url: String,
    /// When it ends, where the vendor says so.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Makes links to agent installers.
#[async_trait]
pub trait MakeInstallers: Send + Sync {
    /// The kinds of installer there are.
    fn platforms(&self) -> Vec<Choice>;

    /// The installer for a place of an entity (the entity's first place where `None`).
    async fn installer(&self, entity_id: &str, location_id: Option<&str>, platform: &str) -> Result<Installer>;
}

/// A field that the MSP added to the vendor's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomField {
    /// As a write names it.
    pub name: String,
    /// As people read it.
    pub label: String,
    /// The vendor's word for its type ("TEXT", "CHECKBOX").
    pub class: Option<String>,
    /// Its value as text; `None` where it is empty or secret.
    pub value: Option<String>,
    /// Whether it may be changed.
    pub editable: bool,
}

/// Reads and changes the custom fields of a place.
#[async_trait]
pub trait CustomFields: Send + Sync {
    /// The fields of a place of an entity, with their values.
    async fn fields(&self, entity_id: &str, location_id: &str) -> Result<Vec<CustomField>>;

    /// Sets some of them; `None` empties one.
    async fn set_fields(&self, entity_id: &str, location_id: &str, values: &[(String, Option<String>)]) -> Result<()>;
}

/// Archives and restores documents.
#[async_trait]
pub trait ArchiveDocuments: Send + Sync {
    /// Archives one, or brings it back.
    async fn set_archived(&self, entity_id: &str, document_id: &str, archived: bool) -> Result<()>;
}

/// A shelf of things that the vendor keeps for the whole account: templates, roles, tabs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The vendor's id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Description as written.
    pub description: Option<String>,
    /// Its parts in people's words: fields of a document template, tasks of a checklist.
    pub parts: Vec<String>,
}

/// Reads templates, live.
#[async_trait]
pub trait ReadTemplates: Send + Sync {
    /// The shelves there are ("node_roles", "checklist_templates").
    fn shelves(&self) -> Vec<Choice>;

    /// What stands on one.
    async fn templates(&self, shelf: &str) -> Result<Vec<Template>>;
}

/// A webhook as it came in.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Query of the address, decoded.
    pub query: Vec<(String, String)>,
    /// The body, byte for byte as signed.
    pub body: Bytes,
    /// When it came.
    pub received_at: DateTime<Utc>,
}

impl Delivery {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What a webhook says happened: enough to read the thing again, never a source of data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The vendor's own id of the delivery, or a digest of it: the same delivery twice is heard once.
    pub delivery_id: String,
    /// What is to be read again.
    pub kind: crate::RecordKind,
    /// The vendor's id of the record, where it is named.
    pub id: Option<String>,
}

/// Receives webhooks.
#[async_trait]
pub trait HearWebhooks: Send + Sync {
    /// Checks the signature over the body as it came, and says what happened. `secret` is the one that
    /// was agreed with the vendor for this connection. [`crate::Kind::Credentials`] means: not signed by
    /// the vendor. Without I/O, unless the vendor's scheme needs a key fetched.
    async fn hear(&self, delivery: &Delivery, secret: &crate::Secret) -> Result<Vec<Heard>>;

    /// The address to enter at the vendor: ours, with the secret in it where the vendor carries it there.
    fn address(&self, ours: &str, _secret: &crate::Secret) -> String {
        ours.to_owned()
    }

    /// Whether the vendor's proof covers the body. Where it is only an agreed secret in a header, a changed
    /// body cannot be told from the vendor's own: one more reason to take no data from it.
    fn covers_body(&self) -> bool {
        true
    }
}

/// A message to send.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailDraft {
    /// Who sends: `Name <address>` or an address; the vendor must know it as verified.
    pub from: String,
    /// Who gets it: addresses, at least one.
    pub to: Vec<String>,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// One line.
    pub subject: String,
    /// The text as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// Our own id of it, which goes along as a header: by it [`SendMail::find_mail`] finds the message again.
    pub reference: Option<String>,
}

/// A message that the vendor took.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMail {
    /// The vendor's id of it.
    pub id: Option<String>,
    /// Addresses that it refused, each with the reason in its words; the others are on their way.
    pub refused: Vec<String>,
}

/// Sends mail.
#[async_trait]
pub trait SendMail: Send + Sync {
    /// Hands over one message. Nobody taken is an error; some refused is not.
    async fn send_mail(&self, mail: &MailDraft) -> Result<SentMail>;

    /// Looks for a message that was sent with a reference, since an instant, after an answer was lost: what became
    /// of it, or `None` where the vendor knows of none. A vendor may take seconds until it does. A draft without a
    /// reference is [`crate::Kind::Refused`].
    async fn find_mail(&self, mail: &MailDraft, since: DateTime<Utc>) -> Result<Option<SentMail>>;
}
