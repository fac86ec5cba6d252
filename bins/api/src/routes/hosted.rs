//! What providers keep for a client: domains, hosting, telephony, mail relays, management of devices, and what is
//! billed again and again. Each is one list, as in `records.rs`.

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    stored::{record_list, view},
    subscriptions::{Money, money},
};

view! {
    /// A DNS domain.
    Domain {
        /// Name
        name: String = |b| b.name.clone(),
        /// Whether ownership is proven to the vendor; absent while unknown
        verified: Option<bool> = |b| b.verified,
        /// The vendor's own word for its state
        status: Option<String> = |b| b.status.clone(),
        /// Day it was registered
        registered_on: Option<NaiveDate> = |b| b.registered_on,
        /// Day it expires unless it is renewed
        expires_on: Option<NaiveDate> = |b| b.expires_on,
        /// Whether it is renewed by itself; absent while unknown
        auto_renew: Option<bool> = |b| b.auto_renew,
        /// Name servers
        name_servers: Vec<String> = |b| b.name_servers.clone(),
        /// Whether its MX records are as they should be; absent while unknown
        mx: Option<bool> = |b| b.mx,
        /// Whether its SPF record is as it should be; absent while unknown
        spf: Option<bool> = |b| b.spf,
        /// Whether its DKIM records are as they should be; absent while unknown
        dkim: Option<bool> = |b| b.dkim,
        /// Whether its DMARC record is as it should be; absent while unknown
        dmarc: Option<bool> = |b| b.dmarc,
        /// Whether the record for returned mail is as it should be; absent while unknown
        return_path: Option<bool> = |b| b.return_path,
        /// Whether its zone is signed; absent while unknown
        dnssec: Option<bool> = |b| b.dnssec,
        /// What is wrong with it, in the vendor's words
        problems: Vec<String> = |b| b.problems.clone(),
        /// What it is used for, in the vendor's words
        services: Vec<String> = |b| b.services.clone(),
    }
}

view! {
    /// Web or mail hosting.
    Hosting {
        /// Its domain
        name: String = |b| b.name.clone(),
        /// Plan in the vendor's words
        plan: Option<String> = |b| b.plan.clone(),
        /// The vendor's own word for its state
        status: Option<String> = |b| b.status.clone(),
        /// Server it runs on
        server: Option<String> = |b| b.server.clone(),
        /// The vendor's word for the term of billing
        billing_term: Option<String> = |b| b.billing_term.clone(),
        /// Day it is renewed
        renews_on: Option<NaiveDate> = |b| b.renews_on,
        /// Disk in use, in bytes
        disk_used: Option<u64> = |b| b.disk_used,
        /// Disk that it may use, in bytes
        disk_limit: Option<u64> = |b| b.disk_limit,
    }
}

view! {
    /// A template from which the vendor makes invoices at set times.
    RepeatingInvoice {
        /// What people know it by
        name: String = |b| b.name.clone(),
        /// The vendor's own word for its state
        status: Option<String> = |b| b.status.clone(),
        /// How often, in words
        schedule: Option<String> = |b| b.schedule.clone(),
        /// Day of the next invoice
        next_on: Option<NaiveDate> = |b| b.next_on,
        /// First day
        starts_on: Option<NaiveDate> = |b| b.starts_on,
        /// Last day
        ends_on: Option<NaiveDate> = |b| b.ends_on,
        /// Sum without tax
        net: Option<Money> = |b| b.net.clone().map(money),
        /// Tax
        tax: Option<Money> = |b| b.tax.clone().map(money),
        /// Sum with tax
        gross: Option<Money> = |b| b.total.clone().map(money),
    }
}

view! {
    /// A phone system as a whole.
    PhoneSystem {
        /// Its host name
        name: String = |b| b.name.clone(),
        /// Version
        version: Option<String> = |b| b.version.clone(),
        /// Operating system
        os: Option<String> = |b| b.os.clone(),
        /// Whether its licence is valid; absent while unknown
        licence_active: Option<bool> = |b| b.licence_active,
        /// Day its licence ends
        licence_ends_on: Option<NaiveDate> = |b| b.licence_ends_on,
        /// Calls it may carry at once
        calls_limit: Option<i64> = |b| b.calls_limit,
        /// Extensions there are
        extensions: Option<i64> = |b| b.extensions,
        /// Extensions with a phone that answers
        extensions_registered: Option<i64> = |b| b.extensions_registered,
        /// Trunks there are
        trunks: Option<i64> = |b| b.trunks,
        /// Trunks that are up
        trunks_registered: Option<i64> = |b| b.trunks_registered,
        /// Disk in use, in percent
        disk_used_percent: Option<i64> = |b| b.disk_used_percent,
        /// Whether a service that should run does not; absent while unknown
        services_stopped: Option<bool> = |b| b.services_stopped,
        /// Whether it backs itself up; absent while unknown
        backup_scheduled: Option<bool> = |b| b.backup_scheduled,
        /// Last backup of itself
        last_backup_at: Option<DateTime<Utc>> = |b| b.last_backup_at,
    }
}

