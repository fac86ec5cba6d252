//! Bulk operations over HTTP: previewed, approved by a second person, done by the worker, taken back.

use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    fleet::events,
    harness::{Answer, Caller, TestApp, text},
    house::House,
};

const BULK: &str = "/api/bulk-operations";

/// Clients of these names; their ids.
pub async fn clients(app: &TestApp, owner: &Caller, count: usize) -> Vec<String> {
    let names: String = (0..count).map(|nth| format!("Business {nth:05}\n")).collect();
    let request = app.request(owner, Method::POST, "/api/imports/csv").header("content-type", "text/csv");
    let done = app.send(request.body(format!("name\n{names}"))).await.ok();
    assert_eq!(done["item"]["created"].as_u64(), Some(count as u64), "{done}");
    app.all(owner, "/api/clients").await.iter().map(|client| text(&client["id"])).collect()
}

/// Previews and starts an operation.
pub async fn start(app: &TestApp, who: &Caller, body: &Value) -> Value {
    let preview = app.post(who, &format!("{BULK}/preview"), body).await.ok();
    let start = format!("{BULK}?expect={}&reason=spring+cleaning", text(&preview["digest"]));
    app.post(who, &start, body).await.ok()["item"].clone()
}

both_databases! {
    async fn what_was_previewed_is_done_and_taken_back_whole(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        clients(&app, owner, 700).await;
        let body = json!({ "action": "tags_add", "tags": ["Gold", "north"], "filter": "status=active" });
        let preview = app.post(owner, &format!("{BULK}/preview"), &body).await.ok();
        let plan = &preview["plan"];
        assert_eq!((&plan["total"], &plan["changed"], &plan["refused"]), (&json!(700), &json!(700), &json!(0)));
        assert_eq!(plan["changes"].as_array().map(Vec::len), Some(100));
        assert_eq!(preview["needs_approval"], false);
        app.post(owner, BULK, &body).await.refused(422, "invalid");
        app.post(owner, &format!("{BULK}?expect=nonsense"), &body).await.refused(409, "moved");
        let started = start(&app, owner, &body).await;
        assert_eq!((&started["state"], &started["left"]), (&json!("queued"), &json!(700)));
        app.run_jobs().await;
        let path = format!("{BULK}/{}", text(&started["id"]));
        let done = app.get(owner, &path).await.ok();
        assert_eq!((&done["state"], &done["done"], &done["left"]), (&json!("done"), &json!(700), &json!(0)), "{done}");
        assert_eq!(app.all(owner, "/api/clients?tag=GOLD").await.len(), 700);
        assert_eq!(app.all(owner, &format!("{path}/clients?state=done")).await.len(), 700);
        let again = app.post(owner, &format!("{BULK}/preview"), &body).await;
        again.refused(409, "nothing_to_do");
        let entry = text(&done["entry_id"]);
        app.post(owner, &format!("/api/journal/{entry}/revert"), &json!({})).await.ok();
        assert!(app.all(owner, "/api/clients?tag=gold").await.is_empty(), "a part was left");
        let verified = app.get(owner, "/api/journal/verification").await.ok();
        assert_eq!(verified["sound"], true, "{verified}");
    }

    async fn an_operation_is_watched_until_it_is_over(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let ids = clients(&app, owner, 3).await;
        let body = json!({ "action": "tags_add", "tags": ["gold"], "clients": ids });
        let path = format!("{BULK}/{}/events", text(&start(&app, owner, &body).await["id"]));
        // One that waits is told once, for as long as was asked for.
        let seen = events(&app.get(owner, &format!("{path}?seconds=1")).await);
        assert_eq!((seen.len(), seen[0].0.as_str()), (1, "progress"), "{seen:?}");
        assert_eq!((&seen[0].1["state"], &seen[0].1["left"]), (&json!("queued"), &json!(3)));
        let watched = app.request(owner, Method::GET, &format!("{path}?seconds=30")).send();
        let watching = tokio::spawn(watched);
        app.run_jobs().await;
        let response = watching.await.expect("watches").expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let seen = events(&Answer { status, headers, text: response.text().await.expect("a body of text") });
        let (last, before) = seen.split_last().expect("an event");
        let told = ["state", "total", "done", "refused", "left", "over"].map(|field| last.1[field].clone());
        assert_eq!(last.0, "end", "{seen:?}");
        assert_eq!(told, [json!("done"), json!(3), json!(3), json!(0), json!(0), json!(true)]);
        assert!(before.iter().all(|(name, data)| name == "progress" && data["over"] == false), "{seen:?}");
        let after = events(&app.get(owner, &path).await);
        assert_eq!((after.len(), after[0].0.as_str()), (1, "end"), "it is over: the stream ends at once");

        let other = House::build(&app, "lark").await;
        app.get(&Caller::Anonymous, &path).await.refused(401, "unauthenticated");
        app.get(&other.owner, &path).await.refused(404, "not_found");
        house.staff(&app, "sam", Role::Engineer, Some(vec![ids[0].clone()])).await;
        let sam = app.sign_in(&house.email("sam")).await;
        app.get(&sam, &path).await.refused(404, "not_found");
        for seconds in ["0", "301"] {
            app.get(owner, &format!("{path}?seconds={seconds}")).await.refused(422, "invalid");
        }
    }

    async fn a_second_person_approves_the_plan_that_they_saw(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let ids = clients(&app, &house.owner, 3).await;
        let (ada, bob) = (house.person(&app, "ada", Role::Admin).await, house.person(&app, "bob", Role::Admin).await);
        let eve = house.person(&app, "eve", Role::Engineer).await;
        app.patch(&eve, "/api/organisation/bulk-operations", &json!({ "admin": 0 })).await.refused(403, "forbidden");
        app.patch(&house.owner, "/api/organisation/bulk-operations", &json!({ "admin": 2 })).await.ok();
        let body = json!({ "action": "archive", "clients": ids });
        app.post(&eve, &format!("{BULK}/preview"), &body).await.refused(403, "forbidden");
        let started = start(&app, &ada, &body).await;
        assert_eq!(started["state"], "waiting_approval");
        let approve = format!("{BULK}/{}/approve", text(&started["id"]));
        let seen = json!({ "plan": started["plan"] });
        app.post(&ada, &approve, &seen).await.refused(409, "second_person");
        app.post(&eve, &approve, &seen).await.refused(403, "forbidden");
        app.post(&bob, &approve, &json!({ "plan": "another" })).await.refused(409, "another_plan");
        let (key, _) = house.key(&app, &bob, "admin").await;
        app.post(&key, &approve, &seen).await.refused(409, "needs_session");
        app.run_jobs().await;
        assert_eq!(app.all(&house.owner, "/api/clients").await.len(), 3, "it did not wait");
        assert_eq!(app.post(&bob, &approve, &seen).await.ok()["item"]["state"], "queued");
        app.run_jobs().await;
        assert!(app.all(&house.owner, "/api/clients").await.is_empty());

        // The plan of the next changes before it is approved.
        let started = start(&app, &ada, &json!({ "action": "restore", "clients": ids })).await;
        app.post(&house.owner, &format!("/api/clients/{}/restore", ids[0]), &json!({})).await.ok();
        let approve = format!("{BULK}/{}/approve", text(&started["id"]));
        let expired = app.post(&bob, &approve, &json!({ "plan": started["plan"] })).await.ok();
        assert_eq!(expired["item"]["state"], "expired", "{expired}");
        app.run_jobs().await;
        assert_eq!(app.all(&house.owner, "/api/clients").await.len(), 1);
        let waiting = app.get(&bob, &format!("{BULK}?state=waiting_approval")).await.ok();
        assert_eq!(waiting["total"], 0);
    }

    async fn who_sees_some_clients_reaches_no_others(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let ids = clients(&app, &house.owner, 3).await;
        house.staff(&app, "sam", Role::Engineer, Some(vec![ids[0].clone()])).await;
        let sam = app.sign_in(&house.email("sam")).await;
        let theirs = start(&app, &house.owner, &json!({ "action": "tags_add", "tags": ["a"], "clients": ids })).await;
        let path = format!("{BULK}/{}", text(&theirs["id"]));
        app.get(&sam, &path).await.refused(404, "not_found");
        app.get(&sam, &format!("{path}/clients")).await.refused(404, "not_found");
        app.post(&sam, &format!("{path}/cancel"), &json!({})).await.refused(404, "not_found");
        assert_eq!(app.get(&sam, BULK).await.ok()["total"], 0);
        let body = json!({ "action": "tags_set", "tags": [], "filter": "" });
        let preview = app.post(&sam, &format!("{BULK}/preview"), &json!({ "action": "tags_add", "tags": ["b"], "filter": "" })).await;
        assert_eq!(preview.ok()["plan"]["total"], 1);
        app.post(&sam, &format!("{BULK}/preview"), &json!({ "action": "archive", "filter": "" })).await.refused(403, "forbidden");
        for wrong in [
            json!({ "action": "tags_set", "tags": [], "filter": "", "clients": [] }),
            json!({ "action": "tags_set", "filter": "" }),
            json!({ "action": "status_set", "filter": "" }),
            json!({ "action": "tags_add", "tags": [], "filter": "" }),
            json!({ "action": "tags_add", "tags": ["x"], "filter": "nonsense=1" }),
            json!({ "action": "tags_add", "tags": ["x"] }),
        ] {
            app.post(&sam, &format!("{BULK}/preview"), &wrong).await.refused(422, "invalid");
        }
        app.run_jobs().await;
        let cleared = start(&app, &sam, &body).await;
        app.run_jobs().await;
        assert_eq!(app.get(&sam, &format!("{BULK}/{}", text(&cleared["id"]))).await.ok()["done"], 1);
        assert_eq!(app.all(&house.owner, "/api/clients?tag=a").await.len(), 2, "clients out of sight were changed");
    }
}
