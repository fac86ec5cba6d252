//! CIPP: a second source of the tenants that `connector-microsoft365` lists, with the same ids. Of each
//! tenant: users, sign-in methods, administrators, licences, secure score, domains and their health. Read only.
//!
//! * `api.rs`: CIPP's manners. Token, address, and every error in one function.
//! * `rows.rs`: the shapes in which one and the same listing may come. `wire.rs`: values in it.
//! * `tenants.rs`, `users.rs` …: one endpoint and one mapping each. `simulator/` (feature `simulator`).
//!
//! **A new kind of record**: a file with the endpoint and `Pull<…>`, the accessor below, an exchange in
//! `tests/vendor/`, and its endpoint in the simulator. `README.md` is the help that people see in the
//! connect form: keep its rights and oddities true.

mod admin_roles;
mod api;
mod domains;
mod guid;
mod licences;
mod rows;
mod secure_scores;
mod sign_in_methods;
#[cfg(feature = "simulator")]
mod simulator;
mod tenants;
mod users;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
pub use guid::Guid;
use integration::{
    AdminRole, Category, Checked, Connector, DirectoryUser, Domain, Entity, Licence, Pull, Result, Secret, SecureScore,
    SignInMethods, Transport, Vendor, credentials,
};
use url::Url;

use crate::api::Api;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// What opens one CIPP instance.
    pub struct Credentials {
        /// CIPP API address
        /// The address of the function app, such as https://cipp-abcde.azurewebsites.net, or its own domain.
        url: Url,
        /// Tenant ID
        /// CIPP → Integrations → CIPP-API: the tenant ID of your own (partner) tenant.
        tenant_id: Guid,
        /// Client ID
        /// The application ID of the API client made there.
        client_id: Guid,
        /// Client secret
        /// Shown once, when the API client is made.
        client_secret: Secret,
        /// Sign-in address
        /// Leave empty; only for national clouds, for example https://login.microsoftonline.us.
        login_host: Option<Url>,
    }
}

/// The connector of one CIPP instance.
pub struct Cipp {
    api: Api,
}

impl Vendor for Cipp {
    const ID: &'static str = "cipp";
    const NAME: &'static str = "CIPP";
    const CATEGORY: Category = Category::Productivity;
    const ENTITY: (&'static str, &'static str) = ("tenant", "tenants");
    const ENTITY_KIND: &'static str = "microsoft_tenant";
    const DOCS: &'static str = "https://docs.cipp.app";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { api: Api::new(credentials, transport) }
    }
}

#[async_trait]
impl Connector for Cipp {
    async fn check(&self) -> Result<Checked> {
        tenants::check(self).await
    }
    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }
    fn directory_users(&self) -> Option<&dyn Pull<DirectoryUser>> {
        Some(self)
    }
    fn sign_in_methods(&self) -> Option<&dyn Pull<SignInMethods>> {
        Some(self)
    }
    fn admin_roles(&self) -> Option<&dyn Pull<AdminRole>> {
        Some(self)
    }
    fn licences(&self) -> Option<&dyn Pull<Licence>> {
        Some(self)
    }
    fn secure_scores(&self) -> Option<&dyn Pull<SecureScore>> {
        Some(self)
    }
    fn domains(&self) -> Option<&dyn Pull<Domain>> {
        Some(self)
    }
}
