//! Roles of an organisation's own: each permission yes, no or with approval, beside the built-in matrix.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{CustomRoleId, Permission, Permissions, Problem, Timestamp};

/// Roles of its own that an organisation may have.
pub const MOST_CUSTOM_ROLES: usize = 50;

/// A role of an organisation's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomRole {
    /// Id.
    pub id: CustomRoleId,
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it gives, by name; what it does not name it does not give.
    #[serde(with = "names")]
    pub permissions: BTreeSet<Permission>,
    /// What it gives only with the approval of somebody who has it outright.
    #[serde(with = "names", default, skip_serializing_if = "BTreeSet::is_empty")]
    pub with_approval: BTreeSet<Permission>,
    /// Made.
    pub created_at: Timestamp,
    /// Changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

impl CustomRole {
    /// Its rights.
    pub fn rights(&self) -> Permissions {
        Permissions::of_custom(&self.permissions).with_approval(&self.with_approval)
    }
}

/// What is wrong with the permissions of a role that someone with the rights of `maker` makes or changes: nobody gives
/// more than they have, and what only owners have is not given by a role.
pub fn role_problems(permissions: &BTreeSet<Permission>, maker: &Permissions) -> Vec<Problem> {
    let wrong = |permission: &Permission| {
        let name = permission.as_str();
        if permission.is_owners_alone() {
            Some(Problem::new("/permissions", "owners_alone", format!("{name} is for owners alone: leave it out")))
        } else if Permissions::of_custom([permission]).beyond(maker).is_some() {
            Some(Problem::new("/permissions", "beyond_yours", format!("{name} goes beyond what you may do yourself")))
        } else {
            None
        }
    };
    permissions.iter().filter_map(wrong).collect()
}

/// What is wrong with the permissions that a role is to give with approval only, beside those that it gives outright.
pub fn approval_problems(
    with_approval: &BTreeSet<Permission>,
    outright: &BTreeSet<Permission>,
    maker: &Permissions,
) -> Vec<Problem> {
    let wrong = |permission: &Permission| {
        let name = permission.as_str();
        let problem = |code, message: String| Some(Problem::new("/with_approval", code, message));
        if outright.contains(permission) {
            problem("given_outright", format!("{name} is in permissions already: leave it out of one"))
        } else if !permission.may_need_approval() {
            problem(
                "not_with_approval",
                format!("{name} is given outright or not at all: nothing of it can be asked for"),
            )
        } else if Permissions::of_custom([]).with_approval([permission]).beyond(maker).is_some() {
            problem("beyond_yours", format!("{name} goes beyond what you may do yourself"))
        } else {
            None
        }
    };
    with_approval.iter().filter_map(wrong).collect()
}

/// Permissions by their names.
mod names {
    use std::collections::BTreeSet;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::Permission;

    pub fn serialize<S: Serializer>(set: &BTreeSet<Permission>, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(set.iter().map(|permission| permission.as_str()))
    }

    /// A permission that there is no more is given no more.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeSet<Permission>, D::Error> {
        let names = Vec::<String>::deserialize(from)?;
        Ok(names.iter().filter_map(|name| Permission::parse(name)).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Grant, KeyScope, Role};

    fn sets() -> impl Strategy<Value = BTreeSet<Permission>> {
        proptest::sample::subsequence(Permission::ALL, 0..=Permission::ALL.len())
            .prop_map(|picked| picked.into_iter().collect())
    }

    fn makers() -> impl Strategy<Value = Permissions> {
        let built_in = proptest::sample::select(Role::ALL.to_vec()).prop_map(Permissions::of);
        let scope = proptest::sample::select(vec![KeyScope::Read, KeyScope::Write, KeyScope::Admin]);
        let maker = prop_oneof![built_in, sets().prop_map(|set| Permissions::of_custom(&set))];
        (maker, scope).prop_map(|(maker, scope)| maker.through(scope))
    }

