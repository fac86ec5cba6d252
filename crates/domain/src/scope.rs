//! Where a right holds.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ClientId;

/// Which clients someone may see. Deny beats allow; "all but" covers clients made later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "clients", rename_all = "snake_case")]
pub enum ClientScope {
    /// Every client, and what belongs to none yet.
    #[default]
    All,
    /// These only.
    Only(BTreeSet<ClientId>),
    /// Every client but these.
    AllBut(BTreeSet<ClientId>),
}

impl ClientScope {
    /// The scope of an allow list and a deny list: no allow list means all.
    pub fn of(allow: Option<BTreeSet<ClientId>>, deny: BTreeSet<ClientId>) -> Self {
        match allow {
            Some(allow) => Self::Only(allow.difference(&deny).copied().collect()),
            None if deny.is_empty() => Self::All,
            None => Self::AllBut(deny),
        }
    }

    /// Whether this client is inside.
    pub fn allows(&self, client: ClientId) -> bool {
        match self {
            Self::All => true,
            Self::Only(allowed) => allowed.contains(&client),
            Self::AllBut(denied) => !denied.contains(&client),
        }
    }

    /// Whether it is without limits.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// What both allow: a key never sees more than its owner.
    pub fn narrowed_by(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, scope) | (scope, Self::All) => scope.clone(),
            (Self::Only(a), Self::Only(b)) => Self::Only(a.intersection(b).copied().collect()),
            (Self::Only(a), Self::AllBut(b)) | (Self::AllBut(b), Self::Only(a)) => {
                Self::Only(a.difference(b).copied().collect())
            }
            (Self::AllBut(a), Self::AllBut(b)) => Self::AllBut(a.union(b).copied().collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn client(n: u8) -> ClientId {
        ClientId(Uuid::from_u128(u128::from(n)))
    }

    fn set() -> impl Strategy<Value = BTreeSet<ClientId>> {
        proptest::collection::btree_set((0u8..12).prop_map(client), 0..8)
    }

    fn scope() -> impl Strategy<Value = ClientScope> {
        prop_oneof![Just(ClientScope::All), set().prop_map(ClientScope::Only), set().prop_map(ClientScope::AllBut)]
    }

    proptest! {
        #[test]
        fn narrowing_allows_what_both_allow(a in scope(), b in scope(), n in 0u8..12) {
            let both = a.allows(client(n)) && b.allows(client(n));
            prop_assert_eq!(a.narrowed_by(&b).allows(client(n)), both);
        }

        #[test]
        fn deny_beats_allow(allow in proptest::option::of(set()), deny in set(), n in 0u8..12) {
            let scope = ClientScope::of(allow.clone(), deny.clone());
            let expected = !deny.contains(&client(n)) && allow.is_none_or(|allow| allow.contains(&client(n)));
            prop_assert_eq!(scope.allows(client(n)), expected);
        }
    }
}
