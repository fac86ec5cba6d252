//! Datto RMM: sites, their devices, and alerts.
//!
//! * `api.rs`: the vendor's manners: token, addresses, and every error in one function.
//! * `paging.rs`: listings, walked by the vendor's own link to the next page.
//! * `wire.rs`: the vendor's JSON as it really is, only the fields we use; `loose.rs` reads single values.
//! * `sites.rs`, `devices.rs`, `alerts.rs`: one listing and one mapping each.
//! * `simulator/` (feature `simulator`): Datto RMM's wire format over the shared world.
//!
//! **A new kind of record**: its struct in `wire.rs`, a file with `Pull<…>`, the accessor below, an
//! exchange in `tests/vendor/`, and its path in the simulator. `README.md` is the help that people
//! see in the connect form: keep its rights and oddities true.

mod alerts;
mod api;
mod devices;
mod loose;
mod paging;
#[cfg(feature = "simulator")]
mod simulator;
mod sites;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    Alert, Category, Checked, Connector, Device, Entity, Pull, Result, Secret, Transport, Vendor, credentials,
};
use url::Url;

use crate::api::Api;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// What opens one Datto RMM account.
    pub struct Credentials {
        /// Platform
        /// The first word of the API URL that Datto RMM shows beside the key. An account lives on one
        /// platform only.
        platform: Platform,
        /// API key
        /// Setup > Users > (user) > Generate API Keys.
        api_key: Secret,
        /// API secret key
        /// Shown with the API key.
        api_secret_key: Secret,
        /// API URL
        /// Leave empty if your platform is in the list. Else the whole address shown beside the key; it
        /// is used instead of the platform's.
        api_url: Option<Url>,
    }
}

credentials! {
    /// The platforms of Datto RMM.
    pub enum Platform {
        Pinotage = "pinotage" / "Pinotage",
        Merlot = "merlot" / "Merlot",
        Concord = "concord" / "Concord",
        Vidal = "vidal" / "Vidal",
        Zinfandel = "zinfandel" / "Zinfandel",
        Syrah = "syrah" / "Syrah",
        Other = "other" / "Other: enter the API URL",
    }
}

impl Platform {
    /// The root address; `None` where the operator gives it.
    fn root(self) -> Option<Url> {
        let address = match self {
            Self::Pinotage => "https://pinotage-api.centrastage.net",
            Self::Merlot => "https://merlot-api.centrastage.net",
            Self::Concord => "https://concord-api.centrastage.net",
            Self::Vidal => "https://vidal-api.centrastage.net",
            Self::Zinfandel => "https://zinfandel-api.centrastage.net",
            Self::Syrah => "https://syrah-api.centrastage.net",
            Self::Other => return None,
        };
        Url::parse(address).ok()
    }
}

/// The connector of one Datto RMM account.
pub struct DattoRmm {
    api: Api,
}

impl Vendor for DattoRmm {
    const ID: &'static str = "datto-rmm";
    const NAME: &'static str = "Datto RMM";
    const CATEGORY: Category = Category::RmmAndPsa;
    const ENTITY: (&'static str, &'static str) = ("site", "sites");
    const ENTITY_KIND: &'static str = "datto_rmm_site";
    const DOCS: &'static str = "https://rmm.datto.com/help/en/Content/2SETUP/APIv2.htm";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { api: Api::new(credentials, transport) }
    }
}

#[async_trait]
impl Connector for DattoRmm {
    async fn check(&self) -> Result<Checked> {
        self.api.check().await
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn devices(&self) -> Option<&dyn Pull<Device>> {
        Some(self)
    }

    fn alerts(&self) -> Option<&dyn Pull<Alert>> {
        Some(self)
    }
}
