//! What the operations over service accounts take and answer.

use chrono::{DateTime, Utc};
use domain::OrganisationId;
use persistence::{ServiceAccountRow, ServiceAccountSecretRow};
use poem_openapi::Object;
use uuid::Uuid;

use super::{keys::ApiKeyScope, staff::StaffRole};

/// A service account.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ServiceAccountView {
    /// Id
    pub id: Uuid,
    /// What it is known by at `POST /oauth/token`
    pub oauth_client_id: String,
    /// Name
    pub name: String,
    /// What it is for
    pub description: Option<String>,
    pub role: StaffRole,
    /// The role of the organisation's own that it has instead, and that counts then
    pub custom_role_id: Option<Uuid>,
    pub scope: ApiKeyScope,
    /// The only permissions it carries, as far as its role has them; absent when all within its scope
    pub permissions: Option<Vec<String>>,
    /// Clients it is limited to; absent when it sees all
    pub clients: Option<Vec<Uuid>>,
    /// Minutes that a token lives
    pub token_minutes: i32,
    /// Requests it may make in a minute
    pub requests_per_minute: i32,
    /// Whether it is let in
    pub enabled: bool,
    /// Ends; absent for never
    pub expires_at: Option<DateTime<Utc>>,
    /// Last used, to the minute
    pub used_at: Option<DateTime<Utc>>,
    /// Made
    pub created_at: DateTime<Utc>,
    /// By whom
    pub created_by: Option<Uuid>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// Service accounts.
#[derive(Debug, Clone, Object)]
pub struct ServiceAccountViews {
    /// By name
    pub items: Vec<ServiceAccountView>,
}

/// A secret, without the secret itself.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ServiceAccountSecretView {
    /// Id
    pub id: Uuid,
    /// Beginning and end, to recognise it by
    pub hint: String,
    /// Made
    pub created_at: DateTime<Utc>,
    /// Ends; absent for never
    pub expires_at: Option<DateTime<Utc>>,
    /// When a token was last got with it
    pub used_at: Option<DateTime<Utc>>,
}

/// A service account with its secrets.
#[derive(Debug, Clone, Object)]
pub struct ServiceAccountDetail {
    /// The account
    pub service_account: ServiceAccountView,
    /// Its secrets, the oldest first
    pub secrets: Vec<ServiceAccountSecretView>,
}

/// A new secret.
#[derive(Debug, Clone, Object)]
pub struct ServiceAccountSecretCreated {
    /// What the account is known by at `POST /oauth/token`
    pub oauth_client_id: String,
    /// The secret itself: it is not shown again
    pub client_secret: String,
    /// What is kept of it
    pub secret: ServiceAccountSecretView,
}

/// What it takes to make a service account.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ServiceAccountCreate {
    /// Name
    pub name: String,
    /// What it is for
    pub description: Option<String>,
    /// Built-in role but owner; or else custom_role_id
    pub role: Option<StaffRole>,
    /// Role of the organisation's own
    pub custom_role_id: Option<Uuid>,
    pub scope: ApiKeyScope,
    /// Let it carry these permissions alone, named as in `/api/roles`; all within its scope when left out
    pub permissions: Option<Vec<String>>,
    /// Limit it to these clients
    pub clients: Option<Vec<Uuid>>,
    /// Minutes that a token lives, 15 to 60; 30 when left out
    pub token_minutes: Option<i32>,
    /// Requests it may make in a minute, 1 to 6000; 600 when left out
    pub requests_per_minute: Option<i32>,
    /// When it ends; never when left out
    pub expires_at: Option<DateTime<Utc>>,
}

/// What to change about a service account; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ServiceAccountUpdate {
    /// New name
    pub name: Option<String>,
    /// New description; an empty one takes it away
    pub description: Option<String>,
    /// New built-in role
    pub role: Option<StaffRole>,
    /// New role of the organisation's own
    pub custom_role_id: Option<Uuid>,
    pub scope: Option<ApiKeyScope>,
    /// The only permissions it carries
    pub permissions: Option<Vec<String>>,
    /// Let it carry all within its scope again
    pub all_permissions: Option<bool>,
    /// New list of clients it is limited to
    pub clients: Option<Vec<Uuid>>,
    /// Let it see every client again
    pub all_clients: Option<bool>,
    /// Minutes that its next tokens live
    pub token_minutes: Option<i32>,
    /// Requests it may make in a minute
    pub requests_per_minute: Option<i32>,
    /// When it ends
    pub expires_at: Option<DateTime<Utc>>,
    /// Let it end never
    pub never_expires: Option<bool>,
    /// Let it in again, or refuse it and end its tokens
    pub enabled: Option<bool>,
}

/// What it takes to make a secret.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ServiceAccountSecretCreate {
    /// Days it lives, 1 to 3660; for ever when left out
    pub expires_in_days: Option<i64>,
}

/// The view of an account.
pub(super) fn view(organisation: OrganisationId, row: ServiceAccountRow) -> ServiceAccountView {
    ServiceAccountView {
        id: row.id.0,
        oauth_client_id: access::client_id(organisation, row.id),
        name: row.name,
        description: row.description,
        role: row.role.into(),
        custom_role_id: row.custom_role.map(|held| held.id.0),
        scope: row.key_scope.into(),
        permissions: row.permissions.map(|named| named.iter().map(|one| one.as_str().to_owned()).collect()),
        clients: row.allow_clients.map(|clients| clients.into_iter().map(|client| client.0).collect()),
        token_minutes: row.token_minutes,
        requests_per_minute: row.requests_per_minute,
        enabled: row.disabled_at.is_none(),
        expires_at: row.expires_at,
        used_at: row.used_at,
        created_at: row.created_at,
        created_by: row.created_by.map(|staff| staff.0),
        version: row.version,
    }
}

/// The view of a secret.
pub(super) fn secret_view(row: ServiceAccountSecretRow) -> ServiceAccountSecretView {
    ServiceAccountSecretView {
        id: row.id.0,
        hint: row.hint,
        created_at: row.created_at,
        expires_at: row.expires_at,
        used_at: row.used_at,
    }
}
