//! Lists are answered from what is kept while nothing is written, and never from what was.

use domain::Role;
use serde_json::json;
use testkit::both_databases;

use crate::{
    harness::{Caller, TestApp, text},
    house::House,
};

const LIST: &str = "/api/clients?limit=5";

async fn total(app: &TestApp, caller: &Caller) -> i64 {
    // Asked twice: the second time it may be kept, and must be the same.
    let (first, second) = (app.get(caller, LIST).await, app.get(caller, LIST).await);
    assert_eq!(first.ok(), second.ok());
    first.json()["total"].as_i64().expect("a number")
}

both_databases! {
    async fn what_is_kept_is_never_older_than_a_commit(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let mut ids = Vec::new();
        for nth in 1..=3 {
            let made = app.post(&house.owner, "/api/clients", &json!({ "name": format!("Client {nth}") })).await.ok();
            ids.push(text(&made["item"]["id"]));
            assert_eq!(total(&app, &house.owner).await, nth);
        }
        app.delete(&house.owner, &format!("/api/clients/{}", ids[2])).await.ok();
        assert_eq!(total(&app, &house.owner).await, 2);
        app.db.tamper("UPDATE client SET status = 'inactive'").await.expect("changes behind its back");
        assert_eq!(app.get(&house.owner, LIST).await.ok()["items"][0]["status"], "inactive");

        // Each sees their own, and a right that changes counts at once.
        let engineer = house.staff(&app, "engineer", Role::Engineer, Some(vec![ids[0].clone()])).await;
        let session = app.sign_in(&house.email("engineer")).await;
        assert_eq!((total(&app, &session).await, total(&app, &house.owner).await), (1, 2));
        let patch = json!({ "allow_clients": ids[..2] });
        app.patch(&house.owner, &format!("/api/staff/{engineer}"), &patch).await.ok();
        assert_eq!(total(&app, &session).await, 2);
        let other = House::build(&app, "lark").await;
        assert_eq!(total(&app, &other.owner).await, 0);
        app.patch(&house.owner, &format!("/api/staff/{engineer}"), &json!({ "suspended": true })).await.ok();
        app.get(&session, LIST).await.refused(401, "unauthenticated");
        app.get(&Caller::Anonymous, LIST).await.refused(401, "unauthenticated");

        total(&app, &house.owner).await;
        app.delete(&house.owner, "/api/session").await.ok();
        app.get(&house.owner, LIST).await.refused(401, "unauthenticated");
    }

    async fn a_session_is_answered_from_what_is_kept_and_a_key_is_counted(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let (key, _) = house.key(&app, &house.owner, "read").await;
        let kept = async |caller: &Caller| {
            app.get(caller, LIST).await.ok();
            app.app.gate.drain().await;
            app.get(caller, LIST).await.ok();
            app.get(caller, LIST).await.header("age")
        };
        assert_eq!(kept(&key).await, "", "requests of a key are counted one by one");
        // Others write to the same PostgreSQL meanwhile, which lets go what is kept.
        if !app.db.store.is_postgres() {
            assert_eq!(kept(&house.owner).await, "0");
        }
    }
}
