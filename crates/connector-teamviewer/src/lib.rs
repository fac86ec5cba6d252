//! TeamViewer: managed groups and the devices in them.
//!
//! * `api.rs`: the vendor's manners: script token, addresses, paging by token, and every error in one
//!   function.
//! * `wire.rs`: the vendor's JSON as it really is, only the fields we use.
//! * `groups.rs`, `devices.rs`: one listing and one mapping each.
//! * `simulator.rs` (feature `simulator`): TeamViewer's wire format over the shared world.
//!
//! TeamViewer has two generations of interface side by side. Only the managed one (`/managed/…`) is used.
//!
//! **A new kind of record**: its struct in `wire.rs`, a file with `Pull<…>`, the accessor below, an
//! exchange in `tests/vendor/`, and its path in the simulator. `README.md` is the help that people
//! see in the connect form: keep its rights and oddities true.

mod api;
mod devices;
mod groups;
#[cfg(feature = "simulator")]
mod simulator;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{Category, Checked, Connector, Device, Entity, Pull, Result, Secret, Transport, Vendor, credentials};
use url::Url;

use crate::api::Api;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// What opens one TeamViewer account.
    pub struct Credentials {
        /// Script token
        /// Edit profile > Apps > Create script token. Shown once. Tick the read operations of Device Groups
        /// and the view of the account.
        script_token: Secret,
        /// API address
        /// Leave empty; only if TeamViewer gave you another one than https://webapi.teamviewer.com.
        api_url: Option<Url>,
    }
}

/// The connector of one TeamViewer account.
pub struct Teamviewer {
    api: Api,
}

impl Vendor for Teamviewer {
    const ID: &'static str = "teamviewer";
    const NAME: &'static str = "TeamViewer";
    const CATEGORY: Category = Category::RmmAndPsa;
    const ENTITY: (&'static str, &'static str) = ("managed group", "managed groups");
    const ENTITY_KIND: &'static str = "teamviewer_managed_group";
    const DOCS: &'static str = "https://webapi.teamviewer.com/api/v1/docs/index";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { api: Api::new(credentials, transport) }
    }
}

#[async_trait]
impl Connector for Teamviewer {
    async fn check(&self) -> Result<Checked> {
        self.api.check().await
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn devices(&self) -> Option<&dyn Pull<Device>> {
        Some(self)
    }
}
