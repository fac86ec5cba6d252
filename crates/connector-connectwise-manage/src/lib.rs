//! ConnectWise Manage (ConnectWise PSA): companies, their sites, contacts, tickets and invoices, and
//! writes to companies, contacts and tickets.
//!
//! * `api.rs`: the vendor's manners. Keys, where the API stands, every error in one function.
//! * `lists.rs`: its listings. `wire.rs`: its JSON as it really is, only the fields we use.
//! * `companies.rs`, `sites.rs`, `contacts.rs`, `tickets.rs`, `invoices.rs`: one kind of record each; the
//!   writes are in `company_writes.rs`, `contact_writes.rs`, `ticket_writes.rs`.
//! * `callbacks.rs`: what ConnectWise calls callbacks, others webhooks.
//! * `simulator/` (feature `simulator`): the vendor's wire format over the shared world.
//!
//! **A new kind of record**: its struct in `wire.rs`, a file with `Pull<…>`, the accessor below, an
//! exchange in `tests/vendor/`, and its path in the simulator. `README.md` is the help that people
//! see in the connect form: keep its rights and oddities true.

mod api;
mod callbacks;
mod companies;
mod company_writes;
mod contact_writes;
mod contacts;
mod invoices;
mod lists;
#[cfg(feature = "simulator")]
mod simulator;
mod sites;
mod ticket_writes;
mod tickets;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    Category, Checked, Connector, Contact, Entity, HearWebhooks, Invoice, Kind, Location, Pull, Result, Secret, Ticket,
    Transport, Vendor, WriteCompanies, WriteContacts, WriteTickets, credentials,
};
use url::Url;

use crate::api::Api;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// What opens one ConnectWise Manage account.
    pub struct Credentials {
        /// Site
        /// The address where you sign in, such as https://na.myconnectwise.net, or that of your own server.
        site: Url,
        /// Company ID
        /// The company you enter when you sign in. It is not one of your customers.
        company_id: String,
        /// Public key
        /// From the API Keys of an API member.
        public_key: String,
        /// Private key
        /// Shown once, when the keys are made.
        private_key: Secret,
        /// Client ID
        /// The GUID of your integration, from the ConnectWise developer site.
        client_id: String,
        /// API version
        /// Leave empty. Only to hold ConnectWise to one version of its API, such as 2025.16.
        api_version: Option<String>,
    }
}

/// The connector of one ConnectWise Manage account.
pub struct ConnectwiseManage {
    api: Api,
    signing: callbacks::Signing,
}

impl Vendor for ConnectwiseManage {
    const ID: &'static str = "connectwise-manage";
    const NAME: &'static str = "ConnectWise Manage";
    const CATEGORY: Category = Category::RmmAndPsa;
    const ENTITY: (&'static str, &'static str) = ("company", "companies");
    const ENTITY_KIND: &'static str = "connectwise_manage_company";
    const DOCS: &'static str = "https://developer.connectwise.com/Products/ConnectWise_PSA";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { api: Api::new(credentials, transport), signing: callbacks::Signing::default() }
    }
}

#[async_trait]
impl Connector for ConnectwiseManage {
    /// One company and one ticket are enough to see that address, keys and rights are as they should be.
    async fn check(&self) -> Result<Checked> {
        self.api.first(&["company", "companies"]).await?;
        let mut checked = Checked::default();
        match self.api.first(&["service", "tickets"]).await {
            Err(error) if error.kind == Kind::Forbidden => checked.warnings.push(
                "Tickets cannot be read: give the API member's security role Inquire for Service Desk > Service Tickets"
                    .to_owned(),
            ),
            other => other?,
        }
        Ok(checked)
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn locations(&self) -> Option<&dyn Pull<Location>> {
        Some(self)
    }

    fn contacts(&self) -> Option<&dyn Pull<Contact>> {
        Some(self)
    }

    fn tickets(&self) -> Option<&dyn Pull<Ticket>> {
        Some(self)
    }

    fn invoices(&self) -> Option<&dyn Pull<Invoice>> {
        Some(self)
    }

    fn company_writes(&self) -> Option<&dyn WriteCompanies> {
        Some(self)
    }

    fn contact_writes(&self) -> Option<&dyn WriteContacts> {
        Some(self)
    }

    fn ticket_writes(&self) -> Option<&dyn WriteTickets> {
        Some(self)
    }

    fn webhooks(&self) -> Option<&dyn HearWebhooks> {
        Some(self)
    }
}
