//! What is done at vendors through the API: seen before, sent once, shown as the vendor answers it, and without a
//! secret kept.

use serde_json::{Value, json};
use testkit::both_databases;
use vendorkit::World;

use crate::{
    dump::dump,
    harness::{Answer, TestApp, text},
    house::House,
    operations::Ids,
};

struct Scene {
    app: TestApp,
    house: House,
    ids: Ids,
    /// The client's path.
    client: String,
}

async fn scene(db: testkit::TestDb) -> Scene {
    let app = TestApp::new(db).await;
    let house = House::build(&app, "kite").await;
    let ids = house.furnish(&app).await;
    let client = format!("/api/clients/{}", ids["subscriber"]);
    Scene { app, house, ids, client }
}

impl Scene {
    async fn post(&self, path: &str, body: &Value, key: &str) -> Answer {
        let request = self.app.request(&self.house.owner, reqwest::Method::POST, &format!("{}{path}", self.client));
        self.app.send(request.json(body).header("idempotency-key", key)).await
    }

    async fn list(&self, kind: &str) -> Vec<Value> {
        self.app.all(&self.house.owner, &format!("{}/{kind}", self.client)).await
    }

    fn revision(&self) -> u64 {
        self.app.world(World::revision)
    }

    /// Syncs a connection an hour later.
    async fn sync(&self, connection: &str) {
        self.app.db.clock.advance(3_600);
        self.app.post(&self.house.owner, &format!("/api/connections/{connection}/sync"), &json!({})).await.ok();
        self.app.run_jobs().await;
    }
}

fn known(world: &World, email: &str) -> usize {
    world.known_to("ninjaone").flat_map(|business| &business.people).filter(|person| person.email == email).count()
}

