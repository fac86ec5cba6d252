//! Where each value of a device comes from, through the API: shown, locked, unlocked, and whom the organisation believes.

use domain::Role;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    harness::{Caller, TestApp, text},
    house::House,
};

/// A client with a device that two connections tell of: its path, and the connections.
async fn shared(app: &TestApp, owner: &Caller) -> (String, [String; 2]) {
    let connections = [app.connect(owner, "ninjaone").await, app.connect(owner, "sentinelone").await];
    for connection in &connections {
        app.post(owner, "/api/imports", &json!({ "connection_id": connection })).await.ok();
    }
    app.run_jobs().await;
    for client in app.all(owner, "/api/clients").await {
        let path = format!("/api/clients/{}/joined-devices", text(&client["id"]));
        for device in app.all(owner, &path).await {
            let told: Vec<&Value> = device["observations"]
                .as_array()
                .expect("observations")
                .iter()
                .map(|one| &one["connection_id"])
                .collect();
            if connections.iter().all(|id| told.contains(&&json!(id))) {
                return (format!("{path}/{}", text(&device["id"])), connections);
            }
        }
    }
    panic!("no device is known to both");
}

fn field<'a>(detail: &'a Value, name: &str) -> &'a Value {
    let fields = detail["fields"].as_array().expect("fields");
    fields.iter().find(|one| one["field"] == name).unwrap_or_else(|| panic!("no field {name}"))
}

