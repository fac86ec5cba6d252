//! Writes that somebody may ask for and somebody else must approve.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Actor, ApprovalId, Change, ClientId, ClientScope, EntryId, Grant, Permission, Permissions, StaffId, Timestamp,
};

/// How long something that was asked for waits for a decision.
pub const APPROVAL_LASTS: TimeDelta = TimeDelta::days(7);
/// Most changes that one approval is about: whoever approves is shown all of them.
pub const MOST_APPROVAL_CHANGES: usize = 1_000;

/// How something that was asked for stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Somebody else is to look at it.
    Pending,
    /// It was approved, and is being done.
    Applying,
    /// It was done.
    Applied,
    /// Somebody said no.
    Rejected,
    /// Whoever asked took it back.
    Withdrawn,
    /// Nobody decided in time, or it was no longer what was asked for: nothing was done.
    Expired,
    /// It was approved, and was refused when it was done.
    Failed,
    /// It was approved, and nobody knows whether it was done: look before asking again.
    Unknown,
}

impl ApprovalState {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Applying,
        Self::Applied,
        Self::Rejected,
        Self::Withdrawn,
        Self::Expired,
        Self::Failed,
        Self::Unknown,
    ];

    /// The name in the API and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applying => "applying",
            Self::Applied => "applied",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether nothing more comes of it. What it holds of secrets is gone then.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Pending | Self::Applying)
    }

    /// Whether one may follow on the other. Once it is being done it is never done a second time: it goes back to
    /// waiting only where it is certain that nothing was written, and an unknown outcome may turn out to be a yes.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Pending => matches!(next, Self::Applying | Self::Rejected | Self::Withdrawn | Self::Expired),
            Self::Applying => {
                matches!(next, Self::Applied | Self::Expired | Self::Failed | Self::Unknown | Self::Pending)
            }
            Self::Unknown => next == Self::Applied,
            Self::Applied | Self::Rejected | Self::Withdrawn | Self::Expired | Self::Failed => false,
        }
    }
}

/// Something that somebody asked for who may do it only with approval.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// Id.
    pub id: ApprovalId,
    /// The operation ("client_update").
    pub operation: String,
    /// HTTP method.
    pub method: String,
    /// Its path, with ids.
    pub path: String,
    /// What it takes, and the asker has with approval only.
    pub permission: Permission,
    /// Digest of what it would change.
    pub digest: String,
    /// What it would change; all of it.
    pub changes: Vec<Change>,
    /// Clients that it touches.
    pub clients: Vec<ClientId>,
    /// Whether some of what changes belongs to no client: only who sees every client decides about that.
    pub beyond_clients: bool,
    /// Who asked.
    pub actor: Actor,
    /// The staff user behind that: also of a key; of a service account whoever made it.
    pub asked_by: Option<StaffId>,
    /// For which customer it was asked.
    pub acted_for: Option<ClientId>,
    /// Why, in the asker's words.
    pub reason: Option<String>,
    /// How it stands.
    pub state: ApprovalState,
    /// Who approved or rejected it.
    pub decided_by: Option<StaffId>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Why it was rejected, or came to nothing.
    pub message: Option<String>,
    /// The entry of the journal that holds what was done.
    pub entry_id: Option<EntryId>,
    /// Asked.
    pub created_at: Timestamp,
    /// Until when somebody may decide.
    pub expires_at: Timestamp,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
    /// Goes up by one with each change.
    pub version: i32,
}

impl Approval {
    /// How it stands at an instant: what nobody decided in time is over, whether or not that was noted.
    pub fn state_at(&self, now: Timestamp) -> ApprovalState {
        match self.state {
            ApprovalState::Pending if now >= self.expires_at => ApprovalState::Expired,
            state => state,
        }
    }

    /// Whether this staff user, or a machine of theirs, asked.
    pub fn is_of(&self, actor: &Actor) -> bool {
        self.actor == *actor || (self.asked_by.is_some() && self.asked_by == actor.staff())
    }

    /// Whether someone with these rights over these clients may decide, as far as can be told without trying it: they
    /// have the permission outright, and see every client that it touches.
    pub fn may_be_decided_with(&self, rights: &Permissions, scope: &ClientScope) -> bool {
        let seen = !self.beyond_clients && self.clients.iter().all(|client| scope.allows(*client));
        let everywhere = scope.is_all() || (seen && !self.permission.is_organisation_wide());
        everywhere && rights.grant(self.permission) == Grant::Yes
    }
}

