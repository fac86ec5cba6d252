use access::StaffPatch;
use domain::{Context, Error, Permission, Role, StaffId};
use persistence::{Apply, StaffRow};
use secrecy::ExposeSecret;
use testkit::both_databases;

use crate::house::{House, OWNER, PASSWORD};

async fn remove(house: &House, context: &Context, id: StaffId) -> Result<StaffRow, Error> {
    let tx = house.store.begin(context.clone()).await?;
    let row = access::staff_remove(&tx, id).await?;
    tx.commit("staff_remove", None).await?;
    Ok(row)
}

async fn transfer(house: &House, context: &Context, to: StaffId) -> Result<(StaffRow, StaffRow), Error> {
    let tx = house.store.begin(context.clone()).await?;
    let rows = access::ownership_transfer(&tx, to, Role::Admin).await?;
    tx.commit("ownership_transfer", None).await?;
    Ok(rows)
}

async fn update(house: &House, context: &Context, id: StaffId, patch: StaffPatch) -> Result<StaffRow, Error> {
    let tx = house.store.begin(context.clone()).await?;
    let row = access::staff_update(&tx, id, patch).await?;
    tx.commit("staff_update", None).await?;
    Ok(row)
}

fn conflict<T: std::fmt::Debug>(refused: Result<T, Error>) -> &'static str {
    match refused {
        Err(Error::Conflict { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

fn last_owner<T>(refused: &Result<T, Error>) -> bool {
    matches!(refused, Err(Error::Conflict { code: "last_owner", .. }))
}

both_databases! {
    async fn whoever_is_removed_is_out_at_once_and_stays_in_the_history(db: TestDb) {
        let house = House::build(&db).await;
        let person = house.staff("tech@kite.example", Role::Engineer).await;
        let session = house.sign_in("tech@kite.example", PASSWORD, "192.0.2.1").await.expect("signs in").token;
        let theirs = house.by_token(session.expose_secret()).await.expect("is signed in");
        let tx = db.store.begin(theirs).await.expect("begins");
        let new = access::NewKey {
            name: "machine".into(),
            scope: domain::KeyScope::Read,
            allow_clients: None,
            expires_in_days: None,
            permissions: None,
            requests_per_minute: None,
        };
        let key = access::api_key_create(&tx, &house.gate, new).await.expect("makes").token;
        tx.commit("api_key_create", None).await.expect("commits");
        let owner = house.context(OWNER).await;
        let tx = db.store.begin(owner.clone()).await.expect("begins");
        access::staff_remove(&tx, person.id).await.expect("removes");
        let preview = tx.finish("staff_remove", &Apply { dry_run: true, ..Apply::default() }).await.expect("previews");
        assert_eq!(preview.changes.iter().map(|change| change.kind.as_str()).collect::<Vec<_>>(), ["staff", "api_key"]);
        assert!(house.by_token(session.expose_secret()).await.is_some(), "a preview removes nobody");
        remove(&house, &owner, person.id).await.expect("removes");
        assert!(house.by_token(session.expose_secret()).await.is_none());
        let asked = crate::house::request("192.0.2.1");
        assert!(access::api_key_context(&db.store, &house.gate, key.expose_secret(), &asked).await.expect("asks").is_none());
        assert!(house.sign_in("tech@kite.example", PASSWORD, "192.0.2.1").await.is_err());
        let tx = db.store.read(owner.clone()).await.expect("reads");
        assert!(access::staff_list(&tx).await.expect("lists").iter().all(|row| row.id != person.id));
        assert_eq!(tx.staff(person.id).await.expect("stays").name, "tech@kite.example");
        drop(tx);
        for again in [remove(&house, &owner, person.id).await, update(&house, &owner, person.id, StaffPatch { suspended: Some(false), ..StaffPatch::default() }).await] {
            assert!(matches!(again, Err(Error::NotFound { what: "staff user" })), "{again:?}");
        }
        let set = access::staff_password_set(&db.store, &house.gate, owner, person.id, &PASSWORD.into()).await;
        assert!(matches!(set, Err(Error::NotFound { .. })), "{set:?}");
        // Their address is free for somebody else.
        let next = house.staff("tech@kite.example", Role::Viewer).await;
        assert_ne!(next.id, person.id);
        assert_eq!(house.context("tech@kite.example").await.actor.staff(), Some(next.id));
    }

    async fn nobody_suspends_or_removes_themselves_or_those_above_them(db: TestDb) {
        let house = House::build(&db).await;
        let second = house.staff("second@kite.example", Role::Owner).await;
        let own = house.staff("admin@kite.example", Role::Admin).await;
        let (owner, admin) = (house.context(OWNER).await, house.context("admin@kite.example").await);
        let suspended = StaffPatch { suspended: Some(true), ..StaffPatch::default() };
        assert_eq!(conflict(update(&house, &owner, house.owner.id, suspended.clone()).await), "own_account");
        assert_eq!(conflict(remove(&house, &owner, house.owner.id).await), "own_account");
        assert_eq!(conflict(update(&house, &admin, own.id, suspended).await), "own_account");
        let refused = remove(&house, &admin, second.id).await;
        assert!(matches!(refused, Err(Error::Forbidden { permission: Permission::OwnersManage })), "{refused:?}");
        remove(&house, &owner, second.id).await.expect("may");
        assert!(last_owner(&remove(&house, &house.operator(), house.owner.id).await));
    }

    async fn owners_who_end_each_other_at_once_leave_one(db: TestDb) {
        let house = House::build(&db).await;
        let mut lasting = house.owner.id;
        for round in 0..5 {
            let other = house.staff(&format!("owner{round}@kite.example"), Role::Owner).await.id;
            let operator = house.operator();
            let demote = StaffPatch { role: Some(Role::Viewer), ..StaffPatch::default() };
            let (removed, demoted) = match round % 2 {
                0 => tokio::join!(remove(&house, &operator, lasting), update(&house, &operator, other, demote)),
                _ => tokio::join!(remove(&house, &operator, lasting), remove(&house, &operator, other)),
            };
            assert!(removed.is_ok() != demoted.is_ok(), "{removed:?} {demoted:?}");
            assert!(last_owner(&removed) || last_owner(&demoted), "{removed:?} {demoted:?}");
            lasting = if removed.is_ok() { other } else { lasting };
        }
    }

    async fn ownership_goes_over_in_one_entry(db: TestDb) {
        let house = House::build(&db).await;
        let client = db.client(house.organisation, "Mine").await;
        let heir = house.staff("heir@kite.example", Role::Engineer).await;
        let limit = StaffPatch { allow_clients: Some(Some([client].into())), ..StaffPatch::default() };
        update(&house, &house.operator(), heir.id, limit).await.expect("limits");
        let owner = house.context(OWNER).await;
        assert_eq!(conflict(transfer(&house, &owner, house.owner.id).await), "own_account");
        let (new, former) = transfer(&house, &owner, heir.id).await.expect("transfers");
        assert_eq!((new.role, new.scope().is_all(), former.role), (Role::Owner, true, Role::Admin));
        let entries = house.journal("ownership_transfer").await;
        assert_eq!((entries.len(), entries[0].changes.len()), (1, 2));
        // Both sign in anew, with what they are now.
        let admin = house.context(OWNER).await;
        let refused = transfer(&house, &admin, heir.id).await;
        assert!(matches!(refused, Err(Error::Forbidden { permission: Permission::OwnersManage })), "{refused:?}");
        house.context("heir@kite.example").await.require(Permission::OwnersManage).expect("an owner");
        // Not by an operator, who is nobody of the team, and not to someone who could not sign in.
        assert!(matches!(transfer(&house, &house.operator(), house.owner.id).await, Err(Error::Unauthenticated)));
        let away = house.staff("away@kite.example", Role::Admin).await;
        update(&house, &house.operator(), away.id, StaffPatch { suspended: Some(true), ..StaffPatch::default() }).await.expect("suspends");
        let heir = house.context("heir@kite.example").await;
        assert_eq!(conflict(transfer(&house, &heir, away.id).await), "suspended");
    }

    async fn two_transfers_at_once_leave_an_owner(db: TestDb) {
        let house = House::build(&db).await;
        let one = house.staff("one@kite.example", Role::Admin).await;
        let two = house.staff("two@kite.example", Role::Admin).await;
        let owner = house.context(OWNER).await;
        let (first, second) = tokio::join!(transfer(&house, &owner, one.id), transfer(&house, &owner, two.id));
        assert!(first.is_ok() || second.is_ok(), "{first:?} {second:?}");
        let tx = db.store.read(house.operator()).await.expect("reads");
        let owners = access::staff_list(&tx).await.expect("lists").into_iter().filter(|row| row.role == Role::Owner).count();
        assert_eq!(owners, 1, "{first:?} {second:?}");
    }
}
