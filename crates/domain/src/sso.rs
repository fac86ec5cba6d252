//! Signing in through identity providers (OpenID Connect): what a provider is set up as, and whose account an identity
//! opens. Pure rules; what a token says is checked in `access`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use url_check::{is_domain, is_issuer};
use uuid::Uuid;

use crate::{Account, ClientId, Problem, SsoLinkId, SsoProviderId, Timestamp, valid_name};

/// Whom a provider lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SsoAudience {
    /// Staff of the MSP.
    Staff,
    /// People of clients, who sign in to ClientOne.
    Portal,
}

impl SsoAudience {
    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Portal => "portal",
        }
    }

    /// The audience of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Staff, Self::Portal].into_iter().find(|one| one.as_str() == name)
    }
}

/// Of which kind a provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SsoKind {
    /// Microsoft Entra, a multi-tenant app: one issuer for each tenant.
    Entra,
    /// Any other OpenID Connect provider, with one issuer.
    Oidc,
}

impl SsoKind {
    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Entra => "entra",
            Self::Oidc => "oidc",
        }
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Entra, Self::Oidc].into_iter().find(|one| one.as_str() == name)
    }
}

/// Where Microsoft Entra is, unless a sovereign cloud is named.
pub const ENTRA_AUTHORITY: &str = "https://login.microsoftonline.com";
/// The tenant of Microsoft's personal accounts: nobody's business, and never let in.
pub const PERSONAL_TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
/// Tenants and domains that one provider may name.
const MOST_NAMED: usize = 200;
/// Longest address and app id, in characters.
const LONGEST: usize = 255;

/// An identity provider, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SsoProvider {
    /// Id.
    pub id: SsoProviderId,
    /// Whom it lets in.
    pub audience: SsoAudience,
    /// The one client whose people it lets in; none for the MSP's own.
    pub client_id: Option<ClientId>,
    /// What people see on the button.
    pub name: String,
    /// Of which kind it is.
    pub kind: SsoKind,
    /// Issuer, below which its discovery document is; for Entra the authority, without a tenant.
    pub issuer: String,
    /// The client id that the provider gave us.
    pub app_id: String,
    /// Goes up with each new client secret; 0 while there is none.
    pub secret_version: i32,
    /// Whether sign-ins may begin.
    pub enabled: bool,
    /// Entra tenants whose people may come in, beside those mapped to the client; lower case.
    pub tenants: BTreeSet<String>,
    /// Domains of e-mail addresses for which it is offered; lower case. Only of a client's own provider.
    pub domains: BTreeSet<String>,
    /// Whether who is let in without an account gets one: a User of the client, never anything else.
    pub just_in_time: bool,
    /// Whether a second factor shown to the provider is taken for ours.
    pub trusts_mfa: bool,
    /// Made.
    pub created_at: Timestamp,
    /// Changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

/// An account that an identity opens. The identity is issuer, tenant and subject, and never an e-mail address: those
/// are claimed by whoever manages a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsoLink {
    /// Id.
    pub id: SsoLinkId,
    /// The provider that vouches for it.
    pub provider_id: SsoProviderId,
    /// Whose account it opens.
    pub account: Account,
    /// The client of a portal user.
    pub client_id: Option<ClientId>,
    /// Issuer, as tokens name it.
    pub issuer: String,
    /// Tenant, where the provider has them.
    pub tenant: Option<String>,
    /// Subject, as tokens name it.
    pub subject: String,
    /// Linked.
    pub created_at: Timestamp,
}

