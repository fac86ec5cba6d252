//! Xero: the contacts that are customers with their people, and what they are invoiced.
//!
//! * `api.rs`: the vendor's manners. Addresses, headers, and every error in one function.
//! * `login.rs`: the two ways in. Consent at Xero's page with a refresh token that rotates, and a custom connection
//!   with a secret alone (`custom.rs`). `tenants.rs` picks the organisation. `limits.rs` says which limit was reached.
//! * `paging.rs`: its listings. `wire.rs`, `dates.rs`: its JSON as it really is, only the fields we use.
//! * `contacts.rs`, `people.rs`, `invoices.rs`, `repeating.rs`: one request and one mapping each.
//! * `simulator/` (feature `simulator`): the vendor over the shared world, with its sign-in page.
//!
//! **A new kind of record**: its struct in `wire.rs`, a file with `Pull<…>`, the accessor below, an
//! exchange in `tests/vendor/`, and its path in the simulator. `README.md` is the help that people
//! see in the connect form: keep its scopes and oddities true.

mod api;
mod contacts;
mod custom;
mod dates;
mod invoices;
mod limits;
mod login;
mod paging;
mod people;
mod repeating;
#[cfg(feature = "simulator")]
mod simulator;
mod tenants;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    Category, Checked, Connector, Consent, Contact, Entity, Grant, Invoice, Pull, RepeatingInvoice, Result, Secret,
    Transport, Vendor, credentials,
};
use url::Url;

use crate::api::Api;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// What opens one Xero organisation.
    pub struct Credentials {
        /// Way of connecting
        /// A web app asks someone to sign in at Xero's page. A custom connection, which Xero sells for one
        /// organisation, needs id and secret only.
        way: Option<Way>,
        /// Client ID
        /// Of the app that you make at developer.xero.com.
        client_id: String,
        /// Client secret
        /// Of the same app.
        client_secret: Secret,
        /// Organisation
        /// Only if your sign-in reaches several: the name of the one to connect, or its tenant id.
        organisation: Option<String>,
        /// Scopes
        /// Which permissions the app may ask for: apps made before 2 March 2026 have the older ones.
        scopes: Option<Scopes>,
        /// Contacts
        /// Xero marks a contact as a customer with its first invoice. Others are left out unless you say otherwise.
        contacts: Option<Contacts>,
        /// API address
        /// Leave empty unless Xero gave you another one than https://api.xero.com.
        api_url: Option<Url>,
        /// Token address
        /// Leave empty unless Xero gave you another one than https://identity.xero.com.
        identity_url: Option<Url>,
        /// Sign-in address
        /// Leave empty unless Xero gave you another one than https://login.xero.com.
        login_url: Option<Url>,
        /// Consent
        /// Given at Xero's own page; a custom connection needs none.
        grant: Option<Grant>,
    }
}

credentials! {
    /// How tokens are come by.
    pub enum Way {
        WebApp = "web_app" / "Web app: someone signs in at Xero's page",
        Custom = "custom" / "Custom connection: id and secret only",
    }
}

credentials! {
    /// Which permissions are asked for.
    pub enum Scopes {
        Granular = "granular" / "App made on 2 March 2026 or later",
        Broad = "broad" / "Older app",
    }
}

credentials! {
    /// Which contacts are listed.
    pub enum Contacts {
        Customers = "customers" / "Customers only",
        Everyone = "everyone" / "Suppliers and all others too",
    }
}

/// The connector of one Xero organisation.
pub struct Xero {
    api: Api,
    everyone: bool,
}

impl Vendor for Xero {
    const ID: &'static str = "xero";
    const NAME: &'static str = "Xero";
    const CATEGORY: Category = Category::Billing;
    const ENTITY: (&'static str, &'static str) = ("contact", "contacts");
    const ENTITY_KIND: &'static str = "xero_contact";
    const DOCS: &'static str = "https://developer.xero.com/documentation/guides/oauth2/overview/";
    const README: &'static str = include_str!("../README.md");
    const IMPORTED_FROM_SYNC: bool = true;
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let everyone = credentials.contacts == Some(Contacts::Everyone);
        Self { everyone, api: Api::new(credentials, transport) }
    }
}

#[async_trait]
impl Connector for Xero {
    async fn check(&self) -> Result<Checked> {
        self.api.check().await
    }

    fn consent(&self) -> Option<&dyn Consent> {
        self.api.consent()
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn contacts(&self) -> Option<&dyn Pull<Contact>> {
        Some(self)
    }

    fn invoices(&self) -> Option<&dyn Pull<Invoice>> {
        Some(self)
    }

    fn repeating_invoices(&self) -> Option<&dyn Pull<RepeatingInvoice>> {
        Some(self)
    }
}
