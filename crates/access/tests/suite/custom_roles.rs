//! Roles of an organisation's own: never above who makes them, gone at the next request when they shrink.

use std::collections::BTreeSet;

use access::{CustomRolePatch, NewCustomRole, StaffPatch};
use domain::{Context, CustomRole, CustomRoleId, Error, Permission, Permissions, Role, StaffId};
use testkit::both_databases;

use crate::house::{House, OWNER, PASSWORD};
use secrecy::ExposeSecret;

fn role(name: &str, permissions: &[Permission]) -> NewCustomRole {
    NewCustomRole {
        name: name.to_owned(),
        description: None,
        permissions: permissions.iter().copied().collect(),
        with_approval: BTreeSet::new(),
    }
}

async fn now(house: &House, context: &Context) -> Context {
    Context { now: house.store.clock().now(), ..context.clone() }
}

async fn make(house: &House, by: &Context, new: NewCustomRole) -> Result<CustomRole, Error> {
    let tx = house.store.begin(now(house, by).await).await.expect("begins");
    let made = access::custom_role_create(&tx, new).await?;
    tx.commit("custom_role_create", None).await?;
    Ok(made)
}

async fn change(house: &House, by: &Context, id: CustomRoleId, patch: CustomRolePatch) -> Result<CustomRole, Error> {
    let tx = house.store.begin(now(house, by).await).await.expect("begins");
    let made = access::custom_role_update(&tx, id, patch).await?;
    tx.commit("custom_role_update", None).await?;
    Ok(made)
}

async fn give(house: &House, by: &Context, staff: StaffId, id: CustomRoleId) -> Result<(), Error> {
    let tx = house.store.begin(now(house, by).await).await.expect("begins");
    access::custom_role_assign(&tx, staff, id).await?;
    tx.commit("custom_role_assign", None).await.map(drop)
}

async fn delete(house: &House, by: &Context, id: CustomRoleId) -> Result<(), Error> {
    let tx = house.store.begin(now(house, by).await).await.expect("begins");
    access::custom_role_delete(&tx, id).await?;
    tx.commit("custom_role_delete", None).await.map(drop)
}

fn given(permissions: &[Permission]) -> CustomRolePatch {
    CustomRolePatch { permissions: Some(permissions.iter().copied().collect()), ..CustomRolePatch::default() }
}

fn codes<T: std::fmt::Debug>(refused: Result<T, Error>) -> Vec<&'static str> {
    match refused {
        Err(Error::Invalid(problems)) => problems.into_iter().map(|problem| problem.code).collect(),
        other => panic!("{other:?}"),
    }
}

