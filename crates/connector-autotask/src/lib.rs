//! Autotask PSA: companies, their locations, contacts, tickets and invoices, and writes to companies,
//! contacts and tickets.
//!
//! * `api.rs`: the vendor's manners. Keys, zones, every error in one function.
//! * `queries.rs`: its listings. `picklists.rs`: what the numbers in its records mean.
//! * `wire.rs`: its JSON as it really is, only the fields we use.
//! * `companies.rs`, `locations.rs`, `contacts.rs`, `tickets.rs`, `invoices.rs`: one kind of record each;
//!   the writes are in `company_writes.rs`, `contact_writes.rs`, `ticket_writes.rs`.
//! * `hooks.rs`: webhooks. `simulator/` (feature `simulator`): the vendor over the shared world.
//!
//! **A new kind of record**: its struct in `wire.rs`, a file with `Pull<…>`, the accessor below, an
//! exchange in `tests/vendor/`, and its path in the simulator. `README.md` is the help that people
//! see in the connect form: keep its rights and oddities true.

mod api;
mod companies;
mod company_writes;
mod contact_writes;
mod contacts;
mod hooks;
mod invoices;
mod locations;
mod picklists;
mod queries;
#[cfg(feature = "simulator")]
mod simulator;
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
    /// What opens one Autotask account.
    pub struct Credentials {
        /// API user name
        /// The user name of an API user (system), which looks like an e-mail address.
        user_name: String,
        /// API secret
        /// The password of that API user.
        secret: Secret,
        /// Tracking identifier
        /// The integration code of that API user.
        integration_code: Secret,
        /// Owner of new companies
        /// E-mail address of the Autotask user who shall own companies that are made here. Without it none are made.
        company_owner: Option<String>,
        /// Currency of invoices
        /// Its code, such as GBP: Autotask does not tell it. Leave empty if you bill in several; amounts are then left out.
        currency: Option<String>,
        /// API address
        /// Leave empty unless Autotask gave you another one than https://webservices2.autotask.net/ATServicesRest.
        api_url: Option<Url>,
    }
}

/// The connector of one Autotask account.
pub struct Autotask {
    api: Api,
    company_owner: Option<String>,
    /// A code of three capitals.
    currency: Option<String>,
}

impl Vendor for Autotask {
    const ID: &'static str = "autotask";
    const NAME: &'static str = "Autotask";
    const CATEGORY: Category = Category::RmmAndPsa;
    const ENTITY: (&'static str, &'static str) = ("company", "companies");
    const ENTITY_KIND: &'static str = "autotask_company";
    const DOCS: &'static str = "https://www.autotask.net/help/DeveloperHelp/Content/APIs/REST/REST_API_Home.htm";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let is_code = |code: &String| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        Self {
            company_owner: credentials.company_owner.clone(),
            currency: credentials.currency.as_deref().map(str::to_ascii_uppercase).filter(is_code),
            api: Api::new(credentials, transport),
        }
    }
}

#[async_trait]
impl Connector for Autotask {
    /// One company and one ticket are enough to see that user, zone and rights are as they should be.
    async fn check(&self) -> Result<Checked> {
        self.api.first("Companies").await?;
        let mut checked = Checked::default();
        match self.api.first("Tickets").await {
            Err(error) if error.kind == Kind::Forbidden => checked.warnings.push(
                "Tickets cannot be read: give the API user's security level the right to view Service Desk tickets"
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
