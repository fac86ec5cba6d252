//! What bulk operations are asked with and answer.

use bulk::{Prepared, Selection};
use chrono::{DateTime, Utc};
use domain::{BulkAction, BulkItemState, BulkState, ClientId, ClientStatus, ConnectionId, Error, Result};
use persistence::BulkItem;
use poem_openapi::{Enum, Object, types::Any};
use serde_json::Value;
use uuid::Uuid;

use super::{client_filter::filter_of, clients::Status};
use crate::app::App;

/// What is done to each client
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum BulkDoing {
    /// Its tags are these and no others
    TagsSet,
    /// These tags come to those it has
    TagsAdd,
    /// These tags go
    TagsRemove,
    /// It is archived
    Archive,
    /// It is brought back from the archive
    Restore,
    /// It has this status
    StatusSet,
    /// ClientOne is enabled for it
    PortalEnable,
    /// ClientOne is disabled for it; its people are signed out
    PortalDisable,
    /// The connections that its entities are of are synced
    SyncStart,
    /// Its entities of one connection belong to nobody
    Unmap,
    /// It is deleted, to be restored within 30 days
    Delete,
}

/// What is to be done, and to which clients: `clients` or `filter`.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct BulkRequest {
    pub action: BulkDoing,
    /// Tags, for `tags_set`, `tags_add` and `tags_remove`; kept in lower case
    pub tags: Option<Vec<String>>,
    /// For `status_set`
    pub status: Option<Status>,
    /// For `unmap`
    pub connection_id: Option<Uuid>,
    /// For `delete`: also clients that Microsoft 365 tenants are mapped to
    pub cascade: Option<bool>,
    /// These clients; some 40,000 fit into a request, more are named by a filter
    pub clients: Option<Vec<Uuid>>,
    /// Those that this query of the client list leaves, as in a saved filter (`status=active&missing=dropsuite`); empty:
    /// all that are not archived
    pub filter: Option<String>,
}

impl BulkRequest {
    /// What is to be done.
    pub fn action(&self) -> Result<BulkAction> {
        let missing = |field: &str| Error::invalid(format!("/{field}"), "required", "is needed for this action");
        let tags = || self.tags.clone().ok_or_else(|| missing("tags"));
        let action = match self.action {
            BulkDoing::TagsSet => BulkAction::TagsSet { tags: tags()? },
            BulkDoing::TagsAdd => BulkAction::TagsAdd { tags: tags()? },
            BulkDoing::TagsRemove => BulkAction::TagsRemove { tags: tags()? },
            BulkDoing::Archive => BulkAction::Archive,
            BulkDoing::Restore => BulkAction::Restore,
            BulkDoing::StatusSet => {
                BulkAction::StatusSet { status: self.status.map(Into::into).ok_or_else(|| missing("status"))? }
            }
            BulkDoing::PortalEnable => BulkAction::PortalEnable,
            BulkDoing::PortalDisable => BulkAction::PortalDisable,
            BulkDoing::SyncStart => BulkAction::SyncStart,
            BulkDoing::Unmap => {
                let id = self.connection_id.ok_or_else(|| missing("connection_id"))?;
                BulkAction::Unmap { connection_id: ConnectionId(id) }
            }
            BulkDoing::Delete => BulkAction::Delete { cascade: self.cascade.unwrap_or(false) },
        };
        action.checked()
    }

    /// To which clients.
    pub fn selection(&self, app: &App) -> Result<Selection> {
        match (&self.clients, &self.filter) {
            (Some(_), Some(_)) => {
                Err(Error::invalid("/filter", "one_of", "cannot be combined with clients: choose one"))
            }
            (None, None) => Err(Error::invalid("/clients", "required", "name clients, or a filter")),
            (Some(clients), None) => Ok(Selection::Clients(clients.iter().map(|id| ClientId(*id)).collect())),
            (None, Some(filter)) => {
                let filter = filter_of(app, filter).map_err(|error| match error {
                    Error::Invalid(problems) => Error::Invalid(
                        problems
                            .into_iter()
                            .map(|one| domain::Problem { pointer: "/filter".to_owned(), ..one })
                            .collect(),
                    ),
                    other => other,
                })?;
                Ok(Selection::Filter(Box::new(filter)))
            }
        }
    }
}

