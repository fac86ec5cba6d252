//! Service accounts: machines that act for the organisation, not for a person of it, and outlive whoever set them up.
//! Nobody makes or changes one that may do more than they may themselves, and none is an owner.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    Actor, ClientId, CustomRoleId, Error, KeyScope, Permission, Problem, Result, Role, ServiceAccountId,
    ServiceAccountSecretId, Timestamp, valid_name,
};
use persistence::{ServiceAccountRow, ServiceAccountSecretRow, Tx};
use secrecy::SecretString;

use crate::{
    Gate,
    api_keys::permission_problem,
    custom_roles::{description, held},
    gate::in_person,
    rate,
    staff::client_problems,
    team::require_covers,
    tokens::machine_secret,
};

/// Service accounts that an organisation may have: each has its own limit of requests.
const ACCOUNTS: u64 = 100;
/// Secrets of one account: the one in use, and the one that takes its place.
const SECRETS: usize = 2;
/// Days that a secret or an account may live, where it ends at all.
const MOST_DAYS: i64 = 3_660;
/// Minutes that a token may live.
const TOKEN_MINUTES: std::ops::RangeInclusive<i32> = 15..=60;
/// Minutes that a token lives when nothing is said.
const USUAL_TOKEN: i32 = 30;

/// What it takes to make a service account; nothing is checked yet.
#[derive(Clone, Debug)]
pub struct NewServiceAccount {
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Built-in role; or else [`Self::custom_role`].
    pub role: Option<Role>,
    /// Role of the organisation's own.
    pub custom_role: Option<CustomRoleId>,
    /// How much of its role's rights it carries.
    pub scope: KeyScope,
    /// The only permissions it carries; none means all within its scope.
    pub permissions: Option<BTreeSet<Permission>>,
    /// Clients it is limited to; none means all.
    pub allow_clients: Option<BTreeSet<ClientId>>,
    /// Minutes that a token lives: 15 to 60; 30 unless said otherwise.
    pub token_minutes: Option<i32>,
    /// Requests it may make in a minute: 1 to 6,000; 600 unless said otherwise.
    pub requests_per_minute: Option<i32>,
    /// When it ends; none for never.
    pub expires_at: Option<Timestamp>,
}

/// What to change about a service account; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct ServiceAccountPatch {
    /// New name.
    pub name: Option<String>,
    /// New description; an empty one takes it away.
    pub description: Option<String>,
    /// New built-in role, instead of one of the organisation's own too.
    pub role: Option<Role>,
    /// New role of the organisation's own.
    pub custom_role: Option<CustomRoleId>,
    /// New scope.
    pub scope: Option<KeyScope>,
    /// The only permissions it carries; `Some(None)` for all within its scope.
    pub permissions: Option<Option<BTreeSet<Permission>>>,
    /// Clients it is limited to; `Some(None)` for all.
    pub allow_clients: Option<Option<BTreeSet<ClientId>>>,
    /// Minutes that its next tokens live.
    pub token_minutes: Option<i32>,
    /// Requests it may make in a minute.
    pub requests_per_minute: Option<i32>,
    /// When it ends; `Some(None)` for never.
    pub expires_at: Option<Option<Timestamp>>,
    /// Whether it is let in.
    pub enabled: Option<bool>,
    /// Refuse unless the row has this version.
    pub version: Option<i32>,
}

/// A secret that was just made.
#[derive(Debug)]
pub struct MadeSecret {
    /// The secret; shown once, not stored.
    pub secret: SecretString,
    /// What is kept of it.
    pub row: ServiceAccountSecretRow,
}

/// Service accounts by name.
pub async fn service_account_list(tx: &Tx) -> Result<Vec<ServiceAccountRow>> {
    tx.context().require(Permission::TeamManage)?;
    tx.service_account_list().await
}

/// A service account with its secrets.
pub async fn service_account_get(
    tx: &Tx,
    id: ServiceAccountId,
) -> Result<(ServiceAccountRow, Vec<ServiceAccountSecretRow>)> {
    tx.context().require(Permission::TeamManage)?;
    let row = tx.service_account(id).await?;
    let secrets = tx.service_account_secrets(id).await?;
    Ok((row, secrets))
}

