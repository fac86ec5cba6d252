//! How identity providers look in the API.

use chrono::{DateTime, Utc};
use domain::{SsoAudience, SsoKind};
use poem_openapi::{Enum, Object};
use uuid::Uuid;

use super::sso::{CALLBACK, PORTAL_CALLBACK};

/// Whom a provider lets in
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SsoProviderAudience {
    /// Staff of the MSP
    Staff,
    /// People of clients, in ClientOne
    Portal,
}

/// Of which kind a provider is
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum SsoProviderKind {
    /// Microsoft Entra, a multi-tenant app
    Entra,
    /// Any other OpenID Connect provider
    Oidc,
}

/// An identity provider; its client secret is never shown.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct SsoProvider {
    /// Id
    pub id: Uuid,
    pub audience: SsoProviderAudience,
    /// The one client whose people it lets in; absent for the MSP's own
    pub client_id: Option<Uuid>,
    /// What people see on the button
    pub name: String,
    pub kind: SsoProviderKind,
    /// Issuer; for Entra the authority, without a tenant
    pub issuer: String,
    /// The client id that the provider gave
    pub app_id: String,
    /// Whether sign-ins may begin
    pub enabled: bool,
    /// Entra tenants whose people may come in, beside those mapped to the client
    pub tenants: Vec<String>,
    /// Domains of e-mail addresses for which it is offered
    pub domains: Vec<String>,
    /// Whether who has no account gets one, as a User
    pub just_in_time: bool,
    /// Whether a second factor shown to it is taken for ours
    pub trusts_mfa: bool,
    /// The address that must be entered at the provider as the one to send people back to
    pub redirect_uri: Option<String>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Changed
    pub updated_at: DateTime<Utc>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// Identity providers.
#[derive(Debug, Clone, Object)]
pub struct SsoProviders {
    /// The MSP's own first
    pub items: Vec<SsoProvider>,
}

/// A provider to be set up.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct SsoProviderCreate {
    pub audience: SsoProviderAudience,
    /// The one client whose people it lets in; left out for the MSP's own
    pub client_id: Option<Uuid>,
    /// What people see on the button
    pub name: String,
    pub kind: SsoProviderKind,
    /// Issuer, below which the discovery document is; for Entra the authority, `https://login.microsoftonline.com`
    /// unless given
    pub issuer: Option<String>,
    /// The client id that the provider gave
    pub app_id: String,
    /// The client secret that it gave; it is sealed, and never shown
    pub secret: String,
    /// Whether sign-ins may begin; they may unless said otherwise
    pub enabled: Option<bool>,
    /// Entra tenants: the staff's own, or a client's that are not mapped to it
    pub tenants: Option<Vec<String>>,
    /// Domains of e-mail addresses for which a client's provider is offered
    pub domains: Option<Vec<String>>,
    /// Make a User of who is let in and has no account; only from the client's own tenants or provider
    pub just_in_time: Option<bool>,
    /// Take a second factor shown to the provider for ours, where its token says `mfa`
    pub trusts_mfa: Option<bool>,
}

/// What to change; what is left out stays. Audience, client, kind and issuer stay for ever.
#[derive(Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct SsoProviderUpdate {
    /// What people see on the button
    pub name: Option<String>,
    /// The client id that the provider gave
    pub app_id: Option<String>,
    /// A new client secret
    pub secret: Option<String>,
    /// Whether sign-ins may begin
    pub enabled: Option<bool>,
    /// Entra tenants
    pub tenants: Option<Vec<String>>,
    /// Domains
    pub domains: Option<Vec<String>>,
    /// Make a User of who has no account
    pub just_in_time: Option<bool>,
    /// Take its second factor for ours
    pub trusts_mfa: Option<bool>,
}

/// One thing that was tried.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct SsoProviderFinding {
    /// `discovery`, `issuer`, `keys` or `secret`
    pub check: String,
    /// Whether it is right; absent where that could not be found out
    pub right: Option<bool>,
    /// What was found, and what to do
    pub message: String,
}

/// What came of trying a provider.
#[derive(Debug, Clone, Object)]
pub struct SsoProviderFindings {
    /// Whether nothing is wrong
    pub right: bool,
    /// In the order tried; what comes after something wrong is left out
    pub findings: Vec<SsoProviderFinding>,
}

/// Where a provider of this audience sends people back to, below the public origin.
pub(super) fn page_of(audience: SsoAudience) -> &'static str {
    match audience {
        SsoAudience::Staff => CALLBACK,
        SsoAudience::Portal => PORTAL_CALLBACK,
    }
}

/// A provider as it is shown; `base` is the public origin.
pub(super) fn view(provider: domain::SsoProvider, base: Option<&str>) -> SsoProvider {
    let page = page_of(provider.audience);
    SsoProvider {
        id: provider.id.0,
        audience: match provider.audience {
            SsoAudience::Staff => SsoProviderAudience::Staff,
            SsoAudience::Portal => SsoProviderAudience::Portal,
        },
        client_id: provider.client_id.map(|client| client.0),
        name: provider.name,
        kind: match provider.kind {
            SsoKind::Entra => SsoProviderKind::Entra,
            SsoKind::Oidc => SsoProviderKind::Oidc,
        },
        issuer: provider.issuer,
        app_id: provider.app_id,
        enabled: provider.enabled,
        tenants: provider.tenants.into_iter().collect(),
        domains: provider.domains.into_iter().collect(),
        just_in_time: provider.just_in_time,
        trusts_mfa: provider.trusts_mfa,
        redirect_uri: base.map(|base| format!("{base}{page}")),
        created_at: provider.created_at,
        updated_at: provider.updated_at,
        version: provider.version,
    }
}
