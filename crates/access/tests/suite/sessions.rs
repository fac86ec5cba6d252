use access::StaffPatch;
use domain::{Error, Outcome, Role};
use secrecy::ExposeSecret;
use testkit::both_databases;

use crate::house::{House, OWNER, PASSWORD, request};

const HOUR: i64 = 3_600;

both_databases! {
    async fn a_session_ends_when_unused_and_at_its_end(db: TestDb) {
        let house = House::build(&db).await;
        let unused = house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        let used = house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        let (unused, used) = (unused.token.expose_secret(), used.token.expose_secret());
        db.clock.advance(7 * HOUR);
        assert!(house.by_token(used).await.is_some());
        house.gate.drain().await;
        db.clock.advance(HOUR - 1);
        assert!(house.by_token(used).await.is_some(), "a second before eight hours");
        house.gate.drain().await;
        db.clock.advance(1);
        assert!(house.by_token(unused).await.is_none(), "eight hours unused");
        assert!(house.by_token(used).await.is_some(), "used meanwhile");
        house.gate.drain().await;
        db.clock.advance(4 * HOUR - 1);
        assert!(house.by_token(used).await.is_some(), "a second before twelve hours");
        db.clock.advance(1);
        assert!(house.by_token(used).await.is_none(), "twelve hours old");
    }

    async fn use_is_noted_once_a_minute(db: TestDb) {
        let house = House::build(&db).await;
        let signed_in = house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in");
        let started = db.now();
        for (wait, noted) in [(59, 0), (1, 60), (59, 60), (1, 120)] {
            db.clock.advance(wait);
            house.by_token(signed_in.token.expose_secret()).await.expect("is signed in");
            house.gate.drain().await;
            let tx = db.store.read(house.operator()).await.expect("reads");
            let sessions = tx.session_list(house.owner.id).await.expect("lists");
            assert_eq!((sessions[0].seen_at - started).num_seconds(), noted);
        }
    }

    async fn what_changes_about_a_person_holds_at_the_next_request(db: TestDb) {
        let house = House::build(&db).await;
        let client = db.client(house.organisation, "Client").await;
        let person = house.staff("admin@kite.example", Role::Admin).await;
        let change = async |patch: StaffPatch| {
            let tx = db.store.begin(house.operator()).await.expect("begins");
            access::staff_update(&tx, person.id, patch).await.expect("updates");
            tx.commit("staff_update", None).await.expect("commits");
        };
        let sign_in = async || house.sign_in("admin@kite.example", PASSWORD, "192.0.2.1").await.expect("signs in").token;

        let token = sign_in().await;
        change(StaffPatch { allow_clients: Some(Some([client].into())), ..StaffPatch::default() }).await;
        let context = house.by_token(token.expose_secret()).await.expect("is signed in");
        assert!(!context.scope.is_all() && context.scope.allows(client), "a narrower scope needs no new session");

        change(StaffPatch { role: Some(Role::Viewer), ..StaffPatch::default() }).await;
        assert!(house.by_token(token.expose_secret()).await.is_none(), "another role ends sessions");

        let token = sign_in().await;
        change(StaffPatch { suspended: Some(true), ..StaffPatch::default() }).await;
        assert!(house.by_token(token.expose_secret()).await.is_none());
        change(StaffPatch { suspended: Some(false), ..StaffPatch::default() }).await;
        assert!(house.by_token(token.expose_secret()).await.is_none(), "it does not come back to life");
        sign_in().await;
    }

    async fn sessions_are_listed_and_ended_by_their_owner_only(db: TestDb) {
        let house = House::build(&db).await;
        house.staff("other@kite.example", Role::Admin).await;
        let mut tokens = Vec::new();
        for _ in 0..3 {
            tokens.push(house.sign_in(OWNER, PASSWORD, "192.0.2.1").await.expect("signs in"));
        }
        let alive = async || {
            let mut alive = Vec::new();
            for signed_in in &tokens {
                alive.push(house.by_token(signed_in.token.expose_secret()).await.is_some());
            }
            alive
        };
        let meta = request("192.0.2.1");
        let token = tokens[0].token.expose_secret();
        let found = access::session_context(&db.store, &house.gate, token, &meta).await.expect("asks");
        let (own, session, _) = found.expect("is signed in");
        assert_eq!(session, tokens[0].session.id);
        let other = house.context("other@kite.example").await;
        let refused = access::session_delete(&db.store, other.clone(), session).await;
        assert!(matches!(refused, Err(Error::NotFound { what: "session" })), "{refused:?}");
        let tx = db.store.read(own.clone()).await.expect("reads");
        assert_eq!(access::session_list(&tx, &house.gate).await.expect("lists").len(), 3);
        drop(tx);

        access::session_delete(&db.store, own.clone(), tokens[1].session.id).await.expect("ends");
        assert_eq!(alive().await, [true, false, true]);
        assert_eq!(access::sessions_delete_others(&db.store, own.clone(), session).await.expect("ends"), 1);
        assert_eq!(alive().await, [true, false, false]);
        let refused = access::staff_sessions_delete(&db.store, other, house.owner.id).await;
        assert!(matches!(refused, Err(Error::Forbidden { .. })), "an admin over an owner: {refused:?}");
        access::session_delete(&db.store, own.clone(), session).await.expect("signs out");
        assert_eq!(alive().await, [false, false, false]);
        let again = access::session_delete(&db.store, own, session).await;
        assert!(matches!(again, Err(Error::NotFound { what: "session" })), "{again:?}");

        let ended = house.journal("session_delete").await;
        assert_eq!((ended.len(), ended[0].outcome), (2, Outcome::Done));
        assert_eq!(access::staff_sessions_delete(&db.store, house.operator(), house.owner.id).await.expect("ends"), 0);
    }
}
