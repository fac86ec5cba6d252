//! Sophos Central: the tenants of a partner (or of an organization, or the one tenant), their endpoints and
//! their open alerts.
//!
//! * `api.rs`: the vendor's manners. Token, addresses, every error in one function. `account.rs`: who the
//!   credentials are.
//! * `hosts.rs`: where each tenant lives, and whether a token may be sent there.
//! * `paging.rs`: the vendor's two kinds of pages.
//! * `wire.rs`: its JSON as it really is, only the fields we use, read tolerantly.
//! * `tenants.rs`, `endpoints.rs`: one listing each. `alerts.rs`: one listing that is two of ours.
//! * `actions.rs`: what can be done about an alert: the one write.
//! * `simulator/` (feature `simulator`): the vendor's wire format over the shared world.
//!
//! **A new kind of record**: its struct in `wire.rs`, a file with `Pull<…>`, the accessor below, an exchange
//! in `tests/vendor/`, and its path in the simulator. Everything of a tenant goes through
//! `Api::of_tenant` or `Api::to_tenant`, which check the host first. `README.md` is the help that people see in the connect form:
//! keep its rights, its rules and its oddities true.

mod account;
mod actions;
mod alerts;
mod api;
mod endpoints;
mod hosts;
mod paging;
#[cfg(feature = "simulator")]
mod simulator;
mod tenants;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    ActOnThreats, Alert, Category, Checked, Connector, Device, Entity, Pull, Result, Secret, Threat, Transport, Vendor,
    credentials,
};
use url::Url;

use crate::api::Api;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// What opens one Sophos Central account.
    pub struct Credentials {
        /// Client ID
        /// Sophos Central Partner: Settings & Policies > API Credentials.
        client_id: String,
        /// Client secret
        /// Shown once, when the credentials are made.
        client_secret: Secret,
        /// Sign-in address
        /// Leave empty unless Sophos gave you another one than https://id.sophos.com.
        sign_in_url: Option<Url>,
        /// API address
        /// Leave empty unless Sophos gave you another one than https://api.central.sophos.com.
        api_url: Option<Url>,
    }
}

/// The connector of one Sophos Central account.
pub struct Sophos {
    api: Api,
}

impl Vendor for Sophos {
    const ID: &'static str = "sophos";
    const NAME: &'static str = "Sophos Central";
    const CATEGORY: Category = Category::Security;
    const ENTITY: (&'static str, &'static str) = ("tenant", "tenants");
    const ENTITY_KIND: &'static str = "sophos_tenant";
    const DOCS: &'static str = "https://developer.sophos.com/getting-started";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { api: Api::new(credentials, transport) }
    }
}

#[async_trait]
impl Connector for Sophos {
    async fn check(&self) -> Result<Checked> {
        self.api.check().await
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn devices(&self) -> Option<&dyn Pull<Device>> {
        Some(self)
    }

    fn threats(&self) -> Option<&dyn Pull<Threat>> {
        Some(self)
    }

    fn alerts(&self) -> Option<&dyn Pull<Alert>> {
        Some(self)
    }

    fn threat_actions(&self) -> Option<&dyn ActOnThreats> {
        Some(self)
    }
}
