//! How the users of a tenant can sign in. Microsoft tells it only of tenants with Entra ID P1, leaves out
//! disabled users, and is some hours late.

use async_trait::async_trait;
use integration::{Item, Page, Position, Pull, Reach, Result, SignInMethods};
use serde::Deserialize;

use crate::{Microsoft365, api::Source, wire};

const REGISTRATIONS: Source = Source {
    path: "reports/authenticationMethods/userRegistrationDetails",
    query: "$top=999",
    right: "AuditLog.Read.All",
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: String,
    user_principal_name: Option<String>,
    is_admin: Option<bool>,
    is_mfa_registered: Option<bool>,
    is_mfa_capable: Option<bool>,
    is_passwordless_capable: Option<bool>,
    methods_registered: Option<Vec<String>>,
}

#[async_trait]
impl Pull<SignInMethods> for Microsoft365 {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&REGISTRATIONS, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<SignInMethods>, String> {
        let wire: Wire = wire::read(raw, "a user's registration")?;
        let record = SignInMethods {
            principal_name: wire::text(wire.user_principal_name),
            mfa_registered: wire.is_mfa_registered,
            mfa_capable: wire.is_mfa_capable,
            passwordless_capable: wire.is_passwordless_capable,
            is_admin: wire.is_admin,
            methods: wire.methods_registered.unwrap_or_default(),
            ..SignInMethods::default()
        };
        Ok(Item { id: wire.id, entity: None, record })
    }
}
