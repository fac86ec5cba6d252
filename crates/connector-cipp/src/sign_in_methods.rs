//! How the users of a tenant can sign in, and what makes a second factor obligatory. Where the tenant has no
//! Entra ID P1, Microsoft tells CIPP nothing of what is registered, and those fields are empty.

use async_trait::async_trait;
use integration::{Item, Page, Position, Pull, Reach, Result, SignInMethods};
use serde::Deserialize;

use crate::{Cipp, api::whole, wire};

#[derive(Deserialize)]
struct Wire {
    /// Without one it is nobody: CIPP says in such a row that it is still loading.
    #[serde(rename = "ID")]
    id: String,
    #[serde(default, rename = "UPN", deserialize_with = "wire::text")]
    principal_name: Option<String>,
    #[serde(default, rename = "MFARegistration", deserialize_with = "wire::flag")]
    registered: Option<bool>,
    #[serde(default, rename = "MFACapable", deserialize_with = "wire::flag")]
    capable: Option<bool>,
    #[serde(default, rename = "IsAdmin", deserialize_with = "wire::flag")]
    admin: Option<bool>,
    #[serde(default, rename = "MFAMethods", deserialize_with = "wire::texts")]
    methods: Vec<String>,
    /// `disabled`, `enabled` or `enforced`.
    #[serde(default, rename = "PerUser", deserialize_with = "wire::texts")]
    per_user: Vec<String>,
    /// `Enforced - All Apps`, `Enforced - Specific Apps`, `Not Enforced`, or another text.
    #[serde(default, rename = "CoveredByCA", deserialize_with = "wire::texts")]
    conditional_access: Vec<String>,
    #[serde(default, rename = "CoveredBySD", deserialize_with = "wire::flag")]
    security_defaults: Option<bool>,
}

impl Wire {
    /// Everything that demands a second factor; "none" only if all three are known not to.
    fn enforced_by(&self) -> Option<String> {
        let (access, own) = (self.conditional_access.first(), self.per_user.first());
        let own = own.map(|word| word.to_lowercase());
        let mut found: Vec<String> = Vec::new();
        if let Some(apps) = access.and_then(|words| words.strip_prefix("Enforced")) {
            let apps = apps.trim_start_matches([' ', '-']);
            found.push(if apps.is_empty() {
                "Conditional Access".into()
            } else {
                format!("Conditional Access ({apps})")
            });
        }
        if self.security_defaults == Some(true) {
            found.push("security defaults".into());
        }
        if own.as_deref() == Some("enforced") {
            found.push("per-user MFA".into());
        }
        let nothing = access.is_some_and(|words| words == "Not Enforced")
            && self.security_defaults == Some(false)
            && own.as_deref() == Some("disabled");
        match (found.is_empty(), nothing) {
            (false, _) => Some(found.join(", ")),
            (true, true) => Some("none".into()),
            (true, false) => None,
        }
    }
}

#[async_trait]
impl Pull<SignInMethods> for Cipp {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let reads = |raw: &[u8]| Pull::<SignInMethods>::read(self, raw).is_ok();
        self.api.of_tenant("ListMFAUsers", at, reads).await.map(whole)
    }

    fn read(&self, raw: &[u8]) -> Result<Item<SignInMethods>, String> {
        let wire: Wire = wire::read(raw, "a user's registration")?;
        let enforced_by = wire.enforced_by();
        let record = SignInMethods {
            principal_name: wire.principal_name,
            mfa_registered: wire.registered,
            mfa_capable: wire.capable,
            passwordless_capable: None,
            is_admin: wire.admin,
            enforced_by,
            methods: wire.methods,
        };
        Ok(Item { id: wire.id, entity: None, record })
    }
}
