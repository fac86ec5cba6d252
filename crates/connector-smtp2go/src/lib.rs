//! SMTP2GO: a mail relay. One connection is one account, and belongs to one client as a whole; the subaccounts of a
//! master account are listed where that is wanted, and each may be another client's.
//!
//! * `api.rs`: the vendor's manners. Key, address, permissions, and every error in one function.
//! * `wire.rs`: the vendor's JSON as it really is, only the fields we use.
//! * `account.rs`, `domains.rs`, `senders.rs`, `usage.rs`: one listing each. `subaccounts.rs`: whose
//!   they are. `sending.rs`: the one write, and how a message whose answer was lost is found again.
//! * `simulator.rs` (feature `simulator`): the vendor's wire format over the shared world.
//!
//! **A new kind of record**: its struct in `wire.rs`, a file with `Pull<…>`, the accessor below, its endpoint
//! in `api::NEEDED`, an exchange in `tests/vendor/`, and its path in the simulator. `README.md` is the help
//! that people see in the connect form: keep its endpoints and oddities true.

mod account;
mod api;
mod domains;
mod senders;
mod sending;
#[cfg(feature = "simulator")]
mod simulator;
mod subaccounts;
mod usage;
mod wire;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use integration::{
    Category, Checked, Connector, Domain, Entity, Evidence, MailSender, MailUsage, MappedBy, Pull, Result, Secret,
    SendMail, Transport, Vendor, credentials,
};
use url::Url;

use crate::api::Api;
#[cfg(feature = "simulator")]
pub use crate::simulator::Simulator;

credentials! {
    /// Where the API is reached.
    pub enum Region {
        Nearest = "nearest" / "Wherever the account is",
        Us = "us" / "United States",
        Eu = "eu" / "Europe",
        Au = "au" / "Australia",
    }
}

credentials! {
    /// What opens one SMTP2GO account or subaccount.
    pub struct Credentials {
        /// Account name
        /// What to call this account here: mostly the name of the client whose mail it sends.
        account_name: String,
        /// Region
        /// Only where mail may not leave a region; otherwise the first choice finds the account.
        region: Region,
        /// API key
        /// Sending → API Keys. It begins with api- and is shown once, when it is made.
        api_key: Secret,
        /// Subaccounts
        /// Only with the key of a master account: its subaccounts can be listed too, each for a client of its own.
        subaccounts: Option<Subaccounts>,
        /// API address
        /// Leave empty unless SMTP2GO gave you another one than that of the region.
        api_url: Option<Url>,
    }
}

credentials! {
    /// Whether a master account's subaccounts are listed.
    pub enum Subaccounts {
        Ignored = "ignored" / "This account only",
        Listed = "listed" / "Its subaccounts too",
    }
}

/// The connector of one SMTP2GO account.
pub struct Smtp2go {
    api: Api,
    account_name: String,
    subaccounts: bool,
    /// Subaccounts by their ids, once they were walked for their plans.
    plans: Mutex<BTreeMap<String, Arc<wire::Subaccount>>>,
}

impl Vendor for Smtp2go {
    const ID: &'static str = "smtp2go";
    const NAME: &'static str = "SMTP2GO";
    const CATEGORY: Category = Category::Mail;
    const ENTITY: (&'static str, &'static str) = ("account", "accounts");
    const ENTITY_KIND: &'static str = "smtp2go_account";
    const DOCS: &'static str = "https://developers.smtp2go.com";
    const README: &'static str = include_str!("../README.md");
    const MAPPED_BY: MappedBy = MappedBy::Connection;
    const EVIDENCE: Evidence = Evidence::Specification;
    type Credentials = Credentials;

    fn connect(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let account_name = credentials.account_name.clone();
        let subaccounts = credentials.subaccounts == Some(Subaccounts::Listed);
        Self { api: Api::new(credentials, transport), account_name, subaccounts, plans: Mutex::default() }
    }
}

#[async_trait]
impl Connector for Smtp2go {
    async fn check(&self) -> Result<Checked> {
        account::check(&self.api, self.subaccounts).await
    }

    fn entities(&self) -> Option<&dyn Pull<Entity>> {
        Some(self)
    }

    fn domains(&self) -> Option<&dyn Pull<Domain>> {
        Some(self)
    }

    fn mail_usages(&self) -> Option<&dyn Pull<MailUsage>> {
        Some(self)
    }

    fn mail_senders(&self) -> Option<&dyn Pull<MailSender>> {
        Some(self)
    }

    fn mail_sending(&self) -> Option<&dyn SendMail> {
        Some(self)
    }
}
