//! Hatz AI: tenants, their packages and credits, and their users where the vendor lists them.
//!
//! * `api.rs`: the vendor's manners: key, address, and every error in one function. `paging.rs`: its lists, which
//!   say nothing of where they end.
//! * `wire.rs`: the vendor's JSON as it really is, only the fields we use.
//! * `tenants.rs`, `licences.rs`, `users.rs`: one listing each.
//! * `simulator/` (feature `simulator`): the vendor's wire format over the shared world.
//!
//! **A new kind of record**: its struct in `wire.rs`, a file with `Pull<…>`, the accessor below, an
//! exchange in `tests/vendor/`, and its path in the simulator. `README.md` is the help that people
//! see in the connect form: keep its rights and oddities true.

mod api;
mod licences;
mod paging;
#[cfg(feature = "simulator")]
mod simulator;
mod tenants;
mod users;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    Category, Checked, Connector, DirectoryUser, Entity, Licence, Pull, Result, Secret, Transport, Vendor, credentials,
};
use url::Url;

use crate::api::Api;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// What opens one Hatz AI account.
    pub struct Credentials {
        /// API key
        /// Workspace > API Keys in the Hatz app, made by an MSP administrator. Shown once.
        api_key: Secret,
        /// API address
        /// Leave empty; only if Hatz AI gave you another one than https://ai.hatz.ai/v1.
        api_url: Option<Url>,
    }
}

/// The connector of one Hatz AI account.
pub struct HatzAi {
    api: Api,
}

impl Vendor for HatzAi {
    const ID: &'static str = "hatz-ai";
    const NAME: &'static str = "Hatz AI";
    const CATEGORY: Category = Category::Ai;
    const ENTITY: (&'static str, &'static str) = ("tenant", "tenants");
    const ENTITY_KIND: &'static str = "hatz_ai_tenant";
    const DOCS: &'static str = "https://api-docs.hatz.ai";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { api: Api::new(credentials, transport) }
    }
}

#[async_trait]
impl Connector for HatzAi {
    async fn check(&self) -> Result<Checked> {
        self.api.check().await
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn directory_users(&self) -> Option<&dyn Pull<DirectoryUser>> {
        Some(self)
    }

    fn licences(&self) -> Option<&dyn Pull<Licence>> {
        Some(self)
    }
}
