//! Synergy Wholesale: domain categories, the domains in them, and the hosting services of those domains. Read only.
//!
//! * `api.rs`: the vendor's manners. Calls, pages, and every error in one place.
//! * `soap.rs`, `xml.rs`: the vendor speaks SOAP; both within bounds.
//! * `raw.rs`: which fields of the vendor's XML are kept at all. It is the fence around the vendor's secrets.
//! * `wire.rs`: those fields as they are read.
//! * `categories.rs`, `domains.rs`, `hostings.rs`: one listing each; `owners.rs`: which domain is in which category.
//! * `simulator/` (feature `simulator`): the vendor's wire format over the shared world.
//!
//! **A new kind of record**: its fields in `raw.rs` (none that opens something) and `wire.rs`, a file with `Pull<…>`,
//! the accessor below, an exchange in `tests/vendor/`, and its command in the simulator. `README.md` is the help
//! that people see in the connect form: keep its rights and oddities true.

mod api;
mod categories;
mod domains;
mod hostings;
mod owners;
mod raw;
#[cfg(feature = "simulator")]
mod simulator;
mod soap;
mod wire;
mod xml;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use integration::{
    Category, Checked, Connector, Domain, Entity, Hosting, Pull, Result, Secret, Transport, Vendor, credentials,
};
use url::Url;

#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;
use crate::{api::Api, owners::Owners};

credentials! {
    /// What opens one Synergy Wholesale account.
    pub struct Credentials {
        /// Reseller ID
        /// Shown with the API key in the management system of Synergy Wholesale.
        reseller_id: String,
        /// API key
        /// From the API information of the account, where PanelOne's internet address must be allowed as well.
        api_key: Secret,
        /// API address
        /// Leave empty unless Synergy Wholesale gave you another one than https://api.synergywholesale.com.
        api_url: Option<Url>,
    }
}

/// The connector of one Synergy Wholesale account.
pub struct SynergyWholesale {
    api: Api,
    /// Whose each domain is, as the listing of hosting services that is under way found it.
    owners: Mutex<Option<Arc<Owners>>>,
}

impl Vendor for SynergyWholesale {
    const ID: &'static str = "synergy-wholesale";
    const NAME: &'static str = "Synergy Wholesale";
    const CATEGORY: Category = Category::DomainsAndHosting;
    const ENTITY: (&'static str, &'static str) = ("domain category", "domain categories");
    const ENTITY_KIND: &'static str = "synergy_wholesale_category";
    const DOCS: &'static str = "https://synergywholesale.com";
    const README: &'static str = include_str!("../README.md");
    const IMPORTED_FROM_SYNC: bool = true;
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { api: Api::new(credentials, transport), owners: Mutex::default() }
    }
}

#[async_trait]
impl Connector for SynergyWholesale {
    async fn check(&self) -> Result<Checked> {
        self.api.check().await
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn domains(&self) -> Option<&dyn Pull<Domain>> {
        Some(self)
    }

    fn hostings(&self) -> Option<&dyn Pull<Hosting>> {
        Some(self)
    }
}
