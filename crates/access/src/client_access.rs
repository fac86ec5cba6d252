//! Who of the team sees a client.

use std::collections::BTreeSet;

use domain::{ClientId, Error, Permission, Problem, Result, Role, StaffId};
use persistence::{StaffRow, Tx};

use crate::{staff::require_over, team};

/// Most people of one list.
const MOST: usize = 500;

/// Whether someone of the team is to see a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAccess {
    /// Who.
    pub staff: StaffId,
    /// Whether they are to see it.
    pub sees: bool,
}

/// Sets for each of these people whether they see this client, by their lists of clients: nobody else's change, and
/// nothing else of theirs. Owners see every client. Mistakes are those of `/access`. The caller commits.
pub async fn client_access_set(tx: &Tx, client: ClientId, wishes: &[ClientAccess]) -> Result<Vec<StaffRow>> {
    let context = tx.context();
    context.require(Permission::TeamManage)?;
    if wishes.len() > MOST {
        return Err(Error::invalid("/access", "too_many", format!("must name at most {MOST} people")));
    }
    tx.team_lock().await?;
    let mut problems = Vec::new();
    let mut named = BTreeSet::new();
    let mut changes = Vec::new();
    for (at, wish) in wishes.iter().enumerate() {
        let place = format!("/access/{at}/staff_id");
        if !named.insert(wish.staff) {
            problems.push(Problem::new(place, "twice", "is named twice"));
            continue;
        }
        let before = match team::member(tx, wish.staff).await {
            Ok(before) => before,
            Err(Error::NotFound { .. }) => {
                problems.push(Problem::new(place, "not_found", "there is nobody of this id in the team"));
                continue;
            }
            Err(other) => return Err(other),
        };
        if before.role == Role::Owner && !wish.sees {
            let message = format!("{} is an owner, and owners see every client", before.name);
            problems.push(Problem::new(place, "owner_sees_all", message));
            continue;
        }
        let after = seeing(&before, client, wish.sees);
        if after.scope() != before.scope() {
            require_over(context, &before)?;
            changes.push((before, after));
        }
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let mut written = Vec::with_capacity(changes.len());
    for (before, after) in changes {
        written.push(team::staff_write(tx, &before, after).await?);
    }
    Ok(written)
}

/// Someone who sees this client, or does not, and every other as before.
fn seeing(before: &StaffRow, client: ClientId, sees: bool) -> StaffRow {
    let mut after = before.clone();
    match (sees, &mut after.allow_clients) {
        (true, allowed) => {
            if let Some(allowed) = allowed {
                allowed.insert(client);
            }
            after.deny_clients.remove(&client);
        }
        (false, Some(allowed)) => {
            allowed.remove(&client);
        }
        (false, None) => {
            after.deny_clients.insert(client);
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use domain::OrganisationId;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn client(n: u8) -> ClientId {
        ClientId(Uuid::from_u128(u128::from(n)))
    }

    fn set() -> impl Strategy<Value = BTreeSet<ClientId>> {
        proptest::collection::btree_set((0u8..8).prop_map(client), 0..6)
    }

    proptest! {
        /// Whatever someone saw before: afterwards they see the client as was said, and every other as before.
        #[test]
        fn one_client_changes_and_no_other(allow in proptest::option::of(set()), deny in set(), n in 0u8..8, sees: bool) {
            let now = domain::Timestamp::UNIX_EPOCH;
            let before = StaffRow {
                organisation: OrganisationId(Uuid::nil()),
                id: StaffId(Uuid::nil()),
                email: String::new(),
                name: String::new(),
                role: Role::Engineer,
                custom_role: None,
                password_hash: None,
                allow_clients: allow,
                deny_clients: deny,
                suspended_at: None,
                removed_at: None,
                created_at: now,
                updated_at: now,
                version: 1,
            };
            let after = seeing(&before, client(n), sees);
            for other in 0u8..8 {
                let expected = if other == n { sees } else { before.scope().allows(client(other)) };
                prop_assert_eq!(after.scope().allows(client(other)), expected, "{}", other);
            }
        }
    }
}
