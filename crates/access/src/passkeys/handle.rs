//! What a device keeps of the account that a passkey opens, and gives back with every answer: kind, organisation and
//! account. It is no secret, and proves nothing.

use domain::{Account, AccountKind, OrganisationId};
use uuid::Uuid;

/// Bytes: the kind, and two ids.
const LENGTH: usize = 33;

fn mark(kind: AccountKind) -> u8 {
    match kind {
        AccountKind::Staff => 1,
        AccountKind::Portal => 2,
    }
}

/// The handle of an account.
pub(super) fn handle(organisation: OrganisationId, account: Account) -> Vec<u8> {
    [&[mark(account.kind)], organisation.0.as_bytes().as_slice(), account.id.as_bytes()].concat()
}

/// Whose a handle is; `None` for anything else.
pub(super) fn parse(handle: &[u8]) -> Option<(OrganisationId, Account)> {
    let (mark_read, ids) = handle.split_first().filter(|_| handle.len() == LENGTH)?;
    let kind = [AccountKind::Staff, AccountKind::Portal].into_iter().find(|kind| mark(*kind) == *mark_read)?;
    let (organisation, account) = ids.split_at(16);
    let id = |bytes| Uuid::from_slice(bytes).ok();
    Some((OrganisationId(id(organisation)?), Account { kind, id: id(account)? }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_handle_names_its_account_and_nothing_else_is_one(
            organisation: u128, id: u128, portal: bool, other in proptest::collection::vec(any::<u8>(), 0..70),
        ) {
            let kind = if portal { AccountKind::Portal } else { AccountKind::Staff };
            let whose = (OrganisationId(Uuid::from_u128(organisation)), Account { kind, id: Uuid::from_u128(id) });
            prop_assert_eq!(parse(&handle(whose.0, whose.1)), Some(whose));
            if let Some((organisation, account)) = parse(&other) {
                prop_assert_eq!(handle(organisation, account), other);
            }
        }
    }
}