both_databases! {
    async fn a_role_gives_what_it_names_and_a_change_holds_at_the_next_request(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        let desk = [Permission::ClientsView, Permission::TicketsWork, Permission::KeysManage];
        let made = make(&house, &owner, role("Desk", &desk)).await.expect("makes");
        let tech = house.staff("tech@kite.example", Role::Engineer).await;
        let before = house.sign_in("tech@kite.example", PASSWORD, "192.0.2.1").await.expect("signs in");
        give(&house, &owner, tech.id, made.id).await.expect("gives");
        assert!(house.by_token(before.token.expose_secret()).await.is_none(), "another role signs out");
        let signed_in = house.sign_in("tech@kite.example", PASSWORD, "192.0.2.1").await.expect("signs in");
        let token = signed_in.token.expose_secret().to_owned();
        let rights = house.by_token(&token).await.expect("is signed in").permissions;
        assert_eq!(rights, Permissions::of_custom(&desk));
        assert_eq!(rights.had(), BTreeSet::from(desk));
        assert!(!rights.allows(Permission::DevicesView), "not as the engineer they were");

        let patch = given(&[Permission::ClientsView, Permission::DevicesView]);
        let changed = change(&house, &owner, made.id, patch.clone()).await.expect("changes");
        assert_eq!(changed.version, 2);
        let rights = house.by_token(&token).await.expect("is still signed in").permissions;
        assert!(rights.allows(Permission::DevicesView) && !rights.allows(Permission::TicketsWork));
        let stale = CustomRolePatch { version: Some(1), ..patch };
        assert!(matches!(change(&house, &owner, made.id, stale).await, Err(Error::Stale { .. })));

        assert!(matches!(delete(&house, &owner, made.id).await, Err(Error::Conflict { code: "role_assigned", .. })));
        let tx = db.store.begin(now(&house, &owner).await).await.expect("begins");
        let patch = StaffPatch { role: Some(Role::Viewer), ..StaffPatch::default() };
        let back = access::staff_update(&tx, tech.id, patch).await.expect("changes");
        tx.commit("staff_update", None).await.expect("commits");
        assert_eq!((back.role, back.custom_role), (Role::Viewer, None));
        assert!(house.by_token(&token).await.is_none(), "another role signs out");
        delete(&house, &owner, made.id).await.expect("deletes");
        assert!(matches!(give(&house, &owner, tech.id, made.id).await, Err(Error::Invalid(_))));
    }

    async fn nobody_makes_changes_or_gives_more_than_they_have(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        let some = [Permission::TeamManage, Permission::ClientsView, Permission::OwnersManage];
        assert_eq!(codes(make(&house, &owner, role("Too much", &some)).await), ["owners_alone"]);
        assert_eq!(codes(make(&house, &owner, role("MSP-Admin", &[])).await), ["built_in", "required"]);
        let lead = make(&house, &owner, role("Lead", &some[..2])).await.expect("makes");
        let mighty = make(&house, &owner, role("Mighty", &[Permission::ClientsDelete])).await.expect("makes");
        assert!(matches!(
            make(&house, &owner, role(" lead ", &some[1..2])).await,
            Err(Error::Conflict { code: "name_taken", .. })
        ));
        let (lead_staff, other) =
            (house.staff("lead@kite.example", Role::Viewer).await, house.staff("v@kite.example", Role::Viewer).await);
        give(&house, &owner, lead_staff.id, lead.id).await.expect("gives");
        let leading = house.context("lead@kite.example").await;
        let refused = make(&house, &leading, role("Above", &[Permission::ClientsView, Permission::ClientsDelete])).await;
        assert_eq!(codes(refused), ["beyond_yours"]);
        assert_eq!(codes(change(&house, &leading, lead.id, given(&[Permission::JournalRevert])).await), ["beyond_yours"]);
        for forbidden in [
            change(&house, &leading, mighty.id, given(&[Permission::ClientsView])).await.map(drop),
            delete(&house, &leading, mighty.id).await,
            give(&house, &leading, lead_staff.id, mighty.id).await,
            give(&house, &leading, house.owner.id, lead.id).await,
        ] {
            assert!(matches!(forbidden, Err(Error::Forbidden { .. })), "{forbidden:?}");
        }
        // A viewer has rights that the lead has not: the lead does nothing to them.
        assert!(matches!(give(&house, &leading, other.id, lead.id).await, Err(Error::Forbidden { .. })));
        let own = make(&house, &leading, role("Below", &[Permission::ClientsView])).await.expect("makes less");
        assert_eq!(own.permissions, BTreeSet::from([Permission::ClientsView]));
    }

    async fn the_last_owner_takes_no_other_role(db: TestDb) {
        let house = House::build(&db).await;
        let owner = house.context(OWNER).await;
        let desk = make(&house, &owner, role("Desk", &[Permission::ClientsView])).await.expect("makes");
        let refused = give(&house, &owner, house.owner.id, desk.id).await;
        assert!(matches!(refused, Err(Error::Conflict { code: "last_owner", .. })), "{refused:?}");
        let stranger = House::named(&db, "Lark", "owner@lark.example", PASSWORD).await;
        let theirs = stranger.context("owner@lark.example").await;
        assert!(matches!(change(&stranger, &theirs, desk.id, given(&[])).await, Err(Error::NotFound { .. })));
        assert_eq!(codes(give(&stranger, &theirs, stranger.owner.id, desk.id).await), ["no_such_role"]);
    }
}