view! {
    /// A number inside a phone system.
    Extension {
        /// The number as dialled
        number: String = |b| b.number.clone(),
        /// Whose it is
        name: Option<String> = |b| b.name.clone(),
        /// Their e-mail
        email: Option<String> = |b| b.email.clone(),
        /// The vendor's class
        class: Option<String> = |b| b.class.clone(),
        /// Whether it is in use; absent while unknown
        enabled: Option<bool> = |b| b.enabled,
        /// Whether a phone answers for it; absent while unknown
        registered: Option<bool> = |b| b.registered,
        /// Presence in the vendor's words
        presence: Option<String> = |b| b.presence.clone(),
        /// The number shown to those it calls
        caller_id: Option<String> = |b| b.caller_id.clone(),
        /// Calls it made in the last 30 whole days; absent while unknown
        calls_made: Option<i64> = |b| b.calls_made,
        /// Calls it answered in the last 30 whole days; absent while unknown
        calls_answered: Option<i64> = |b| b.calls_answered,
        /// Calls it missed in the last 30 whole days; absent while unknown
        calls_missed: Option<i64> = |b| b.calls_missed,
    }
}

view! {
    /// What an account of a mail relay has used.
    MailUsage {
        /// The account
        name: String = |b| b.name.clone(),
        /// Start of the plan's period
        period_starts_at: Option<DateTime<Utc>> = |b| b.period_starts_at,
        /// End of the plan's period
        period_ends_at: Option<DateTime<Utc>> = |b| b.period_ends_at,
        /// Messages sent in it
        used: Option<i64> = |b| b.used,
        /// Messages that may be sent in it
        limit: Option<i64> = |b| b.limit,
        /// Messages sent in the last 30 days; so are the counts that follow
        sent: Option<i64> = |b| b.sent,
        /// Refused for good by the other side
        hard_bounces: Option<i64> = |b| b.hard_bounces,
        /// Refused for now by the other side
        soft_bounces: Option<i64> = |b| b.soft_bounces,
        /// Called spam by who got them
        spam_complaints: Option<i64> = |b| b.spam_complaints,
        /// Followed by a wish to get no more
        unsubscribes: Option<i64> = |b| b.unsubscribes,
        /// Refused by the relay itself
        rejects: Option<i64> = |b| b.rejects,
        /// Opened
        opens: Option<i64> = |b| b.opens,
        /// Links in them followed
        clicks: Option<i64> = |b| b.clicks,
    }
}

view! {
    /// An address that may send through a mail relay.
    MailSender {
        /// The address or user name
        address: String = |b| b.address.clone(),
        /// The vendor's class of it
        class: Option<String> = |b| b.class.clone(),
        /// Whether ownership is proven to the vendor; absent while unknown
        verified: Option<bool> = |b| b.verified,
        /// Whether it may send; absent while unknown
        allowed: Option<bool> = |b| b.allowed,
        /// The vendor's own word for its state
        status: Option<String> = |b| b.status.clone(),
        /// Description
        description: Option<String> = |b| b.description.clone(),
    }
}

view! {
    /// A service that manages machines, as the vendor that assigns them to it sees it.
    ManagementServer {
        /// Name
        name: String = |b| b.name.clone(),
        /// The vendor's class of it
        class: Option<String> = |b| b.class.clone(),
        /// The vendor's own word for its state
        status: Option<String> = |b| b.status.clone(),
        /// Machines assigned to it; absent while unknown
        device_count: Option<i64> = |b| b.device_count,
        /// Classes of machine that go to it by themselves
        default_for: Vec<String> = |b| b.default_for.clone(),
    }
}

record_list!(Domains: #[doc = "A client's domains"] client_domain_list at "/:client_id/domains" as "client_domain_list" gives Domain of "domain" for DirectoryView);
record_list!(Hostings: #[doc = "A client's hosting"] client_hosting_list at "/:client_id/hostings" as "client_hosting_list" gives Hosting of "hosting" for DirectoryView);
record_list!(RepeatingInvoices: #[doc = "A client's repeating invoices"] client_repeating_invoice_list at "/:client_id/repeating-invoices" as "client_repeating_invoice_list" gives RepeatingInvoice of "repeating_invoice" for InvoicesView);
record_list!(PhoneSystems: #[doc = "A client's phone systems"] client_phone_system_list at "/:client_id/phone-systems" as "client_phone_system_list" gives PhoneSystem of "phone_system" for DevicesView);
record_list!(Extensions: #[doc = "A client's extensions"] client_extension_list at "/:client_id/extensions" as "client_extension_list" gives Extension of "extension" for DevicesView);
record_list!(MailUsages: #[doc = "What a client's mail relays have used"] client_mail_usage_list at "/:client_id/mail-usages" as "client_mail_usage_list" gives MailUsage of "mail_usage" for DevicesView);
record_list!(MailSenders: #[doc = "Who may send through a client's mail relays"] client_mail_sender_list at "/:client_id/mail-senders" as "client_mail_sender_list" gives MailSender of "mail_sender" for DevicesView);
record_list!(ManagementServers: #[doc = "The services that manage a client's machines"] client_management_server_list at "/:client_id/management-servers" as "client_management_server_list" gives ManagementServer of "management_server" for DevicesView);
