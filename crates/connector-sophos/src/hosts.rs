//! Where tenants live. Each has a host of its own, which the vendor names in its listing. The token of the
//! whole account is sent there, so a host is looked at before: it must be Sophos's.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use integration::{Error, Kind, Result};
use url::Url;

use crate::{
    account::Account,
    api::{Api, NAME},
    wire,
};

/// The hosts of tenants, as the vendor named them last.
pub(crate) struct Hosts {
    central: Url,
    named: Mutex<HashMap<String, String>>,
}

impl Hosts {
    /// Hosts for an account whose API is at `central`.
    pub(crate) fn of(central: &Url) -> Self {
        Self { central: central.clone(), named: Mutex::default() }
    }

    fn named(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what the vendor said.
    pub(crate) fn remember(&self, tenant: &str, host: String) {
        self.named().insert(tenant.to_owned(), host);
    }

    /// Forgets a host that does not answer (any more).
    pub(crate) fn forget(&self, tenant: &str) {
        self.named().remove(tenant);
    }

    /// The address that a host stands for, if a token may go there: the origin of the API itself, or, where the
    /// API is Sophos's, another host of theirs.
    fn trusted(&self, host: &str) -> Result<Url> {
        let plain = |url: &Url| {
            url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none()
        };
        let home = |url: &Url| url.origin() == self.central.origin() || (sophos(&self.central) && sophos(url));
        Url::parse(host).ok().filter(|url| plain(url) && home(url)).ok_or_else(|| {
            Error::new(
                Kind::Refused,
                format!("{NAME} names an API host for this tenant that is not Sophos's: nothing was sent there"),
            )
            .at("host", host)
        })
    }
}

fn sophos(url: &Url) -> bool {
    url.scheme() == "https" && url.port().is_none() && url.host_str().is_some_and(|host| host.ends_with(".sophos.com"))
}

impl Api {
    /// The address of a tenant: as remembered from the listing, or asked for.
    pub(crate) async fn host_of(&self, tenant: &str) -> Result<Url> {
        // The ids are UUIDs. Anything else could mean another address or header.
        if tenant.is_empty() || !tenant.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(Error::new(Kind::NotFound, "this is not an id of a Sophos Central tenant"));
        }
        let known = self.hosts.named().get(tenant).cloned();
        if let Some(host) = known {
            return self.hosts.trusted(&host);
        }
        let host = match self.account().await? {
            Account::Tenant { id, host, .. } if id == tenant => host,
            account => {
                let response = self.of_account(&account, &["tenants", tenant], &[]).await?;
                self.parse::<wire::Tenant>(&response)?.api_host.0
            }
        };
        let host =
            host.ok_or_else(|| Error::new(Kind::Refused, format!("{NAME} names no API host for this tenant (yet)")))?;
        self.hosts.remember(tenant, host.clone());
        self.hosts.trusted(&host)
    }
}
