//! A connection's life through the API: paused and resumed, shared, told of by webhooks; ids typed by hand; and what a
//! client's tabs say while nothing is known.

use integration::Secret;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    harness::{Answer, Caller, TestApp, text},
    house::House,
};

async fn client(app: &TestApp, owner: &Caller, name: &str) -> String {
    let made = app.post(owner, "/api/clients", &json!({ "name": name })).await.ok();
    text(&made["item"]["id"])
}

/// Sends what the vendor would send now, signed with this secret.
async fn deliver(app: &TestApp, vendor: &str, url: &str, secret: &str) -> Answer {
    let secret = Secret::new(secret.to_owned());
    let delivery = app.world(|world| app.simulator(vendor).delivery(world, &secret)).expect("sends webhooks");
    let path = url.split_once("/webhooks/").map(|(_, rest)| format!("/webhooks/{rest}")).expect("an address");
    let mut request = app.request(&Caller::Anonymous, reqwest::Method::POST, &path).body(delivery.body.to_vec());
    for (name, value) in delivery.headers {
        request = request.header(name, value);
    }
    app.send(request.query(&delivery.query)).await
}

both_databases! {
    async fn a_connection_is_paused_and_resumed(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let id = app.connect(&house.owner, "ninjaone").await;
        let path = format!("/api/connections/{id}");
        let paused = app.post(&house.owner, &format!("{path}/pause"), &json!({})).await.ok();
        assert_eq!(paused["item"]["state"], "paused");
        app.post(&house.owner, &format!("{path}/sync"), &json!({})).await.refused(409, "not_connected");
        let asked = app.pages();
        app.db.clock.advance(3 * 3_600);
        app.run_jobs().await;
        assert_eq!(app.pages(), asked, "a paused connection asks its vendor");
        let entities = app.get(&house.owner, &format!("{path}/entities")).await.ok();
        assert_eq!(entities["stale"], true, "three hours old and not called stale: {entities}");
        let resumed = app.post(&house.owner, &format!("{path}/reconnect"), &json!({})).await.ok();
        assert_eq!(resumed["item"]["state"], "connected");
        app.run_jobs().await;
        assert!(app.pages() > asked);
        let entities = app.get(&house.owner, &format!("{path}/entities")).await.ok();
        assert_eq!(entities["stale"], false, "{entities}");
    }

    async fn what_was_never_listed_is_not_an_empty_vendor(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let body = json!({ "integration": "unifi", "credentials": app.credentials("unifi") });
        let made = app.post(&house.owner, "/api/connections", &body).await.ok();
        let id = text(&made["item"]["id"]);
        let entities = app.get(&house.owner, &format!("/api/connections/{id}/entities")).await.ok();
        assert!(entities["synced_at"].is_null() && entities["stale"] == true && entities["syncing"] == true, "{entities}");
        let import = json!({ "connection_id": id });
        let suggestions = format!("/api/connections/{id}/mapping-suggestions");
        let unknown = app.get(&house.owner, &suggestions).await.ok();
        assert_eq!(unknown["items"], json!([]));
        assert!(unknown["listed"]["synced_at"].is_null() && unknown["listed"]["stale"] == true, "{unknown}");
        let refused = app.post(&house.owner, "/api/imports?dry_run=true", &import).await;
        assert!(refused.refused(409, "never_synced")["detail"].as_str().is_some_and(|text| text.contains("sync it first")));
        app.run_jobs().await;
        let entities = app.get(&house.owner, &format!("/api/connections/{id}/entities")).await.ok();
        assert!(entities["synced_at"].is_string() && entities["syncing"] == false, "{entities}");
        let preview = app.post(&house.owner, "/api/imports?dry_run=true", &import).await.ok();
        assert!(preview["item"]["created"].as_u64().is_some_and(|created| created > 0), "{preview}");
        let listed = &preview["item"]["listed"];
        assert!(listed["synced_at"].is_string() && listed["stale"] == false, "{preview}");
        assert_eq!(app.get(&house.owner, &suggestions).await.ok()["listed"], *listed);
        app.post(&house.owner, &text(&listed["sync_now"]), &json!({})).await.ok();
    }

    async fn a_client_sees_what_is_shared_with_it_and_no_credentials(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let id = app.connect(&house.owner, "ninjaone").await;
        let (mine, other) = (client(&app, &house.owner, "Harbour").await, client(&app, &house.owner, "Quay").await);
        let shares = format!("/api/connections/{id}/shares");
        let preview = app.post(&house.owner, &format!("{shares}?dry_run=true"), &json!({ "client_id": mine })).await.ok();
        let digest = text(&preview["change_set"]["digest"]);
        let seen = async |client: &str| {
            app.get(&house.owner, &format!("/api/clients/{client}/connections")).await.ok()["items"].clone()
        };
        assert_eq!(seen(&mine).await, json!([]), "a preview shared it");
        app.post(&house.owner, &format!("{shares}?expect={digest}"), &json!({ "client_id": mine })).await.ok();
        let shared = seen(&mine).await;
        assert_eq!((shared[0]["connection_id"].as_str(), shared[0]["state"].as_str()), (Some(id.as_str()), Some("connected")));
        assert!(shared[0]["last_synced_at"].is_string());
        let words = shared.to_string();
        for (_, secret) in app.credentials("ninjaone") {
            assert!(secret.as_str().is_none_or(|secret| secret.len() < 8 || !words.contains(secret)), "{words}");
        }
        assert_eq!(seen(&other).await, json!([]));
        let nobody = json!({ "client_id": "01a2008a-0000-7000-8000-0000000000ff" });
        let refused = app.post(&house.owner, &shares, &nobody).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        app.delete(&house.owner, &format!("{shares}/{mine}")).await.ok();
        assert_eq!(seen(&mine).await, json!([]));
        app.delete(&house.owner, &format!("{shares}/{mine}")).await.refused(404, "not_found");
    }

    async fn a_typed_id_is_mapped_at_once_or_kept_until_it_is_seen(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let (mine, other) = (client(&app, &house.owner, "Harbour").await, client(&app, &house.owner, "Quay").await);
        let typed = |client: &str| format!("/api/clients/{client}/unverified-mappings");
        let guid = app.world(|world| world.known_to("sophos").next().map(|business| business.id_at("sophos")));
        let guid = guid.expect("one").to_string();
        // Before the vendor is connected: kept, and shown as unverified.
        let body = json!({ "integration": "sophos", "vendor_id": format!(" {} ", guid.to_uppercase()) });
        let kept = app.post(&house.owner, &typed(&mine), &body).await.ok();
        assert!(kept["item"]["unverified"]["id"].is_string() && kept["item"]["entity"].is_null(), "{kept}");
        let refused = app.post(&house.owner, &typed(&other), &body).await.refused(409, "taken");
        assert!(refused["detail"].as_str().is_some_and(|text| text.contains("Harbour")), "{refused}");
        let listed = app.get(&house.owner, &typed(&mine)).await.ok();
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
        let connection = app.connect(&house.owner, "sophos").await;
        let listed = app.get(&house.owner, &typed(&mine)).await.ok();
        let entities = app.all(&house.owner, &format!("/api/connections/{connection}/entities?state=mapped")).await;
        assert_eq!(listed["items"], json!([]), "the first sync did not verify it: {entities:?}");
        assert_eq!((entities.len(), entities[0]["client_id"].as_str()), (1, Some(mine.as_str())));

        // Now that it lists them: mapped at once, or refused with the owner's name.
        let open = app.all(&house.owner, &format!("/api/connections/{connection}/entities?state=unmapped")).await;
        let body = json!({ "integration": "sophos", "vendor_id": open[0]["vendor_id"] });
        let mapped = app.post(&house.owner, &typed(&other), &body).await.ok();
        assert_eq!(mapped["item"]["entity"]["client_id"], other.as_str());
        app.post(&house.owner, &typed(&mine), &body).await.refused(409, "taken");
        for (integration, vendor_id, pointer) in [("nobody", "1", "/integration"), ("sophos", " ", "/vendor_id"), ("sophos", "a\nb", "/vendor_id")] {
            let body = json!({ "integration": integration, "vendor_id": vendor_id });
            let refused = app.post(&house.owner, &typed(&mine), &body).await;
            assert_eq!(refused.status, 422, "{}", refused.text);
            assert!(refused.text.contains(pointer), "{}", refused.text);
        }
        // Taken back.
        let body = json!({ "integration": "threecx", "vendor_id": "0101" });
        let kept = app.post(&house.owner, &typed(&mine), &body).await.ok();
        let id = text(&kept["item"]["unverified"]["id"]);
        // Asked twice with one key, as after an answer that was lost: the same answer, although the id is gone.
        let delete = async || {
            let path = format!("{}/{id}", typed(&mine));
            let request = app.request(&house.owner, reqwest::Method::DELETE, &path).header("Idempotency-Key", "once");
            app.send(request).await.ok()
        };
        assert_eq!(delete().await, delete().await);
        assert_eq!(app.get(&house.owner, &typed(&mine)).await.ok()["items"], json!([]));
    }

    async fn webhooks_are_heard_over_http_by_who_can_sign(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        for vendor in ["autotask", "halopsa"] {
            let id = app.connect(&house.owner, vendor).await;
            let path = format!("/api/connections/{id}/webhook");
            let made = app.post(&house.owner, &path, &json!({})).await.ok();
            let (url, secret) = (text(&made["url"]), text(&made["secret"]));
            assert!(secret.len() >= 40 && !url.contains(&secret), "{made}");
            let runs = async || {
                let runs = app.all(&house.owner, &format!("/api/runs?connection_id={id}")).await;
                runs.iter().filter(|run| run["trigger"] == "webhook").count()
            };
            let unsigned = deliver(&app, vendor, &url, "not the secret at all").await;
            unsigned.refused(401, "unauthenticated");
            let unknown = deliver(&app, vendor, &url.replace(&id, "01a2008a-0000-7000-8000-0000000000ff"), &secret).await;
            let plain = |answer: &Answer| answer.text.replace(&answer.header("x-request-id"), "");
            assert_eq!((unknown.status, plain(&unknown)), (401, plain(&unsigned)), "it tells that there is no such connection");
            app.db.clock.advance(10);
            app.run_jobs().await;
            assert_eq!(runs().await, 0, "{vendor}");
            assert_eq!(deliver(&app, vendor, &url, &secret).await.status, 202);
            app.db.clock.advance(10);
            app.run_jobs().await;
            assert_eq!(runs().await, 1, "{vendor}: what it named was not read");
            // A new secret voids the one before; none hears nothing.
            app.post(&house.owner, &path, &json!({})).await.ok();
            assert_eq!(deliver(&app, vendor, &url, &secret).await.status, 401);
            app.delete(&house.owner, &path).await.ok();
            assert_eq!(deliver(&app, vendor, &url, &secret).await.status, 401);
            let stored = crate::dump::dump(&app.db, &[]).await;
            assert!(!format!("{stored:?}").contains(&secret), "the secret is stored as it is");
        }
        let id = app.connect(&house.owner, "ninjaone").await;
        app.post(&house.owner, &format!("/api/connections/{id}/webhook"), &json!({})).await.refused(409, "not_offered");
        let short = json!({ "secret": "short" });
        let id = app.connect(&house.owner, "autotask").await;
        assert_eq!(app.post(&house.owner, &format!("/api/connections/{id}/webhook"), &short).await.status, 422);
    }

    async fn tabs_of_what_is_not_mapped_say_so_and_fill_when_it_is(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let mine = client(&app, &house.owner, "Harbour").await;
        let tab = async |kind: &str| app.get(&house.owner, &format!("/api/clients/{mine}/{kind}")).await.ok();
        let kinds = [
            ("dropsuite", "backups"), ("synergy-wholesale", "domains"), ("synergy-wholesale", "hostings"),
            ("threecx", "extensions"), ("threecx", "phone-systems"), ("smtp2go", "mail-usages"), ("smtp2go", "mail-senders"),
            ("apple-business", "management-servers"), ("apple-business", "devices"), ("pax8", "invoices"),
            ("unifi", "devices"),
        ];
        for (_, kind) in kinds {
            assert_eq!(tab(kind).await["freshness"]["mapped"], false, "{kind} is called mapped");
        }
        assert_eq!(tab("backups/summary").await["freshness"]["mapped"], false);
        for (vendor, kind) in kinds {
            let at = match app.get(&house.owner, "/api/connections").await.ok()["items"].as_array().and_then(|all| {
                all.iter().find(|one| one["integration"] == vendor).map(|one| text(&one["id"]))
            }) {
                Some(known) => known,
                None => app.connect(&house.owner, vendor).await,
            };
            let mut found = tab(kind).await;
            for entity in app.all(&house.owner, &format!("/api/connections/{at}/entities?state=unmapped")).await {
                if found["items"].as_array().is_some_and(|items| items.iter().any(|item| item["connection_id"] == at.as_str())) {
                    break;
                }
                let mapping = json!({ "entity_id": entity["id"], "target": "client", "client_id": mine });
                app.put(&house.owner, "/api/mappings", &json!({ "mappings": [mapping] })).await.ok();
                found = tab(kind).await;
            }
            let items = found["items"].as_array().cloned().unwrap_or_default();
            assert!(items.iter().any(|item| item["connection_id"] == at.as_str()), "{vendor} fills no {kind}: {found}");
            let source = |source: &Value| source["connection_id"] == at.as_str() && source["synced_at"].is_string();
            let sources = found["freshness"]["sources"].as_array().cloned().unwrap_or_default();
            assert!(sources.iter().any(source), "{vendor}: {kind} has no age: {found}");
        }
        let summary = tab("backups/summary").await;
        let sum: u64 = ["healthy", "at_risk", "failed", "unknown"].iter().filter_map(|state| summary[*state].as_u64()).sum();
        assert_eq!(Some(sum), tab("backups").await["total"].as_u64(), "{summary}");
        let costs = tab("invoices").await;
        assert!(costs["items"].as_array().is_some_and(|items| items.iter().all(|item| item["cost"] == true)), "{costs}");
    }

    async fn what_is_used_is_held_against_what_is_paid(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let billing = app.connect(&house.owner, "pax8").await;
        let microsoft = app.connect(&house.owner, "microsoft365").await;
        for connection in [&billing, &microsoft] {
            app.post(&house.owner, "/api/imports", &json!({ "connection_id": connection })).await.ok();
        }
        let mut lines = 0;
        for one in app.all(&house.owner, "/api/clients?has=pax8").await {
            let path = format!("/api/clients/{}/reconciliation", text(&one["id"]));
            let now = app.get(&house.owner, &path).await.ok();
            assert!(now["taken_at"].is_string() && now["day"].is_null());
            let aged = |age: &Value| age["synced_at"].is_string() && age["stale"] == false;
            let ages = now["ages"].as_array().expect("ages");
            assert!(!ages.is_empty() && ages.iter().all(aged), "{now}");
            for line in now["lines"].as_array().expect("lines") {
                let number = |name: &str| line[name].as_str().and_then(|text| text.parse::<i64>().ok());
                let variance = number("counted").zip(number("paid")).map(|(counted, paid)| counted - paid);
                assert_eq!(variance, number("variance"), "{line}");
                let verdict = match variance {
                    None => "unknown",
                    Some(0) => "matched",
                    Some(more) if more > 0 => "under",
                    Some(_) => "over",
                };
                assert_eq!(line["verdict"], verdict, "{line}");
                lines += 1;
            }
        }
        assert!(lines > 0);
        let client = text(&app.all(&house.owner, "/api/clients?has=pax8").await[0]["id"]);
        let path = format!("/api/clients/{client}/reconciliation");
        app.get(&house.owner, &format!("{path}?day=2001-01-01")).await.refused(404, "not_found");
        app.app.engine.snapshots_enqueue(house.organisation).await.expect("enqueues");
        app.run_jobs().await;
        let now = app.get(&house.owner, &path).await.ok();
        let day = text(&now["days"][0]);
        let then = app.get(&house.owner, &format!("{path}?day={day}")).await.ok();
        assert_eq!((&then["lines"], &then["devices"]), (&now["lines"], &now["devices"]));
    }
}
