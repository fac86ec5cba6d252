//! Writes with approval: asked for by whoever has a permission so, decided by somebody else, done once as whoever asked.

use chrono::TimeDelta;
use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    harness::{Answer, Caller, TestApp, text},
    house::House,
};

const APPROVALS: &str = "/api/approvals";

/// Someone of the team whose role gives these permissions, the second ones with approval only.
async fn person(
    app: &TestApp,
    house: &House,
    name: &str,
    outright: &[&str],
    asked: &[&str],
    clients: Option<Vec<String>>,
) -> (Caller, String) {
    let id = house.staff(app, name, Role::Viewer, clients).await;
    let role = json!({ "name": format!("Role of {name}"), "permissions": outright, "with_approval": asked });
    let role = app.post(&house.owner, "/api/roles", &role).await.ok();
    let given = json!({ "custom_role_id": role["item"]["id"] });
    app.put(&house.owner, &format!("/api/staff/{id}/custom-role"), &given).await.ok();
    (app.sign_in(&house.email(name)).await, id)
}

/// What waits for approval, one for each of these clients, for [`House::furnish`].
pub async fn furnish(app: &TestApp, house: &House, subscriber: &str, hidden: &str) -> Vec<(&'static str, String)> {
    let (ana, _) = person(app, house, "asks.first", &["clients_view"], &["clients_edit"], None).await;
    let mut held = Vec::new();
    for (kind, client) in [("approval", subscriber), ("hidden_approval", hidden)] {
        let body = json!({ "address": "Asked Street 1" });
        let waiting = waits(&app.patch(&ana, &format!("/api/clients/{client}"), &body).await);
        held.push((kind, text(&waiting["id"])));
    }
    held
}

/// What waits, of the answer that says so.
#[track_caller]
fn waits(answer: &Answer) -> Value {
    assert_eq!(answer.status, 202, "{}", answer.text);
    let waiting = answer.json();
    assert_eq!((&waiting["state"], &waiting["yours"]), (&json!("pending"), &json!(true)), "{waiting}");
    waiting
}

fn path(waiting: &Value, what: &str) -> String {
    format!("{APPROVALS}/{}{what}", text(&waiting["id"]))
}

async fn approve(app: &TestApp, who: &Caller, waiting: &Value) -> Answer {
    app.post(who, &path(waiting, "/approve"), &json!({ "digest": waiting["digest"] })).await
}

async fn client(app: &TestApp, house: &House, name: &str) -> String {
    text(&app.post(&house.owner, "/api/clients", &json!({ "name": name })).await.ok()["item"]["id"])
}

