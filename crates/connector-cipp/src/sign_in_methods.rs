//! How the users of a tenant can sign in. Where the tenant has no Entra ID P1, Microsoft tells CIPP
//! nothing of it, and the fields are empty.

use async_trait::async_trait;
use integration::{Item, Page, Position, Pull, Reach, Result, SignInMethods};
use serde::Deserialize;

use crate::{Cipp, api::whole, wire};

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "UPN")]
    principal_name: Option<String>,
    #[serde(default, rename = "MFARegistration", deserialize_with = "wire::flag")]
    registered: Option<bool>,
    #[serde(default, rename = "MFACapable", deserialize_with = "wire::flag")]
    capable: Option<bool>,
    #[serde(default, rename = "IsAdmin", deserialize_with = "wire::flag")]
    admin: Option<bool>,
    #[serde(default, rename = "MFAMethods", deserialize_with = "wire::texts")]
    methods: Vec<String>,
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
        let record = SignInMethods {
            principal_name: wire::said(wire.principal_name),
            mfa_registered: wire.registered,
            mfa_capable: wire.capable,
            passwordless_capable: None,
            is_admin: wire.admin,
            methods: wire.methods,
            ..SignInMethods::default()
        };
        Ok(Item { id: wire.id, entity: None, record })
    }
}
