//! Pax8: companies, their subscriptions, their shares of what Pax8 invoices, and the quantity of a subscription.
//!
//! * `api.rs`: the vendor's manners: token, errors, addresses. `paging.rs`: its listings.
//! * `wire.rs`: its JSON as it really is. `companies.rs`, `subscriptions.rs`, `invoices.rs` (walked by `charges.rs`): one
//!   listing each.
//! * `quantity.rs`: the one write. `simulator.rs` (feature `simulator`): the vendor over the shared world.
//!
//! **The next kind of record**: its JSON in `wire.rs`, a file with its `Pull`, its accessor below,
//! an exchange in `tests/vendor/`, and its part in `simulator.rs`.

mod api;
mod charges;
mod companies;
mod invoices;
mod paging;
mod quantity;
#[cfg(feature = "simulator")]
mod simulator;
mod subscriptions;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    Category, Checked, Connector, Entity, Invoice, Pull, Result, Secret, SetQuantity, Subscription, Transport, Vendor,
    credentials,
};
use url::Url;

#[cfg(feature = "simulator")]
pub use simulator::Simulator;

credentials! {
    /// What one connection to Pax8 needs.
    pub struct Credentials {
        /// Client ID
        /// From the credentials you make in the Pax8 portal under Integrations Hub.
        client_id: String,
        /// Client secret
        /// Shown once, when the credentials are made.
        client_secret: Secret,
        /// API address
        /// Leave empty unless Pax8 gave you another one than https://api.pax8.com/v1.
        api_url: Option<Url>,
        /// Token address
        /// Leave empty unless Pax8 gave you another one; otherwise it is the API address with /token.
        token_url: Option<Url>,
    }
}

/// The connector.
pub struct Pax8 {
    api: api::Api,
    under_way: charges::UnderWay,
}

impl Vendor for Pax8 {
    const ID: &'static str = "pax8";
    const NAME: &'static str = "Pax8";
    const CATEGORY: Category = Category::Billing;
    const ENTITY: (&'static str, &'static str) = ("company", "companies");
    const ENTITY_KIND: &'static str = "pax8_company";
    const DOCS: &'static str = "https://devx.pax8.com/docs";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { api: api::Api::new(credentials, transport), under_way: charges::UnderWay::default() }
    }
}

#[async_trait]
impl Connector for Pax8 {
    async fn check(&self) -> Result<Checked> {
        let url = self.api.url(&["companies"]);
        self.api.call(integration::Request::get(url).query("size", 1)).await?;
        Ok(Checked::default())
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn subscriptions(&self) -> Option<&dyn Pull<Subscription>> {
        Some(self)
    }

    fn invoices(&self) -> Option<&dyn Pull<Invoice>> {
        Some(self)
    }

    fn subscription_quantity(&self) -> Option<&dyn SetQuantity> {
        Some(self)
    }
}