/// Makes a service account, without a secret yet. The caller commits (`service_account_create`).
pub async fn service_account_create(tx: &Tx, new: NewServiceAccount) -> Result<ServiceAccountRow> {
    tx.context().require(Permission::TeamManage)?;
    tx.team_lock().await?;
    if tx.service_account_count().await? >= ACCOUNTS {
        let message = format!("There are {ACCOUNTS} service accounts already: delete one first.");
        return Err(Error::conflict("too_many_accounts", message));
    }
    let mut problems = Vec::new();
    let name = valid_name("/name", &new.name).map_err(|problem| problems.push(problem));
    let text = description(new.description.as_deref()).map_err(|problem| problems.push(problem));
    if new.role.is_some() == new.custom_role.is_some() {
        problems.push(Problem::new("/role", "one_of", "must be given, or custom_role_id instead of it"));
    }
    let (Ok(name), Ok(description), true) = (name, text, problems.is_empty()) else {
        return Err(Error::Invalid(problems));
    };
    let custom_role = match new.custom_role {
        Some(role) => Some(held(tx, role, "/custom_role_id").await?),
        None => None,
    };
    let row = ServiceAccountRow {
        id: tx.new_id(),
        name,
        description,
        role: new.role.unwrap_or(Role::Viewer),
        custom_role,
        key_scope: new.scope,
        permissions: new.permissions,
        allow_clients: new.allow_clients,
        token_minutes: new.token_minutes.unwrap_or(USUAL_TOKEN),
        requests_per_minute: new.requests_per_minute.unwrap_or(rate::USUAL),
        expires_at: new.expires_at,
        disabled_at: None,
        used_at: None,
        created_at: tx.now(),
        created_by: tx.context().actor.staff(),
        updated_at: tx.now(),
        version: 1,
    };
    check(tx, None, &row).await?;
    tx.service_account_insert(&row).await?;
    Ok(row)
}

/// Changes a service account. What it may do less is gone at its next request; one that is disabled loses its tokens.
/// The caller commits (`service_account_update`).
pub async fn service_account_update(
    tx: &Tx,
    id: ServiceAccountId,
    patch: ServiceAccountPatch,
) -> Result<ServiceAccountRow> {
    let before = over(tx, id).await?;
    if patch.version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "service account" });
    }
    let mut after = before.clone();
    if let Some(name) = &patch.name {
        after.name = valid_name("/name", name).map_err(|problem| Error::Invalid(vec![problem]))?;
    }
    if patch.description.is_some() {
        after.description =
            description(patch.description.as_deref()).map_err(|problem| Error::Invalid(vec![problem]))?;
    }
    match (patch.role, patch.custom_role) {
        (Some(_), Some(_)) => {
            return Err(Error::invalid(
                "/custom_role_id",
                "one_of",
                "must not stand beside role: it is one or the other",
            ));
        }
        (Some(role), None) => (after.role, after.custom_role) = (role, None),
        (None, Some(role)) => {
            (after.role, after.custom_role) = (Role::Viewer, Some(held(tx, role, "/custom_role_id").await?));
        }
        (None, None) => {}
    }
    after.key_scope = patch.scope.unwrap_or(after.key_scope);
    after.permissions = patch.permissions.unwrap_or(after.permissions);
    after.allow_clients = patch.allow_clients.unwrap_or(after.allow_clients);
    after.token_minutes = patch.token_minutes.unwrap_or(after.token_minutes);
    after.requests_per_minute = patch.requests_per_minute.unwrap_or(after.requests_per_minute);
    after.expires_at = patch.expires_at.unwrap_or(after.expires_at);
    match patch.enabled {
        Some(false) => after.disabled_at = before.disabled_at.or(Some(tx.now())),
        Some(true) => after.disabled_at = None,
        None => {}
    }
    check(tx, Some(&before), &after).await?;
    // It ends when people said: no machine lets itself or another live longer.
    let longer = after.expires_at != before.expires_at || (before.disabled_at.is_some() && after.disabled_at.is_none());
    if longer && matches!(tx.context().actor, Actor::ServiceAccount { .. }) {
        return Err(Error::Forbidden { permission: Permission::TeamManage });
    }
    let after = tx.service_account_update(&before, after).await?;
    if after.disabled_at.is_some() {
        tx.access_tokens_delete(id).await?;
    }
    Ok(after)
}

/// Deletes a service account: its secrets and tokens work no more, at once. The journal keeps its name. The caller
/// commits (`service_account_delete`).
pub async fn service_account_delete(tx: &Tx, id: ServiceAccountId) -> Result<ServiceAccountRow> {
    let row = over(tx, id).await?;
    tx.service_account_delete(&row).await?;
    Ok(row)
}

