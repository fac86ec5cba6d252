//! What else vendors told us of a client: contacts, tickets, jobs, documents, threats, alerts, backups and
//! invoices. Each is one list, by title, with its age.
//!
//! **Another kind**: its view, one line of [`record_list!`] (`stored.rs`), and its name in `server.rs`. Where something can be done
//! with it too, its list stands with that (`tickets.rs`, `contacts.rs`): a path has its operations in one place.

use chrono::{DateTime, NaiveDate, Utc};
use poem_openapi::{Enum, Object};

use super::{
    stored::{record_list, view},
    subscriptions::{Money, money},
};

/// How bad it is
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum Severity {
    /// For information
    Info,
    /// Low
    Low,
    /// Medium
    Medium,
    /// High
    High,
    /// Critical
    Critical,
}

impl From<integration::Severity> for Severity {
    fn from(severity: integration::Severity) -> Self {
        match severity {
            integration::Severity::Info => Self::Info,
            integration::Severity::Low => Self::Low,
            integration::Severity::Medium => Self::Medium,
            integration::Severity::High => Self::High,
            integration::Severity::Critical => Self::Critical,
        }
    }
}

/// How a backup stands
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum BackupState {
    /// Recent and complete
    Healthy,
    /// Late or incomplete
    AtRisk,
    /// Failing, or never done
    Failed,
}

impl From<integration::BackupState> for BackupState {
    fn from(state: integration::BackupState) -> Self {
        match state {
            integration::BackupState::Healthy => Self::Healthy,
            integration::BackupState::AtRisk => Self::AtRisk,
            integration::BackupState::Failed => Self::Failed,
        }
    }
}

/// A field of a document.
#[derive(Debug, Clone, Object)]
pub struct DocumentField {
    /// Name
    pub name: String,
    /// Value as text
    pub value: String,
}

view! {
    /// Something a security product detected.
    Threat {
        /// What was found
        title: String = |b| b.title.clone(),
        /// How bad it is; absent where the vendor gives nothing to judge by
        severity: Option<Severity> = |b| b.severity.map(Into::into),
        /// The vendor's own word for that
        severity_word: Option<String> = |b| b.severity_word.clone(),
        /// Whether it still wants attention; absent while unknown
        active: Option<bool> = |b| b.active,
        /// The vendor's own word for its state
        status: Option<String> = |b| b.status.clone(),
        /// The vendor's class
        category: Option<String> = |b| b.category.clone(),
        /// The analyst's verdict in the vendor's words
        verdict: Option<String> = |b| b.verdict.clone(),
        /// What has been done, in the vendor's words
        action: Option<String> = |b| b.action.clone(),
        /// The vendor's id of the machine
        device_id: Option<String> = |b| b.device_id.clone(),
        /// The machine's name
        device_name: Option<String> = |b| b.device_name.clone(),
        /// Account in use at the time
        user: Option<String> = |b| b.user.clone(),
        /// Path of the file
        path: Option<String> = |b| b.path.clone(),
        /// When it was detected
        detected_at: Option<DateTime<Utc>> = |b| b.detected_at,
        /// When it was settled
        resolved_at: Option<DateTime<Utc>> = |b| b.resolved_at,
        /// The vendor's page of it
        url: Option<String> = |b| b.url.clone(),
    }
}

view! {
    /// A condition that a monitoring product raised.
    Alert {
        /// One line
        title: String = |b| b.title.clone(),
        /// More, as written
        description: Option<String> = |b| b.description.clone(),
        /// How bad it is; absent where the vendor gives nothing to judge by
        severity: Option<Severity> = |b| b.severity.map(Into::into),
        /// The vendor's own word for that
        severity_word: Option<String> = |b| b.severity_word.clone(),
        /// Whether the condition still holds; absent while unknown
        active: Option<bool> = |b| b.active,
        /// The vendor's class
        category: Option<String> = |b| b.category.clone(),
        /// The vendor's id of the machine
        device_id: Option<String> = |b| b.device_id.clone(),
        /// The machine's name
        device_name: Option<String> = |b| b.device_name.clone(),
        /// When it was raised
        raised_at: Option<DateTime<Utc>> = |b| b.raised_at,
        /// When it ended
        resolved_at: Option<DateTime<Utc>> = |b| b.resolved_at,
        /// The vendor's page of it
        url: Option<String> = |b| b.url.clone(),
    }
}

