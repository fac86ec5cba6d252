//! OAuth 2.0 client credentials (RFC 6749, 4.4): a service account shows its secret and gets a token that lives for less
//! than an hour. The token is opaque and stored as SHA-256; what it may do is read from the account at every request.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    Actor, Context, Error, Grant, KeyScope, OrganisationId, Outcome, Permission, Result, ServiceAccountId, Timestamp,
};
use persistence::{AccessTokenRow, ServiceAccountRow, ServiceAccountSecretRow, Store, Tx};
use secrecy::SecretString;

use crate::{
    Gate, Rate, RequestMeta,
    sessions::NOTED_EVERY,
    sign_in::settle,
    throttle,
    tokens::{access_token, parse_access_token, parse_client_id, parse_machine_secret},
};

/// Tokens that one secret gets in a minute.
const TOKENS_PER_MINUTE: i32 = 30;

/// What a machine asks with.
#[derive(Clone, Debug)]
pub struct TokenAsk {
    /// Client id of the service account.
    pub client_id: String,
    /// One of its secrets.
    pub secret: SecretString,
    /// What the token is to carry, separated by blanks: `read`, `write` or `admin`, and names of permissions; all that
    /// the account has when left out.
    pub scope: Option<String>,
    /// Request id and source address.
    pub request: RequestMeta,
}

/// A token that was just made.
#[derive(Debug)]
pub struct IssuedToken {
    /// The token; shown once, not stored.
    pub token: SecretString,
    /// Seconds that it lives.
    pub expires_in: i64,
    /// What it carries.
    pub scope: String,
}

