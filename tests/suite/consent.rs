//! Consent at a vendor's own page, through the real API: the vendor's sign-in page stands behind loopback HTTP.

use std::{sync::Arc, time::Duration};

use connector_workflowmax::{Simulator, Workflowmax};
use domain::Role;
use integration::{Entry, Field, Grant};
use reqwest::Method;
use serde_json::{Map, Value, json};
use testkit::{TestDb, both_databases};

use crate::{
    dump::{assert_same, dump},
    harness::{Answer, Caller, FEW, Setup, TestApp, text},
    house::House,
};

const VENDOR: &str = "workflowmax";
/// What a consent that fails leaves behind.
const TRACES: [&str; 5] = ["journal", "journal_head", "journal_client", "consent", "idempotency"];

struct Scene {
    app: TestApp,
    house: House,
    simulator: Arc<Simulator>,
}

impl Scene {
    async fn new(db: TestDb) -> Self {
        let simulator = Arc::new(Simulator::default());
        let setup = Setup { store: db.store.clone(), size: FEW, latency: Duration::ZERO };
        let app = TestApp::with(db, setup, vec![(Entry::of::<Workflowmax>(), simulator.clone())]).await;
        let house = House::build(&app, "kite").await;
        Self { app, house, simulator }
    }

    /// A draft that waits for consent.
    async fn draft_of(&self, credentials: Map<String, Value>) -> String {
        let body = json!({ "integration": VENDOR, "credentials": credentials });
        let made = self.app.post(&self.house.owner, "/api/connections", &body).await.ok();
        assert_eq!((made["item"]["state"].as_str(), made["item"]["syncing"].as_bool()), (Some("draft"), Some(false)));
        for words in [&made["item"]["state_reason"], &made["warnings"][0]] {
            assert!(words.as_str().is_some_and(|words| words.contains("Consent is missing")), "{made}");
        }
        text(&made["item"]["id"])
    }

    async fn draft(&self) -> String {
        self.draft_of(self.app.credentials(VENDOR)).await
    }

    async fn begin(&self, caller: &Caller, connection: &str) -> Answer {
        self.app.post(caller, &format!("/api/connections/{connection}/consent"), &Value::Null).await
    }

    /// Begins, goes to the vendor's page and says where it sends one back to: path and query.
    async fn visit(&self, caller: &Caller, connection: &str) -> String {
        let begun = self.begin(caller, connection).await.ok();
        let response = browser().get(text(&begun["url"])).send().await.expect("the page answers");
        assert_eq!(response.status().as_u16(), 302);
        let back = response.headers()["location"].to_str().expect("a text").to_owned();
        let base = &self.app.base;
        let path = back.strip_prefix(base.as_str()).unwrap_or_else(|| panic!("{back} is not at {base}"));
        assert!(path.starts_with("/oauth/callback?"), "{path}");
        path.to_owned()
    }

    /// The page that a browser gets there.
    async fn back(&self, caller: &Caller, path: &str) -> Answer {
        let answer = self.app.get(caller, path).await;
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{}", answer.text);
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!answer.text.contains("<script") && !answer.text.contains("http"), "{}", answer.text);
        for (name, value) in pairs(path) {
            let secret = ["state", "code"].contains(&name.as_str()) && value.len() > 12;
            assert!(!secret || !answer.text.contains(&value), "{name} is repeated");
        }
        answer
    }

    /// A page that says no, with this code.
    #[track_caller]
    fn refused(answer: &Answer, status: u16, code: &str) {
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.text.contains(&format!("Code: {code}.")), "{}", answer.text);
    }

    async fn connection(&self, id: &str) -> Value {
        self.app.get(&self.house.owner, &format!("/api/connections/{id}")).await.ok()
    }

    /// A connection that was consented to and synced.
    async fn connected(&self) -> String {
        let id = self.draft().await;
        let path = self.visit(&self.house.owner, &id).await;
        let answer = self.back(&self.house.owner, &path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        self.app.run_jobs().await;
        id
    }

    async fn entries(&self, action: &str) -> Vec<Value> {
        self.app.all(&self.house.owner, &format!("/api/journal?action={action}")).await
    }
}

