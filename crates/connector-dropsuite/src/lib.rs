//! Dropsuite (also sold as NinjaOne SaaS Backup): backup customers, their backups and their seats.
//!
//! * `api.rs`: the vendor's manners: its tokens, its addresses, every error in one function. `paging.rs`: its
//!   three shapes of a list.
//! * `access.rs`: the token that each customer has for itself, without which nothing of it can be read.
//! * `wire.rs`: the vendor's JSON as it really is, only the fields we use; what is secret in it is cut out there.
//! * `customers.rs`, `licences.rs`, `backups.rs`: one listing each. `health.rs`: how a backup stands.
//! * `tenants.rs`: the Microsoft tenants of customers, asked for one by one.
//! * `settings.rs`: the hours after which a backup is late.
//! * `simulator/` (feature `simulator`): the vendor's wire format over the shared world.
//!
//! **One more product**: a line in `backups.rs`. **A new kind of record**: its struct in `wire.rs`, a file with
//! `Pull<…>`, the accessor below, an exchange in `tests/vendor/`, and its path in the simulator. `README.md` is
//! the help that people see in the connect form: keep its rules and oddities true.

mod access;
mod api;
mod backups;
mod customers;
mod health;
mod licences;
mod paging;
mod settings;
#[cfg(feature = "simulator")]
mod simulator;
mod tenants;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use integration::{
    Backup, Category, Checked, Connector, Entity, Licence, Pull, Result, Secret, Transport, Vendor, credentials,
};
use url::Url;

use crate::api::Api;
pub use crate::settings::Hours;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// What opens one reseller account at Dropsuite.
    pub struct Credentials {
        /// API address
        /// As the Dropsuite portal shows it under Settings > API Settings > API Information, such as
        /// https://dropsuite.us/api. It differs by region and brand.
        url: Url,
        /// Reseller Token
        /// On the same page.
        reseller_token: Secret,
        /// Authentication Token
        /// On the same page: your own as the reseller, not one of a customer's.
        authentication_token: Secret,
        /// Late after hours
        /// A backup older than this is at risk. Leave empty for 48.
        late_after_hours: Option<Hours>,
    }
}

/// The connector of one reseller account.
pub struct Dropsuite {
    api: Api,
    late_after: TimeDelta,
}

impl Vendor for Dropsuite {
    const ID: &'static str = "dropsuite";
    const NAME: &'static str = "Dropsuite";
    const CATEGORY: Category = Category::Backup;
    const ENTITY: (&'static str, &'static str) = ("backup customer", "backup customers");
    const ENTITY_KIND: &'static str = "dropsuite_customer";
    const DOCS: &'static str = "https://dropsuite.com";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let late_after = credentials.late_after_hours.unwrap_or_default().delta();
        Self { api: Api::new(credentials, transport), late_after }
    }
}

#[async_trait]
impl Connector for Dropsuite {
    async fn check(&self) -> Result<Checked> {
        self.api.check().await
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn licences(&self) -> Option<&dyn Pull<Licence>> {
        Some(self)
    }

    fn backups(&self) -> Option<&dyn Pull<Backup>> {
        Some(self)
    }
}