both_databases! {
    async fn what_is_approved_is_done_once_as_whoever_asked(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let one = client(&app, &house, "Harbour Dental").await;
        let at = format!("/api/clients/{one}");
        let (ana, ana_id) = person(&app, &house, "ana", &["clients_view"], &["clients_edit"], None).await;
        let body = json!({ "name": "Harbour Dental Group" });
        // She may look at it, and it changes nothing.
        let preview = app.patch(&ana, &format!("{at}?dry_run=true"), &body).await.ok();
        let asked = app.patch(&ana, &format!("{at}?reason=They+merged"), &body).await;
        let waiting = waits(&asked);
        assert_eq!(asked.header("location"), path(&waiting, ""));
        assert_eq!(waiting["digest"], preview["change_set"]["digest"]);
        assert_eq!(waiting["changes"][0]["after"]["name"], "Harbour Dental Group", "{waiting}");
        assert_eq!((waiting["operation"].as_str(), waiting["reason"].as_str()), (Some("client_update"), Some("They merged")));
        assert_eq!(app.get(&ana, &at).await.ok()["client"]["name"], "Harbour Dental");

        // Neither she nor whoever may only ask, or not even that, decides.
        approve(&app, &ana, &waiting).await.refused(409, "second_person");
        let no = json!({ "reason": "No." });
        app.post(&ana, &path(&waiting, "/reject"), &no).await.refused(409, "second_person");
        let (bea, _) = person(&app, &house, "bea", &["clients_view"], &["clients_edit"], None).await;
        let viewer = house.person(&app, "vera", Role::Viewer).await;
        for stranger in [&bea, &viewer] {
            app.get(stranger, &path(&waiting, "")).await.refused(404, "not_found");
            approve(&app, stranger, &waiting).await.refused(404, "not_found");
            app.post(stranger, &path(&waiting, "/reject"), &no).await.refused(404, "not_found");
            app.post(stranger, &path(&waiting, "/withdraw"), &json!({})).await.refused(404, "not_found");
            assert_eq!(app.get(stranger, APPROVALS).await.ok()["total"], 0);
        }
        let listed = app.get(&house.owner, &format!("{APPROVALS}?state=pending")).await.ok();
        assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &waiting["id"]));
        assert_eq!(listed["items"][0]["changes"], json!([]), "a list is short");
        let seen = app.get(&house.owner, &path(&waiting, "")).await.ok();
        assert_eq!((&seen["changes"], &seen["yours"]), (&waiting["changes"], &json!(false)));
        let another = json!({ "digest": "another" });
        app.post(&house.owner, &path(&waiting, "/approve"), &another).await.refused(409, "another_change");
        let (key, _) = house.key(&app, &house.owner, "admin").await;
        approve(&app, &key, &waiting).await.refused(409, "needs_session");
        app.post(&house.owner, &path(&waiting, "/withdraw"), &json!({})).await.refused(409, "not_yours");
        assert_eq!(app.get(&ana, &at).await.ok()["client"]["name"], "Harbour Dental", "a no was a yes");

        // Approved by somebody with a key of their own for the request: the answer is given again, nothing is done again.
        let yes = json!({ "digest": waiting["digest"] });
        let request = || app.request(&house.owner, Method::POST, &path(&waiting, "/approve")).header("idempotency-key", "yes").json(&yes);
        let done = app.send(request()).await.ok();
        assert_eq!(done["item"]["state"], "applied", "{done}");
        assert_eq!(app.send(request()).await.ok()["item"]["state"], "applied");
        approve(&app, &house.owner, &waiting).await.refused(409, "not_waiting");
        assert_eq!(app.get(&ana, &at).await.ok()["client"]["name"], "Harbour Dental Group");
        let me = app.get(&house.owner, "/api/me").await.ok();
        let entry = app.get(&house.owner, &format!("/api/journal/{}", text(&done["item"]["entry_id"]))).await.ok();
        let both = (&entry["action"], &entry["actor_id"], &entry["approved_by"], &entry["reason"]);
        assert_eq!(both, (&json!("client_update"), &json!(ana_id), &me["staff_id"], &json!("They merged")), "{entry}");
        let updates = app.all(&house.owner, "/api/journal?action=client_update").await;
        assert_eq!(updates.len(), 1, "it was done more than once");
        let verified = app.get(&house.owner, "/api/journal/verification").await.ok();
        assert_eq!(verified["sound"], true, "{verified}");
        let told = app.get(&ana, &path(&waiting, "")).await.ok();
        assert_eq!((&told["state"], &told["decided_by"]), (&json!("applied"), &me["staff_id"]));
    }

    async fn what_is_no_longer_what_was_asked_for_is_not_done(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let one = client(&app, &house, "Harbour Dental").await;
        let at = format!("/api/clients/{one}");
        let (ana, ana_id) = person(&app, &house, "ana", &["clients_view"], &["clients_edit"], None).await;
        let ask = async |name: &str| waits(&app.patch(&ana, &at, &json!({ "name": name })).await);
        let state = async |waiting: &Value| app.get(&ana, &path(waiting, "")).await.ok();

        let moved = ask("One").await;
        app.patch(&house.owner, &at, &json!({ "name": "Elsewhere" })).await.ok();
        let answer = approve(&app, &house.owner, &moved).await.ok();
        assert_eq!(answer["item"]["state"], "expired", "{answer}");
        let told = state(&moved).await;
        assert!(told["state"] == "expired" && told["message"].is_string(), "{told}");

        let rejected = ask("Two").await;
        let reject = path(&rejected, "/reject");
        app.post(&house.owner, &reject, &json!({ "reason": "  " })).await.refused(422, "invalid");
        app.post(&house.owner, &reject, &json!({ "reason": "Not this month" })).await.ok();
        let told = state(&rejected).await;
        assert_eq!((&told["state"], &told["message"]), (&json!("rejected"), &json!("Not this month")));
        approve(&app, &house.owner, &rejected).await.refused(409, "not_waiting");

        let withdrawn = ask("Three").await;
        app.post(&ana, &path(&withdrawn, "/withdraw"), &json!({})).await.ok();
        approve(&app, &house.owner, &withdrawn).await.refused(409, "not_waiting");

        // Whoever asked may do less by now.
        let lost = ask("Four").await;
        let stays = json!({ "permissions": ["clients_view"], "with_approval": [] });
        let roles = app.get(&house.owner, "/api/roles").await.ok();
        app.patch(&house.owner, &format!("/api/roles/{}", text(&roles["items"][0]["id"])), &stays).await.ok();
        assert_eq!(state(&lost).await["state"], "expired");
        app.patch(&ana, &at, &json!({ "name": "Five" })).await.refused(403, "forbidden");
        let back = json!({ "with_approval": ["clients_edit"] });
        app.patch(&house.owner, &format!("/api/roles/{}", text(&roles["items"][0]["id"])), &back).await.ok();
        let suspended = ask("Six").await;
        app.patch(&house.owner, &format!("/api/staff/{ana_id}"), &json!({ "suspended": true })).await.ok();
        let told = app.get(&house.owner, &path(&suspended, "")).await.ok();
        assert_eq!(told["state"], "expired", "{told}");

        // After seven days nobody decides.
        let (bea, _) = person(&app, &house, "bea", &["clients_view"], &["clients_edit"], None).await;
        let late = waits(&app.patch(&bea, &at, &json!({ "name": "Seven" })).await);
        app.db.clock.advance(7 * 24 * 3600);
        let owner = app.sign_in(&house.email("owner")).await;
        assert_eq!(app.get(&owner, &path(&late, "")).await.ok()["state"], "expired");
        assert_eq!(app.get(&owner, &format!("{APPROVALS}?state=pending")).await.ok()["total"], 0);
        approve(&app, &owner, &late).await.refused(409, "not_waiting");
        let context = domain::Context::worker(house.organisation, app.db.now(), "housekeeping");
        let tx = app.db.store.begin(context).await.expect("begins");
        assert_eq!(tx.approvals_over(app.db.now() - TimeDelta::minutes(15)).await.expect("ends them"), 1);
        tx.commit_unjournalled().await.expect("commits");
        let told = app.get(&owner, &path(&late, "")).await.ok();
        assert!(told["state"] == "expired" && told["finished_at"].is_string(), "{told}");
        assert_eq!(app.get(&owner, &at).await.ok()["client"]["name"], "Elsewhere");
    }

    async fn only_who_sees_all_that_it_touches_decides(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let (one, other) = (client(&app, &house, "Harbour").await, client(&app, &house, "Quay").await);
        let (ana, _) = person(&app, &house, "ana", &["clients_view"], &["clients_edit", "clients_delete"], None).await;
        house.staff(&app, "sam", Role::Engineer, Some(vec![one.clone()])).await;
        let sam = app.sign_in(&house.email("sam")).await;
        let ask = async |id: &str| waits(&app.patch(&ana, &format!("/api/clients/{id}"), &json!({ "name": "Renamed" })).await);
        let (seen, unseen) = (ask(&one).await, ask(&other).await);
        app.get(&sam, &path(&unseen, "")).await.refused(404, "not_found");
        approve(&app, &sam, &unseen).await.refused(404, "not_found");
        let listed = app.get(&sam, APPROVALS).await.ok();
        assert_eq!((&listed["total"], &listed["items"][0]["id"]), (&json!(1), &seen["id"]));
        // An engineer may edit clients, and delete none: what ana asks for there is not sam's to decide.
        let gone = waits(&app.delete(&ana, &format!("/api/clients/{one}")).await);
        approve(&app, &sam, &gone).await.refused(404, "not_found");
        assert_eq!(approve(&app, &sam, &seen).await.ok()["item"]["state"], "applied");
        assert_eq!(app.get(&ana, &format!("/api/clients/{one}")).await.ok()["client"]["name"], "Renamed");
        // Another organisation has none of it.
        let foreign = House::build(&app, "heron").await;
        app.get(&foreign.owner, &path(&unseen, "")).await.refused(404, "not_found");
        assert_eq!(app.get(&foreign.owner, APPROVALS).await.ok()["total"], 0);
    }

    async fn what_cannot_be_asked_for_is_refused_and_what_can_is_asked_once(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let asked = ["clients_edit", "clients_import", "team_manage", "webhooks_manage"];
        let (ana, _) = person(&app, &house, "ana", &["clients_view"], &asked, None).await;
        let file = app.request(&ana, Method::POST, "/api/imports/csv").header("content-type", "text/csv");
        app.send(file.body("name\nNew One\n")).await.refused(403, "approval_impossible");
        let hook = json!({ "url": "https://hooks.example/x", "events": ["connection.recovered"] });
        app.post(&ana, "/api/webhook-subscriptions", &hook).await.refused(403, "approval_impossible");
        let denied = app.all(&house.owner, "/api/journal?outcome=denied").await;
        let actions: Vec<&str> = denied.iter().filter_map(|entry| entry["action"].as_str()).collect();
        assert!(actions.contains(&"csv_import_apply") && actions.contains(&"webhook_subscription_create"), "{actions:?}");
        // What she may ask to have changed she may see.
        app.get(&ana, "/api/staff").await.ok();
        // What is wrong in itself is told at once.
        app.post(&ana, "/api/clients", &json!({ "name": "  " })).await.refused(422, "invalid");

        let keyed = |name: &str| app.request(&ana, Method::POST, "/api/clients").header("idempotency-key", "once").json(&json!({ "name": name }));
        let first = waits(&app.send(keyed("Harbour")).await);
        assert_eq!(waits(&app.send(keyed("Harbour")).await)["id"], first["id"]);
        app.send(keyed("Quay")).await.refused(422, "invalid");
        assert_eq!(app.get(&ana, APPROVALS).await.ok()["total"], 1);
        assert_eq!(approve(&app, &house.owner, &first).await.ok()["item"]["state"], "applied");
        assert_eq!(app.all(&house.owner, "/api/clients?search=Harbour").await.len(), 1);

        // Nobody gives on what they have with approval, not even with approval.
        let mighty = json!({ "name": "Mighty", "permissions": ["clients_view", "clients_edit"] });
        app.post(&ana, "/api/roles", &mighty).await.refused(422, "invalid");
        let like_hers = json!({ "name": "Hers", "permissions": ["clients_view"], "with_approval": ["clients_edit"] });
        let waiting = waits(&app.post(&ana, "/api/roles", &like_hers).await);
        assert_eq!(approve(&app, &house.owner, &waiting).await.ok()["item"]["state"], "applied");
        for (wrong, code) in [
            (json!({ "name": "W", "permissions": ["clients_edit"], "with_approval": ["clients_edit"] }), "given_outright"),
            (json!({ "name": "W", "permissions": ["clients_view"], "with_approval": ["devices_view"] }), "not_with_approval"),
            (json!({ "name": "W", "permissions": [], "with_approval": [] }), "required"),
        ] {
            let refused = app.post(&house.owner, "/api/roles", &wrong).await.refused(422, "invalid");
            assert_eq!(refused["errors"][0]["code"], code, "{refused}");
        }
    }

    async fn secrets_of_what_is_asked_for_are_sealed_and_go_with_it(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let (ana, _) = person(&app, &house, "ana", &["connections_view"], &["connections_manage"], None).await;
        let credentials = app.credentials("pax8");
        let secret = text(&credentials["client_secret"]);
        let body = json!({ "integration": "pax8", "credentials": credentials });
        let waiting = waits(&app.post(&ana, "/api/connections", &body).await);
        assert!(!waiting.to_string().contains(&secret), "{waiting}");
        let kept = "UPDATE approval SET message = 'kept' WHERE request IS NOT NULL";
        assert_eq!(app.db.tamper(kept).await.expect("looks"), 1);
        let plain = format!("UPDATE approval SET message = 'plain' WHERE CAST(request AS text) LIKE '%{secret}%' OR changes LIKE '%{secret}%'");
        if !app.db.store.is_postgres() {
            assert_eq!(app.db.tamper(&plain).await.expect("looks"), 0, "the secret is in the database");
        }
        let done = approve(&app, &house.owner, &waiting).await.ok();
        assert_eq!(done["item"]["state"], "applied", "{done}");
        assert!(!done.to_string().contains(&secret), "{done}");
        assert_eq!(app.db.tamper(kept).await.expect("looks"), 0, "the request outlived its end");
        assert_eq!(app.all(&house.owner, "/api/connections").await.len(), 1);
    }

    async fn a_vendor_is_asked_once_whoever_approves(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let billing = app.connect(&house.owner, "pax8").await;
        app.post(&house.owner, "/api/imports", &json!({ "connection_id": billing })).await.ok();
        let subscribers = house.subscribers(&app).await;
        let (client, subscription) = &subscribers[0];
        let rights = ["clients_view", "subscriptions_view"];
        let (ana, _) = person(&app, &house, "ana", &rights, &["subscriptions_edit"], None).await;
        let at = format!("/api/clients/{client}/subscriptions/{subscription}/quantity");
        let listed = app.get(&ana, &format!("/api/clients/{client}/subscriptions")).await.ok();
        let own = listed["items"].as_array().expect("a list").iter().find(|one| one["id"] == subscription.as_str()).expect("it");
        let had: u32 = text(&own["quantity"]).parse().expect("a number");
        let waiting = waits(&app.post(&ana, &at, &json!({ "quantity": had + 3 })).await);
        let (bob, eve) = (house.person(&app, "bob", Role::Admin).await, house.person(&app, "eve", Role::Admin).await);
        let (one, two) = tokio::join!(approve(&app, &bob, &waiting), approve(&app, &eve, &waiting));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", one.text, two.text);
        let done = app.get(&ana, &path(&waiting, "")).await.ok();
        assert_eq!(done["state"], "applied", "{done}");
        let sent = app.all(&house.owner, "/api/journal?action=subscription_quantity_send").await;
        let written = app.all(&house.owner, "/api/journal?action=subscription_quantity_set").await;
        assert_eq!((sent.len(), written.len()), (1, 1), "the vendor was asked twice");
        assert!(written[0]["approved_by"].is_string() && written[0]["staff_id"] != written[0]["approved_by"], "{written:?}");
    }
}
