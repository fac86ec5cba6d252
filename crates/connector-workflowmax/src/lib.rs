//! WorkflowMax by BlueRock: clients with their contacts, jobs and invoices.
//!
//! * `api.rs`: the vendor's manners. Consent, addresses, headers, and every error in one function.
//! * `paging.rs`: its listings. `wire.rs`, `loose.rs`: its JSON as it really is, only the fields we use.
//! * `clients.rs`, `contacts.rs`, `jobs.rs`, `invoices.rs`: one request and one mapping each.
//! * `settings.rs`: what an account must be told by a person.
//! * `simulator/` (feature `simulator`): the vendor over the shared world, with its sign-in page.
//!
//! **A new kind of record**: its struct in `wire.rs`, a file with `Pull<…>`, the accessor below, an
//! exchange in `tests/vendor/`, and its path in the simulator. `README.md` is the help that people
//! see in the connect form: keep its rights and oddities true.

mod api;
mod clients;
mod contacts;
mod invoices;
mod jobs;
mod loose;
mod paging;
mod settings;
#[cfg(feature = "simulator")]
mod simulator;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use integration::{
    Category, Checked, Connector, Consent, Contact, Entity, Grant, Invoice, Job, Pull, Result, Secret, Transport,
    Vendor, credentials,
};
use url::Url;

use crate::api::Api;
pub use crate::settings::Currency;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// What opens one WorkflowMax account.
    pub struct Credentials {
        /// Client ID
        /// Of the app that you register at developer.workflowmax2.com.
        client_id: String,
        /// Client secret
        /// Of the same app.
        client_secret: Secret,
        /// Organisation ID
        /// Only if your login reaches several organisations: the one to connect.
        organisation_id: Option<String>,
        /// Prospects
        /// Clients that are marked as prospects are left out unless you say otherwise.
        prospects: Option<Prospects>,
        /// Currency
        /// The currency of your invoices, such as AUD: WorkflowMax does not say it. Without it amounts are left out.
        currency: Option<Currency>,
        /// API address
        /// Leave empty unless BlueRock gave you another one than https://api.workflowmax2.com.
        api_url: Option<Url>,
        /// Sign-in address
        /// Leave empty unless BlueRock gave you another one than https://oauth.workflowmax2.com.
        login_url: Option<Url>,
        /// Consent
        /// Given at WorkflowMax's own page, by someone who may authorise third parties with full access.
        grant: Option<Grant>,
    }
}

credentials! {
    /// Whether prospects are listed.
    pub enum Prospects {
        LeaveOut = "leave_out" / "Leave them out",
        Include = "include" / "List them too",
    }
}

/// The connector of one WorkflowMax account.
pub struct Workflowmax {
    api: Api,
    prospects: bool,
    currency: Option<Currency>,
}

impl Vendor for Workflowmax {
    const ID: &'static str = "workflowmax";
    const NAME: &'static str = "WorkflowMax";
    const CATEGORY: Category = Category::RmmAndPsa;
    const ENTITY: (&'static str, &'static str) = ("client", "clients");
    const ENTITY_KIND: &'static str = "workflowmax_client";
    const DOCS: &'static str = "https://api-docs.workflowmax.com";
    const README: &'static str = include_str!("../README.md");
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        Self {
            prospects: credentials.prospects == Some(Prospects::Include),
            currency: credentials.currency.clone(),
            api: Api::new(credentials, transport),
        }
    }
}

#[async_trait]
impl Connector for Workflowmax {
    async fn check(&self) -> Result<Checked> {
        self.api.probe().await?;
        Ok(Checked { account: self.api.organisation().map(|id| format!("organisation {id}")), ..Checked::default() })
    }

    fn consent(&self) -> Option<&dyn Consent> {
        Some(&self.api)
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn contacts(&self) -> Option<&dyn Pull<Contact>> {
        Some(self)
    }

    fn jobs(&self) -> Option<&dyn Pull<Job>> {
        Some(self)
    }

    fn invoices(&self) -> Option<&dyn Pull<Invoice>> {
        Some(self)
    }
}
