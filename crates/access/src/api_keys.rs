//! API keys: machines that act for a staff user, never with more than their owner's rights.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    Actor, ApiKeyId, ClientId, ClientScope, Context, Error, KeyScope, Permission, Problem, Result, valid_name,
};
use persistence::{ApiKeyRow, StaffRow, Store, Tx};
use secrecy::SecretString;

use crate::{
    Gate, Rate, RequestMeta,
    gate::in_person,
    rate,
    sessions::NOTED_EVERY,
    staff::{client_problems, require_over},
    tokens::{api_key_token, parse_api_key},
};

/// Days a key lives when nothing is said.
const DAYS: u32 = 90;
/// Keys that someone may have at once: each has its own limit of requests.
const KEYS: usize = 50;
/// Days a key lives at most.
const MOST_DAYS: u32 = 366;

/// What it takes to make a key.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Name, not yet checked.
    pub name: String,
    /// How much of its owner's rights it carries.
    pub scope: KeyScope,
    /// Clients it is limited to; none means its owner's.
    pub allow_clients: Option<BTreeSet<ClientId>>,
    /// Days it lives: 1 to 366; 90 unless said otherwise.
    pub expires_in_days: Option<u32>,
    /// The only permissions it carries, as far as its scope and its owner have them; none means all of them.
    pub permissions: Option<BTreeSet<Permission>>,
    /// Requests it may make in a minute: 1 to 6,000; 600 unless said otherwise.
    pub requests_per_minute: Option<i32>,
}

/// A key that was just made.
#[derive(Debug)]
pub struct CreatedKey {
    /// The token; shown once, not stored.
    pub token: SecretString,
    /// The key.
    pub key: ApiKeyRow,
}

/// Makes a key of the caller, who must be signed in: a key makes no keys. The caller commits
/// (`api_key_create`).
pub async fn api_key_create(tx: &Tx, gate: &Gate, new: NewKey) -> Result<CreatedKey> {
    let context = tx.context();
    let owner = own(context)?;
    let mut problems = Vec::new();
    let name = valid_name("/name", &new.name).map_err(|problem| problems.push(problem));
    let days = new.expires_in_days.unwrap_or(DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        let message = format!("must be 1 to {MOST_DAYS} days");
        problems.push(Problem::new("/expires_in_days", "out_of_range", message));
    }
    let rate = new.requests_per_minute.unwrap_or(rate::USUAL);
    if !rate::ALLOWED.contains(&rate) {
        let message = format!("must be from {} to {}", rate::ALLOWED.start(), rate::ALLOWED.end());
        problems.push(Problem::new("/requests_per_minute", "out_of_range", message));
    }
    problems.extend(new.permissions.as_ref().and_then(|named| permission_problem(named, new.scope)));
    if let Some(clients) = &new.allow_clients {
        problems.extend(client_problems(tx, "/allow_clients", clients).await?);
    }
    let Ok(name) = name else { return Err(Error::Invalid(problems)) };
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let keys = tx.api_key_list(Some(owner)).await?;
    if keys.iter().filter(|key| key.revoked_at.is_none() && key.expires_at > tx.now()).count() >= KEYS {
        return Err(Error::conflict("too_many_keys", format!("You have {KEYS} keys that work: revoke one first.")));
    }
    let token = api_key_token(gate.passwords.chance(), tx.organisation(), gate.options.environment);
    let key = ApiKeyRow {
        id: tx.new_id(),
        staff_id: owner,
        name,
        hint: token.hint,
        token_hash: token.hash,
        key_scope: new.scope,
        allow_clients: new.allow_clients,
        created_at: tx.now(),
        expires_at: tx.now() + TimeDelta::days(i64::from(days)),
        revoked_at: None,
        used_at: None,
        version: 1,
        requests_per_minute: Some(rate),
        permissions: new.permissions,
    };
    tx.api_key_insert(&key).await?;
    Ok(CreatedKey { token: token.text, key })
}

/// What is wrong with the permissions that a key of this scope is to carry alone.
pub(crate) fn permission_problem(named: &BTreeSet<Permission>, scope: KeyScope) -> Option<Problem> {
    if named.is_empty() {
        return Some(Problem::new("/permissions", "required", "must name one at least, or be left out"));
    }
    let beyond = named.iter().find(|permission| permission.key_scope() > scope)?;
    let message = format!("{} needs the scope {}", beyond.as_str(), beyond.key_scope().as_str());
    Some(Problem::new("/permissions", "beyond_scope", message))
}