/// Makes a secret of an account, beside one that is in use: two may work at once, so that one takes the other's place
/// without a gap. For someone who is signed in: a key makes no keys. The caller commits (`service_account_secret_create`).
pub async fn service_account_secret_create(
    tx: &Tx,
    gate: &Gate,
    id: ServiceAccountId,
    expires_in_days: Option<i64>,
) -> Result<MadeSecret> {
    let account = over(tx, id).await?;
    // A key that made secrets would outlive its own end.
    in_person(tx.context()).map_err(|_| Error::Forbidden { permission: Permission::TeamManage })?;
    if expires_in_days.is_some_and(|days| !(1..=MOST_DAYS).contains(&days)) {
        let message = format!("must be 1 to {MOST_DAYS} days");
        return Err(Error::invalid("/expires_in_days", "out_of_range", message));
    }
    let mut live = 0;
    for secret in tx.service_account_secrets(account.id).await? {
        if secret.expires_at.is_some_and(|end| end <= tx.now()) {
            tx.service_account_secret_delete(&secret).await?;
        } else {
            live += 1;
        }
    }
    if live >= SECRETS {
        let message = format!("The account has {SECRETS} secrets that work: remove the old one first.");
        return Err(Error::conflict("too_many_secrets", message));
    }
    let token = machine_secret(gate.passwords.chance(), tx.organisation());
    let row = ServiceAccountSecretRow {
        id: tx.new_id(),
        account: account.id,
        hint: token.hint,
        secret_hash: token.hash,
        created_at: tx.now(),
        created_by: tx.context().actor.staff(),
        expires_at: expires_in_days.map(|days| tx.now() + TimeDelta::days(days)),
        used_at: None,
    };
    tx.service_account_secret_insert(&row).await?;
    Ok(MadeSecret { secret: token.text, row })
}

/// Removes a secret: it and every token that was got with it work no more, at once. The caller commits
/// (`service_account_secret_delete`).
pub async fn service_account_secret_delete(
    tx: &Tx,
    id: ServiceAccountId,
    secret: ServiceAccountSecretId,
) -> Result<ServiceAccountSecretRow> {
    let account = over(tx, id).await?;
    let secrets = tx.service_account_secrets(account.id).await?;
    let row = secrets.into_iter().find(|row| row.id == secret).ok_or(Error::NotFound { what: "secret" })?;
    tx.service_account_secret_delete(&row).await?;
    Ok(row)
}

/// A service account that the caller may do something to: they have every right that it has. A secret of one that may
/// do more would else be a way up.
async fn over(tx: &Tx, id: ServiceAccountId) -> Result<ServiceAccountRow> {
    tx.context().require(Permission::TeamManage)?;
    tx.team_lock().await?;
    let row = tx.service_account(id).await?;
    require_covers(tx.context(), row.rights())?;
    Ok(row)
}

/// What must hold of every service account that is written.
async fn check(tx: &Tx, before: Option<&ServiceAccountRow>, row: &ServiceAccountRow) -> Result<()> {
    let mut problems = Vec::new();
    if row.role == Role::Owner {
        problems.push(Problem::new("/role", "owners_are_people", "must be less than owner: an owner is a person"));
    }
    if !TOKEN_MINUTES.contains(&row.token_minutes) {
        let message = format!("must be from {} to {}", TOKEN_MINUTES.start(), TOKEN_MINUTES.end());
        problems.push(Problem::new("/token_minutes", "out_of_range", message));
    }
    if !rate::ALLOWED.contains(&row.requests_per_minute) {
        let message = format!("must be from {} to {}", rate::ALLOWED.start(), rate::ALLOWED.end());
        problems.push(Problem::new("/requests_per_minute", "out_of_range", message));
    }
    let ends = row.expires_at.filter(|_| before.is_none_or(|before| before.expires_at != row.expires_at));
    if ends.is_some_and(|end| end <= tx.now() || end > tx.now() + TimeDelta::days(MOST_DAYS)) {
        let message = format!("must be in the future, at most {MOST_DAYS} days from now");
        problems.push(Problem::new("/expires_at", "out_of_range", message));
    }
    problems.extend(row.permissions.as_ref().and_then(|named| permission_problem(named, row.key_scope)));
    let known = before.and_then(|before| before.allow_clients.clone()).unwrap_or_default();
    if let Some(clients) = &row.allow_clients {
        // Those already named may have been deleted since.
        let new = clients.difference(&known).copied().collect();
        problems.extend(client_problems(tx, "/allow_clients", &new).await?);
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    require_covers(tx.context(), row.rights())
}