view! {
    /// One thing that is backed up.
    Backup {
        /// Name
        name: String = |b| b.name.clone(),
        /// What it is, in the vendor's words
        class: Option<String> = |b| b.class.clone(),
        /// How it stands; absent while unknown
        state: Option<BackupState> = |b| b.state.map(Into::into),
        /// The vendor's own word for its state
        status: Option<String> = |b| b.status.clone(),
        /// Last backup that succeeded
        last_success_at: Option<DateTime<Utc>> = |b| b.last_success_at,
        /// Last backup that was tried
        last_attempt_at: Option<DateTime<Utc>> = |b| b.last_attempt_at,
        /// Bytes held
        bytes: Option<u64> = |b| b.bytes,
        /// Seats billed for it
        seats: Option<i64> = |b| b.seats,
        /// The vendor's id of the machine, where it is one
        device_id: Option<String> = |b| b.device_id.clone(),
    }
}

view! {
    /// A person of the client whom the MSP talks to, as one vendor knows them.
    Contact {
        /// Name
        name: String = |b| b.name.clone(),
        /// Given name
        given_name: Option<String> = |b| b.given_name.clone(),
        /// Family name
        family_name: Option<String> = |b| b.family_name.clone(),
        /// E-mail
        email: Option<String> = |b| b.email.clone(),
        /// Telephone
        phone: Option<String> = |b| b.phone.clone(),
        /// Mobile telephone
        mobile: Option<String> = |b| b.mobile.clone(),
        /// Job title
        job_title: Option<String> = |b| b.job_title.clone(),
        /// Whether this is the main contact; absent while unknown
        primary: Option<bool> = |b| b.primary,
        /// Whether they are in use at the vendor; absent while unknown
        active: Option<bool> = |b| b.active,
    }
}

view! {
    /// A ticket of a service desk.
    Ticket {
        /// Number shown to people
        number: Option<String> = |b| b.number.clone(),
        /// One line
        title: String = |b| b.title.clone(),
        /// First description
        description: Option<String> = |b| b.description.clone(),
        /// State in the vendor's words
        status: Option<String> = |b| b.status.clone(),
        /// The vendor's id of that state
        status_id: Option<String> = |b| b.status_id.clone(),
        /// Whether it still wants work; absent while unknown
        open: Option<bool> = |b| b.open,
        /// Priority in the vendor's words
        priority: Option<String> = |b| b.priority.clone(),
        /// The vendor's id of that priority
        priority_id: Option<String> = |b| b.priority_id.clone(),
        /// Board, queue or team
        queue: Option<String> = |b| b.queue.clone(),
        /// Kind in the vendor's words
        category: Option<String> = |b| b.category.clone(),
        /// Who asked
        contact_name: Option<String> = |b| b.contact_name.clone(),
        /// Address of who asked
        contact_email: Option<String> = |b| b.contact_email.clone(),
        /// Who works on it
        assignee: Option<String> = |b| b.assignee.clone(),
        /// When it was made
        created_at: Option<DateTime<Utc>> = |b| b.created_at,
        /// Last change at the vendor
        updated_at: Option<DateTime<Utc>> = |b| b.updated_at,
        /// When it is due
        due_at: Option<DateTime<Utc>> = |b| b.due_at,
        /// When it was closed
        closed_at: Option<DateTime<Utc>> = |b| b.closed_at,
        /// The vendor's page of it
        url: Option<String> = |b| b.url.clone(),
    }
}