    proptest! {
        #[test]
        fn a_role_gives_what_it_names_and_nothing_else(set in sets()) {
            let rights = Permissions::of_custom(&set);
            for permission in Permission::ALL {
                let named = set.contains(permission) && !permission.is_owners_alone();
                prop_assert_eq!(rights.grant(*permission), if named { Grant::Yes } else { Grant::No });
            }
            prop_assert_eq!(rights.role(), None);
        }

        #[test]
        fn a_role_that_its_maker_may_make_never_goes_beyond_them(set in sets(), maker in makers()) {
            let rights = Permissions::of_custom(&set);
            if role_problems(&set, &maker).is_empty() {
                prop_assert_eq!(rights.beyond(&maker), None);
                prop_assert!(set.iter().all(|permission| !permission.is_owners_alone()));
            } else {
                let too_much = |permission: &Permission| {
                    permission.is_owners_alone() || maker.grant(*permission) < Grant::Yes
                };
                prop_assert!(set.iter().any(too_much), "it was refused without a reason");
            }
        }

        #[test]
        fn with_approval_is_never_outright_and_never_more_than_its_maker_has(
            set in sets(), asked in sets(), maker in makers(),
        ) {
            let rights = Permissions::of_custom(&set).with_approval(&asked);
            for permission in Permission::ALL {
                let outright = set.contains(permission) && !permission.is_owners_alone();
                let only_asked = !outright && asked.contains(permission) && permission.may_need_approval();
                let expected = if outright { Grant::Yes } else if only_asked { Grant::Approval } else { Grant::No };
                prop_assert_eq!(rights.grant(*permission), expected);
                prop_assert_eq!(rights.allows(*permission), outright, "asked for is not allowed");
                prop_assert_eq!(rights.raised().allows(*permission), outright || only_asked);
                prop_assert_eq!(rights.had_with_approval().contains(permission), only_asked);
                prop_assert_eq!(rights.raised().had_with_approval().contains(permission), only_asked);
            }
            if role_problems(&set, &maker).is_empty() && approval_problems(&asked, &set, &maker).is_empty() {
                prop_assert_eq!(rights.beyond(&maker), None);
                prop_assert!(asked.iter().all(|permission| rights.grant(*permission) == Grant::Approval));
            }
            // An approval is for what was asked, not a right to give the same to others.
            let raised = rights.raised();
            for permission in rights.had_with_approval() {
                prop_assert!(Permissions::of_custom([&permission]).beyond(&raised).is_some(), "{:?}", permission);
            }
        }

        #[test]
        fn a_key_carries_what_needs_approval_as_far_as_its_scope_and_no_further(set in sets(), named in sets()) {
            let rights = Permissions::of_custom([]).with_approval(&set);
            for scope in [KeyScope::Read, KeyScope::Write, KeyScope::Admin] {
                let key = rights.through(scope).limited_to(&named);
                for permission in Permission::ALL {
                    let carried = named.contains(permission) && permission.key_scope() <= scope;
                    let expected = if carried { rights.grant(*permission) } else { Grant::No };
                    prop_assert_eq!(key.grant(*permission), expected);
                }
            }
        }

        #[test]
        fn more_named_is_never_less_given(small in sets(), more in sets(), scope in 0..3_usize) {
            let scope = [KeyScope::Read, KeyScope::Write, KeyScope::Admin][scope];
            let large: BTreeSet<Permission> = small.union(&more).copied().collect();
            let (small, large) = (Permissions::of_custom(&small), Permissions::of_custom(&large));
            prop_assert_eq!(small.beyond(&large), None);
            prop_assert_eq!(small.through(scope).beyond(&large.through(scope)), None);
            prop_assert_eq!(small.through(scope).beyond(&small), None, "a scope adds nothing");
        }
    }

    #[test]
    fn nothing_of_a_role_reaches_owners() {
        let all: BTreeSet<Permission> = Permission::ALL.iter().copied().collect();
        let owner = Permissions::of(Role::Owner);
        let codes: Vec<_> = role_problems(&all, &owner).into_iter().map(|problem| problem.code).collect();
        assert_eq!(codes, ["owners_alone"], "only the right over owners is theirs alone");
        assert_eq!(owner.beyond(&Permissions::of_custom(&all)), Some(Permission::OwnersManage));
        assert!(Permissions::of(Role::Admin).beyond(&Permissions::of_custom(&all)).is_none());
    }

    #[test]
    fn what_is_stored_reads_back_without_what_there_is_no_more() {
        let now = Timestamp::from_timestamp(1_800_000_000, 0).expect("valid");
        let role = CustomRole {
            id: uuid::Uuid::from_u128(1).into(),
            name: "Desk".to_owned(),
            description: None,
            permissions: [Permission::ClientsView, Permission::TicketsWork].into(),
            with_approval: [Permission::ClientsEdit].into(),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let mut text = serde_json::to_value(&role).expect("writes");
        assert_eq!(serde_json::from_value::<CustomRole>(text.clone()).expect("reads"), role);
        text["permissions"] = serde_json::json!(["clients_view", "fly", "tickets_work"]);
        assert_eq!(serde_json::from_value::<CustomRole>(text).expect("reads"), role);
    }
}