/// A client that would change.
#[derive(Debug, Clone, Object)]
pub struct BulkChange {
    /// Client
    pub client_id: Uuid,
    /// Its name
    pub name: String,
    /// What of it is touched, before
    pub before: Any<Value>,
    /// The same, after
    pub after: Any<Value>,
}

/// A client to which it cannot be done.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct BulkRefusal {
    /// Client
    pub client_id: Uuid,
    /// Its name
    pub name: Option<String>,
    /// Stable word for machines
    pub code: String,
    /// Why, and what to do
    pub message: String,
}

/// How many are refused for one reason.
#[derive(Debug, Clone, Object)]
pub struct BulkReason {
    /// Stable word for machines
    pub code: String,
    /// Clients
    pub clients: u64,
}

/// What a bulk operation would do.
#[derive(Debug, Clone, Object)]
pub struct BulkPlan {
    /// SHA-256 of what would be done to whom; whoever approves names it
    pub plan: String,
    /// Clients it is asked for
    pub total: u64,
    /// Of them, those that would change
    pub changed: u64,
    /// Of them, those that are already so
    pub unchanged: u64,
    /// Of them, those refused
    pub refused: u64,
    /// The first 100 that would change
    pub changes: Vec<BulkChange>,
    /// The first 100 refused
    pub refusals: Vec<BulkRefusal>,
    /// How many are refused for each reason
    pub reasons: Vec<BulkReason>,
}

impl BulkPlan {
    /// The view of a plan.
    pub fn of(prepared: &Prepared) -> Self {
        let plan = &prepared.plan;
        let change = |one: &bulk::BulkChange| BulkChange {
            client_id: one.client_id.0,
            name: one.name.clone(),
            before: Any(one.before.clone()),
            after: Any(one.after.clone()),
        };
        let refusal = |one: &bulk::BulkRefusal| BulkRefusal {
            client_id: one.client_id.0,
            name: one.name.clone(),
            code: one.code.to_owned(),
            message: one.message.clone(),
        };
        let reason = |(code, clients): (&&str, &u64)| BulkReason { code: (*code).to_owned(), clients: *clients };
        Self {
            plan: plan.digest.clone(),
            total: plan.total,
            changed: plan.changed,
            unchanged: plan.unchanged,
            refused: plan.refused,
            changes: plan.changes.iter().map(change).collect(),
            refusals: plan.refusals.iter().map(refusal).collect(),
            reasons: plan.reasons.iter().map(reason).collect(),
        }
    }
}

/// A preview.
#[derive(Debug, Clone, Object)]
pub struct BulkPreview {
    /// Send it as `expect` to start just this
    pub digest: String,
    /// Whether a second person would have to approve
    pub needs_approval: bool,
    /// What would be done
    pub plan: BulkPlan,
}

/// How a bulk operation stands
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum BulkStanding {
    /// A second person is to look at it
    WaitingApproval,
    /// It waits for a worker
    Queued,
    /// A worker is at it
    Running,
    /// All of it was done, but for what was refused
    Done,
    /// Someone ended it; what was done by then stays
    Cancelled,
    /// What it would do was no longer what was to be approved: nothing was done
    Expired,
    /// It could not go on; what was done by then stays
    Failed,
}

macro_rules! same_states {
    ($api:ident = $own:ident: $($state:ident),+) => {
        impl From<$own> for $api {
            fn from(state: $own) -> Self {
                match state { $($own::$state => Self::$state),+ }
            }
        }
        impl From<$api> for $own {
            fn from(state: $api) -> Self {
                match state { $($api::$state => Self::$state),+ }
            }
        }
    };
}

same_states!(BulkStanding = BulkState: WaitingApproval, Queued, Running, Done, Cancelled, Expired, Failed);

/// What became of a client
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum BulkClientState {
    /// Its turn has not come
    Waiting,
    /// Done
    Done,
    /// Not done
    Refused,
}

same_states!(BulkClientState = BulkItemState: Waiting, Done, Refused);

