//! SuperOps: clients with their sites, users, assets, alerts, tickets and invoices; clients, users
//! and tickets are written too.
//!
//! * `api.rs`: the vendor's manners: GraphQL over POST, address, token. `paging.rs`: its listings.
//!   `errors.rs`: every error.
//! * `loose.rs`: values as tolerantly as SuperOps sends them. One file for each kind of record besides;
//!   `company_writes.rs`, `contact_writes.rs` and `ticket_writes.rs` are what can be changed.
//! * `simulator/` (feature `simulator`): the vendor's schema, checked strictly, over the shared world.
//!
//! **The next kind of record**: a file with its row, its `List` and its `Pull`, the accessor below, an
//! exchange in `tests/vendor/`, and its fields in `simulator/schema.rs`. Ask for few fields: one that
//! the account's schema lacks fails the whole query.

mod alerts;
mod api;
mod assets;
mod clients;
mod company_writes;
mod contact_writes;
mod contacts;
mod errors;
mod invoices;
mod loose;
mod paging;
#[cfg(feature = "simulator")]
mod simulator;
mod sites;
mod ticket_writes;
mod tickets;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    Alert, Category, Checked, Connector, Contact, Device, Entity, Field, Input, Invoice, Location, Pull, Result,
    Secret, Ticket, Transport, Vendor, WriteCompanies, WriteContacts, WriteTickets, credentials,
};
use url::Url;

use crate::api::Api;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// What opens one SuperOps account.
    pub struct Credentials {
        /// Region
        /// Where the account lives: euapi.superops.ai serves Europe, api.superops.ai the rest.
        region: Region,
        /// Subdomain
        /// The first label of the address you sign in at; shown under Settings > MSP Information.
        subdomain: String,
        /// API token
        /// From Settings > My Profile > API token. Making a new one there ends this one.
        api_token: Secret,
        /// Currency of invoices
        /// Code of three letters, such as AUD. SuperOps does not say it; without it, amounts stay unknown.
        currency: Option<Currency>,
        /// Time zone of new clients
        /// Such as Australia/Perth: SuperOps wants one for each new client. Empty means UTC.
        time_zone: Option<String>,
        /// API address
        /// Leave empty unless SuperOps gave you another one than the region's.
        api_url: Option<Url>,
    }
}

credentials! {
    /// Where an account lives.
    pub enum Region { Us = "us" / "United States", Eu = "eu" / "Europe" }
}

/// A currency by its ISO 4217 code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency(String);

impl Field for Currency {
    const INPUT: Input = Input::Text;

    fn parse(text: &str) -> Result<Self, String> {
        let code = text.trim().to_ascii_uppercase();
        let valid = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        if valid { Ok(Self(code)) } else { Err("must be a code of three letters, such as AUD".to_owned()) }
    }

    fn example() -> String {
        "AUD".to_owned()
    }

    fn store(&self) -> Option<String> {
        Some(self.0.clone())
    }
}

/// The connector of one SuperOps account.
pub struct Superops {
    api: Api,
    currency: Option<Currency>,
    time_zone: String,
}

impl Vendor for Superops {
    const ID: &'static str = "superops";
    const NAME: &'static str = "SuperOps";
    const CATEGORY: Category = Category::RmmAndPsa;
    const ENTITY: (&'static str, &'static str) = ("client", "clients");
    const ENTITY_KIND: &'static str = "superops_client";
    const DOCS: &'static str = "https://developer.superops.com/msp";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self {
            currency: credentials.currency.clone(),
            time_zone: credentials.time_zone.clone().unwrap_or_else(|| "UTC".to_owned()),
            api: Api::new(credentials, transport),
        }
    }
}

#[async_trait]
impl Connector for Superops {
    async fn check(&self) -> Result<Checked> {
        self.api.check(&clients::LIST).await
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
