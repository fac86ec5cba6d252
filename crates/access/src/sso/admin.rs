//! Setting identity providers up. Whoever sets up a provider decides who comes in, as whom: it takes the whole client
//! scope, and for the staff's own an owner where owners are linked to it.

use std::collections::BTreeSet;

use domain::{
    ClientId, ENTRA_AUTHORITY, Error, Permission, Problem, Result, SsoAudience, SsoKind, SsoProvider, SsoProviderId,
    StaffId,
};
use persistence::Tx;
use secrecy::{ExposeSecret, SecretString};

/// Longest client secret, in bytes.
const SECRET: usize = 2_048;
/// Links that are ended at a time.
const CHUNK: u64 = 200;

/// A provider to be set up; nothing is checked yet.
#[derive(Clone, Debug)]
pub struct NewSsoProvider {
    /// Whom it lets in.
    pub audience: SsoAudience,
    /// The one client whose people it lets in.
    pub client: Option<ClientId>,
    /// What people see on the button.
    pub name: String,
    /// Of which kind it is.
    pub kind: SsoKind,
    /// Issuer; for Entra the authority, Microsoft's own unless given.
    pub issuer: Option<String>,
    /// The client id that the provider gave us.
    pub app_id: String,
    /// The client secret that it gave us.
    pub secret: SecretString,
    /// Whether sign-ins may begin.
    pub enabled: bool,
    /// Entra tenants that are let in beside those mapped to the client.
    pub tenants: BTreeSet<String>,
    /// Domains for which it is offered.
    pub domains: BTreeSet<String>,
    /// Whether accounts are made just in time.
    pub just_in_time: bool,
    /// Whether its second factor is taken for ours.
    pub trusts_mfa: bool,
}

/// What to change; `None` leaves it as it is. Audience, client, kind and issuer stay for ever: the identities that are
/// linked are theirs.
#[derive(Clone, Debug, Default)]
pub struct SsoPatch {
    /// New name.
    pub name: Option<String>,
    /// New client id.
    pub app_id: Option<String>,
    /// New client secret.
    pub secret: Option<SecretString>,
    /// Whether sign-ins may begin.
    pub enabled: Option<bool>,
    /// Entra tenants.
    pub tenants: Option<BTreeSet<String>>,
    /// Domains.
    pub domains: Option<BTreeSet<String>>,
    /// Whether accounts are made just in time.
    pub just_in_time: Option<bool>,
    /// Whether its second factor is taken for ours.
    pub trusts_mfa: Option<bool>,
    /// Refuse unless the row has this version.
    pub version: Option<i32>,
}

fn lower(texts: BTreeSet<String>) -> BTreeSet<String> {
    texts.into_iter().map(|text| text.trim().to_lowercase()).collect()
}

/// Refuses whoever may not decide who comes in as whom. Over the staff's own provider only those who are over everybody
/// who comes in through it: another issuer's word would else be an owner's session.
async fn permit(tx: &Tx, provider: &SsoProvider) -> Result<()> {
    tx.context().require(Permission::SsoManage)?;
    if provider.audience == SsoAudience::Portal {
        return Ok(());
    }
    for link in tx.sso_links_at(provider.id, None, 1_000).await? {
        crate::staff::require_over(tx.context(), &tx.staff(StaffId(link.account.id)).await?)?;
    }
    Ok(())
}

fn secret_problem(secret: &SecretString) -> Option<Problem> {
    let text = secret.expose_secret();
    let sound = !text.is_empty() && text.len() <= SECRET && text.chars().all(|c| !c.is_control());
    let message = "must be the client secret that the provider gave, on one line";
    (!sound).then(|| Problem::new("/secret", "not_a_secret", message))
}

async fn check(tx: &Tx, provider: &SsoProvider, secret: Option<&SecretString>) -> Result<()> {
    let mut problems = provider.problems();
    problems.extend(secret.and_then(secret_problem));
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    for domain in &provider.domains {
        if tx.sso_provider_of_domain(domain).await?.is_some_and(|other| other.id != provider.id) {
            let message = format!("Another provider is offered for {domain} already.");
            return Err(Error::conflict("domain_taken", message));
        }
    }
    Ok(())
}

