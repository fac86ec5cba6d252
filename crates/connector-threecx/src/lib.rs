//! 3CX: one phone system, its extensions, and the numbers that can stand for a client. Read only.
//!
//! * `api.rs`: the vendor's manners. Token, addresses, and every error in one function.
//! * `odata.rs`: its listings; only fields that were asked for come out of it.
//! * `wire.rs`: the vendor's JSON as it really is.
//! * `peers.rs`: what can stand for a client. `extensions.rs`, with `calls.rs` that counts; `system.rs`.
//! * `simulator/` (feature `simulator`): the vendor's wire format over the shared world.
//!
//! **A new kind of record**: its `Listing` with the fields to ask for (never a password, PIN or key), a file with
//! `Pull<…>`, the accessor below, an exchange in `tests/vendor/`, and its set in the simulator. `README.md` is the help
//! that people see in the connect form: keep its rights and oddities true.

mod api;
mod calls;
mod extensions;
mod odata;
mod peers;
#[cfg(feature = "simulator")]
mod simulator;
mod system;
mod wire;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use integration::{
    Category, Checked, Connector, Entity, Extension, MappedBy, PhoneSystem, Pull, Result, Secret, Transport, Vendor,
    credentials,
};
use url::Url;

#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;
use crate::{api::Api, calls::Counts};

credentials! {
    /// What opens one 3CX phone system.
    pub struct Credentials {
        /// PBX address
        /// The address of the admin console, such as https://name.3cx.eu or https://pbx.example.com:5001.
        url: Url,
        /// Client ID
        /// Chosen in 3CX under Integrations > API, and used by PanelOne alone.
        client_id: String,
        /// API key
        /// Shown once, when the Client ID is made.
        api_key: Secret,
    }
}

/// The connector of one 3CX phone system.
pub struct Threecx {
    api: Api,
    /// The calls of each number, as the listing of extensions that is under way counted them.
    counts: Mutex<Option<Arc<Option<Counts>>>>,
}

impl Vendor for Threecx {
    const ID: &'static str = "threecx";
    const NAME: &'static str = "3CX";
    const CATEGORY: Category = Category::Telephony;
    const ENTITY: (&'static str, &'static str) = ("extension", "extensions");
    const ENTITY_KIND: &'static str = "threecx_extension";
    const DOCS: &'static str = "https://www.3cx.com/docs/configuration-rest-api/";
    const README: &'static str = include_str!("../README.md");
    const MAPPED_BY: MappedBy = MappedBy::ClientForm;
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { api: Api::new(credentials, transport), counts: Mutex::default() }
    }
}

#[async_trait]
impl Connector for Threecx {
    async fn check(&self) -> Result<Checked> {
        self.api.check().await
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn phone_systems(&self) -> Option<&dyn Pull<PhoneSystem>> {
        Some(self)
    }

    fn extensions(&self) -> Option<&dyn Pull<Extension>> {
        Some(self)
    }
}
