//! Gorelo: clients with their locations, contacts, devices, alerts, tickets and invoices; clients,
//! contacts and tickets are written too.
//!
//! * `api.rs`: the vendor's manners: key, addresses, the envelope around every answer.
//!   `paging.rs`: its listings. `errors.rs`: every error. `loose.rs`: single values.
//! * One file for each kind of record besides; `company_writes.rs`, `contact_writes.rs` and
//!   `ticket_writes.rs` are what can be changed.
//! * `simulator/` (feature `simulator`): the vendor over the shared world, strict about every name.
//!
//! **The next kind of record**: a file with its row and its `Pull`, the accessor below, an exchange in
//! `tests/vendor/`, and its path in `simulator/`. Never send a parameter or field that is not in the
//! vendor's document: Gorelo refuses the whole request.

mod alerts;
mod api;
mod assets;
mod clients;
mod company_writes;
mod contact_writes;
mod contacts;
mod errors;
mod invoices;
mod locations;
mod loose;
mod paging;
mod settings;
#[cfg(feature = "simulator")]
mod simulator;
mod ticket_writes;
mod tickets;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    Alert, Category, Checked, Connector, Contact, Device, Entity, Invoice, Location, Pull, Result, Secret, Ticket,
    Transport, Vendor, WriteCompanies, WriteContacts, WriteTickets, credentials,
};
use url::Url;

use crate::api::Api;
pub use crate::settings::{Country, Currency};
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// What opens one Gorelo account.
    pub struct Credentials {
        /// Region
        /// Where the account is hosted: a key of one region is unknown in the other.
        region: Region,
        /// API key
        /// From Gorelo's settings; it needs a scope for each area that PanelOne is to see.
        api_key: Secret,
        /// Currency of invoices
        /// Code of three letters, such as AUD. Gorelo does not say it; without it, amounts stay unknown.
        currency: Option<Currency>,
        /// Country of telephone numbers
        /// Code of two letters, such as AU: Gorelo wants one beside each number that is written.
        phone_country: Option<Country>,
        /// API address
        /// Leave empty unless Gorelo gave you another one than the region's.
        api_url: Option<Url>,
    }
}

credentials! {
    /// Where an account is hosted.
    pub enum Region { Us = "us" / "United States", Au = "au" / "Australia" }
}

/// The connector of one Gorelo account.
pub struct Gorelo {
    api: Api,
    currency: Option<Currency>,
    phone_country: Option<Country>,
}

impl Vendor for Gorelo {
    const ID: &'static str = "gorelo";
    const NAME: &'static str = "Gorelo";
    const CATEGORY: Category = Category::RmmAndPsa;
    const ENTITY: (&'static str, &'static str) = ("client", "clients");
    const ENTITY_KIND: &'static str = "gorelo_client";
    const DOCS: &'static str = "https://help.gorelo.io/api-overview";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self {
            currency: credentials.currency.clone(),
            phone_country: credentials.phone_country.clone(),
            api: Api::new(credentials, transport),
        }
    }
}

#[async_trait]
impl Connector for Gorelo {
    async fn check(&self) -> Result<Checked> {
        self.api.check().await
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
