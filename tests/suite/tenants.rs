//! Tenants through the API: connected step by step, with Microsoft's page behind loopback HTTP; left alone, taken up
//! again, synced and tagged.

use std::{sync::Arc, time::Duration};

use connector_microsoft365::{Microsoft365, simulator::Microsoft365Simulator};
use domain::Role;
use integration::Entry;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{TestDb, both_databases};
use uuid::Uuid;

use crate::{
    dump::dump,
    harness::{Answer, Caller, FEW, Setup, TestApp, text},
    house::House,
};

const VENDOR: &str = "microsoft365";
const CONNECTS: &str = "/api/tenant-connects";
const CUSTOMERS: &str = "/api/msp-portal/customers";

struct Scene {
    app: TestApp,
    house: House,
    simulator: Arc<Microsoft365Simulator>,
    /// A tenant that the partner does not list, and its domain.
    tenant: Uuid,
    domain: String,
    /// The connection of the partner's tenant.
    connection: String,
}

impl Scene {
    async fn new(db: TestDb) -> Self {
        let simulator = Arc::new(Microsoft365Simulator::default());
        let setup = Setup { store: db.store.clone(), size: FEW, latency: Duration::ZERO };
        let app = TestApp::with(db, setup, vec![(Entry::of::<Microsoft365>(), simulator.clone())]).await;
        let house = House::build(&app, "kite").await;
        let (tenant, domain) = app.change(|world| {
            let key = world.known_to(VENDOR).find(|business| business.people.len() > 1).expect("there is one").key;
            assert!(world.forget(VENDOR, key));
            let business = world.business(key).expect("is there");
            (business.tenant_id, business.domain.clone())
        });
        let connection = app.connect(&house.owner, VENDOR).await;
        Self { app, house, simulator, tenant, domain, connection }
    }

    async fn customer(&self, name: &str) -> String {
        text(&self.app.post(&self.house.owner, CUSTOMERS, &json!({ "name": name })).await.ok()["item"]["id"])
    }

    async fn start(&self, customer: &str, tenant: &str) -> Answer {
        let body = json!({ "customer_id": customer, "tenant": tenant });
        self.app.post(&self.house.owner, CONNECTS, &body).await
    }

    async fn begun(&self, customer: &str) -> String {
        text(&self.start(customer, &self.domain).await.ok()["item"]["id"])
    }

    async fn about(&self, id: &str) -> Value {
        self.app.get(&self.house.owner, &format!("{CONNECTS}/{id}")).await.ok()
    }

    /// Makes a link, opens it as the administrator, and says where Microsoft sends them back to.
    async fn visit(&self, id: &str) -> String {
        let made = self.app.post(&self.house.owner, &format!("{CONNECTS}/{id}/link"), &Value::Null).await.ok();
        let response = browser().get(text(&made["url"])).send().await.expect("the page answers");
        assert_eq!(response.status().as_u16(), 302);
        let back = response.headers()["location"].to_str().expect("a text").to_owned();
        let path = back.strip_prefix(self.app.base.as_str()).unwrap_or_else(|| panic!("{back} is not ours"));
        assert!(path.starts_with("/oauth/admin-consent?"), "{path}");
        path.to_owned()
    }

    /// The page that the administrator gets there: they are nobody of ours.
    async fn back(&self, path: &str) -> Answer {
        let answer = self.app.get(&Caller::Anonymous, path).await;
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{}", answer.text);
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{:?}", answer.headers);
        answer
    }

    /// What is shown of the tenant.
    async fn shown(&self) -> Option<Value> {
        let all = self.app.all(&self.house.owner, "/api/tenants").await;
        all.into_iter().find(|tenant| tenant["tenant_id"] == self.tenant.to_string())
    }

    /// Connects it for a customer, whole.
    async fn connected(&self, customer: &str) -> Value {
        let id = self.begun(customer).await;
        let path = self.visit(&id).await;
        assert_eq!(self.back(&path).await.status, 200);
        self.app.run_jobs().await;
        self.shown().await.expect("is there")
    }
}

/// The page says this, and that it is a refusal.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert!(answer.text.contains(&format!("Code: {code}.")), "{}", answer.text);
}

#[expect(clippy::disallowed_methods, reason = "this client stands for a browser at the vendor's page")]
fn browser() -> reqwest::Client {
    let never = reqwest::redirect::Policy::none();
    reqwest::Client::builder().no_proxy().redirect(never).timeout(Duration::from_secs(30)).build().expect("a client")
}

