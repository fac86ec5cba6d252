//! Bulk operations: one thing done to many clients, previewed, approved where it is large, and undone whole. Pure rules;
//! `crates/bulk` does it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    BulkOperationId, ClientStatus, ConnectionId, EntryId, Error, Permission, Problem, Result, Role, StaffId, Timestamp,
    name_key,
};

/// Most clients of one operation.
pub const MOST_IN_BULK: usize = 100_000;
/// Most tags of a client.
pub const MOST_CLIENT_TAGS: usize = 20;
/// Longest tag, in characters.
const LONGEST_TAG: usize = 50;

/// What is done to each client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum BulkAction {
    /// The tags are these and no others.
    TagsSet {
        /// Tags.
        tags: Vec<String>,
    },
    /// These tags come to those it has.
    TagsAdd {
        /// Tags.
        tags: Vec<String>,
    },
    /// These tags go.
    TagsRemove {
        /// Tags.
        tags: Vec<String>,
    },
    /// It is put away.
    Archive,
    /// It is brought back from the archive.
    Restore,
    /// The MSP works for it, or does not.
    StatusSet {
        /// From now on.
        status: ClientStatus,
    },
    /// ClientOne is enabled for it.
    PortalEnable,
    /// ClientOne is disabled for it; its people are signed out.
    PortalDisable,
    /// The connections that its entities are of are synced.
    SyncStart,
    /// Its entities of one connection belong to nobody.
    Unmap {
        /// Of this connection.
        connection_id: ConnectionId,
    },
    /// It is deleted, to be restored within 30 days.
    Delete {
        /// Also where Microsoft 365 tenants are mapped to it.
        cascade: bool,
    },
}

impl BulkAction {
    /// The name in columns, in the journal ("bulk_archive") and in the API.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::TagsSet { .. } => "tags_set",
            Self::TagsAdd { .. } => "tags_add",
            Self::TagsRemove { .. } => "tags_remove",
            Self::Archive => "archive",
            Self::Restore => "restore",
            Self::StatusSet { .. } => "status_set",
            Self::PortalEnable => "portal_enable",
            Self::PortalDisable => "portal_disable",
            Self::SyncStart => "sync_start",
            Self::Unmap { .. } => "unmap",
            Self::Delete { .. } => "delete",
        }
    }

    /// The action of its entries in the journal.
    pub fn journal_action(&self) -> &'static str {
        match self {
            Self::TagsSet { .. } => "bulk_tags_set",
            Self::TagsAdd { .. } => "bulk_tags_add",
            Self::TagsRemove { .. } => "bulk_tags_remove",
            Self::Archive => "bulk_archive",
            Self::Restore => "bulk_restore",
            Self::StatusSet { .. } => "bulk_status_set",
            Self::PortalEnable => "bulk_portal_enable",
            Self::PortalDisable => "bulk_portal_disable",
            Self::SyncStart => "bulk_sync_start",
            Self::Unmap { .. } => "bulk_unmap",
            Self::Delete { .. } => "bulk_delete",
        }
    }

    /// The right that doing this to one client takes: in bulk it takes the same.
    pub fn permission(&self) -> Permission {
        match self {
            Self::TagsSet { .. } | Self::TagsAdd { .. } | Self::TagsRemove { .. } | Self::StatusSet { .. } => {
                Permission::ClientsEdit
            }
            Self::Archive | Self::Restore | Self::Delete { .. } => Permission::ClientsDelete,
            Self::PortalEnable | Self::PortalDisable => Permission::ClientoneManage,
            Self::SyncStart => Permission::SyncStart,
            Self::Unmap { .. } => Permission::MappingsSave,
        }
    }

    /// Clients that one transaction takes: fewer where each takes several statements.
    pub fn chunk(&self) -> usize {
        match self {
            Self::TagsSet { .. }
            | Self::TagsAdd { .. }
            | Self::TagsRemove { .. }
            | Self::Archive
            | Self::Restore
            | Self::StatusSet { .. } => 500,
            Self::PortalEnable | Self::PortalDisable | Self::SyncStart | Self::Unmap { .. } | Self::Delete { .. } => {
                100
            }
        }
    }

    /// The same with its tags as they are kept; every mistake is named by its place in the body.
    pub fn checked(self) -> Result<Self> {
        let mut problems = Vec::new();
        let mut keep = |tags: Vec<String>, least: usize| {
            let (kept, found) = client_tags("/action/tags", &tags);
            problems.extend(found);
            if kept.len() < least {
                problems.push(Problem::new("/action/tags", "required", "must name at least one tag"));
            }
            kept
        };
        let checked = match self {
            Self::TagsSet { tags } => Self::TagsSet { tags: keep(tags, 0) },
            Self::TagsAdd { tags } => Self::TagsAdd { tags: keep(tags, 1) },
            Self::TagsRemove { tags } => Self::TagsRemove { tags: keep(tags, 1) },
            other => other,
        };
        if problems.is_empty() { Ok(checked) } else { Err(Error::Invalid(problems)) }
    }
}