both_databases! {
    async fn a_contact_is_made_once_found_by_the_next_sync_and_removed(db: TestDb) {
        let scene = scene(db).await;
        let email = "nova.new@kite.example";
        let body = json!({ "entity_id": scene.ids["held"], "given_name": "Nova", "family_name": "New", "email": email });
        let before = scene.revision();
        let preview = scene.post("/contacts?dry_run=true", &body, "k").await.ok();
        assert!(preview["item"].is_null() && preview["change_set"]["total"] == 1, "{preview}");
        assert_eq!(scene.revision(), before, "a preview asked the vendor");
        scene.post("/contacts?expect=nonsense", &body, "k").await.refused(409, "moved");
        let path = format!("/contacts?expect={}", text(&preview["change_set"]["digest"]));
        let made = scene.post(&path, &body, "k").await.ok();
        assert_eq!(scene.post(&path, &body, "k").await.ok(), made, "the key gives the same answer");
        assert_eq!(scene.app.world(|world| known(world, email)), 1);
        let other = json!({ "entity_id": scene.ids["held"], "given_name": "Nils", "family_name": "New", "email": email });
        scene.post(&path, &other, "k").await.refused(422, "invalid");
        let id = text(&made["item"]["id"]);
        let row = |all: Vec<Value>| all.into_iter().find(|one| one["id"] == id.as_str());
        let stored = row(scene.list("contacts").await).expect("is listed at once");
        assert_eq!((&stored["name"], &stored), (&json!("Nova New"), &made["item"]));
        scene.sync(&scene.ids["connection"]).await;
        assert_eq!(row(scene.list("contacts").await), Some(stored), "the next sync finds it as it is");
        let entry = text(&made["change_set"]["entry_id"]);
        let entry = scene.app.get(&scene.house.owner, &format!("/api/journal/{entry}")).await.ok();
        assert_eq!((&entry["action"], &entry["outcome"]), (&json!("contact_create"), &json!("done")));
        // The vendor's own no is told, and nothing is stored.
        let refused = scene.post("/contacts", &body, "other").await.refused(502, "vendor_refused");
        assert!(refused["detail"].as_str().is_some_and(|words| words.contains("exists")), "{refused}");
        let path = format!("{}/contacts/{id}", scene.client);
        let renamed = scene.app.patch(&scene.house.owner, &path, &json!({ "given_name": "Nora" })).await.ok();
        assert_eq!(renamed["item"]["name"], "Nora New");
        scene.app.delete(&scene.house.owner, &path).await.ok();
        assert_eq!((row(scene.list("contacts").await), scene.app.world(|world| known(world, email))), (None, 0));
        scene.app.delete(&scene.house.owner, &path).await.refused(404, "not_found");
    }

    async fn a_ticket_is_made_changed_and_noted_on(db: TestDb) {
        let scene = scene(db).await;
        let owner = &scene.house.owner;
        let choices = scene.app.get(owner, &format!("/api/connections/{}/ticket-choices", scene.ids["psa"])).await.ok();
        let queue = text(&choices["queues"][0]["id"]);
        let body = json!({ "entity_id": scene.ids["desk"], "title": "No network", "queue_id": queue });
        let made = scene.post("/tickets", &body, "k").await.ok();
        let id = text(&made["item"]["id"]);
        assert_eq!(made["item"]["title"], "No network");
        let choices = format!("/api/connections/{}/ticket-choices?queue={queue}", scene.ids["psa"]);
        let choices = scene.app.get(owner, &choices).await.ok();
        let states: Vec<&Value> = choices["statuses"].as_array().expect("states").iter().map(|one| &one["id"]).collect();
        let other = states.into_iter().find(|state| **state != made["item"]["status_id"]).expect("another state");
        let path = format!("{}/tickets/{id}", scene.client);
        let changed = scene.app.patch(owner, &path, &json!({ "status_id": other })).await.ok();
        assert_eq!(&changed["item"]["status_id"], other);
        let change = &changed["change_set"]["changes"][0];
        assert_eq!((&change["before"]["status_id"], &change["after"]["status_id"]), (&made["item"]["status_id"], other));
        let noted = scene.post(&format!("/tickets/{id}/notes"), &json!({ "text": "Called them." }), "n").await.ok();
        assert_eq!(scene.post(&format!("/tickets/{id}/notes"), &json!({ "text": "Called them." }), "n").await.ok(), noted);
        let notes = scene.app.world(|world| {
            let tickets = world.known_to("connectwise-manage").flat_map(|business| &business.tickets);
            tickets.flat_map(|ticket| &ticket.notes).filter(|(text, _)| text == "Called them.").count()
        });
        assert_eq!(notes, 1);
        let wrong = json!({ "entity_id": scene.ids["desk"], "title": " ", "status_id": "x".repeat(300) });
        let problem = scene.post("/tickets", &wrong, "w").await.refused(422, "invalid");
        let places: Vec<&Value> = problem["errors"].as_array().expect("errors").iter().map(|one| &one["pointer"]).collect();
        assert_eq!(places, ["/title", "/status_id"]);
        scene.app.patch(owner, &format!("{}/tickets/{}", scene.client, scene.ids["hidden_ticket"]), &json!({ "title": "Mine" })).await.refused(404, "not_found");
    }

    async fn a_threat_is_acted_on(db: TestDb) {
        let scene = scene(db).await;
        let path = format!("{}/threats/{}/actions", scene.client, scene.ids["threat"]);
        let actions = scene.app.get(&scene.house.owner, &path).await.ok();
        let free = actions["items"].as_array().expect("actions").iter().find(|one| one["refusal"].is_null()).expect("one");
        let path = format!("/threats/{}/actions", scene.ids["threat"]);
        let body = json!({ "action": free["id"] });
        let before = scene.revision();
        scene.post(&format!("{path}?dry_run=true"), &body, "k").await.ok();
        assert_eq!(scene.revision(), before);
        let done = scene.post(&path, &body, "k").await.ok();
        assert_eq!(done["item"]["id"], scene.ids["threat"].as_str());
        scene.post(&path, &json!({ "action": "explode" }), "x").await.refused(422, "invalid");
    }

    async fn secrets_of_places_are_shown_once_and_kept_nowhere(db: TestDb) {
        let scene = scene(db).await;
        let owner = &scene.house.owner;
        let fields = format!("{}/locations/{}/custom-fields", scene.client, scene.ids["location"]);
        let values = json!({ "values": [{ "name": "siteCode", "value": "4711-by-the-door" }] });
        scene.app.put(owner, &fields, &values).await.ok();
        let listed = scene.app.get(owner, &fields).await.ok();
        let of = |name: &str| {
            listed["items"].as_array().expect("fields").iter().find(|one| one["name"] == name).cloned().expect("a field")
        };
        assert_eq!(of("siteCode")["value"], "4711-by-the-door");
        assert!(of("alarmCode")["value"].is_null(), "{listed}");
        let twice = json!({ "values": [{ "name": "siteCode" }, { "name": "siteCode" }] });
        let problem = scene.app.put(owner, &fields, &twice).await.refused(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "/values/1/name");
        let body = json!({ "entity_id": scene.ids["held"], "location_id": scene.ids["location"], "platform": "WINDOWS_MSI" });
        let path = format!("{}/installer-links", scene.client);
        assert!(scene.app.post(owner, &format!("{path}?dry_run=true"), &body).await.ok()["url"].is_null());
        let made = scene.app.post(owner, &path, &body).await.ok();
        let url = text(&made["url"]);
        assert!(url.starts_with("https://"), "{url}");
        assert!(!made["change_set"].to_string().contains(&url));
        let shelf = scene.app.get(owner, &format!("/api/connections/{}/templates", scene.ids["connection"])).await.ok();
        assert!(shelf["items"].as_array().is_some_and(|items| !items.is_empty()), "{shelf}");
        let archive = format!("/documents/{}/archive", scene.ids["document"]);
        let done = scene.post(&archive, &json!({ "archived": true }), "a").await.ok();
        assert_eq!(done["item"]["archived"], true);
        assert_eq!(scene.post(&archive, &json!({ "archived": true }), "b").await.ok()["change_set"]["total"], 0);
        let kept = format!("{:?}", dump(&scene.app.db, &[]).await);
        for secret in ["4711-by-the-door", url.as_str()] {
            assert!(!kept.contains(secret), "{secret} was kept");
        }
        assert!(kept.contains("installer_link_make"), "that it was made is journalled");
    }
}