both_databases! {
    async fn a_tenant_is_connected_from_its_domain_to_what_is_read_of_it(db: TestDb) {
        let scene = Scene::new(db).await;
        let (app, owner) = (&scene.app, &scene.house.owner);
        let customer = scene.customer("Harbour").await;
        assert!(scene.shown().await.is_none(), "the partner lists it");
        for (tenant, code) in [("nobody-at-all.example", "not_found"), ("not a domain", "not_a_tenant")] {
            let refused = scene.start(&customer, tenant).await.refused(422, "invalid");
            assert_eq!((&refused["errors"][0]["pointer"], &refused["errors"][0]["code"]), (&json!("/tenant"), &json!(code)));
        }
        let body = json!({ "customer_id": customer, "tenant": scene.domain });
        let preview = app.post(owner, &format!("{CONNECTS}?dry_run=true"), &body).await.ok();
        assert_eq!(preview["item"]["tenant_id"], scene.tenant.to_string());
        assert!(app.all(owner, CONNECTS).await.is_empty(), "a preview writes");
        let digest = text(&preview["change_set"]["digest"]);
        let made = app.post(owner, &format!("{CONNECTS}?expect={digest}"), &body).await.ok();
        let id = text(&made["item"]["id"]);
        assert_eq!((&made["item"]["step"], &made["item"]["domain"]), (&json!("consent"), &json!(scene.domain)));
        // Nobody consented yet, and that is said with Microsoft's reason and kept.
        let confirm = format!("{CONNECTS}/{id}/confirm");
        app.post(owner, &confirm, &Value::Null).await.refused(409, "consent_missing");
        assert!(text(&scene.about(&id).await["reason"]).contains("consent"), "the reason is lost");

        let path = scene.visit(&id).await;
        let state = path.split("state=").nth(1).expect("a state").to_owned();
        assert!(!format!("{:?}", dump(&app.db, &[]).await).contains(&state), "a state is stored as it is");
        // Whatever looks ahead does not use it up.
        let ahead = app.send(app.request(&Caller::Anonymous, Method::HEAD, &path)).await;
        assert_eq!(ahead.status, 405);
        let page = scene.back(&path).await;
        assert!(page.status == 200 && page.text.contains("Connected") && !page.text.contains("Harbour"), "{}", page.text);
        refused(&scene.back(&path).await, 409, "consent_unknown");
        assert_eq!(scene.about(&id).await["step"], "first_sync");
        app.run_jobs().await;
        let about = scene.about(&id).await;
        assert_eq!(about["step"], "summary", "{about}");
        let summary = about["summary"].as_array().expect("readings");
        let of = |kind: &str| summary.iter().find(|one| one["kind"] == kind).unwrap_or_else(|| panic!("no {kind}")).clone();
        assert_eq!(of("directory_user")["state"], "read");
        assert!(of("directory_user")["synced_at"].is_string());
        let methods = of("sign_in_methods");
        assert!(methods["state"] == "read" || (methods["state"] == "not_offered" && methods["message"].is_string()), "{methods}");
        let shown = scene.shown().await.expect("is a tenant like any other");
        assert_eq!((&shown["customer"], &shown["stale"], &shown["domain"]), (&json!("Harbour"), &json!(false), &json!(scene.domain)));
        assert!(shown["users"].as_i64().is_some(), "{shown}");
        // The customer's log has all of it, and says that nobody of the team consented.
        let log = app.all(owner, &format!("{CUSTOMERS}/{customer}/activity")).await;
        let done = log.iter().find(|entry| entry["action"] == "tenant_connect_consent").expect("an entry");
        assert_eq!((&done["actor_kind"], &done["outcome"]), (&json!("worker"), &json!("done")));
        for action in ["tenant_connect_start", "tenant_connect_link", "tenant_connect_fail"] {
            assert!(log.iter().any(|entry| entry["action"] == action), "no {action} in {log:?}");
        }
        let said = format!("{:?}", dump(&app.db, &[]).await);
        assert!(!said.contains(&state), "a state shows in the journal");
        app.post(owner, &confirm, &Value::Null).await.refused(409, "tenant_connected");
        // It stays although the partner's listing lacks it.
        for _ in 0..2 {
            app.db.clock.advance(3_700);
            let owner = app.sign_in(&scene.house.email("owner")).await;
            app.post(&owner, &format!("/api/connections/{}/sync", scene.connection), &Value::Null).await.ok();
            app.run_jobs().await;
        }
        let owner = app.sign_in(&scene.house.email("owner")).await;
        let now = app.get(&owner, &format!("/api/tenants/{}", text(&shown["id"]))).await.ok();
        assert!(now.get("removed_at").is_none() && now["customer"] == "Harbour", "{now}");
    }

    async fn a_consent_of_another_tenant_or_none_connects_nothing(db: TestDb) {
        let scene = Scene::new(db).await;
        let (app, owner) = (&scene.app, &scene.house.owner);
        let customer = scene.customer("Harbour").await;
        let id = scene.begun(&customer).await;
        let other = app.world(|world| world.known_to(VENDOR).next().expect("there is one").tenant_id).to_string();
        let path = scene.visit(&id).await;
        refused(&scene.back(&path.replace(&scene.tenant.to_string(), &other)).await, 409, "consent_elsewhere");
        refused(&scene.back(&path).await, 409, "consent_unknown");
        assert!(text(&scene.about(&id).await["reason"]).contains(&other));
        // Declined: Microsoft's words are shown, as words.
        let path = scene.visit(&id).await;
        let state = path.split("state=").nth(1).expect("a state").to_owned();
        let declined = format!("/oauth/admin-consent?error=access_denied&error_description=%3Cb%3ENo%3C%2Fb%3E&state={state}");
        let answer = scene.back(&declined).await;
        refused(&answer, 409, "consent_declined");
        assert!(answer.text.contains("access_denied: &lt;b&gt;No&lt;/b&gt;"), "{}", answer.text);
        // What the browser claims is no consent: the tenant must be readable.
        let path = scene.visit(&id).await;
        scene.simulator.decide(scene.tenant, false);
        refused(&scene.back(&path).await, 409, "consent_missing");
        assert_eq!(scene.about(&id).await["step"], "consent");
        assert!(scene.shown().await.is_none());
        // Links that are none, that say something twice, and that were replaced.
        refused(&scene.back("/oauth/admin-consent?admin_consent=True").await, 400, "malformed");
        refused(&scene.back("/oauth/admin-consent?state=x&state=y").await, 400, "malformed");
        refused(&scene.back("/oauth/admin-consent?state=nonsense&tenant=x").await, 409, "consent_unknown");
        let older = scene.visit(&id).await;
        let newer = scene.visit(&id).await;
        refused(&scene.back(&older).await, 409, "consent_unknown");
        // Given up, or too late.
        app.post(owner, &format!("{CONNECTS}/{id}/cancel"), &Value::Null).await.ok();
        refused(&scene.back(&newer).await, 409, "consent_unknown");
        assert_eq!(scene.about(&id).await["step"], "cancelled");
        app.post(owner, &format!("{CONNECTS}/{id}/link"), &Value::Null).await.refused(409, "connect_cancelled");
        let late = scene.begun(&customer).await;
        let path = scene.visit(&late).await;
        app.db.clock.advance(7 * 86_400);
        refused(&scene.back(&path).await, 409, "connect_ended");
        let owner = app.sign_in(&scene.house.email("owner")).await;
        assert_eq!(app.get(&owner, &format!("{CONNECTS}/{late}")).await.ok()["step"], "ended");
        let open = app.all(&owner, &format!("{CONNECTS}?open=true")).await;
        assert!(open.is_empty(), "{open:?}");
        let failed = app.all(&owner, "/api/journal?action=tenant_connect_consent").await;
        assert!(failed.len() >= 4, "each attempt leaves an entry: {failed:?}");
    }

    async fn whose_a_tenant_is_decides_who_may_connect_it(db: TestDb) {
        let scene = Scene::new(db).await;
        let (app, owner) = (&scene.app, &scene.house.owner);
        let (harbour, crane) = (scene.customer("Harbour").await, scene.customer("Crane").await);
        let id = scene.begun(&harbour).await;
        let said = scene.start(&crane, &scene.domain).await.refused(409, "connect_open");
        assert!(text(&said["detail"]).contains("Harbour") && text(&said["detail"]).contains(&id), "{said}");
        let path = scene.visit(&id).await;
        assert_eq!(scene.back(&path).await.status, 200);
        let said = scene.start(&crane, &scene.tenant.to_string()).await.refused(409, "taken");
        assert!(text(&said["detail"]).contains("Harbour"), "{said}");
        // Another organisation may have it too, and is told nothing of the first.
        let lark = House::build(app, "lark").await;
        app.connect(&lark.owner, VENDOR).await;
        let theirs = text(&app.post(&lark.owner, CUSTOMERS, &json!({ "name": "Theirs" })).await.ok()["item"]["id"]);
        let body = json!({ "customer_id": theirs, "tenant": scene.domain });
        let made = app.post(&lark.owner, CONNECTS, &body).await.ok();
        assert!(!made.to_string().contains("Harbour"), "{made}");
        // Several connections: which one must be said. None: what to do.
        app.connect(owner, VENDOR).await;
        let other = app.world(|world| world.known_to(VENDOR).last().expect("there is one").tenant_id).to_string();
        let refused = scene.start(&crane, &other).await.refused(422, "invalid");
        assert_eq!(refused["errors"][0]["pointer"], "/connection_id", "{refused}");
        let wren = House::build(app, "wren").await;
        let customer = text(&app.post(&wren.owner, CUSTOMERS, &json!({ "name": "C" })).await.ok()["item"]["id"]);
        let body = json!({ "customer_id": customer, "tenant": other });
        app.post(&wren.owner, CONNECTS, &body).await.refused(409, "no_connection");
        // Who may not manage connections may not, and leaves an entry.
        let engineer = scene.house.person(app, "engineer", Role::Engineer).await;
        let body = json!({ "customer_id": crane, "tenant": other });
        app.post(&engineer, CONNECTS, &body).await.refused(403, "forbidden");
        let denied = app.all(owner, "/api/journal?action=tenant_connect_start&outcome=denied").await;
        assert_eq!(denied.len(), 1, "{denied:?}");
    }

    async fn a_tenant_is_left_alone_taken_up_again_synced_and_tagged(db: TestDb) {
        let scene = Scene::new(db).await;
        let (app, owner) = (&scene.app, &scene.house.owner);
        let customer = scene.customer("Harbour").await;
        let before = scene.connected(&customer).await;
        let path = format!("/api/tenants/{}", text(&before["id"]));
        let preview = app.post(owner, &format!("{path}/disconnect?dry_run=true"), &Value::Null).await.ok();
        assert_eq!(preview["change_set"]["changes"].as_array().map(Vec::len), Some(1));
        assert!(app.get(owner, &path).await.ok().get("disconnected_at").is_none());
        let rested = app.post(owner, &format!("{path}/disconnect"), &Value::Null).await.ok()["item"].clone();
        assert_eq!((&rested["users"], &rested["synced_at"]), (&before["users"], &before["synced_at"]), "its figures stay");
        assert_eq!((&rested["health"], &rested["stale"]), (&json!("unknown"), &json!(true)));
        app.post(owner, &format!("{path}/sync"), &Value::Null).await.refused(409, "disconnected");
        let selection = json!({ "tenant_ids": [before["id"]] });
        app.post(owner, "/api/tenants/sync", &selection).await.refused(422, "invalid");
        // Its administrator took the consent back meanwhile: it is said, and mended by connecting it anew.
        scene.simulator.decide(scene.tenant, false);
        app.post(owner, &format!("{path}/reconnect"), &Value::Null).await.refused(409, "consent_missing");
        assert!(app.get(owner, &path).await.ok()["disconnected_at"].is_string());
        let mended = scene.connected(&customer).await;
        assert_eq!((&mended["id"], &mended["customer"]), (&before["id"], &before["customer"]), "another tenant");
        assert!(mended.get("disconnected_at").is_none() && mended["stale"] == false, "{mended}");
        // And the short way, where the consent holds.
        app.post(owner, &format!("{path}/disconnect"), &Value::Null).await.ok();
        let again = app.post(owner, &format!("{path}/reconnect"), &Value::Null).await.ok();
        assert!(again["item"].get("disconnected_at").is_none(), "{again}");
        app.run_jobs().await;

        let synced = app.post(owner, &format!("{path}/sync"), &Value::Null).await.ok();
        assert_eq!((&synced["items"][0]["connection_id"], &synced["items"][0]["started"]), (&json!(scene.connection), &json!(true)));
        let waits = app.post(owner, "/api/tenants/sync", &selection).await.ok();
        assert_eq!(waits["items"][0]["started"], false, "one waits already: {waits}");
        app.run_jobs().await;
        app.post(owner, "/api/tenants/sync?dry_run=true", &selection).await.ok();
        assert_eq!(app.post(owner, "/api/tenants/sync", &selection).await.ok()["items"][0]["started"], true, "a preview starts");

        let others = app.all(owner, "/api/tenants").await;
        let ids: Vec<&Value> = others.iter().map(|tenant| &tenant["id"]).collect();
        let body = json!({ "tenant_ids": ids, "add": ["gold"], "remove": [] });
        let preview = app.post(owner, "/api/tenants/tags?dry_run=true", &body).await.ok();
        let digest = text(&preview["change_set"]["digest"]);
        let tagged = app.post(owner, &format!("/api/tenants/tags?expect={digest}"), &body).await.ok();
        assert_eq!(tagged["item"]["changed"].as_u64(), Some(ids.len() as u64));
        let gold = app.all(owner, "/api/tenants?tag=GOLD").await;
        assert_eq!(gold.len(), ids.len());
        let entry = text(&tagged["change_set"]["entry_id"]);
        app.post(owner, &format!("/api/journal/{entry}/revert"), &json!({ "despite": [] })).await.ok();
        assert!(app.all(owner, "/api/tenants?tag=gold").await.is_empty(), "one entry undoes it");
    }
}
