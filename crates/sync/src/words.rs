//! Words for people, and stable ones for machines.

use integration::RecordKind;

/// A listing that was not plausible.
pub(crate) const HELD: &str = "held";
/// A listing that has another number of records than the vendor said.
pub(crate) const INCOMPLETE: &str = "incomplete";
/// A listing with records that could not be read.
pub(crate) const REJECTED: &str = "records_rejected";
/// A listing that lacks records while the list of entities cannot be believed either.
pub(crate) const ENTITIES_UNSURE: &str = "entities_unsure";

/// A listing that the vendor does not have for this account or entity.
pub(crate) const NOT_OFFERED: &str = "not_offered";

/// Several records of a kind.
pub(crate) fn plural(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Entity => "entities",
        RecordKind::Location => "locations",
        RecordKind::Device => "devices",
        RecordKind::DirectoryUser => "directory users",
        RecordKind::SignInMethods => "users' sign-in methods",
        RecordKind::AdminRole => "administrators' roles",
        RecordKind::Licence => "licences",
        RecordKind::SecureScore => "security scores",
        RecordKind::Domain => "domains",
        RecordKind::Subscription => "subscriptions",
        RecordKind::Contact => "contacts",
        RecordKind::Threat => "threats",
        RecordKind::Alert => "alerts",
        RecordKind::Backup => "backups",
        RecordKind::Ticket => "tickets",
        RecordKind::Job => "jobs",
        RecordKind::Document => "documents",
        RecordKind::Invoice => "invoices",
        RecordKind::RepeatingInvoice => "repeating invoices",
        RecordKind::ManagementServer => "management servers",
        RecordKind::Hosting => "hosting services",
        RecordKind::PhoneSystem => "phone systems",
        RecordKind::Extension => "extensions",
        RecordKind::MailUsage => "mail usage",
        RecordKind::MailSender => "mail senders",
    }
}
