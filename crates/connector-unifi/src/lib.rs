//! UniFi: the sites of the consoles that an account sees, and their network devices.
//!
//! * `api.rs`: the vendor's manners. Key, addresses, and every error in one function.
//! * `cloud.rs`: listings of Site Manager. `network.rs`: listings of a console's Network application, asked
//!   directly or through Site Manager.
//! * `estate.rs`: which console has which sites, and which consoles report: what devices are attributed by.
//! * `sites.rs`, `devices.rs`: one listing each; `gear.rs`: one device from the words of either API.
//! * `wire.rs`: the vendor's JSON, only the fields we use.
//! * `simulator/` (feature `simulator`): the vendor's wire format over the shared world.
//!
//! **A new kind of record**: its struct in `wire.rs`, a file with `Pull<…>`, the accessor below, an
//! exchange in `tests/vendor/`, and its path in the simulator. `README.md` is the help that people
//! see in the connect form: keep its rights and oddities true.

mod api;
mod cloud;
mod devices;
mod estate;
mod gear;
mod network;
#[cfg(feature = "simulator")]
mod simulator;
mod sites;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{Category, Checked, Connector, Device, Entity, Pull, Result, Secret, Transport, Vendor, credentials};
use url::Url;

#[cfg(feature = "simulator")]
pub use crate::simulator::{CONSOLE_KEY, Simulator};
use crate::{api::Api, estate::Memory};

credentials! {
    /// What opens one UniFi account, or one console.
    pub struct Credentials {
        /// Connect through
        /// Site Manager sees every console of an account. One console is for a Network application that is not there.
        way: Way,
        /// API key
        /// For Site Manager: unifi.ui.com, Settings, API Keys. For one console: its Network application, Settings,
        /// Control Plane, Integrations. Shown once, when the key is made.
        api_key: Secret,
        /// Address
        /// For one console: its own address, such as https://unifi.acme.example. For Site Manager: leave it empty
        /// unless Ubiquiti gave you another one than https://api.ui.com.
        url: Option<Url>,
    }
}
credentials! {
    /// What is asked.
    pub enum Way { SiteManager = "site_manager" / "Site Manager", Console = "console" / "One console directly" }
}

/// The connector of one UniFi account, or of one console.
pub struct Unifi {
    api: Api,
    memory: Memory,
}

impl Vendor for Unifi {
    const ID: &'static str = "unifi";
    const NAME: &'static str = "UniFi";
    const CATEGORY: Category = Category::Network;
    const ENTITY: (&'static str, &'static str) = ("site", "sites");
    const ENTITY_KIND: &'static str = "unifi_site";
    const DOCS: &'static str = "https://developer.ui.com";
    const README: &'static str = include_str!("../README.md");
    const IMPORTED_FROM_SYNC: bool = true;
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { api: Api::new(credentials, transport), memory: Memory::default() }
    }
}

#[async_trait]
impl Connector for Unifi {
    async fn check(&self) -> Result<Checked> {
        let empty = match self.api.way {
            Way::SiteManager => self.api.list("sites", 1, None).await?.records.is_empty(),
            Way::Console => self.api.network_page(None, &["sites"], 1, None).await?.records.is_empty(),
        };
        let warnings = empty.then(|| "UniFi shows no site to this key yet".to_owned());
        Ok(Checked { account: None, warnings: warnings.into_iter().collect() })
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn devices(&self) -> Option<&dyn Pull<Device>> {
        Some(self)
    }
}
