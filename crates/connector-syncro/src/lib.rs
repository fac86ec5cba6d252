//! Syncro: customers, contacts, assets, alerts, tickets and invoices; writes of customers, contacts and tickets.
//!
//! * `api.rs`: the vendor's manners: token, addresses, writes, every error in one function. `paging.rs`: its
//!   listings. `account.rs`: the types of the form that are ours.
//! * `wire.rs`, `loose.rs`: its JSON as it really is.
//! * `customers.rs`, `contacts.rs`, `assets.rs`, `alerts.rs`, `tickets.rs`, `invoices.rs`: one kind of record each;
//!   `ticket_writes.rs` what changes tickets.
//! * `simulator/` (feature `simulator`): the vendor's wire format over the shared world.
//!
//! **A new kind of record**: its struct in `wire.rs`, a file with `Pull<…>`, the accessor below, an
//! exchange in `tests/vendor/`, and its path in the simulator. `README.md` is the help that people
//! see in the connect form: keep its rights and oddities true.

mod account;
mod alerts;
mod api;
mod assets;
mod contacts;
mod customers;
mod invoices;
mod loose;
mod paging;
#[cfg(feature = "simulator")]
mod simulator;
mod ticket_writes;
mod tickets;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    Alert, Category, Checked, Connector, Contact, Device, Entity, Invoice, Pull, Result, Secret, Ticket, Transport,
    Vendor, WriteCompanies, WriteContacts, WriteTickets, credentials,
};

pub use crate::account::{Account, Currency};
use crate::api::Api;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// What opens one Syncro account.
    pub struct Credentials {
        /// Subdomain
        /// The part before .syncromsp.com in the address bar when you are signed in; the whole address does as well.
        subdomain: Account,
        /// API token
        /// Shown once, when the token is made under Admin, API, API Tokens.
        api_token: Secret,
        /// Currency
        /// Three letters, such as USD: Syncro does not name it. Without it, invoices have no amounts.
        currency: Option<Currency>,
    }
}

/// The connector of one Syncro account.
pub struct Syncro {
    api: Api,
    currency: Option<Currency>,
}

impl Vendor for Syncro {
    const ID: &'static str = "syncro";
    const NAME: &'static str = "Syncro";
    const CATEGORY: Category = Category::RmmAndPsa;
    const ENTITY: (&'static str, &'static str) = ("customer", "customers");
    const ENTITY_KIND: &'static str = "syncro_customer";
    const DOCS: &'static str = "https://api-docs.syncromsp.com/";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let currency = credentials.currency.clone();
        Self { api: Api::new(credentials, transport), currency }
    }
}

#[async_trait]
impl Connector for Syncro {
    async fn check(&self) -> Result<Checked> {
        self.api.check().await
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn contacts(&self) -> Option<&dyn Pull<Contact>> {
        Some(self)
    }

    fn devices(&self) -> Option<&dyn Pull<Device>> {
        Some(self)
    }

    fn alerts(&self) -> Option<&dyn Pull<Alert>> {
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
}