/// Tags of a client as they are kept (lower case, blanks folded, sorted, each once), and what is wrong with them.
pub fn client_tags(pointer: &str, tags: &[String]) -> (Vec<String>, Vec<Problem>) {
    let mut problems = Vec::new();
    for (at, tag) in tags.iter().enumerate() {
        let tag = tag.trim();
        if tag.is_empty() || tag.chars().count() > LONGEST_TAG || tag.chars().any(char::is_control) {
            let message = format!("must have 1 to {LONGEST_TAG} characters on one line");
            problems.push(Problem::new(format!("{pointer}/{at}"), "not_a_tag", message));
        }
    }
    let mut kept: Vec<String> = tags.iter().map(|tag| name_key(tag)).filter(|tag| !tag.is_empty()).collect();
    kept.sort_unstable();
    kept.dedup();
    if kept.len() > MOST_CLIENT_TAGS {
        problems.push(Problem::new(pointer, "too_many", format!("must be at most {MOST_CLIENT_TAGS}")));
    }
    (kept, problems)
}

/// How a bulk operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkState {
    /// A second person is to look at it.
    WaitingApproval,
    /// It waits for a worker.
    Queued,
    /// A worker is at it.
    Running,
    /// All of it was done, but for what was refused.
    Done,
    /// Someone ended it; what was done by then stays, and can be reverted.
    Cancelled,
    /// What it would do was no longer what was approved: nothing was done.
    Expired,
    /// It could not go on; what was done by then stays, and can be reverted.
    Failed,
}

impl BulkState {
    /// All states.
    pub const ALL: [Self; 7] =
        [Self::WaitingApproval, Self::Queued, Self::Running, Self::Done, Self::Cancelled, Self::Expired, Self::Failed];

    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WaitingApproval => "waiting_approval",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Failed => "failed",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether nothing will become of it any more.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Expired | Self::Failed)
    }

    /// Whether it may become that.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::WaitingApproval => matches!(next, Self::Queued | Self::Cancelled | Self::Expired),
            Self::Queued => matches!(next, Self::Running | Self::Done | Self::Cancelled | Self::Failed),
            Self::Running => matches!(next, Self::Done | Self::Cancelled | Self::Failed),
            Self::Done | Self::Cancelled | Self::Expired | Self::Failed => false,
        }
    }
}

/// What became of one client of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkItemState {
    /// Its turn has not come.
    Waiting,
    /// Done.
    Done,
    /// Not done, for a reason.
    Refused,
}

impl BulkItemState {
    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Waiting, Self::Done, Self::Refused].into_iter().find(|state| state.as_str() == name)
    }
}

/// A bulk operation as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkOperation {
    /// Id; also that of its change set, which is all of its entries in the journal.
    pub id: BulkOperationId,
    /// What is done.
    pub action: BulkAction,
    /// How it stands.
    pub state: BulkState,
    /// SHA-256 of what it does to whom: what was previewed, and what an approval is of.
    pub digest: String,
    /// Clients that it was asked for.
    pub total: i64,
    /// Of them, those that were already as they are to be.
    pub unchanged: i64,
    /// Of them, those done so far.
    pub done: i64,
    /// Of them, those refused so far, those of the preview included.
    pub refused: i64,
    /// Who started it: as the journal names an actor.
    pub actor: String,
    /// The staff user behind that.
    pub started_by: Option<StaffId>,
    /// Why, in people's words.
    pub reason: Option<String>,
    /// Who approved it.
    pub approved_by: Option<StaffId>,
    /// When.
    pub approved_at: Option<Timestamp>,
    /// When it was started.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it expired or failed.
    pub message: Option<String>,
    /// The last of its entries in the journal: reverting it reverts all of them.
    pub entry_id: Option<EntryId>,
    /// Goes up by one with each decision of a person.
    pub version: i32,
}

