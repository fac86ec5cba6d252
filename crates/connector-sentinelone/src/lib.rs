//! SentinelOne: sites, the machines with an agent, what was detected on them, and what can be done
//! about it.
//!
//! * `api.rs`: the vendor's manners. Token, addresses, paging, and every error in one function.
//! * `wire.rs`: the vendor's JSON as it really is, only the fields we use, read tolerantly.
//! * `sites.rs`, `agents.rs`, `threats.rs`: one listing each. `actions.rs`: what can be done about a threat.
//! * `simulator/` (feature `simulator`): the vendor's wire format over the shared world.
//!
//! **A new kind of record**: its struct in `wire.rs`, a file with `Pull<…>`, the accessor below, an
//! exchange in `tests/vendor/`, and its path in the simulator. **A new action on threats** is one line of
//! the table in `actions.rs`. `README.md` is the help that people see in the connect form: keep its rights,
//! its severity rule and its oddities true.

mod actions;
mod agents;
mod api;
#[cfg(feature = "simulator")]
mod simulator;
mod sites;
mod threats;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    ActOnThreats, Category, Checked, Connector, Device, Entity, Pull, Result, Secret, Threat, Transport, Vendor,
    credentials,
};
use url::Url;

use crate::api::Api;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// What opens one SentinelOne console.
    pub struct Credentials {
        /// Console address
        /// The address in the browser when you are signed in, such as https://example.sentinelone.net.
        console_url: Url,
        /// API token
        /// Settings > Users > Service Users: shown once, when the service user is made.
        api_token: Secret,
        /// Account ID
        /// Leave empty for everything that the token can see; otherwise only this account is read.
        account_id: Option<String>,
    }
}

/// The connector of one SentinelOne console.
pub struct SentinelOne {
    api: Api,
}

impl Vendor for SentinelOne {
    const ID: &'static str = "sentinelone";
    const NAME: &'static str = "SentinelOne";
    const CATEGORY: Category = Category::Security;
    const ENTITY: (&'static str, &'static str) = ("site", "sites");
    const ENTITY_KIND: &'static str = "sentinelone_site";
    const DOCS: &'static str = "https://usea1-partners.sentinelone.net/api-doc/overview";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { api: Api::new(credentials, transport) }
    }
}

#[async_trait]
impl Connector for SentinelOne {
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

    fn threat_actions(&self) -> Option<&dyn ActOnThreats> {
        Some(self)
    }
}
