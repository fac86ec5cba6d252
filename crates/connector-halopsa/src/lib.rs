//! HaloPSA: clients, sites, contacts, assets, tickets and invoices; writes of the first, the third and
//! tickets; webhooks.
//!
//! * `api.rs`: the vendor's manners: token, addresses, writes, every error in one function. `paging.rs`: its
//!   listings. `settings.rs`: the types of the form that are ours.
//! * `wire/`, `loose.rs`: its JSON as it really is.
//! * `clients.rs`, `sites.rs`, `users.rs`, `assets.rs`, `tickets.rs`, `invoices.rs`: one kind of record each,
//!   `ticket_writes.rs` what changes tickets, `webhooks.rs` what comes in.
//! * `simulator/` (feature `simulator`): the vendor's wire format over the shared world.
//!
//! **A new kind of record**: its struct in `wire/`, a file with `Pull<…>`, the accessor below, an
//! exchange in `tests/vendor/`, and its path in the simulator. `README.md` is the help that people
//! see in the connect form: keep its rights and oddities true.

mod api;
mod assets;
mod clients;
mod invoices;
mod loose;
mod paging;
mod settings;
#[cfg(feature = "simulator")]
mod simulator;
mod sites;
mod ticket_writes;
mod tickets;
mod users;
mod webhooks;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    Category, Checked, Connector, Contact, Device, Entity, HearWebhooks, Invoice, Kind, Location, Pull, Result, Secret,
    Ticket, Transport, Vendor, WriteCompanies, WriteContacts, WriteTickets, credentials,
};
use url::Url;

pub use crate::settings::{Currency, Number, Outcome};
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;
use crate::{api::Api, settings::Settings};

credentials! {
    /// What opens one HaloPSA account, and what writing to it needs to know.
    pub struct Credentials {
        /// HaloPSA address
        /// Where you sign in, such as https://acme.halopsa.com. The resource server's address, with /api, does as well.
        url: Url,
        /// Tenant
        /// Only for hosted accounts: the tenant shown at Configuration, Integrations, HaloPSA API.
        tenant: Option<String>,
        /// Client ID
        /// Of the API application, of the type "Client ID and Secret (Services)".
        client_id: String,
        /// Client secret
        /// Shown once, when the API application is made.
        client_secret: Secret,
        /// Authorisation server
        /// Leave empty unless HaloPSA shows another address than the one above with /auth.
        auth_url: Option<Url>,
        /// Scope
        /// Leave empty for "all". Otherwise the permissions that the API application has, separated by spaces.
        scope: Option<String>,
        /// Top level for new clients
        /// Its number. Needed only to make clients, and only where your account has several top levels.
        top_level: Option<Number>,
        /// Ticket type for new tickets
        /// Its number. Leave empty for HaloPSA's own default.
        ticket_type: Option<Number>,
        /// Outcome of private notes
        /// Name or number of the outcome (action). Leave empty for 7, the private note of most accounts.
        private_outcome: Option<Outcome>,
        /// Outcome of public notes
        /// Name or number of an outcome that your ticket types allow. Leave empty to use the one of private notes.
        public_outcome: Option<Outcome>,
        /// Currency
        /// Three letters, such as GBP: for invoices in which HaloPSA does not name it.
        currency: Option<Currency>,
    }
}

/// The connector of one HaloPSA account.
pub struct Halopsa {
    api: Api,
    settings: Settings,
}

impl Vendor for Halopsa {
    const ID: &'static str = "halopsa";
    const NAME: &'static str = "HaloPSA";
    const CATEGORY: Category = Category::RmmAndPsa;
    const ENTITY: (&'static str, &'static str) = ("client", "clients");
    const ENTITY_KIND: &'static str = "halopsa_client";
    const DOCS: &'static str = "https://halo.halopsa.com/apidoc/";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { api: Api::new(&credentials, transport), settings: Settings::of(credentials) }
    }
}

#[async_trait]
impl Connector for Halopsa {
    async fn check(&self) -> Result<Checked> {
        self.api.probe("Client", "clients").await?;
        let mut checked = Checked::default();
        for (resource, key) in [("Tickets", "tickets"), ("Asset", "assets")] {
            match self.api.probe(resource, key).await {
                Err(error) if error.kind == Kind::Forbidden => checked.warnings.push(format!(
                    "{key} cannot be read: give read:{key} to the API application, and the right to the agent it signs \
                     in as"
                )),
                other => other?,
            }
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

    fn devices(&self) -> Option<&dyn Pull<Device>> {
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