/// Why there is no token, in the words of RFC 6749 where it has some.
#[derive(Debug)]
pub enum TokenRefusal {
    /// `invalid_client`: unknown, disabled, ended, or another secret. Which, is not told.
    InvalidClient,
    /// `invalid_scope`: it names what there is not, or what the account does not have.
    InvalidScope(String),
    /// Too many tries or too many tokens.
    TooMany {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// Something failed on our side.
    Failed(Error),
}

impl From<Error> for TokenRefusal {
    fn from(error: Error) -> Self {
        match error {
            Error::TooMany { retry_after } => Self::TooMany { retry_after },
            other => Self::Failed(other),
        }
    }
}

/// Gets a token for a secret. Tries are counted like sign-ins; what was refused to a known account leaves an entry, and
/// so does every token.
pub async fn machine_token_issue(store: &Store, gate: &Gate, ask: TokenAsk) -> Result<IssuedToken, TokenRefusal> {
    let across = store.across().await?;
    let now = store.clock().now();
    let address = ask.request.source_address.as_deref();
    let admission = throttle::admit_machine(&across, &ask.client_id, address, now).await?;
    across.commit().await?;
    let (organisation, account, secret) = match known(store, gate, &ask, now).await {
        Err(TokenRefusal::Failed(error)) => {
            settle(admission.refund(store).await);
            return Err(TokenRefusal::Failed(error));
        }
        found => found?,
    };
    // From here on the secret is known to be right: it is no guess.
    settle(admission.clear(store).await);
    if let Some(retry_after) = gate.rates.take(secret.id.0, Some(TOKENS_PER_MINUTE), now).retry_after {
        return Err(TokenRefusal::TooMany { retry_after });
    }
    let (key_scope, permissions) = narrowed(&account, ask.scope.as_deref()).map_err(TokenRefusal::InvalidScope)?;
    let tx = store.begin(machine_context(organisation, &account, now, &ask.request)).await?;
    // Again, now that nobody else can disable it or remove the secret.
    let account = tx.service_account(account.id).await?;
    let secret = tx.service_account_secret_by_hash(account.id, &secret.secret_hash).await?;
    let Some(secret) = secret.filter(|secret| works(secret, now) && account.is_live(now)) else {
        return Err(TokenRefusal::InvalidClient);
    };
    let ends = now + TimeDelta::minutes(account.token_minutes.into());
    let ends = [account.expires_at, secret.expires_at].into_iter().flatten().fold(ends, Timestamp::min);
    let made = access_token(gate.passwords.chance(), organisation);
    let row = AccessTokenRow {
        id: tx.new_id(),
        account: account.id,
        secret: secret.id,
        token_hash: made.hash,
        key_scope,
        permissions: permissions.clone(),
        created_at: now,
        expires_at: ends,
    };
    tx.access_token_insert(&row).await?;
    tx.service_account_secret_used(secret.id).await?;
    tx.commit_attempt("access_token_create", Outcome::Done, &format!("with the secret {}", secret.hint)).await?;
    let names = permissions.iter().flatten().map(|permission| permission.as_str());
    let scope = [key_scope.as_str()].into_iter().chain(names).collect::<Vec<_>>().join(" ");
    Ok(IssuedToken { token: made.text, expires_in: (ends - now).num_seconds(), scope })
}

/// The account that these credentials are of, and the secret.
async fn known(
    store: &Store,
    gate: &Gate,
    ask: &TokenAsk,
    now: Timestamp,
) -> Result<(OrganisationId, ServiceAccountRow, ServiceAccountSecretRow), TokenRefusal> {
    let Some((organisation, id)) = parse_client_id(&ask.client_id) else { return Err(TokenRefusal::InvalidClient) };
    // Only to look the account up: what it may do is in the context that it acts under then.
    let tx = store.read(Context::worker(organisation, now, ask.request.request_id.clone())).await?;
    let account = match tx.service_account(id).await {
        Err(Error::NotFound { .. }) => return Err(TokenRefusal::InvalidClient),
        found => found?,
    };
    let secret = match parse_machine_secret(&ask.secret) {
        Some((owner, hash)) if owner == organisation => tx.service_account_secret_by_hash(id, &hash).await?,
        _ => None,
    };
    drop(tx);
    let refused = match &secret {
        None => "wrong secret",
        Some(secret) if !works(secret, now) => "the secret has ended",
        Some(_) if account.disabled_at.is_some() => "disabled",
        Some(_) if !account.is_live(now) => "the account has ended",
        Some(_) => "",
    };
    match secret.filter(|_| refused.is_empty()) {
        Some(secret) => Ok((organisation, account, secret)),
        None => {
            note_refusal(store, gate, machine_context(organisation, &account, now, &ask.request), refused).await;
            Err(TokenRefusal::InvalidClient)
        }
    }
}

fn works(secret: &ServiceAccountSecretRow, now: Timestamp) -> bool {
    secret.expires_at.is_none_or(|end| now < end)
}

/// Journals a refusal behind the answer: waiting for it would tell a known account from an unknown.
async fn note_refusal(store: &Store, gate: &Gate, context: Context, reason: &'static str) {
    let store = store.clone();
    let work =
        async move { store.begin(context).await?.commit_attempt("access_token_create", Outcome::Denied, reason).await };
    gate.note("a refused token", work).await;
}

/// What a token of this scope carries: never more than the account has.
fn narrowed(
    account: &ServiceAccountRow,
    scope: Option<&str>,
) -> Result<(KeyScope, Option<BTreeSet<Permission>>), String> {
    let (mut level, mut named) = (None::<KeyScope>, BTreeSet::new());
    for word in scope.unwrap_or_default().split_ascii_whitespace() {
        match (KeyScope::parse(word), Permission::parse(word)) {
            (Some(scope), _) => level = level.max(Some(scope)),
            (None, Some(permission)) => drop(named.insert(permission)),
            (None, None) => return Err("The scope names something that there is not.".to_owned()),
        }
    }
    let level = level.unwrap_or(account.key_scope);
    if level > account.key_scope {
        return Err(format!("The service account does not have the scope {}.", level.as_str()));
    }
    let rights = account.rights().through(level);
    match named.iter().find(|permission| rights.grant(**permission) == Grant::No) {
        Some(permission) => Err(format!("The service account does not have {} in this scope.", permission.as_str())),
        None => Ok((level, (!named.is_empty()).then_some(named))),
    }
}

/// A token that may be used.
pub struct OpenMachine {
    /// A transaction of the service account, which only reads.
    pub tx: Tx,
    /// What the account has left of its requests. Where it says to wait, the request is to be refused.
    pub rate: Rate,
}

/// Which service account a token speaks for; `None` when it is malformed, unknown, over, or the account is disabled or
/// has ended. The request is counted.
pub async fn machine_open(
    store: &Store,
    gate: &Gate,
    token: &str,
    request: &RequestMeta,
) -> Result<Option<OpenMachine>> {
    let Some((organisation, hash)) = parse_access_token(token) else { return Ok(None) };
    let now = store.clock().now();
    // Only to look the token up: what the caller may do is in the context that it acts under then.
    let tx = store.read(Context::worker(organisation, now, request.request_id.clone())).await?;
    let Some((found, account)) = tx.access_token_by_hash(&hash).await? else { return Ok(None) };
    if now >= found.expires_at || !account.is_live(now) {
        return Ok(None);
    }
    let mut context = machine_context(organisation, &account, now, request);
    context.permissions = context.permissions.through(found.key_scope);
    if let Some(named) = &found.permissions {
        context.permissions = context.permissions.limited_to(named);
    }
    let rate = gate.rates.take(account.id.0, Some(account.requests_per_minute), now);
    if rate.retry_after.is_none() && account.used_at.is_none_or(|used| now - used >= NOTED_EVERY) {
        mark_use(store, gate, context.clone(), account.id);
    }
    Ok(Some(OpenMachine { tx: tx.acting_as(context)?, rate }))
}

fn mark_use(store: &Store, gate: &Gate, context: Context, id: ServiceAccountId) {
    let store = store.clone();
    gate.mark("the use of a service account", async move {
        let tx = store.begin(context).await?;
        tx.service_account_used(id).await?;
        tx.commit_unjournalled().await
    });
}

/// The context of a service account, from the row as it is now.
pub(crate) fn machine_context(
    organisation: OrganisationId,
    account: &ServiceAccountRow,
    now: Timestamp,
    request: &RequestMeta,
) -> Context {
    Context {
        organisation,
        actor: Actor::ServiceAccount { id: account.id },
        scope: account.scope(),
        permissions: account.rights(),
        acted_for: None,
        now,
        request_id: request.request_id.clone(),
        source_address: request.source_address.clone(),
        approved: None,
    }
}