/// The caller's keys by name, revoked and expired ones included; with `everyone`, the whole team's.
pub async fn api_key_list(tx: &Tx, everyone: bool) -> Result<Vec<ApiKeyRow>> {
    let context = tx.context();
    if everyone {
        context.require(Permission::TeamManage)?;
        return tx.api_key_list(None).await;
    }
    context.require(Permission::KeysManage)?;
    let own = context.actor.staff().ok_or(Error::Forbidden { permission: Permission::KeysManage })?;
    tx.api_key_list(Some(own)).await
}

/// Revokes a key: one's own, or with the right to manage the team anyone's. Another's key is not
/// found without it. The caller commits (`api_key_revoke`).
pub async fn api_key_revoke(tx: &Tx, id: ApiKeyId) -> Result<ApiKeyRow> {
    let context = tx.context();
    let caller = own(context)?;
    let key = tx.api_key(id).await?;
    if key.staff_id != caller {
        context.require(Permission::TeamManage).map_err(|_| Error::NotFound { what: "API key" })?;
        require_over(context, &tx.staff(key.staff_id).await?)?;
    }
    if key.revoked_at.is_some() {
        return Ok(key);
    }
    let revoked = ApiKeyRow { revoked_at: Some(tx.now()), ..key.clone() };
    tx.api_key_update(&key, revoked).await
}

/// Who makes and revokes keys: someone who is signed in and may.
fn own(context: &Context) -> Result<domain::StaffId> {
    context.require(Permission::KeysManage)?;
    in_person(context).map_err(|_| Error::Forbidden { permission: Permission::KeysManage })
}

/// Who this key speaks for; `None` when it is malformed, unknown, of another environment, expired,
/// revoked, or its owner is suspended.
pub async fn api_key_context(
    store: &Store,
    gate: &Gate,
    token: &str,
    request: &RequestMeta,
) -> Result<Option<Context>> {
    let found = api_key_open(store, gate, token, request).await?;
    Ok(found.map(|open| open.tx.context().clone()))
}

/// A key that may be used, looked up by its token.
pub struct OpenKey {
    /// A transaction of the key: the one that looked it up. Who only reads needs no other.
    pub tx: Tx,
    /// What it has left of its requests. Where it says to wait, the request is to be refused.
    pub rate: Rate,
}

/// The same with a transaction, and with what the key has left of its requests: this one is counted.
pub async fn api_key_open(store: &Store, gate: &Gate, token: &str, request: &RequestMeta) -> Result<Option<OpenKey>> {
    let Some((organisation, hash)) = parse_api_key(token, gate.options.environment) else { return Ok(None) };
    let now = store.clock().now();
    // Only to look the token up: what the caller may do is in the context that it acts under then.
    let tx = store.read(Context::worker(organisation, now, request.request_id.clone())).await?;
    let Some((key, owner)) = tx.api_key_by_token(&hash).await? else { return Ok(None) };
    if now >= key.expires_at || key.revoked_at.is_some() || owner.suspended_at.is_some() {
        return Ok(None);
    }
    let context = Context {
        organisation,
        actor: Actor::ApiKey { id: key.id, owner: owner.id },
        scope: key_clients(&owner, &key),
        permissions: match &key.permissions {
            Some(named) => owner.rights().through(key.key_scope).limited_to(named),
            None => owner.rights().through(key.key_scope),
        },
        acted_for: None,
        now,
        request_id: request.request_id.clone(),
        source_address: request.source_address.clone(),
        approved: None,
    };
    let rate = gate.rates.take(key.id.0, key.requests_per_minute, now);
    if rate.retry_after.is_none() && key.used_at.is_none_or(|used| now - used >= NOTED_EVERY) {
        let (store, context, id) = (store.clone(), context.clone(), key.id);
        gate.mark("the use of an API key", async move {
            let tx = store.begin(context).await?;
            tx.api_key_used(id).await?;
            tx.commit_unjournalled().await
        });
    }
    Ok(Some(OpenKey { tx: tx.acting_as(context)?, rate }))
}

/// Clients that both the key and its owner, as they are now, allow.
pub(crate) fn key_clients(owner: &StaffRow, key: &ApiKeyRow) -> ClientScope {
    let own = key.allow_clients.clone().map_or(ClientScope::All, ClientScope::Only);
    owner.scope().narrowed_by(&own)
}