/// Sets a provider up. The caller commits (`sso_provider_create`). The conflicts `provider_exists`, where there is one
/// for these people, and `domain_taken`.
pub async fn sso_provider_create(tx: &Tx, new: NewSsoProvider) -> Result<SsoProvider> {
    tx.context().require(Permission::SsoManage)?;
    // Domains are told apart over all providers: one change at a time.
    tx.team_lock().await?;
    if let Some(client) = new.client {
        tx.client(client).await?;
    }
    let issuer = match (new.issuer, new.kind) {
        (Some(issuer), _) => issuer.trim().to_owned(),
        (None, SsoKind::Entra) => ENTRA_AUTHORITY.to_owned(),
        (None, SsoKind::Oidc) => return Err(Error::invalid("/issuer", "required", "must be given")),
    };
    let provider = SsoProvider {
        id: tx.new_id(),
        audience: new.audience,
        client_id: new.client,
        name: new.name.trim().to_owned(),
        kind: new.kind,
        issuer,
        app_id: new.app_id.trim().to_owned(),
        secret_version: 1,
        enabled: new.enabled,
        tenants: lower(new.tenants),
        domains: lower(new.domains),
        just_in_time: new.just_in_time,
        trusts_mfa: new.trusts_mfa,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    };
    check(tx, &provider, Some(&new.secret)).await?;
    tx.sso_provider_insert(&provider).await?;
    tx.sso_secret_seal(provider.id, &new.secret).await?;
    Ok(provider)
}

/// Changes a provider. The caller commits (`sso_provider_update`). Sign-ins under way are void with it; sessions go on.
pub async fn sso_provider_update(tx: &Tx, id: SsoProviderId, patch: SsoPatch) -> Result<SsoProvider> {
    tx.context().require(Permission::SsoManage)?;
    tx.team_lock().await?;
    let before = tx.sso_provider(id).await?;
    permit(tx, &before).await?;
    if patch.version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "identity provider" });
    }
    let after = SsoProvider {
        name: patch.name.map_or_else(|| before.name.clone(), |name| name.trim().to_owned()),
        app_id: patch.app_id.map_or_else(|| before.app_id.clone(), |id| id.trim().to_owned()),
        secret_version: before.secret_version + i32::from(patch.secret.is_some()),
        enabled: patch.enabled.unwrap_or(before.enabled),
        tenants: patch.tenants.map_or_else(|| before.tenants.clone(), lower),
        domains: patch.domains.map_or_else(|| before.domains.clone(), lower),
        just_in_time: patch.just_in_time.unwrap_or(before.just_in_time),
        trusts_mfa: patch.trusts_mfa.unwrap_or(before.trusts_mfa),
        ..before.clone()
    };
    check(tx, &after, patch.secret.as_ref()).await?;
    let after = tx.sso_provider_update(&before, after).await?;
    if let Some(secret) = &patch.secret {
        tx.sso_secret_seal(id, secret).await?;
    }
    Ok(after)
}

/// Deletes a provider with all its links, each in the change set, and with the sign-ins that are under way. Accounts and
/// sessions stay. The caller commits (`sso_provider_delete`).
pub async fn sso_provider_delete(tx: &Tx, id: SsoProviderId) -> Result<SsoProvider> {
    tx.context().require(Permission::SsoManage)?;
    tx.team_lock().await?;
    let provider = tx.sso_provider(id).await?;
    permit(tx, &provider).await?;
    loop {
        let links = tx.sso_links_at(id, None, CHUNK).await?;
        if links.is_empty() {
            break;
        }
        for link in links {
            tx.sso_link_delete(&link).await?;
        }
    }
    tx.sso_provider_delete(&provider).await?;
    Ok(provider)
}
