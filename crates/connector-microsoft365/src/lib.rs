//! Microsoft 365 through Microsoft Graph: the customer tenants of an MSP's partner tenant, and in each
//! of them users, sign-in methods, administrators, licences, secure score and domains. Read only.
//!
//! `api.rs` holds Microsoft's manners (tokens, links), `refusals.rs` its errors, `wire.rs` its JSON, and
//! each other file one kind of record: where it is listed, which right that needs, and how one record is read.
//! **A new kind of record** is one more such file, its accessor below, and an exchange in `tests/vendor`.

mod admin_roles;
mod admission;
mod api;
mod batch;
mod domains;
mod guid;
mod licences;
mod refusals;
mod rounds;
mod secure_scores;
mod sign_in_methods;
mod sign_ins;
#[cfg(feature = "simulator")]
pub mod simulator;
mod tenants;
mod users;
mod walks;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
pub use guid::Guid;
use integration::{
    AdminRole, Admission, Category, Checked, Connector, DirectoryUser, Domain, Entity, Licence, Pull, Result, Secret,
    SecureScore, SignInMethods, Transport, Vendor,
};
use url::Url;

use crate::{api::Api, walks::Walks};

integration::credentials! {
    /// One app registration of the MSP, and the partner tenant it belongs to.
    pub struct Credentials {
        /// Partner tenant ID
        /// Entra admin centre of your own (partner) tenant → Overview → Tenant ID.
        tenant_id: Guid,
        /// Application (client) ID
        /// App registrations → your app → Overview. The app must be multi-tenant.
        client_id: Guid,
        /// Client secret
        /// App registrations → your app → Certificates & secrets: the secret's Value, not its ID.
        client_secret: Secret,
        /// Sign-in address
        /// Only for national clouds, for example https://login.microsoftonline.us.
        login_host: Option<Url>,
        /// Graph address
        /// Only for national clouds, for example https://graph.microsoft.us, without a version.
        graph_host: Option<Url>,
    }
}

/// The connector.
pub struct Microsoft365 {
    api: Api,
    walks: Walks,
}

impl Vendor for Microsoft365 {
    const ID: &'static str = "microsoft365";
    const NAME: &'static str = "Microsoft 365";
    const CATEGORY: Category = Category::Productivity;
    const ENTITY: (&'static str, &'static str) = ("tenant", "tenants");
    const ENTITY_KIND: &'static str = "microsoft_tenant";
    const DOCS: &'static str = "https://learn.microsoft.com/graph/auth-v2-service";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self { api: Api::new(credentials, transport), walks: Walks::default() }
    }
}

#[async_trait]
impl Connector for Microsoft365 {
    async fn check(&self) -> Result<Checked> {
        tenants::check(&self.api).await
    }
    fn admission(&self) -> Option<&dyn Admission> {
        Some(self)
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
