//! Acting for customers, who of the team sees a new one, where merged clients lead, and what of the provider's
//! connections a client's people see.

use std::time::Duration;

use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    harness::{Answer, Caller, TestApp, text},
    house::House,
    isolation::plain,
    portal,
};

const CUSTOMERS: &str = "/api/msp-portal/customers";

async fn made(app: &TestApp, caller: &Caller, name: &str) -> String {
    text(&app.post(caller, CUSTOMERS, &json!({ "name": name })).await.ok()["item"]["id"])
}

/// A request of a caller who acts for a customer.
async fn acting(
    app: &TestApp,
    caller: &Caller,
    customer: &str,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Answer {
    let request = app.request(caller, method, path).header("acting-for", customer);
    app.send(TestApp::with_body(request, body)).await
}

#[expect(clippy::disallowed_methods, reason = "this client stands for a browser that is led on and looks where to")]
fn browser() -> reqwest::Client {
    let never = reqwest::redirect::Policy::none();
    reqwest::Client::builder().no_proxy().redirect(never).timeout(Duration::from_secs(30)).build().expect("a client")
}

/// Status and location of a bare read.
async fn led(app: &TestApp, caller: &Caller, path: &str) -> (u16, String) {
    let request = browser().get(format!("{}{path}", app.base));
    let request = match caller {
        Caller::Session(token) => request.header("cookie", format!("{}={token}", api::auth::COOKIE)),
        _ => request,
    };
    let response = request.send().await.expect("an answer");
    let location = response.headers().get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
    (response.status().as_u16(), location.to_owned())
}

both_databases! {
    async fn what_is_done_for_a_customer_says_so_and_reaches_no_further(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let (harbour, crane) = (made(&app, owner, "Harbour").await, made(&app, owner, "Crane").await);
        let admin_id = house.staff(&app, "admin", Role::Admin, None).await;
        let admin = app.sign_in(&house.email("admin")).await;
        let note = json!({ "text": "Called them" });
        let notes = |customer: &str| format!("/api/clients/{customer}/notes");
        acting(&app, &admin, &harbour, Method::POST, &notes(&harbour), Some(&note)).await.ok();
        let log = async |customer: &str| app.all(owner, &format!("{CUSTOMERS}/{customer}/activity")).await;
        let entry = log(&harbour).await.remove(0);
        assert_eq!((&entry["action"], &entry["acted_for"], &entry["staff_id"]), (&json!("client_note_create"), &json!(harbour), &json!(admin_id)));
        let whole = app.get(owner, &format!("/api/journal/{}", text(&entry["id"]))).await.ok();
        assert_eq!(whole["acted_for"], json!(harbour));
        // The others are not there.
        let listed = acting(&app, &admin, &harbour, Method::GET, "/api/clients", None).await.ok();
        assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &json!(harbour)), "{listed}");
        acting(&app, &admin, &harbour, Method::GET, &format!("/api/clients/{crane}"), None).await.refused(404, "not_found");
        acting(&app, &admin, &harbour, Method::POST, &notes(&crane), Some(&note)).await.refused(404, "not_found");
        // What is about all customers is refused, and stands in this one's log: who, for whom, and that it was refused.
        let connect = json!({ "integration": "pax8", "credentials": app.credentials("pax8") });
        acting(&app, &admin, &harbour, Method::POST, "/api/connections", Some(&connect)).await.refused(403, "forbidden");
        let entry = log(&harbour).await.remove(0);
        assert_eq!((&entry["outcome"], &entry["acted_for"], &entry["staff_id"]), (&json!("denied"), &json!(harbour), &json!(admin_id)));
        assert!(log(&crane).await.iter().all(|entry| entry.get("acted_for").is_none()));
        // A key acts as its owner does; the same idempotency key for another customer is another request.
        let (key, _) = house.key(&app, owner, "admin").await;
        let rename = json!({ "name": "Renamed" });
        for customer in [&harbour, &crane] {
            let request = app.request(&key, Method::POST, "/api/client-filters").header("acting-for", customer.as_str());
            let body = json!({ "name": format!("F {customer}"), "query": "" });
            app.send(request.header("idempotency-key", "once").json(&body)).await.ok();
        }
        acting(&app, &key, &crane, Method::PATCH, &format!("/api/clients/{crane}"), Some(&rename)).await.ok();
        assert_eq!(log(&crane).await[0]["actor_kind"], "api_key");
    }

    async fn nobody_acts_for_whom_they_do_not_see(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let other = House::build(&app, "lark").await;
        let owner = &house.owner;
        let (mine, hidden) = (made(&app, owner, "Mine").await, made(&app, owner, "Hidden From Some").await);
        let foreign = made(&app, &other.owner, "Theirs").await;
        house.staff(&app, "limited", Role::Admin, Some(vec![mine.clone()])).await;
        let limited = app.sign_in(&house.email("limited")).await;
        acting(&app, &limited, &mine, Method::GET, "/api/clients", None).await.ok();
        let random = app.db.store.chance().id(app.db.now()).to_string();
        let expected = acting(&app, &limited, &random, Method::GET, "/api/clients", None).await;
        expected.refused(404, "not_found");
        for (customer, caller) in [(&hidden, &limited), (&foreign, &limited), (&foreign, owner)] {
            let answer = acting(&app, caller, customer, Method::GET, "/api/clients", None).await;
            assert_eq!(plain(&answer, customer), plain(&expected, &random), "can tell that it exists");
        }
        for wrong in ["", "harbour", "1"] {
            let refused = acting(&app, owner, wrong, Method::GET, "/api/clients", None).await.refused(422, "invalid");
            assert_eq!(refused["errors"][0]["pointer"], "Acting-For");
        }
        let twice = app.request(owner, Method::GET, "/api/clients").header("acting-for", &mine).header("acting-for", &hidden);
        app.send(twice).await.refused(422, "invalid");
        // Without the right, the attempt is refused and noted, and no customer is looked up.
        for name in [Role::Engineer, Role::Viewer, Role::Finance] {
            let person = house.person(&app, name.as_str(), name).await;
            for customer in [&mine, &foreign] {
                acting(&app, &person, customer, Method::GET, "/api/clients", None).await.refused(403, "forbidden");
            }
        }
        let denied = app.all(owner, "/api/journal?action=customer_act_for&outcome=denied").await;
        assert_eq!(denied.len(), 6, "{denied:?}");
        acting(&app, &Caller::Anonymous, &mine, Method::GET, "/api/clients", None).await.refused(401, "unauthenticated");
    }

    async fn who_sees_a_new_customer_is_said_with_it(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let first = made(&app, owner, "First").await;
        let listed = house.staff(&app, "listed", Role::Engineer, Some(vec![first.clone()])).await;
        let all = house.staff(&app, "all", Role::Engineer, None).await;
        let wish = |id: &str, sees: bool| json!({ "staff_id": id, "sees": sees });
        let body = json!({ "name": "Second", "access": [wish(&listed, true), wish(&all, false)] });
        let preview = app.post(owner, &format!("{CUSTOMERS}?dry_run=true"), &body).await.ok();
        let changes = preview["change_set"]["changes"].as_array().expect("changes");
        let kinds: Vec<&str> = changes.iter().filter_map(|change| change["kind"].as_str()).collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == "client").count(), 1, "{kinds:?}");
        assert_eq!(kinds.iter().filter(|kind| **kind == "staff").count(), 2, "one change set: {kinds:?}");
        let second = text(&app.post(owner, CUSTOMERS, &body).await.ok()["item"]["id"]);
        let (listed_now, all_now) = (app.sign_in(&house.email("listed")).await, app.sign_in(&house.email("all")).await);
        app.get(&listed_now, &format!("{CUSTOMERS}/{second}")).await.ok();
        app.get(&all_now, &format!("{CUSTOMERS}/{second}")).await.refused(404, "not_found");
        app.get(&all_now, &format!("{CUSTOMERS}/{first}")).await.ok();
        // Nothing is made where a part of it is wrong.
        let team = app.get(owner, "/api/staff").await.ok();
        let me = team["items"].as_array().and_then(|all| all.iter().find(|one| one["role"] == "owner")).expect("the owner");
        let foreign = House::build(&app, "lark").await;
        let stranger = foreign.staff(&app, "stranger", Role::Viewer, None).await;
        for (access, at, code) in [
            (json!([wish(&text(&me["id"]), false)]), "/access/0/staff_id", "owner_sees_all"),
            (json!([wish(&listed, true), wish(&listed, false)]), "/access/1/staff_id", "twice"),
            (json!([wish(&stranger, true)]), "/access/0/staff_id", "not_found"),
        ] {
            let body = json!({ "name": "Third", "access": access });
            let refused = app.post(owner, CUSTOMERS, &body).await.refused(422, "invalid");
            assert_eq!((&refused["errors"][0]["pointer"], &refused["errors"][0]["code"]), (&json!(at), &json!(code)), "{refused}");
        }
        assert_eq!(app.all(owner, CUSTOMERS).await.len(), 2);
        // Who makes customers does not thereby manage the team.
        let body = json!({ "name": "Third", "access": [wish(&listed, true)] });
        app.post(&all_now, CUSTOMERS, &body).await.refused(403, "forbidden");
        app.post(&all_now, CUSTOMERS, &json!({ "name": "Third" })).await.ok();
    }

    async fn a_client_that_was_merged_leads_on_to_the_one_it_went_into(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let (old, new) = (made(&app, owner, "Old").await, made(&app, owner, "New").await);
        for (name, seen) in [("only.old", &old), ("only.new", &new)] {
            house.staff(&app, name, Role::Admin, Some(vec![seen.clone()])).await;
        }
        let merged = app.post(owner, &format!("/api/clients/{old}/merge"), &json!({ "into": new, "take": [] })).await.ok();
        for (from, to) in [
            (format!("/api/clients/{old}"), format!("/api/clients/{new}")),
            (format!("/api/clients/{old}/devices?limit=5"), format!("/api/clients/{new}/devices?limit=5")),
            (format!("{CUSTOMERS}/{old}/tenants"), format!("{CUSTOMERS}/{new}/tenants")),
        ] {
            assert_eq!(led(&app, owner, &from).await, (308, to), "{from}");
        }
        let refused = app.patch(owner, &format!("/api/clients/{old}"), &json!({ "name": "X" })).await;
        assert!(text(&refused.refused(409, "client_merged")["detail"]).contains(&new));
        app.delete(owner, &format!("{CUSTOMERS}/{old}")).await.refused(409, "client_merged");
        // Its own log is still its own.
        assert_eq!(app.all(owner, &format!("{CUSTOMERS}/{old}/activity")).await[0]["action"], "client_merge");
        // Who sees only one of the two is not told of the other, and a stranger of neither.
        for name in ["only.old", "only.new"] {
            let caller = app.sign_in(&house.email(name)).await;
            assert_eq!(led(&app, &caller, &format!("/api/clients/{old}")).await, (404, String::new()), "{name}");
        }
        assert_eq!(led(&app, &Caller::Anonymous, &format!("/api/clients/{old}")).await.0, 401);
        let foreign = House::build(&app, "lark").await;
        assert_eq!(led(&app, &foreign.owner, &format!("/api/clients/{old}")).await, (404, String::new()));
        // Un-merged, each is itself again.
        let entry = text(&merged["change_set"]["entry_id"]);
        app.post(owner, &format!("/api/journal/{entry}/revert"), &json!({ "despite": [] })).await.ok();
        assert_eq!(led(&app, owner, &format!("/api/clients/{old}")).await.0, 200);
        // Merely deleted is not merged.
        app.delete(owner, &format!("/api/clients/{old}")).await.ok();
        app.get(owner, &format!("/api/clients/{old}")).await.refused(404, "not_found");
    }

    async fn a_shared_connection_is_seen_by_managers_of_the_client_and_by_nobody_else(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let connection = app.connect(owner, "ninjaone").await;
        let (client, other) = (made(&app, owner, "Harbour").await, made(&app, owner, "Crane").await);
        for client in [&client, &other] {
            portal::enable(&app, owner, client).await;
        }
        let mut people = Vec::new();
        for (client, name, role) in [(&client, "manager", "manager"), (&client, "user", "user"), (&other, "other", "manager")] {
            people.push(portal::member(&app, &house, client, &format!("{name}@quay.example"), role).await.0);
        }
        let path = "/api/clientone/connections";
        let shown = async |caller: &Caller| app.get(caller, path).await;
        assert_eq!(shown(&people[0]).await.ok()["items"], json!([]));
        app.post(owner, &format!("/api/connections/{connection}/shares"), &json!({ "client_id": client })).await.ok();
        let item = shown(&people[0]).await.ok()["items"][0].clone();
        assert_eq!((&item["id"], &item["integration"], &item["state"]), (&json!(connection), &json!("ninjaone"), &json!("connected")));
        assert!(item["last_synced_at"].is_string());
        let words = item.to_string();
        assert!(!words.contains("credential") && !words.contains("secret"), "{words}");
        shown(&people[1]).await.refused(403, "forbidden");
        assert_eq!(shown(&people[2]).await.ok()["items"], json!([]));
        app.delete(owner, &format!("/api/connections/{connection}/shares/{client}")).await.ok();
        assert_eq!(shown(&people[0]).await.ok()["items"], json!([]), "taken back is gone at once");
        // Both stand in the customer's log.
        let log = app.all(owner, &format!("{CUSTOMERS}/{client}/activity")).await;
        for action in ["connection_share_create", "connection_share_delete", "portal_user_invite"] {
            assert!(log.iter().any(|entry| entry["action"] == action), "no {action}");
        }
    }
}

#[tokio::test]
async fn old_addresses_of_the_portals_administration_lead_on() {
    let app = TestApp::new(testkit::sqlite().await).await;
    for (old, new) in [
        ("/portal-admin/settings?client=1", "/clientone-admin/settings?client=1"),
        ("/portal-admin/activity", "/clientone-admin/activity"),
        ("/settings/clientone-ticket-fields", "/clientone-admin/ticket-fields"),
        ("/settings/clientone-sso", "/clientone-admin/sso"),
    ] {
        assert_eq!(led(&app, &Caller::Anonymous, old).await, (301, new.to_owned()), "{old}");
    }
    let posted = app.send(app.request(&Caller::Anonymous, Method::POST, "/portal-admin/settings")).await;
    assert!([404, 405].contains(&posted.status), "{}", posted.text);
}
