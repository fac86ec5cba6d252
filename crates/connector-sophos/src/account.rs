//! Who the credentials are: a partner, an organization or one tenant.

use std::sync::PoisonError;

use bytes::Bytes;
use integration::{Error, Kind, Request, Result};

use crate::{
    api::{Api, NAME, below},
    wire,
};

/// Who the credentials are.
#[derive(Clone)]
pub(crate) enum Account {
    /// A partner or an organization, which has tenants: how its addresses begin, how requests name it, its id.
    Over { service: &'static str, header: &'static str, id: String },
    /// One tenant, with its host and the vendor's raw words on it.
    Tenant { id: String, host: Option<String>, raw: Bytes },
}

impl Api {
    /// Who the credentials are: asked once.
    pub(crate) async fn account(&self) -> Result<Account> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(account) = known {
            return Ok(account);
        }
        let response = self.send(Request::get(below(&self.central, &["whoami", "v1"]))).await?;
        let who: wire::Who = self.parse(&response)?;
        let id = who.id.0.ok_or_else(|| Error::unreadable(NAME, "credentials without an id"))?;
        let account = match who.id_type.0.as_deref() {
            Some("partner") => Account::Over { service: "partner", header: "x-partner-id", id },
            Some("organization") => Account::Over { service: "organization", header: "x-organization-id", id },
            Some("tenant") => {
                let host = who.api_hosts.0.and_then(|hosts| hosts.data_region.0);
                Account::Tenant { id, host, raw: response.body }
            }
            _ => {
                return Err(Error::new(
                    Kind::Forbidden,
                    "these Sophos Central credentials are of no partner, organization or tenant: make others",
                ));
            }
        };
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(account.clone());
        Ok(account)
    }
}