/// The clients that changes touch, on both sides of what moves between them, and whether some touch no client at all.
pub fn clients_touched(changes: &[Change]) -> (Vec<ClientId>, bool) {
    let (mut clients, mut beyond) = (BTreeSet::new(), false);
    for change in changes {
        let named = |view: &Option<Value>, field: &str| view.as_ref()?[field].as_str()?.parse().ok();
        let sides = [&change.before, &change.after];
        let of = sides.into_iter().flat_map(|view| [named(view, "client_id"), named(view, "into")]);
        let of: Vec<ClientId> = of.chain([change.client_id]).flatten().collect();
        beyond |= of.is_empty();
        clients.extend(of);
    }
    (clients.into_iter().collect(), beyond)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::Role;

    fn approval(permission: Permission, clients: Vec<ClientId>, beyond_clients: bool) -> Approval {
        let now = Timestamp::from_timestamp(1_800_000_000, 0).expect("valid");
        Approval {
            id: ApprovalId(Uuid::from_u128(1)),
            operation: "client_update".to_owned(),
            method: "PATCH".to_owned(),
            path: "/api/clients/x".to_owned(),
            permission,
            digest: "00".to_owned(),
            changes: Vec::new(),
            clients,
            beyond_clients,
            actor: Actor::Staff { id: StaffId(Uuid::from_u128(2)) },
            asked_by: Some(StaffId(Uuid::from_u128(2))),
            acted_for: None,
            reason: None,
            state: ApprovalState::Pending,
            decided_by: None,
            decided_at: None,
            message: None,
            entry_id: None,
            created_at: now,
            expires_at: now + APPROVAL_LASTS,
            finished_at: None,
            version: 1,
        }
    }

    fn client(n: u8) -> ClientId {
        ClientId(Uuid::from_u128(u128::from(n)))
    }

    #[test]
    fn what_is_over_stays_so_and_nothing_is_done_twice() {
        for from in ApprovalState::ALL {
            assert_eq!(ApprovalState::parse(from.as_str()), Some(from));
            for to in ApprovalState::ALL {
                if from.may_become(to) {
                    let found_out = (from, to) == (ApprovalState::Unknown, ApprovalState::Applied);
                    assert!(!from.is_over() || found_out, "{from:?} → {to:?}");
                    assert!(to != ApprovalState::Applying || from == ApprovalState::Pending, "{from:?} → {to:?}");
                }
            }
        }
    }

    #[test]
    fn after_seven_days_nobody_decides() {
        let asked = approval(Permission::ClientsEdit, Vec::new(), true);
        let end = asked.created_at + TimeDelta::days(7);
        assert_eq!(asked.state_at(end - TimeDelta::microseconds(1)), ApprovalState::Pending);
        assert_eq!(asked.state_at(end), ApprovalState::Expired);
        let done = Approval { state: ApprovalState::Applied, ..asked };
        assert_eq!(done.state_at(end + TimeDelta::days(90)), ApprovalState::Applied);
    }

    #[test]
    fn both_sides_of_what_moves_are_touched() {
        let change = |kind: &str, client_id, before, after| Change {
            kind: kind.to_owned(),
            id: Uuid::from_u128(7),
            client_id,
            before,
            after,
        };
        let moved = change(
            "mapping",
            Some(client(2)),
            Some(serde_json::json!({ "client_id": client(1) })),
            Some(serde_json::json!({ "client_id": client(2) })),
        );
        let merged = change("client", Some(client(3)), None, Some(serde_json::json!({ "into": client(4) })));
        let house = change("matching_settings", None, None, Some(serde_json::json!({ "accept_at": 90 })));
        let (touched, beyond) = clients_touched(&[moved.clone(), merged.clone()]);
        assert_eq!((touched, beyond), ((1..=4).map(client).collect(), false));
        assert!(clients_touched(&[moved, house]).1);
        assert_eq!(clients_touched(&[]), (Vec::new(), false));
    }

    #[test]
    fn a_key_of_the_asker_is_the_asker() {
        let asked = approval(Permission::ClientsEdit, Vec::new(), true);
        let own = StaffId(Uuid::from_u128(2));
        assert!(asked.is_of(&Actor::ApiKey { id: Uuid::from_u128(9).into(), owner: own }));
        assert!(asked.is_of(&Actor::Staff { id: own }));
        assert!(!asked.is_of(&Actor::Staff { id: StaffId(Uuid::from_u128(3)) }));
        assert!(!asked.is_of(&Actor::Worker));
    }

    proptest! {
        #[test]
        fn whoever_decides_has_the_permission_outright_and_sees_all_of_it(
            permission in proptest::sample::select(Permission::ALL.to_vec()),
            role in proptest::sample::select(Role::ALL.to_vec()),
            touched in proptest::collection::vec(0_u8..6, 0..4),
            allowed in proptest::option::of(proptest::collection::btree_set(0_u8..6, 0..5)),
            denied in proptest::collection::btree_set(0_u8..6, 0..3),
            beyond in any::<bool>(),
        ) {
            let asked = approval(permission, touched.iter().copied().map(client).collect(), beyond);
            let set = |ids: BTreeSet<u8>| ids.into_iter().map(client).collect();
            let scope = ClientScope::of(allowed.map(set), set(denied));
            let rights = Permissions::of(role);
            if asked.may_be_decided_with(&rights, &scope) {
                prop_assert_eq!(rights.grant(permission), Grant::Yes);
                prop_assert!(touched.iter().all(|id| scope.allows(client(*id))));
                prop_assert!(scope.is_all() || (!beyond && !permission.is_organisation_wide()));
            }
            let asker = Permissions::of_custom([]).with_approval([&permission]);
            prop_assert!(!asked.may_be_decided_with(&asker, &ClientScope::All), "who may only ask decides");
        }
    }
}