/// The pairs of an address.
fn pairs(path: &str) -> Vec<(String, String)> {
    let query = path.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn pair(path: &str, name: &str) -> String {
    pairs(path).into_iter().find(|(key, _)| key == name).unwrap_or_else(|| panic!("no {name} in {path}")).1
}

#[expect(clippy::disallowed_methods, reason = "this client stands for a browser at the vendor's page")]
fn browser() -> reqwest::Client {
    let never = reqwest::redirect::Policy::none();
    reqwest::Client::builder().no_proxy().redirect(never).timeout(Duration::from_secs(30)).build().expect("a client")
}

both_databases! {
    async fn consent_connects_and_syncs_and_its_tokens_rotate_unseen(db: TestDb) {
        let scene = Scene::new(db).await;
        let id = scene.draft().await;
        let owner = &scene.house.owner;
        // Before consent there is nothing to test, to switch on or to sync.
        for action in ["test", "reconnect"] {
            let answer = scene.app.post(owner, &format!("/api/connections/{id}/{action}"), &Value::Null).await;
            answer.refused(409, "consent_missing");
        }
        let path = scene.visit(owner, &id).await;
        let answer = scene.back(owner, &path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.text.contains("WorkflowMax is connected"), "{}", answer.text);
        scene.app.run_jobs().await;
        let synced = scene.connection(&id).await;
        assert_eq!(synced["state"], "connected", "{synced}");
        assert!(synced.get("state_reason").is_none() && !synced["last_synced_at"].is_null(), "{synced}");
        assert!(synced["account"].as_str().is_some_and(|account| account.starts_with("organisation ")), "{synced}");
        let entities = scene.app.all(owner, &format!("/api/connections/{id}/entities")).await;
        let known = scene.app.world(|world| world.known_to(VENDOR).count());
        assert!(known > 0 && entities.len() == known, "{} of {known}", entities.len());
        assert_eq!(scene.entries("connection_consent").await.len(), 1, "one entry");

        // Tokens end and rotate: people see neither an entry nor another version of it.
        let entries = scene.app.all(owner, "/api/journal").await.len();
        for _ in 0..3 {
            vendorkit::Simulator::expire_tokens(scene.simulator.as_ref());
            scene.app.post(owner, &format!("/api/connections/{id}/test"), &Value::Null).await.ok();
        }
        assert_eq!(scene.simulator.renewals(), 3);
        assert_eq!(scene.app.all(owner, "/api/journal").await.len(), entries);
        assert_eq!(scene.connection(&id).await["version"], synced["version"]);

        // Consenting again reconnects.
        let path = scene.visit(owner, &id).await;
        assert_eq!(scene.back(owner, &path).await.status, 200);
        scene.app.run_jobs().await;
        assert_eq!(scene.connection(&id).await["state"], "connected");
        assert_eq!(scene.entries("connection_consent").await.len(), 2);
    }

    async fn what_comes_back_is_taken_once_in_time_and_from_whom_it_was_asked(db: TestDb) {
        let scene = Scene::new(db).await;
        let id = scene.draft().await;
        let owner = scene.house.owner.clone();
        let colleague = scene.house.person(&scene.app, "colleague", Role::Admin).await;
        let stranger = House::build(&scene.app, "lark").await.owner;
        let again = scene.app.sign_in(&scene.house.email("owner")).await;
        let path = scene.visit(&owner, &id).await;
        let (state, code) = (pair(&path, "state"), pair(&path, "code"));

        // No session, another organisation's, and forged states: it stays good for whom it is meant.
        Scene::refused(&scene.back(&Caller::Anonymous, &path).await, 401, "unauthenticated");
        Scene::refused(&scene.back(&Caller::Session("nonsense".to_owned()), &path).await, 401, "unauthenticated");
        Scene::refused(&scene.back(&stranger, &path).await, 409, "consent_unknown");
        let forged = format!("{}{}", &state[..state.len() - 1], if state.ends_with('A') { "B" } else { "A" });
        for forged in [forged.as_str(), "", "x", &"A".repeat(43)] {
            let answer = scene.back(&owner, &format!("/oauth/callback?code={code}&state={forged}")).await;
            Scene::refused(&answer, 409, "consent_unknown");
        }
        for path in [
            "/oauth/callback".to_owned(),
            format!("/oauth/callback?code={code}"),
            format!("/oauth/callback?code={code}&state={state}&state={state}"),
            format!("/oauth/callback?code={code}&code={code}&state={state}"),
            format!("/oauth/callback?state={state}&code={}", "c".repeat(20_000)),
        ] {
            Scene::refused(&scene.back(&owner, &path).await, 400, "malformed");
        }
        let head = scene.app.send(scene.app.request(&owner, Method::HEAD, &path)).await;
        assert!(head.status >= 400, "asking without reading takes it: {}", head.status);
        assert_eq!(scene.back(&owner, &path).await.status, 200, "it was used up by others");
        scene.app.run_jobs().await;

        // The same once more: state and code are used up.
        Scene::refused(&scene.back(&owner, &path).await, 409, "consent_unknown");
        assert_eq!(scene.connection(&id).await["state"], "connected", "the second time harmed the first");

        // Somebody else, and the same person in another session: then it is used up.
        for other in [&colleague, &again] {
            let path = scene.visit(&owner, &id).await;
            Scene::refused(&scene.back(other, &path).await, 403, "consent_foreign");
            Scene::refused(&scene.back(&owner, &path).await, 409, "consent_unknown");
        }
        // Too late.
        let path = scene.visit(&owner, &id).await;
        scene.app.db.clock.advance(601);
        Scene::refused(&scene.back(&owner, &path).await, 409, "consent_expired");
        Scene::refused(&scene.back(&owner, &path).await, 409, "consent_unknown");
        // A newer one replaces an older one.
        let (older, newer) = (scene.visit(&owner, &id).await, scene.visit(&owner, &id).await);
        Scene::refused(&scene.back(&owner, &older).await, 409, "consent_unknown");
        assert_eq!(scene.back(&owner, &newer).await.status, 200);
        // Signed out meanwhile.
        let path = scene.visit(&again, &id).await;
        scene.app.delete(&again, "/api/session").await.ok();
        Scene::refused(&scene.back(&again, &path).await, 401, "unauthenticated");
        Scene::refused(&scene.back(&owner, &path).await, 409, "consent_unknown");
    }

    async fn what_fails_at_the_vendor_changes_nothing_and_is_told(db: TestDb) {
        let scene = Scene::new(db).await;
        let owner = scene.house.owner.clone();
        let base = scene.app.vendors.base_of(VENDOR);
        let denied = scene.draft_of(scene.simulator.denied_credentials(&base)).await;
        let several = scene.draft_of(scene.simulator.ambiguous_credentials(&base)).await;
        let powerless = vendorkit::Simulator::powerless_credentials(scene.simulator.as_ref(), &base);
        let powerless = scene.draft_of(powerless).await;
        let (one, two) = (scene.draft().await, scene.draft().await);
        let before = dump(&scene.app.db, &TRACES).await;

        // The vendor says no: its words are shown, as words.
        let path = scene.visit(&owner, &denied).await;
        let answer = scene.back(&owner, &path).await;
        Scene::refused(&answer, 409, "consent_declined");
        assert!(answer.text.contains("access_denied: The user said &lt;b&gt;no&lt;/b&gt;"), "{}", answer.text);
        // Several organisations, and no privilege.
        let path = scene.visit(&owner, &several).await;
        let answer = scene.back(&owner, &path).await;
        Scene::refused(&answer, 502, "vendor_refused");
        assert!(answer.text.contains("Organisation ID"), "{}", answer.text);
        let path = scene.visit(&owner, &powerless).await;
        Scene::refused(&scene.back(&owner, &path).await, 502, "vendor_forbidden");
        // A code that was given for another question has another challenge.
        let stolen = pair(&scene.visit(&owner, &one).await, "code");
        let state = pair(&scene.visit(&owner, &two).await, "state");
        let answer = scene.back(&owner, &format!("/oauth/callback?code={stolen}&state={state}")).await;
        Scene::refused(&answer, 502, "vendor_refused");
        // So has one that the vendor never gave.
        let state = pair(&scene.visit(&owner, &two).await, "state");
        let answer = scene.back(&owner, &format!("/oauth/callback?code=made-up&state={state}")).await;
        Scene::refused(&answer, 502, "vendor_refused");
        assert_same(&before, &dump(&scene.app.db, &TRACES).await, "a consent that failed");
        let failed = scene.entries("connection_consent").await;
        assert_eq!(failed.len(), 5, "each attempt leaves an entry: {failed:?}");
        assert!(failed.iter().all(|entry| entry["outcome"] == "failed"), "{failed:?}");

        // Credentials that were saved meanwhile are not those that the page was made of.
        let path = scene.visit(&owner, &two).await;
        let body = json!({ "credentials": scene.app.credentials(VENDOR) });
        scene.app.patch(&owner, &format!("/api/connections/{two}"), &body).await.ok();
        Scene::refused(&scene.back(&owner, &path).await, 409, "consent_outdated");
        // A connection that was removed meanwhile is no longer waited for.
        let path = scene.visit(&owner, &two).await;
        scene.app.delete(&owner, &format!("/api/connections/{two}")).await.ok();
        Scene::refused(&scene.back(&owner, &path).await, 409, "consent_unknown");
        scene.app.run_jobs().await;
        assert_eq!(scene.connection(&one).await["state"], "draft");
    }

    async fn only_a_signed_in_person_with_the_right_may_consent(db: TestDb) {
        let scene = Scene::new(db).await;
        let owner = scene.house.owner.clone();
        let id = scene.draft().await;
        let (key, _) = scene.house.key(&scene.app, &owner, "admin").await;
        scene.begin(&key, &id).await.refused(409, "needs_session");
        let viewer = scene.house.person(&scene.app, "viewer", Role::Viewer).await;
        scene.begin(&viewer, &id).await.refused(403, "forbidden");
        scene.begin(&Caller::Anonymous, &id).await.refused(401, "unauthenticated");
        let pax8 = scene.app.connect(&owner, "pax8").await;
        scene.begin(&owner, &pax8).await.refused(409, "no_consent");
        // A right that was taken away on the way.
        let admin_id = scene.house.staff(&scene.app, "admin", Role::Admin, None).await;
        let admin = scene.app.sign_in(&scene.house.email("admin")).await;
        let path = scene.visit(&admin, &id).await;
        scene.app.patch(&owner, &format!("/api/staff/{admin_id}"), &json!({ "role": "viewer" })).await.ok();
        let answer = scene.back(&admin, &path).await;
        assert!(answer.status == 403 || answer.status == 401, "{}", answer.text);
        // What is typed is no grant, by whatever way.
        let mut credentials = scene.app.credentials(VENDOR);
        credentials.insert("grant".to_owned(), Grant::example().into());
        let body = json!({ "integration": VENDOR, "credentials": credentials });
        for path in ["/api/connections", "/api/connections/trial"] {
            let problem = scene.app.post(&key, path, &body).await.refused(422, "invalid");
            assert_eq!(problem["errors"][0]["pointer"], "/credentials/grant", "{problem}");
        }
        let body = json!({ "credentials": credentials });
        scene.app.patch(&owner, &format!("/api/connections/{id}"), &body).await.refused(422, "invalid");
        // Another site's page cannot begin one.
        let begin = scene.app.request(&owner, Method::POST, &format!("/api/connections/{id}/consent"));
        let foreign = scene.app.send(begin.header("sec-fetch-site", "cross-site")).await;
        foreign.refused(403, "foreign_origin");
        // Without a public origin, only the loopback is an address to come back to.
        let begin = scene.app.request(&owner, Method::POST, &format!("/api/connections/{id}/consent"));
        let spoofed = scene.app.send(begin.header("host", "evil.example")).await;
        spoofed.refused(409, "no_public_origin");
    }

    async fn neither_tokens_nor_codes_nor_states_are_seen_anywhere(db: TestDb) {
        let scene = Scene::new(db).await;
        let owner = scene.house.owner.clone();
        let id = scene.draft().await;
        let path = scene.visit(&owner, &id).await;
        let (state, code) = (pair(&path, "state"), pair(&path, "code"));
        let waiting = format!("{:?}", dump(&scene.app.db, &[]).await);
        assert!(!waiting.contains(&state) && !waiting.contains(&code), "a state is stored as it is");
        assert_eq!(scene.back(&owner, &path).await.status, 200);
        scene.app.run_jobs().await;
        let tx = scene.app.db.store.read(scene.app.db.context(scene.house.organisation)).await.expect("reads");
        let connection = tx.connections().await.expect("lists").remove(0);
        let stored = tx.connection_credentials(connection.id).await.expect("opens");
        drop(tx);
        let grant = Grant::parse(stored["grant"].as_str().expect("a grant")).expect("reads");
        let secrets = [grant.refresh.expose().to_owned(), grant.access.expose().to_owned(), state, code];
        let mut said = format!("{:?}", dump(&scene.app.db, &[]).await);
        for path in ["/api/connections", &format!("/api/connections/{id}"), "/api/journal"] {
            said.push_str(&scene.app.get(&owner, path).await.text);
        }
        for entry in scene.app.all(&owner, "/api/journal").await {
            said.push_str(&scene.app.get(&owner, &format!("/api/journal/{}", text(&entry["id"]))).await.text);
        }
        assert!(said.contains("connection_consent"), "there is nothing to look through");
        for secret in secrets {
            assert!(secret.len() > 8 && !said.contains(&secret), "{secret} is seen");
        }
    }
}

#[tokio::test]
async fn the_form_says_where_a_grant_comes_from_and_new_credentials_end_it() {
    let scene = Scene::new(testkit::sqlite().await).await;
    let id = scene.connected().await;
    let listed = scene.app.get(&scene.house.owner, "/api/integrations").await.ok();
    let form = listed["items"].as_array().and_then(|items| items.iter().find(|item| item["id"] == VENDOR)).cloned();
    let fields = form.expect("is in the catalogue")["fields"].clone();
    let field = fields.as_array().and_then(|fields| fields.iter().find(|field| field["name"] == "grant"));
    let field = field.expect("a field for the grant");
    assert_eq!((field["input"].as_str(), field["required"].as_bool()), (Some("consent"), Some(false)));
    // New credentials end the consent, and say so.
    let body = json!({ "credentials": scene.app.credentials(VENDOR) });
    let saved = scene.app.patch(&scene.house.owner, &format!("/api/connections/{id}"), &body).await.ok();
    assert_eq!(saved["item"]["state"], "draft");
    assert!(saved["warnings"][0].as_str().is_some_and(|words| words.contains("Consent is missing")), "{saved}");
}
