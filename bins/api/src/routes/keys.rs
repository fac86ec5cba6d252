//! API keys: for machines, shown once, never more than their owner's rights.

use std::collections::BTreeSet;

use access::NewKey;
use chrono::{DateTime, Utc};
use domain::{ApiKeyId, ClientId, KeyScope, Permission, Problem};
use persistence::ApiKeyRow;
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path},
    payload::Json,
};
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::Chapter;
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::Answer,
    problem::Failure,
    write::{Asked, Begun},
};

/// How much of its owner's rights a key carries
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ApiKeyScope {
    /// Reading
    Read,
    /// Reading and everyday writing
    Write,
    /// Everything
    Admin,
}

impl From<ApiKeyScope> for KeyScope {
    fn from(scope: ApiKeyScope) -> Self {
        match scope {
            ApiKeyScope::Read => Self::Read,
            ApiKeyScope::Write => Self::Write,
            ApiKeyScope::Admin => Self::Admin,
        }
    }
}

impl From<KeyScope> for ApiKeyScope {
    fn from(scope: KeyScope) -> Self {
        match scope {
            KeyScope::Read => Self::Read,
            KeyScope::Write => Self::Write,
            KeyScope::Admin => Self::Admin,
        }
    }
}

/// An API key, without the key itself.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ApiKeyView {
    /// Id
    pub id: Uuid,
    /// Owner
    pub staff_id: Uuid,
    /// Name
    pub name: String,
    /// Beginning and end of the key, to recognise it by
    pub hint: String,
    pub scope: ApiKeyScope,
    /// Clients it is limited to; absent when limited only as its owner is
    pub clients: Option<Vec<Uuid>>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Ends
    pub expires_at: DateTime<Utc>,
    /// Revoked
    pub revoked_at: Option<DateTime<Utc>>,
    /// Last used, to the minute
    pub used_at: Option<DateTime<Utc>>,
    /// The only permissions it carries, as far as its owner has them; absent when all within its scope
    pub permissions: Option<Vec<String>>,
    /// Requests it may make in a minute; absent on keys that were made before there was a limit: 600
    pub requests_per_minute: Option<i32>,
}

/// My API keys.
#[derive(Debug, Clone, Object)]
pub struct ApiKeyViews {
    /// By name
    pub items: Vec<ApiKeyView>,
}

/// What it takes to make a key.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ApiKeyCreate {
    /// Name
    pub name: String,
    pub scope: ApiKeyScope,
    /// Limit it to these clients
    pub clients: Option<Vec<Uuid>>,
    /// Days it lives, 1 to 366; 90 when left out
    pub expires_in_days: Option<u32>,
    /// Let it carry these permissions alone, named as in `/api/me`; all within its scope when left out
    pub permissions: Option<Vec<String>>,
    /// Requests it may make in a minute, 1 to 6000; 600 when left out
    pub requests_per_minute: Option<i32>,
}

/// A new key.
#[derive(Debug, Clone, Object)]
pub struct ApiKeyCreated {
    /// The key itself: it is not shown again
    pub token: String,
    /// What is kept of it
    pub api_key: ApiKeyView,
}

/// API keys.
pub struct Keys;

#[OpenApi(prefix_path = "/api/api-keys", tag = "Chapter::ApiKeys")]
impl Keys {
    /// My API keys
    #[oai(path = "/", method = "get", operation_id = "api_key_list")]
    async fn api_key_list(&self, app: AppData<'_>, caller: Caller) -> Result<Answer<ApiKeyViews>, Failure> {
        let tx = app.read(caller, Permission::ClientsView).await?;
        let rows = access::api_key_list(&tx, false).await?;
        Ok(Answer::new(ApiKeyViews { items: rows.into_iter().map(view).collect() }))
    }

    /// Make an API key; for a signed-in person
    ///
    /// A key is shown once and cannot be shown again, so this operation takes no idempotency key: make
    /// another, and revoke the one you lost. Asks for who you are, once more, after 15 minutes.
    #[oai(path = "/", method = "post", operation_id = "api_key_create")]
    async fn api_key_create(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<ApiKeyCreate>,
    ) -> Result<Answer<ApiKeyCreated>, Failure> {
        let context = app.proven(caller, "api_key_create", false).await?;
        app.permit(&context, Permission::KeysManage, "api_key_create").await?;
        let tx = app.store.begin(context).await?;
        let clients = body.0.clients.map(|clients| clients.into_iter().map(ClientId).collect::<BTreeSet<_>>());
        let new = NewKey {
            name: body.0.name,
            scope: body.0.scope.into(),
            allow_clients: clients,
            expires_in_days: body.0.expires_in_days,
            permissions: body.0.permissions.as_deref().map(permissions).transpose()?,
            requests_per_minute: body.0.requests_per_minute,
        };
        let made = access::api_key_create(&tx, &app.gate, new).await?;
        tx.commit("api_key_create", None).await?;
        let token = made.token.expose_secret().to_owned();
        Ok(Answer::new(ApiKeyCreated { token, api_key: view(made.key) }))
    }

    /// Revoke an API key: it is refused at once
    #[oai(path = "/:api_key_id/revoke", method = "post", operation_id = "api_key_revoke")]
    async fn api_key_revoke(
        &self,
        app: AppData<'_>,
        caller: Caller,
        api_key_id: Path<Uuid>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<ApiKeyView>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { key: key.0, ..Asked::default() };
        let begun = app.begin(&context, Permission::KeysManage, "api_key_revoke", asked, &api_key_id.0).await?;
        let write = match begun {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let row = access::api_key_revoke(&write.tx, ApiKeyId(api_key_id.0)).await?;
        Ok(Answer::new(write.finish(Some(view(row)), Vec::new()).await?))
    }
}

/// Permissions by their names; every unknown one is named.
pub(super) fn permissions(names: &[String]) -> domain::Result<BTreeSet<Permission>> {
    named("/permissions", names)
}

/// The same of a field of another name.
pub(super) fn named(field: &str, names: &[String]) -> domain::Result<BTreeSet<Permission>> {
    let unknown = |(at, name): (usize, &String)| match Permission::parse(name) {
        Some(_) => None,
        None => Some(Problem::new(format!("{field}/{at}"), "unknown", "is not a permission: see /api/me")),
    };
    let problems: Vec<Problem> = names.iter().enumerate().filter_map(unknown).collect();
    if !problems.is_empty() {
        return Err(domain::Error::Invalid(problems));
    }
    Ok(names.iter().filter_map(|name| Permission::parse(name)).collect())
}

fn view(row: ApiKeyRow) -> ApiKeyView {
    ApiKeyView {
        id: row.id.0,
        staff_id: row.staff_id.0,
        name: row.name,
        hint: row.hint,
        scope: row.key_scope.into(),
        clients: row.allow_clients.map(|clients| clients.into_iter().map(|client| client.0).collect()),
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        used_at: row.used_at,
        permissions: row.permissions.map(|named| named.iter().map(|one| one.as_str().to_owned()).collect()),
        requests_per_minute: row.requests_per_minute,
    }
}
