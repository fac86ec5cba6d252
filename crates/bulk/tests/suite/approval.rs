//! A second person approves what is large: the same plan, and no other.

use bulk::{BulkSettingsPatch, bulk_cancel, bulk_settings_update};
use domain::{Actor, ApiKeyId, BulkAction, BulkState, ClientId, Context, Error, Permission, Permissions, Role};
use persistence::StaffRow;
use testkit::both_databases;
use uuid::Uuid;

use crate::house::House;

async fn threshold(house: &House<'_>, role: Role, most: u32) {
    let tx = house.db.store.begin(house.operator()).await.expect("begins");
    let patch = BulkSettingsPatch { thresholds: [(role, most)].into(), version: None };
    bulk_settings_update(&tx, &patch).await.expect("writes");
    tx.commit("bulk_settings_update", None).await.expect("commits");
}

fn code<T: std::fmt::Debug>(refused: Result<T, Error>) -> &'static str {
    match refused {
        Err(Error::Conflict { code, .. }) => code,
        Err(Error::Forbidden { .. }) => "forbidden",
        Err(Error::NotFound { .. }) => "not_found",
        other => panic!("not refused: {other:?}"),
    }
}

both_databases! {
    async fn above_the_threshold_nothing_happens_before_a_second_person(db: TestDb) {
        let house = House::new(&db).await;
        threshold(&house, Role::Admin, 2).await;
        let ada = house.as_staff(house.staff("ada", Role::Admin).await).await;
        let bob = house.as_staff(house.staff("bob", Role::Admin).await).await;
        let eve = house.as_staff(house.staff("eve", Role::Engineer).await).await;
        let clients = house.clients(4).await;
        let small = house.start(&ada, BulkAction::Archive, &clients[..2]).await.expect("starts");
        assert_eq!(small.state, BulkState::Queued);
        house.work().await;
        let large = house.start(&ada, BulkAction::Restore, &clients).await.expect("starts");
        assert_eq!((large.state, large.unchanged), (BulkState::Queued, 2), "only what changes counts");
        house.work().await;

        let large = house.start(&ada, BulkAction::Archive, &clients).await.expect("starts");
        assert_eq!(large.state, BulkState::WaitingApproval);
        house.work().await;
        assert_eq!(house.client(clients[0]).await.archived_at, None, "it did not wait");
        assert_eq!(code(house.approve(&ada, large.id, &large.digest).await), "second_person");
        let Actor::Staff { id: owner } = bob.actor else { panic!("a person") };
        let key = Context { actor: Actor::ApiKey { id: ApiKeyId(Uuid::from_u128(3)), owner }, ..bob.clone() };
        assert_eq!(code(house.approve(&key, large.id, &large.digest).await), "needs_session");
        assert_eq!(code(house.approve(&eve, large.id, &large.digest).await), "forbidden");
        assert_eq!(code(house.approve(&bob, large.id, "another").await), "another_plan");
        let foreign = House::new(&db).await;
        assert_eq!(code(house.approve(&foreign.operator(), large.id, &large.digest).await), "not_found");
        let approved = house.approve(&bob, large.id, &large.digest).await.expect("approves");
        assert_eq!((approved.state, approved.approved_by), (BulkState::Queued, Some(owner)));
        assert_eq!(code(house.approve(&bob, large.id, &large.digest).await), "not_waiting");
        house.work().await;
        let done = house.operation(large.id).await;
        assert_eq!((done.state, done.done, done.started_by), (BulkState::Done, 4, ada.actor.staff()));
        assert!(house.client(clients[3]).await.archived_at.is_some());
    }

    async fn a_role_of_ones_own_and_a_machine_need_a_second_person_too(db: TestDb) {
        let house = House::new(&db).await;
        threshold(&house, Role::Viewer, 2).await;
        let clients = house.clients(4).await;
        let ada = house.as_staff(house.staff("ada", Role::Admin).await).await;
        let own = Context { permissions: Permissions::of_custom(&[Permission::ClientsEdit]), ..ada.clone() };
        let gold = BulkAction::TagsAdd { tags: vec!["gold".into()] };
        let started = house.start(&own, gold.clone(), &clients).await.expect("starts");
        assert_eq!(started.state, BulkState::WaitingApproval, "the strictest threshold holds");
        let acting = Context { acted_for: Some(clients[0]), ..ada };
        assert_eq!(code(house.start(&acting, gold, &clients).await), "acting_for");
    }

    async fn an_approval_dies_with_the_plan_that_it_is_of(db: TestDb) {
        let house = House::new(&db).await;
        threshold(&house, Role::Admin, 0).await;
        let id = house.staff("ada", Role::Admin).await;
        let ada = house.as_staff(id).await;
        let bob = house.as_staff(house.staff("bob", Role::Admin).await).await;
        let clients = house.clients(3).await;
        let add = BulkAction::TagsAdd { tags: vec!["gold".into()] };
        // One of the clients changes in what is touched.
        let started = house.start(&ada, add.clone(), &clients).await.expect("starts");
        let tx = db.store.begin(house.operator()).await.expect("begins");
        let one = tx.client(clients[1]).await.expect("finds");
        tx.client_update(&one, domain::Client { tags: vec!["other".into()], ..one.clone() }).await.expect("writes");
        tx.commit("client_update", None).await.expect("commits");
        let expired = house.approve(&bob, started.id, &started.digest).await.expect("is answered");
        assert_eq!(expired.state, BulkState::Expired, "{:?}", expired.message);
        house.work().await;
        assert!(house.client(clients[0]).await.tags.is_empty(), "it was done all the same");
        // Something else of one changes: the plan is the same.
        let started = house.start(&ada, add.clone(), &clients).await.expect("starts");
        let tx = db.store.begin(house.operator()).await.expect("begins");
        let one = tx.client(clients[1]).await.expect("finds");
        tx.client_update(&one, domain::Client { name: "Renamed".into(), ..one.clone() }).await.expect("writes");
        tx.commit("client_update", None).await.expect("commits");
        assert_eq!(house.approve(&bob, started.id, &started.digest).await.expect("approves").state, BulkState::Queued);
        house.work().await;
        assert_eq!(house.client(clients[1]).await.tags, ["gold", "other"]);
        // Whoever started it sees less by now, or may do nothing any more.
        let narrow: fn(&mut StaffRow, ClientId) = |row, hidden| row.deny_clients = [hidden].into();
        let suspend: fn(&mut StaffRow, ClientId) = |row, _| row.suspended_at = Some(row.created_at);
        for (nth, change) in [narrow, suspend].into_iter().enumerate() {
            let more = BulkAction::TagsAdd { tags: vec![format!("more {nth}")] };
            let started = house.start(&ada, more, &clients).await.expect("starts");
            house.alter(id, |row| change(row, clients[0])).await;
            let expired = house.approve(&bob, started.id, &started.digest).await.expect("is answered");
            assert_eq!(expired.state, BulkState::Expired, "{nth}");
            house.alter(id, |row| (row.deny_clients, row.suspended_at) = (Default::default(), None)).await;
        }
    }

    async fn what_waits_can_be_refused_by_cancelling_it(db: TestDb) {
        let house = House::new(&db).await;
        threshold(&house, Role::Owner, 0).await;
        let olive = house.as_staff(house.staff("olive", Role::Owner).await).await;
        let bob = house.as_staff(house.staff("bob", Role::Admin).await).await;
        let clients = house.clients(2).await;
        let started = house.start(&olive, BulkAction::Archive, &clients).await.expect("starts");
        let tx = db.store.begin(bob.clone()).await.expect("begins");
        bulk_cancel(&tx, started.id).await.expect("cancels");
        tx.commit("bulk_cancel", Some("not before Monday")).await.expect("commits");
        assert_eq!(code(house.approve(&bob, started.id, &started.digest).await), "not_waiting");
        house.work().await;
        assert_eq!(house.operation(started.id).await.state, BulkState::Cancelled);
        assert_eq!(house.client(clients[0]).await.archived_at, None);
    }
}