both_databases! {
    async fn a_device_says_who_told_what_and_a_lock_holds_until_it_is_taken_away(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let (path, connections) = shared(&app, owner).await;
        let before = app.get(owner, &path).await.ok();
        assert_eq!(before["fields"].as_array().map(Vec::len), Some(10));
        for one in before["fields"].as_array().expect("fields") {
            let told = one["others"].as_array().expect("others").len() + usize::from(one["source"].is_object());
            assert_eq!(one["value"].is_string(), told > 0, "{one}");
            assert_eq!(one["value"], one["source"]["value"], "{one}");
            assert!(one["lock"].is_null(), "{one}");
            if told > 0 {
                let source = &one["source"];
                assert!(source["entity"].is_string() && source["synced_at"].is_string(), "{source}");
                assert_eq!(source["stale"], false, "{source}");
                assert!(connections.contains(&text(&source["connection_id"])), "{source}");
            }
        }
        let name = field(&before, "name");
        assert_eq!((&name["value"], name["others"].as_array().map(Vec::len)), (&before["device"]["name"], Some(1)));

        let body = json!({ "field": "name", "value": "Reception", "reason": "on site" });
        let lock = format!("{path}/lock");
        let preview = app.post(owner, &format!("{lock}?dry_run=true"), &body).await.ok();
        assert_eq!(preview["item"]["device"]["name"], "Reception");
        assert_eq!(app.get(owner, &path).await.ok(), before, "a preview wrote");
        let digest = text(&preview["change_set"]["digest"]);
        let done = app.post(owner, &format!("{lock}?expect={digest}&reason=asked"), &body).await.ok();
        let locked = field(&done["item"], "name");
        assert_eq!((&locked["value"], &locked["decided_by"]), (&json!("Reception"), &json!("lock")));
        assert_eq!((&locked["lock"]["reason"], locked["source"].is_null()), (&json!("on site"), true));
        assert_eq!(locked["others"].as_array().map(Vec::len), Some(2), "both are still heard");
        // To a source, and every sync leaves both alone.
        let body = json!({ "field": "os", "connection_id": connections[1] });
        app.post(owner, &lock, &body).await.ok();
        for connection in &connections {
            app.post(owner, &format!("/api/connections/{connection}/sync"), &json!({})).await.ok();
        }
        app.run_jobs().await;
        let synced = app.get(owner, &path).await.ok();
        assert_eq!((&synced["device"]["name"], &field(&synced, "os")["decided_by"]), (&json!("Reception"), &json!("lock")));
        assert_eq!(field(&synced, "os")["source"]["connection_id"], connections[1].as_str());
        let list = path.rsplit_once('/').expect("a list").0;
        assert_eq!(app.get(owner, &format!("{list}?search=recep")).await.ok()["total"], 1);

        let unlock = format!("{path}/unlock");
        let unlocked = app.post(owner, &unlock, &json!({ "field": "name" })).await.ok();
        assert_eq!(unlocked["item"]["device"]["name"], before["device"]["name"]);
        app.post(owner, &unlock, &json!({ "field": "name" })).await.refused(409, "not_locked");
        let entry = text(&unlocked["change_set"]["entry_id"]);
        app.post(owner, &format!("/api/journal/{entry}/revert"), &json!({})).await.ok();
        assert_eq!(app.get(owner, &path).await.ok()["device"]["name"], "Reception");

        for body in [
            json!({ "field": "name" }),
            json!({ "field": "name", "value": " " }),
            json!({ "field": "name", "value": "A", "connection_id": connections[0] }),
            json!({ "field": "os", "connection_id": "11111111-1111-4111-8111-111111111111" }),
        ] {
            app.post(owner, &lock, &body).await.refused(422, "invalid");
        }
        app.post(owner, &lock, &json!({ "field": "colour", "value": "red" })).await.refused(400, "malformed");
        let viewer = house.person(&app, "viewer", Role::Viewer).await;
        app.post(&viewer, &lock, &json!({ "field": "name", "value": "Mine" })).await.refused(403, "forbidden");
        let denied = app.get(owner, "/api/journal?action=device_lock&outcome=denied").await.ok();
        assert_eq!(denied["total"], 1, "{denied}");
    }

    async fn an_organisation_decides_whom_it_believes_about_devices(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let (path, _) = shared(&app, owner).await;
        let order = "/api/organisation/device-precedence";
        let usual = app.get(owner, order).await;
        let etag = usual.header("etag");
        let usual = usual.ok();
        assert_eq!((&usual["version"], &usual["integrations"]), (&json!(0), &json!([])));
        let effective = usual["effective"].as_array().expect("an order for each field");
        assert_eq!(effective.len(), 10);
        let of = |name: &str| effective.iter().find(|one| one["field"] == name).expect("every field");
        assert_eq!((&of("last_user")["none_first"], &of("os")["none_first"]), (&json!(true), &json!(false)));
        assert!(of("os")["integrations"].as_array().is_some_and(|ids| ids.contains(&json!("sentinelone"))));

        let before = app.get(owner, &path).await.ok();
        let body = json!({ "integrations": ["sentinelone", "ninjaone"], "fields": { "last_user": [] } });
        let preview = app.put(owner, &format!("{order}?dry_run=true"), &body).await.ok();
        let affected = preview["item"]["devices_affected"].as_u64().expect("a number");
        assert!(affected > 0, "{preview}");
        assert_eq!(app.get(owner, &path).await.ok(), before, "a preview wrote");
        let digest = text(&preview["change_set"]["digest"]);
        let done = app.put(owner, &format!("{order}?expect={digest}"), &body).await.ok();
        assert_eq!((&done["item"]["version"], &done["item"]["devices_affected"]), (&json!(1), &json!(affected)));
        app.run_jobs().await;
        let after = app.get(owner, &path).await.ok();
        for one in after["fields"].as_array().expect("fields").iter().filter(|one| one["field"] != "last_user") {
            let others = one["others"].as_array().expect("others");
            if others.iter().chain([&one["source"]]).any(|told| told["integration"] == "sentinelone") {
                assert_eq!(one["source"]["integration"], "sentinelone", "{one}");
            }
        }
        assert_eq!(field(&after, "name")["value"], after["device"]["name"], "names followed");
        // The same again changes nothing, an older version is refused, and so is what is unknown.
        let same = app.put(owner, order, &body).await.ok();
        assert_eq!((&same["change_set"]["total"], &same["item"]["devices_affected"]), (&json!(0), &json!(0)));
        let request = app.request(owner, reqwest::Method::PUT, order).json(&body).header("if-match", etag);
        app.send(request).await.refused(412, "stale");
        for (body, pointer) in [
            (json!({ "integrations": ["nobody"] }), "/integrations/0"),
            (json!({ "integrations": ["pax8"] }), "/integrations/0"),
            (json!({ "fields": { "colour": [] } }), "/fields/colour"),
            (json!({ "fields": { "os": ["ninjaone", "ninjaone"] } }), "/fields/os/1"),
        ] {
            let refused = app.put(owner, order, &body).await.refused(422, "invalid");
            assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
        }
        let engineer = house.person(&app, "engineer", Role::Engineer).await;
        app.put(&engineer, order, &body).await.refused(403, "forbidden");
        let entry = text(&done["change_set"]["entry_id"]);
        app.post(owner, &format!("/api/journal/{entry}/revert"), &json!({})).await.ok();
        app.run_jobs().await;
        assert_eq!(app.get(owner, &path).await.ok(), before);
        assert_eq!(app.get(owner, order).await.ok()["version"], 2);
    }
}