view! {
    /// A piece of planned work.
    Job {
        /// Number shown to people
        number: Option<String> = |b| b.number.clone(),
        /// Name
        name: String = |b| b.name.clone(),
        /// Description
        description: Option<String> = |b| b.description.clone(),
        /// State in the vendor's words
        status: Option<String> = |b| b.status.clone(),
        /// Whether it still wants work; absent while unknown
        open: Option<bool> = |b| b.open,
        /// Who runs it
        manager: Option<String> = |b| b.manager.clone(),
        /// Planned start
        starts_on: Option<NaiveDate> = |b| b.starts_on,
        /// Day it is due
        due_on: Option<NaiveDate> = |b| b.due_on,
        /// Day it was completed
        completed_on: Option<NaiveDate> = |b| b.completed_on,
        /// Budget
        budget: Option<Money> = |b| b.budget.clone().map(money),
        /// The vendor's page of it
        url: Option<String> = |b| b.url.clone(),
    }
}

view! {
    /// A document that a vendor keeps of the client.
    Document {
        /// Title
        title: String = |b| b.title.clone(),
        /// Name of its template
        template: Option<String> = |b| b.template.clone(),
        /// Description
        description: Option<String> = |b| b.description.clone(),
        /// Its fields, without secret ones
        fields: Vec<DocumentField> = |b| fields(&b.fields),
        /// Whether it is archived at the vendor; absent while unknown
        archived: Option<bool> = |b| b.archived,
        /// Last change at the vendor
        updated_at: Option<DateTime<Utc>> = |b| b.updated_at,
    }
}

view! {
    /// An invoice to the client, or the client's part of an invoice to the MSP.
    Invoice {
        /// Number shown to people
        number: String = |b| b.number.clone(),
        /// Whether the MSP pays it, and not the client
        cost: bool = |b| b.cost,
        /// Reference or purchase order
        reference: Option<String> = |b| b.reference.clone(),
        /// State in the vendor's words
        status: Option<String> = |b| b.status.clone(),
        /// Whether it is paid in full; absent while unknown
        paid: Option<bool> = |b| b.paid,
        /// Day of issue
        issued_on: Option<NaiveDate> = |b| b.issued_on,
        /// Day it is due
        due_on: Option<NaiveDate> = |b| b.due_on,
        /// Day it was paid
        paid_on: Option<NaiveDate> = |b| b.paid_on,
        /// Sum without tax
        net: Option<Money> = |b| b.net.clone().map(money),
        /// Tax
        tax: Option<Money> = |b| b.tax.clone().map(money),
        /// Sum with tax
        gross: Option<Money> = |b| b.total.clone().map(money),
        /// What is still to be paid
        balance: Option<Money> = |b| b.balance.clone().map(money),
        /// The vendor's page of it
        url: Option<String> = |b| b.url.clone(),
    }
}

fn fields(fields: &std::collections::BTreeMap<String, String>) -> Vec<DocumentField> {
    fields.iter().map(|(name, value)| DocumentField { name: name.clone(), value: value.clone() }).collect()
}

record_list!(Threats: #[doc = "A client's threats"] client_threat_list at "/:client_id/threats" as "client_threat_list" gives Threat of "threat" for ThreatsView);
record_list!(Alerts: #[doc = "A client's alerts"] client_alert_list at "/:client_id/alerts" as "client_alert_list" gives Alert of "alert" for ThreatsView);
record_list!(Backups: #[doc = "A client's backups"] client_backup_list at "/:client_id/backups" as "client_backup_list" gives Backup of "backup" for DevicesView);
record_list!(Jobs: #[doc = "A client's jobs"] client_job_list at "/:client_id/jobs" as "client_job_list" gives Job of "job" for ServiceView);
record_list!(Documents: #[doc = "A client's documents at its vendors"] client_document_list at "/:client_id/documents" as "client_document_list" gives Document of "document" for ServiceView);
record_list!(Invoices: #[doc = "A client's invoices"] client_invoice_list at "/:client_id/invoices" as "client_invoice_list" gives Invoice of "invoice" for InvoicesView);