impl SsoProvider {
    /// Everything that is wrong with how it is set up.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut wrong = |at: &str, code, message: &str| problems.push(Problem::new(at, code, message));
        if let Err(problem) = valid_name("/name", &self.name) {
            wrong("/name", problem.code, &problem.message);
        }
        if !is_issuer(&self.issuer) {
            wrong("/issuer", "not_an_issuer", "must be an https address without user, query or fragment");
        }
        let app = self.app_id.as_str();
        if app.is_empty() || app.chars().count() > LONGEST || app.chars().any(|c| !c.is_ascii_graphic()) {
            wrong("/app_id", "not_an_app_id", "must be the client id that the provider gave, without spaces");
        }
        if self.tenants.len() > MOST_NAMED || self.domains.len() > MOST_NAMED {
            wrong("/tenants", "too_many", "at most 200 tenants and 200 domains");
        }
        if self.tenants.iter().any(|tenant| tenant_of(tenant).as_ref() != Some(tenant)) {
            wrong("/tenants", "not_a_tenant", "must be ids of tenants (GUIDs), and not that of personal accounts");
        }
        if self.domains.iter().any(|domain| !is_domain(domain)) {
            wrong("/domains", "not_a_domain", "must be domains such as harbour.example");
        }
        let (entra, staff) = (self.kind == SsoKind::Entra, self.audience == SsoAudience::Staff);
        let own = self.client_id.is_none();
        if staff && !own {
            wrong("/client_id", "not_for_staff", "must be left out: staff sign in through the MSP's own provider");
        }
        if !entra && !self.tenants.is_empty() {
            wrong("/tenants", "entra_only", "must be empty: only Microsoft Entra has tenants");
        }
        if entra && staff && self.tenants.is_empty() {
            wrong("/tenants", "required", "must name your own tenants: anyone of Microsoft could else try");
        }
        if entra && !staff && own && !self.tenants.is_empty() {
            wrong("/tenants", "mapped", "must be empty: people come in from the tenants mapped to their client");
        }
        if own && !self.domains.is_empty() {
            wrong("/domains", "clients_only", "must be empty: the MSP's own provider is offered to all others");
        }
        if self.just_in_time && staff {
            wrong("/just_in_time", "not_for_staff", "must be false: staff are invited");
        }
        if self.just_in_time && own && !entra {
            wrong("/just_in_time", "no_tenants", "must be false: nothing says of which client somebody is");
        }
        if self.just_in_time && !own && !entra && self.domains.is_empty() {
            wrong("/domains", "required", "must name the client's own: many companies may share an issuer");
        }
        problems
    }

    /// Where its discovery document is.
    pub fn discovery(&self) -> String {
        let base = self.issuer.trim_end_matches('/');
        match self.kind {
            SsoKind::Entra => format!("{base}/organizations/v2.0/.well-known/openid-configuration"),
            SsoKind::Oidc => format!("{base}/.well-known/openid-configuration"),
        }
    }

    /// The issuer that the discovery document must name.
    pub fn announced_issuer(&self) -> String {
        match self.kind {
            SsoKind::Entra => format!("{}/{{tenantid}}/v2.0", self.issuer.trim_end_matches('/')),
            SsoKind::Oidc => self.issuer.clone(),
        }
    }

    /// The issuer that a token of this tenant must name; none where the kind has tenants and none is given.
    pub fn issuer_of(&self, tenant: Option<&str>) -> Option<String> {
        match (self.kind, tenant) {
            (SsoKind::Entra, Some(tenant)) => Some(self.announced_issuer().replace("{tenantid}", tenant)),
            (SsoKind::Entra, None) => None,
            (SsoKind::Oidc, _) => Some(self.issuer.clone()),
        }
    }

    /// Whether people of a tenant may come in to a client, or to the staff where it is none. `mapped` are the clients
    /// that the tenant is mapped to.
    pub fn admits(&self, tenant: Option<&str>, client: Option<ClientId>, mapped: &BTreeSet<ClientId>) -> bool {
        let listed = tenant.is_some_and(|tenant| self.tenants.contains(tenant));
        let own = client.is_some_and(|client| *mapped == BTreeSet::from([client]));
        match (self.kind, self.audience, self.client_id) {
            (SsoKind::Oidc, SsoAudience::Staff, _) => client.is_none(),
            (SsoKind::Oidc, SsoAudience::Portal, only) => client.is_some() && (only.is_none() || only == client),
            (SsoKind::Entra, SsoAudience::Staff, _) => client.is_none() && listed,
            (SsoKind::Entra, SsoAudience::Portal, None) => own,
            // A tenant that is another client's is not this one's, whoever listed it.
            (SsoKind::Entra, SsoAudience::Portal, Some(only)) => {
                client == Some(only) && (own || (listed && mapped.is_empty()))
            }
        }
    }

    /// Of which client somebody without an account would be; none where nobody gets one.
    pub fn client_of_newcomer(&self, mapped: &BTreeSet<ClientId>) -> Option<ClientId> {
        if !self.just_in_time || self.audience == SsoAudience::Staff {
            return None;
        }
        let sole = mapped.iter().next().copied().filter(|_| mapped.len() == 1);
        match (self.kind, self.client_id) {
            (SsoKind::Entra, None) => sole,
            (SsoKind::Entra, Some(client)) => sole.filter(|mapped| *mapped == client),
            (SsoKind::Oidc, client) => client,
        }
    }

    /// Whether an account may be made of somebody with this address, which the provider vouches for. An issuer may be
    /// shared by the whole world: only addresses of the client's own domains are its people's. An Entra tenant is one
    /// company's already.
    pub fn takes_address(&self, email: &str) -> bool {
        self.kind == SsoKind::Entra || domain_of(email).is_some_and(|domain| self.domains.contains(&domain))
    }
}

/// The one spelling of a tenant's id; none for anything else, and for the tenant of personal accounts.
pub fn tenant_of(text: &str) -> Option<String> {
    let id = Uuid::try_parse(text).ok().filter(|_| text.len() == 36)?.to_string();
    (id != PERSONAL_TENANT).then_some(id)
}

/// Whether the methods that a token names (`amr`, RFC 8176) say that more than one factor was shown. Only the word for
/// just that counts: single methods say nothing of how many there were.
pub fn shows_mfa<'a>(methods: impl IntoIterator<Item = &'a str>) -> bool {
    methods.into_iter().any(|method| method == "mfa")
}

/// The domain of an e-mail address, as providers name them.
pub fn domain_of(email: &str) -> Option<String> {
    let domain = email.trim().rsplit_once('@')?.1.to_lowercase();
    is_domain(&domain).then_some(domain)
}

mod url_check {
    /// Whether a text can be an issuer: an address by which nothing else can be meant.
    pub(super) fn is_issuer(text: &str) -> bool {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let Some(rest) = rest.filter(|_| text.len() <= super::LONGEST) else { return false };
        let host = rest.split('/').next().unwrap_or_default();
        let sound = |c: char| c.is_ascii_graphic() && !"?#@\\\"<>{}|^`%".contains(c);
        !host.is_empty() && rest.chars().all(sound) && !rest.split('/').any(|part| matches!(part, "." | ".."))
    }

    /// Whether a text is a domain of at least two labels, in lower case.
    pub(super) fn is_domain(text: &str) -> bool {
        let label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        text.len() <= 253 && text.contains('.') && text.split('.').all(label)
    }
}

#[cfg(test)]
mod tests;
