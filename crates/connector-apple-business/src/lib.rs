//! Apple Business and Apple School: the devices that one client's organisation owns, the services that manage
//! them, and its users.
//!
//! * `api.rs`: the vendor's manners. Token, addresses, paging, and every error in one function.
//! * `assertion.rs`: what a token is asked for with. `settings.rs`: client ID and private key, checked when they
//!   are entered.
//! * `assigned.rs`: which service has which device: asked for each service, not for each device.
//! * `account.rs`, `devices.rs`, `management_servers.rs`, `directory_users.rs`: one listing each.
//! * `wire.rs`: the vendor's JSON as it really is, only the fields we use.
//! * `simulator/` (feature `simulator`): the vendor's wire format over the shared world.
//!
//! **A new kind of record**: its attributes in `wire.rs`, a file with `Pull<…>`, the accessor below, an
//! exchange in `tests/vendor/`, and its path in the simulator. `README.md` is the help that people
//! see in the connect form: keep its rights and oddities true.

mod account;
mod api;
mod assertion;
mod assigned;
mod devices;
mod directory_users;
mod management_servers;
mod settings;
#[cfg(feature = "simulator")]
mod simulator;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    Category, Checked, Connector, Device, DirectoryUser, Entity, ManagementServer, MappedBy, Pull, Result, Transport,
    Vendor, credentials,
};
use url::Url;

#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;
use crate::{api::Api, assigned::Memory};
pub use settings::{ClientId, PrivateKey};

credentials! {
    /// What opens the account of one client's organisation.
    pub struct Credentials {
        /// Organisation name
        /// The client's name. Apple does not tell it; it is what this connection is called when clients are mapped.
        organisation: String,
        /// Client ID
        /// Begins with BUSINESSAPI. or SCHOOLAPI.: from the API account, at Preferences, API.
        client_id: ClientId,
        /// Key ID
        /// Of the private key, shown beside the client ID.
        key_id: String,
        /// Private key
        /// The whole text of the .pem file, which can be downloaded once.
        private_key: PrivateKey,
        /// Token address
        /// Leave empty for https://account.apple.com/auth/oauth2/v2/token. Older API accounts may need
        /// https://account.apple.com/auth/oauth2/token.
        token_url: Option<Url>,
        /// API address
        /// Leave empty unless Apple gave you another one than https://api-business.apple.com or https://api-school.apple.com.
        api_url: Option<Url>,
    }
}

/// The connector of one client's account.
pub struct AppleBusiness {
    api: Api,
    organisation: String,
    memory: Memory,
}

impl Vendor for AppleBusiness {
    const ID: &'static str = "apple-business";
    const NAME: &'static str = "Apple Business";
    const CATEGORY: Category = Category::Productivity;
    const ENTITY: (&'static str, &'static str) = ("organisation", "organisations");
    const ENTITY_KIND: &'static str = "apple_business_organisation";
    const DOCS: &'static str = "https://developer.apple.com/documentation/applebusinessmanagerapi";
    const README: &'static str = include_str!("../README.md");
    const MAPPED_BY: MappedBy = MappedBy::Settings;
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let organisation = credentials.organisation.clone();
        Self { api: Api::new(credentials, transport), organisation, memory: Memory::default() }
    }
}

#[async_trait]
impl Connector for AppleBusiness {
    async fn check(&self) -> Result<Checked> {
        self.api.check().await
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn devices(&self) -> Option<&dyn Pull<Device>> {
        Some(self)
    }

    fn management_servers(&self) -> Option<&dyn Pull<ManagementServer>> {
        Some(self)
    }

    /// Apple School has no users in this API.
    fn directory_users(&self) -> Option<&dyn Pull<DirectoryUser>> {
        self.api.has_users().then_some(self)
    }
}
