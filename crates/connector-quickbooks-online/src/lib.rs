//! QuickBooks Online: customers with their people, invoices, and the templates of repeating ones.
//!
//! * `api.rs`: the vendor's manners. Consent, addresses, and every error in one function; `faults.rs` reads the
//!   vendor's words for it.
//! * `listing.rs`: listings by query. `changes.rs`: what changed since (change data capture).
//! * `wire.rs`: the vendor's JSON as it really is, only the fields we use.
//! * `customers.rs`, `contacts.rs`, `invoices.rs`, `repeating.rs`: one query and one mapping each.
//! * `settings.rs`: what an account must be told by a person.
//! * `simulator/` (feature `simulator`): the vendor over the shared world, with its sign-in page.
//!
//! **A new kind of record**: its struct in `wire.rs`, a file with its [`listing::Source`] and `Pull<…>`, the
//! accessor below, an exchange in `tests/vendor/`, and its rows in the simulator. `README.md` is the help that
//! people see in the connect form: keep its rights and oddities true.

mod api;
mod changes;
mod contacts;
mod customers;
mod faults;
mod invoices;
mod listing;
mod repeating;
mod settings;
#[cfg(feature = "simulator")]
mod simulator;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    Category, Checked, Connector, Consent, Contact, Entity, Grant, Invoice, Pull, RepeatingInvoice, Result, Secret,
    Transport, Vendor, credentials,
};
use url::Url;

use crate::api::Api;
pub use crate::settings::Currency;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// What opens one company in QuickBooks Online.
    pub struct Credentials {
        /// Client ID
        /// Of the app that you made at developer.intuit.com.
        client_id: String,
        /// Client secret
        /// Of the same app.
        client_secret: Secret,
        /// Environment
        /// The one whose keys these are: keys of one are refused by the other.
        environment: Environment,
        /// Currency
        /// Your home currency, such as AUD. Used only for invoices in which QuickBooks Online names none.
        currency: Option<Currency>,
        /// API address
        /// Leave empty: it follows from the environment.
        api_url: Option<Url>,
        /// Sign-in address
        /// Leave empty: Intuit's own.
        login_url: Option<Url>,
        /// Consent
        /// Given at Intuit's own page, by an administrator of the company, who chooses the company there.
        grant: Option<Grant>,
    }
}

credentials! {
    /// Which of Intuit's two worlds.
    pub enum Environment {
        Production = "production" / "Production",
        Sandbox = "sandbox" / "Sandbox (for developers)",
    }
}

/// The connector of one company in QuickBooks Online.
pub struct QuickbooksOnline {
    api: Api,
    currency: Option<Currency>,
}

impl Vendor for QuickbooksOnline {
    const ID: &'static str = "quickbooks-online";
    const NAME: &'static str = "QuickBooks Online";
    const CATEGORY: Category = Category::Billing;
    const ENTITY: (&'static str, &'static str) = ("customer", "customers");
    const ENTITY_KIND: &'static str = "quickbooks_online_customer";
    const DOCS: &'static str = "https://developer.intuit.com/app/developer/qbo/docs/get-started";
    const README: &'static str = include_str!("../README.md");
    const IMPORTED_FROM_SYNC: bool = true;
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { currency: credentials.currency.clone(), api: Api::new(credentials, transport) }
    }
}

#[async_trait]
impl Connector for QuickbooksOnline {
    async fn check(&self) -> Result<Checked> {
        Ok(Checked { account: Some(self.api.account().await?), ..Checked::default() })
    }

    fn consent(&self) -> Option<&dyn Consent> {
        Some(&self.api)
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