/// A bulk operation.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct BulkOperation {
    /// Id
    pub id: Uuid,
    pub action: BulkDoing,
    /// Its tags
    pub tags: Option<Vec<String>>,
    /// Its status
    pub status: Option<Status>,
    /// Its connection
    pub connection_id: Option<Uuid>,
    /// Whether it takes clients with Microsoft 365 tenants too
    pub cascade: Option<bool>,
    pub state: BulkStanding,
    /// SHA-256 of what it does to whom
    pub plan: String,
    /// Clients it was asked for
    pub total: i64,
    /// Of them, those that were already so
    pub unchanged: i64,
    /// Done so far
    pub done: i64,
    /// Refused so far
    pub refused: i64,
    /// Those whose turn has not come
    pub left: i64,
    /// Who started it
    pub started_by: Option<Uuid>,
    /// Why
    pub reason: Option<String>,
    /// Who approved it
    pub approved_by: Option<Uuid>,
    /// When
    pub approved_at: Option<DateTime<Utc>>,
    /// When it was started
    pub created_at: DateTime<Utc>,
    /// When it ended
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it expired or failed
    pub message: Option<String>,
    /// An entry of its change set in the journal: reverting it reverts all of them
    pub entry_id: Option<Uuid>,
    /// Goes up with each decision; also the ETag
    pub version: i32,
    /// What it would do; with the answer to its start
    pub plan_shown: Option<BulkPlan>,
}

/// The view of an operation.
pub fn view(operation: domain::BulkOperation, plan_shown: Option<BulkPlan>) -> BulkOperation {
    let (mut tags, mut status, mut connection_id, mut cascade) = (None, None, None, None);
    let left = operation.left();
    let action = match operation.action {
        BulkAction::TagsSet { tags: all } => {
            tags = Some(all);
            BulkDoing::TagsSet
        }
        BulkAction::TagsAdd { tags: all } => {
            tags = Some(all);
            BulkDoing::TagsAdd
        }
        BulkAction::TagsRemove { tags: all } => {
            tags = Some(all);
            BulkDoing::TagsRemove
        }
        BulkAction::Archive => BulkDoing::Archive,
        BulkAction::Restore => BulkDoing::Restore,
        BulkAction::StatusSet { status: set } => {
            status = Some(<Status as From<ClientStatus>>::from(set));
            BulkDoing::StatusSet
        }
        BulkAction::PortalEnable => BulkDoing::PortalEnable,
        BulkAction::PortalDisable => BulkDoing::PortalDisable,
        BulkAction::SyncStart => BulkDoing::SyncStart,
        BulkAction::Unmap { connection_id: id } => {
            connection_id = Some(id.0);
            BulkDoing::Unmap
        }
        BulkAction::Delete { cascade: all } => {
            cascade = Some(all);
            BulkDoing::Delete
        }
    };
    BulkOperation {
        id: operation.id.0,
        action,
        tags,
        status,
        connection_id,
        cascade,
        state: operation.state.into(),
        plan: operation.digest,
        total: operation.total,
        unchanged: operation.unchanged,
        done: operation.done,
        refused: operation.refused,
        left,
        started_by: operation.started_by.map(|staff| staff.0),
        reason: operation.reason,
        approved_by: operation.approved_by.map(|staff| staff.0),
        approved_at: operation.approved_at,
        created_at: operation.created_at,
        finished_at: operation.finished_at,
        message: operation.message,
        entry_id: operation.entry_id.map(|entry| entry.0),
        version: operation.version,
        plan_shown,
    }
}

/// A client of a bulk operation.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct BulkClient {
    /// Client
    pub client_id: Uuid,
    /// Its name, while it is not deleted
    pub name: Option<String>,
    pub state: BulkClientState,
    /// Why it was refused, for machines
    pub code: Option<String>,
    /// Why it was refused, for people
    pub message: Option<String>,
}

impl From<(BulkItem, Option<String>)> for BulkClient {
    fn from((item, name): (BulkItem, Option<String>)) -> Self {
        Self { client_id: item.client_id.0, name, state: item.state.into(), code: item.code, message: item.message }
    }
}

/// The plan that is approved.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct BulkApproval {
    /// `plan` of the operation, as whoever approves saw it
    pub plan: String,
}
