//! Drift and replays through the API: previewed, applied as previewed, reverted; started, and followed by their run.

use serde_json::json;
use testkit::both_databases;

use crate::{
    harness::{TestApp, text},
    house::House,
};

both_databases! {
    async fn a_drift_item_is_previewed_fixed_and_reverted(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let ids = house.furnish(&app).await;
        let owner = &house.owner;
        // A client that is called as its entity was follows it.
        let named = json!({ "name": "Known By Another Name" });
        app.patch(owner, &format!("/api/clients/{}", ids["subscriber"]), &named).await.ok();
        let list = format!("/api/drift?kind=renamed&client_id={}", ids["subscriber"]);
        let before = app.get(owner, &list).await.ok();
        let item = &before["items"][0];
        assert_eq!((&item["known_name"], &item["proposed"]), (&json!("Known By Another Name"), &json!("rename_client")));
        let fix = format!("/api/drift/{}/fix", text(&item["id"]));
        let body = json!({});
        let preview = app.post(owner, &format!("{fix}?dry_run=true"), &body).await.ok();
        assert_eq!(preview["change_set"]["total"], 2, "{preview}");
        assert_eq!(app.get(owner, &list).await.ok(), before, "a preview wrote");
        app.post(owner, &format!("{fix}?expect=another"), &body).await.refused(409, "moved");
        let digest = text(&preview["change_set"]["digest"]);
        let done = app.post(owner, &format!("{fix}?expect={digest}&reason=theirs"), &body).await.ok();
        let client = app.get(owner, &format!("/api/clients/{}", ids["subscriber"])).await.ok();
        assert_eq!(client["client"]["name"].as_str().or(client["name"].as_str()), item["entity"]["name"].as_str());
        assert_eq!(app.get(owner, &list).await.ok()["total"], before["total"].as_i64().expect("a number") - 1);
        app.post(owner, &fix, &body).await.refused(404, "not_found");
        let entry = text(&done["change_set"]["entry_id"]);
        app.post(owner, &format!("/api/journal/{entry}/revert"), &json!({})).await.ok();
        assert_eq!(app.get(owner, &list).await.ok()["total"], before["total"]);

        let dismiss = format!("/api/drift/{}/dismiss", text(&item["id"]));
        app.post(owner, &dismiss, &json!({})).await.refused(422, "invalid");
        app.post(owner, &format!("{dismiss}?reason=known"), &json!({})).await.ok();
        assert_eq!(app.get(owner, &list).await.ok()["total"], before["total"].as_i64().expect("a number") - 1);
    }

    async fn a_replay_is_previewed_started_and_followed(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let connection = app.connect(owner, "ninjaone").await;
        // As if an earlier version had read the names of devices wrongly.
        let wrong = "UPDATE record SET title = 'misread', body = '{\"name\":\"misread\"}' WHERE kind = 'device'";
        let devices = i64::try_from(app.db.tamper(wrong).await.expect("tampers")).expect("few");
        let replay = format!("/api/connections/{connection}/replay");
        let preview = app.post(owner, &format!("{replay}?dry_run=true"), &json!({})).await.ok();
        let kinds = preview["item"]["kinds"].as_array().expect("kinds");
        let of = |kind: &str| kinds.iter().find(|one| one["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"));
        assert_eq!((&of("device")["changed"], &of("entity")["changed"]), (&json!(devices), &json!(0)));
        let shown = preview["item"]["differences"].as_array().expect("differences");
        assert_eq!(shown.len() as i64, devices.min(100));
        assert!(shown[0]["fields"].as_array().is_some_and(|fields| fields.iter().any(|field| field["field"] == "name" && field["before"] == "\"misread\"")));
        assert!(preview["item"]["run"].is_null());
        app.post(owner, &format!("{replay}?kind=nonsense"), &json!({})).await.refused(422, "invalid");
        app.post(owner, &format!("{replay}?expect=another"), &json!({})).await.refused(409, "moved");
        let digest = text(&preview["change_set"]["digest"]);
        let started = app.post(owner, &format!("{replay}?expect={digest}"), &json!({})).await.ok();
        let run = text(&started["item"]["run"]["id"]);
        app.run_jobs().await;
        let ended = app.get(owner, &format!("/api/runs/{run}")).await.ok();
        assert_eq!((&ended["kind"], &ended["state"], &ended["counts"]["changed"]), (&json!("replay"), &json!("complete"), &json!(devices)));
        let left = app.db.tamper("DELETE FROM record WHERE title = 'misread'").await.expect("tampers");
        assert_eq!(left, 0, "a record was not read again");
    }
}
