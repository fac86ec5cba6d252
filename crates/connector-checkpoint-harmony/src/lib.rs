//! Check Point Harmony: three products with an API and a key each, as one connection.
//!
//! * **MSP** (`msp.rs`): the MSP's own API of Email & Collaboration, by signed requests. Tenants.
//! * **Email** (`email.rs`): Email & Collaboration through the Infinity Portal. Tenants, events.
//! * **Endpoint** (`endpoint.rs`): Harmony Endpoint through the Infinity Portal. Tenants, computers.
//!
//! `keys.rs` says which keys were given and where their products are, `api.rs` holds what all share: portal
//! login, request ids, and every error. `wire.rs`: their JSON. `tenants.rs`, `devices.rs`, `threats.rs`: one
//! listing each; those of a product without a key are not offered. `simulator/` (feature `simulator`).
//!
//! **A new kind of record**: its file with `Pull<…>`, the accessor below, an exchange in `tests/vendor/`, and
//! its address in the simulator. `README.md` is the help that people see in the connect form.

mod api;
mod devices;
mod email;
mod endpoint;
mod keys;
mod msp;
#[cfg(feature = "simulator")]
mod simulator;
mod tenants;
mod threats;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    Category, Checked, Connector, Device, Entity, Pull, Result, Secret, Threat, Transport, Vendor, credentials,
};
use url::Url;

use crate::api::Api;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// Where the account's data lives. A key works in one region only.
    pub enum Region {
        Eu = "eu" / "Europe",
        Us = "us" / "United States",
        Au = "au" / "Australia and Asia Pacific",
        In = "in" / "India",
        Ae = "ae" / "United Arab Emirates",
        Ca = "ca" / "Canada",
    }
}

credentials! {
    /// What opens one account: the keys of one or more of the three products.
    pub struct Credentials {
        /// Region
        /// Where the keys were made.
        region: Region,
        /// MSP application ID
        /// The MSP portal's API key of Email & Collaboration, such as US:myapp29. It lists your tenants.
        msp_app_id: Option<String>,
        /// MSP secret key
        /// Shown with the MSP application ID.
        msp_secret: Option<Secret>,
        /// Email client ID
        /// An Infinity Portal account key for the service Email & Collaboration. It lists security events.
        email_client_id: Option<String>,
        /// Email access key
        /// Shown once, when that key is made.
        email_access_key: Option<Secret>,
        /// Endpoint client ID
        /// An Infinity Portal account key for the service Endpoint. It lists computers.
        endpoint_client_id: Option<String>,
        /// Endpoint access key
        /// Shown once, when that key is made.
        endpoint_access_key: Option<Secret>,
        /// Authentication URL
        /// Leave empty unless the portal shows another one than your region's when the key is made.
        gateway_url: Option<Url>,
        /// MSP API address
        /// Leave empty; needed with an MSP key in India and the United Arab Emirates.
        msp_url: Option<Url>,
    }
}

/// The connector of one account.
pub struct CheckpointHarmony {
    api: Api,
}

impl Vendor for CheckpointHarmony {
    const ID: &'static str = "checkpoint-harmony";
    const NAME: &'static str = "Check Point Harmony";
    const CATEGORY: Category = Category::Security;
    const ENTITY: (&'static str, &'static str) = ("tenant", "tenants");
    const ENTITY_KIND: &'static str = "checkpoint_harmony_tenant";
    const DOCS: &'static str = "https://sc1.checkpoint.com/documents/Harmony_Email_and_Collaboration_API_Reference/";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { api: Api::new(credentials, transport) }
    }
}

#[async_trait]
impl Connector for CheckpointHarmony {
    async fn check(&self) -> Result<Checked> {
        tenants::check(&self.api).await
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn devices(&self) -> Option<&dyn Pull<Device>> {
        self.api.keys.endpoint.is_some().then_some(self as &dyn Pull<Device>)
    }

    fn threats(&self) -> Option<&dyn Pull<Threat>> {
        self.api.keys.email.is_some().then_some(self as &dyn Pull<Threat>)
    }
}