impl BulkOperation {
    /// Clients whose turn has not come.
    pub fn left(&self) -> i64 {
        (self.total - self.unchanged - self.done - self.refused).max(0)
    }
}

/// From how many clients on a second person has to approve, by the role of who starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkThresholds(pub BTreeMap<Role, u32>);

impl Default for BulkThresholds {
    fn default() -> Self {
        Self(Role::ALL.into_iter().map(|role| (role, Self::usual(role))).collect())
    }
}

impl BulkThresholds {
    /// What holds for a role while nobody said otherwise.
    pub fn usual(role: Role) -> u32 {
        match role {
            Role::Owner => 1_000,
            Role::Admin => 500,
            Role::Engineer | Role::MspAdmin => 100,
            Role::Viewer | Role::Finance => 25,
        }
    }

    /// What holds for a role.
    pub fn of(&self, role: Role) -> u32 {
        self.0.get(&role).copied().unwrap_or_else(|| Self::usual(role))
    }

    /// Whether so many clients of someone of this role need a second person.
    pub fn need_approval(&self, role: Role, changes: u64) -> bool {
        changes > u64::from(self.of(role))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn states_end_and_do_not_come_back() {
        for state in BulkState::ALL {
            assert_eq!(BulkState::parse(state.as_str()), Some(state));
            assert_eq!(BulkState::ALL.iter().any(|next| state.may_become(*next)), !state.is_over(), "{state:?}");
            assert!(!state.may_become(BulkState::WaitingApproval), "{state:?}");
            assert!(!state.may_become(state), "{state:?}");
        }
        // What waits for a second person cannot run past them.
        assert!(!BulkState::WaitingApproval.may_become(BulkState::Running));
        assert!(!BulkState::WaitingApproval.may_become(BulkState::Done));
    }

    #[test]
    fn the_threshold_is_the_last_number_that_needs_nobody() {
        let thresholds = BulkThresholds([(Role::Engineer, 10)].into());
        assert!(!thresholds.need_approval(Role::Engineer, 10));
        assert!(thresholds.need_approval(Role::Engineer, 11));
        assert!(!thresholds.need_approval(Role::Admin, 500), "what is not said is as usual");
        assert!(thresholds.need_approval(Role::Admin, 501));
        assert!(BulkThresholds([(Role::Owner, 0)].into()).need_approval(Role::Owner, 1), "zero: always");
        for role in Role::ALL {
            assert!(BulkThresholds::usual(role) <= BulkThresholds::usual(Role::Owner), "{role:?}");
            assert!(BulkThresholds::usual(role) >= BulkThresholds::usual(Role::Viewer), "{role:?}");
        }
    }

    #[test]
    fn actions_are_read_as_they_are_written() {
        let all = [
            BulkAction::TagsSet { tags: vec!["vip".into()] },
            BulkAction::Archive,
            BulkAction::StatusSet { status: ClientStatus::Inactive },
            BulkAction::Delete { cascade: true },
        ];
        for action in all {
            let text = serde_json::to_string(&action).expect("writes");
            assert!(text.contains(&format!("\"{}\"", action.as_str())), "{text}");
            assert_eq!(serde_json::from_str::<BulkAction>(&text).expect("reads"), action);
            assert_eq!(action.journal_action(), format!("bulk_{}", action.as_str()));
        }
    }

    proptest! {
        #[test]
        fn tags_are_kept_once_whatever_their_case_and_order(tags in prop::collection::vec("[ a-cA-C]{0,6}", 0..12)) {
            let (kept, _) = client_tags("/tags", &tags);
            let mut turned: Vec<String> = tags.iter().rev().map(|tag| tag.to_uppercase()).collect();
            turned.extend(tags.clone());
            prop_assert_eq!(&client_tags("/tags", &turned).0, &kept);
            prop_assert_eq!(&client_tags("/tags", &kept).0, &kept);
            prop_assert!(kept.is_sorted() && kept.iter().all(|tag| !tag.is_empty()));
        }
    }
}
