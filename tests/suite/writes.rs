//! Every write: previewed before, refused when the world moved, done once, by nobody else's page, and
//! without a secret left anywhere.

use std::sync::{Arc, Mutex};

use domain::Role;
use futures_util::future::join_all;
use integration::Input;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    dump::{assert_same, dump},
    harness::{Answer, Caller, PASSWORD, TestApp, text},
    house::House,
    operations::templates,
    sign_in,
};

async fn keyed(app: &TestApp, caller: &Caller, path: &str, body: &Value, key: &str) -> Answer {
    app.send(app.request(caller, Method::POST, path).json(body).header("idempotency-key", key)).await
}

async fn matched(app: &TestApp, caller: &Caller, path: &str, body: &Value, etag: &str) -> Answer {
    app.send(app.request(caller, Method::PATCH, path).json(body).header("if-match", etag)).await
}

async fn make(app: &TestApp, caller: &Caller, name: &str) -> String {
    text(&app.post(caller, "/api/clients", &json!({ "name": name })).await.ok()["item"]["id"])
}

/// What follows from other rows, or only marks them, and is in no journal by design: who has read what, jobs, and what is
/// on its way to other programs.
const MARKS: [&str; 6] =
    ["portal_ticket_reading", "job", "webhook_delivery", "webhook_attempt", "product_event", "mail"];

/// Previewable, and without an entry by design: jobs that are put into the queue, whose runs are the record of them, and
/// the mark that somebody has read a ticket.
const ENTRYLESS: [&str; 2] = ["tenants_sync", "portal_ticket_mark_read"];

both_databases! {
    async fn a_preview_writes_nothing_and_is_what_happens(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let ids = house.furnish(&app).await;
        let mut applied = 0;
        let mut previewed: Vec<_> = templates().into_iter().filter(|one| one.operation.asks("expect")).collect();
        // What takes a client away comes last.
        previewed.sort_by_key(|one| one.operation.method == Method::DELETE || one.operation.id == "client_merge");
        for template in previewed {
            let id = &template.operation.id;
            let (path, body) = template.fill(&ids, None);
            let ask = async |query: &str| {
                let join = if path.contains('?') { '&' } else { '?' };
                let request = app.request(&house.owner, template.operation.method.clone(), &format!("{path}{join}{query}"));
                app.send(TestApp::with_body(request, body.as_ref())).await
            };
            let before = dump(&app.db, &[]).await;
            let preview = ask("dry_run=true").await;
            app.app.gate.drain().await;
            assert_same(&before, &dump(&app.db, &[]).await, &format!("a preview of {id}"));
            let marked = dump(&app.db, &MARKS).await;
            let digest = preview.json()["change_set"]["digest"].as_str().unwrap_or_default().to_owned();
            let done = ask(&format!("expect={digest}")).await;
            assert_eq!(done.status, preview.status, "{id}: {} but {}", preview.text, done.text);
            if preview.status == 200 {
                let (preview, done) = (preview.json(), done.json());
                assert_eq!(preview["change_set"]["dry_run"], true, "{id}");
                assert!(preview["change_set"]["entry_id"].is_null(), "{id}");
                assert_eq!(done["change_set"]["digest"], digest.as_str(), "{id}");
                assert_eq!(done["change_set"]["total"], preview["change_set"]["total"], "{id}");
                let wrote = dump(&app.db, &MARKS).await != marked;
                assert_eq!(wrote, done["change_set"]["total"] != 0, "{id}: {done}");
                applied += usize::from(wrote);
            }
        }
        assert!(applied >= 6, "{applied} operations were previewed and applied");
    }

    async fn what_moved_since_the_preview_is_not_applied(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let path = format!("/api/clients/{}", make(&app, &house.owner, "Before").await);
        let change = json!({ "notes": "Called" });
        let preview = app.patch(&house.owner, &format!("{path}?dry_run=true"), &change).await.ok();
        app.patch(&house.owner, &path, &json!({ "name": "Moved" })).await.ok();
        let before = dump(&app.db, &[]).await;
        let stale = format!("{path}?expect={}", text(&preview["change_set"]["digest"]));
        let problem = app.patch(&house.owner, &stale, &change).await.refused(409, "moved");
        assert_same(&before, &dump(&app.db, &[]).await, "a refused write");
        // What is shown is what would happen now: applying that works.
        assert_eq!(problem["change_set"]["changes"][0]["before"]["name"], "Moved", "{problem}");
        let fresh = format!("{path}?expect={}", text(&problem["change_set"]["digest"]));
        app.patch(&house.owner, &fresh, &change).await.ok();
        app.patch(&house.owner, &format!("{path}?expect=nonsense"), &json!({ "notes": "x" })).await.refused(409, "moved");
    }

    async fn of_two_writers_the_second_is_told(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let path = format!("/api/clients/{}", make(&app, &house.owner, "Shared").await);
        let etag = app.get(&house.owner, &path).await.header("etag");
        assert!(etag.starts_with('"'), "{etag}");
        let first = matched(&app, &house.owner, &path, &json!({ "notes": "one" }), &etag).await;
        first.ok();
        assert_ne!(first.header("etag"), etag);
        matched(&app, &house.owner, &path, &json!({ "notes": "two" }), &etag).await.refused(412, "stale");
        assert_eq!(app.get(&house.owner, &path).await.ok()["client"]["notes"], "one");
        for nonsense in ["3", "\"x\"", "W/", "\"1\", \"2\"", "\"99999999999999\""] {
            let answer = matched(&app, &house.owner, &path, &json!({ "notes": "two" }), nonsense).await;
            assert!([412, 422].contains(&answer.status), "{nonsense}: {}", answer.text);
            answer.problem();
        }
        let etag = app.get(&house.owner, &path).await.header("etag");
        let writers: Vec<Value> = (0..8).map(|nth| json!({ "notes": format!("writer {nth}") })).collect();
        let answers = join_all(writers.iter().map(|body| matched(&app, &house.owner, &path, body, &etag))).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(won, 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            answer.refused(412, "stale");
        }
    }

    async fn one_key_does_one_thing(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let clients = async || app.get(&house.owner, "/api/clients/stats").await.ok()["total"].as_u64();
        let body = json!({ "name": "Once" });
        let first = keyed(&app, &house.owner, "/api/clients", &body, "k1").await.ok();
        let again = keyed(&app, &house.owner, "/api/clients", &body, "k1").await.ok();
        assert_eq!(first, again);
        assert_eq!(clients().await, Some(1));
        let other = keyed(&app, &house.owner, "/api/clients", &json!({ "name": "Twice" }), "k1").await;
        other.refused(422, "invalid");
        keyed(&app, &house.owner, "/api/clients?dry_run=true", &json!({ "name": "Seen" }), "k1").await.ok();
        // Another person's key of the same text is another key.
        let admin = house.person(&app, "admin", Role::Admin).await;
        keyed(&app, &admin, "/api/clients", &json!({ "name": "Theirs" }), "k1").await.ok();
        assert_eq!(clients().await, Some(2));
        // What was refused may be put right under the same key.
        keyed(&app, &house.owner, "/api/clients", &json!({ "name": "" }), "k2").await.refused(422, "invalid");
        keyed(&app, &house.owner, "/api/clients", &json!({ "name": "Put right" }), "k2").await.ok();
        assert_eq!(clients().await, Some(3));
        let body = json!({ "name": "Eight at once" });
        let answers = join_all((0..8).map(|_| keyed(&app, &house.owner, "/api/clients", &body, "k3"))).await;
        assert_eq!(clients().await, Some(4), "eight requests with one key made more than one client");
        let done: Vec<String> = answers.iter().filter(|one| one.status == 200).map(|one| text(&one.json()["item"]["id"])).collect();
        assert!(!done.is_empty() && done.iter().all(|id| *id == done[0]), "{done:?}");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert!([409, 503].contains(&answer.status), "{}", answer.text);
        }
        let long = "k".repeat(201);
        keyed(&app, &house.owner, "/api/clients", &body, &long).await.refused(422, "invalid");
    }

    async fn a_repeated_connect_asks_no_vendor(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let body = json!({ "integration": "pax8", "credentials": app.credentials("pax8") });
        let first = keyed(&app, &house.owner, "/api/connections", &body, "connect").await.ok();
        let asked = app.pages();
        let again = keyed(&app, &house.owner, "/api/connections", &body, "connect").await.ok();
        assert_eq!((&again, app.pages()), (&first, asked), "the vendor was asked again");
        let other = json!({ "integration": "pax8", "name": "Other", "credentials": app.credentials("pax8") });
        keyed(&app, &house.owner, "/api/connections", &other, "connect").await.refused(422, "invalid");
        assert_eq!(app.pages(), asked);
    }

    async fn another_sites_page_cannot_write(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let (key, _) = house.key(&app, &house.owner, "write").await;
        let host = app.base.trim_start_matches("http://").to_owned();
        let foreign = [
            ("origin", "https://evil.example".to_owned()),
            ("origin", "null".to_owned()),
            ("origin", format!("http://{host}.evil.example")),
            ("origin", format!("http://evil.example/{host}")),
            ("sec-fetch-site", "cross-site".to_owned()),
            ("sec-fetch-site", "same-site".to_owned()),
        ];
        let before = dump(&app.db, &[]).await;
        for template in templates().iter().filter(|template| template.operation.method != Method::GET) {
            for (header, value) in &foreign {
                let path = template.operation.path.replace(['{', '}'], "");
                let request = app.request(&house.owner, template.operation.method.clone(), &path);
                let answer = app.send(request.json(&json!({})).header(*header, value)).await;
                assert!(answer.status >= 400, "{} from {value}", template.operation.id);
                if !template.row.open && !template.operation.path.contains('{') {
                    answer.refused(403, "foreign_origin");
                }
            }
        }
        assert_same(&before, &dump(&app.db, &[]).await, "another site's page");
        let body = json!({ "name": "Made" });
        for (header, value) in &foreign {
            app.send(app.request(&house.owner, Method::GET, "/api/me").header(*header, value)).await.ok();
            // A browser never sends a key by itself.
            app.send(app.request(&key, Method::POST, "/api/clients").json(&body).header(*header, value)).await.ok();
            let sign_in = json!({ "email": house.email("owner"), "password": PASSWORD });
            let answer = app.send(app.request(&Caller::Anonymous, Method::POST, "/api/session").json(&sign_in).header(*header, value));
            answer.await.refused(403, "foreign_origin");
        }
        for (header, value) in [("origin", format!("http://{host}")), ("sec-fetch-site", "same-origin".to_owned())] {
            app.send(app.request(&house.owner, Method::POST, "/api/clients").json(&body).header(header, value)).await.ok();
        }
        let plain = app.request(&house.owner, Method::POST, "/api/clients").header("content-type", "text/plain");
        app.send(plain.body(body.to_string())).await.refused(415, "wrong_content_type");
        let overridden = app.request(&house.owner, Method::GET, "/api/clients").header("x-http-method-override", "POST");
        app.send(overridden).await.ok();
        let cookie = app.post(&Caller::Anonymous, "/api/session", &json!({ "email": house.email("owner"), "password": PASSWORD })).await;
        let cookie = cookie.header("set-cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"), "{cookie}");
    }

    async fn a_right_taken_away_is_gone_at_the_next_request(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let (seen, unseen) = (make(&app, &house.owner, "Seen").await, make(&app, &house.owner, "Unseen").await);
        let id = house.staff(&app, "engineer", Role::Engineer, None).await;
        let session = app.sign_in(&house.email("engineer")).await;
        let (key, key_id) = house.key(&app, &session, "write").await;
        let change = async |patch: Value| {
            app.patch(&house.owner, &format!("/api/staff/{id}"), &patch).await.ok();
        };
        for caller in [&session, &key] {
            app.get(caller, &format!("/api/clients/{unseen}")).await.ok();
        }
        change(json!({ "allow_clients": [seen] })).await;
        for caller in [&session, &key] {
            app.get(caller, &format!("/api/clients/{unseen}")).await.refused(404, "not_found");
            app.get(caller, &format!("/api/clients/{seen}")).await.ok();
        }
        change(json!({ "role": "viewer" })).await;
        app.get(&session, "/api/me").await.refused(401, "unauthenticated");
        app.post(&key, "/api/clients", &json!({ "name": "Late" })).await.refused(403, "forbidden");
        app.get(&key, &format!("/api/clients/{seen}")).await.ok();
        change(json!({ "suspended": true })).await;
        app.get(&key, "/api/me").await.refused(401, "unauthenticated");
        let body = json!({ "email": house.email("engineer"), "password": PASSWORD });
        app.post(&Caller::Anonymous, "/api/session", &body).await.refused(401, "unauthenticated");
        change(json!({ "suspended": false })).await;
        app.get(&key, "/api/me").await.ok();
        let session = app.sign_in(&house.email("engineer")).await;
        app.post(&session, &format!("/api/api-keys/{key_id}/revoke"), &json!({})).await.ok();
        app.get(&key, "/api/me").await.refused(401, "unauthenticated");
        app.delete(&session, "/api/session").await.ok();
        app.get(&session, "/api/me").await.refused(401, "unauthenticated");
    }

    async fn every_refused_write_leaves_an_entry(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let ids = house.furnish(&app).await;
        let mut silent = Vec::new();
        for (name, role) in [("viewer", Role::Viewer), ("finance", Role::Finance)] {
            let caller = house.person(&app, name, role).await;
            let me = text(&app.get(&caller, "/api/me").await.ok()["staff_id"]);
            let mut refused = 0;
            for template in templates().iter().filter(|template| template.operation.method != Method::GET) {
                let (path, body) = template.fill(&ids, None);
                let request = app.request(&caller, template.operation.method.clone(), &path);
                let ask = app.send(TestApp::with_body(request, body.as_ref()));
                let answer = if template.operation.id == "session_end" { continue } else { ask.await };
                if answer.status == 403 {
                    let id = &template.operation.id;
                    let query = format!("/api/journal?action={id}&outcome=denied&actor_id={me}");
                    if app.get(&house.owner, &query).await.ok()["total"] != 1 {
                        silent.push(format!("{id} refused to {name}"));
                    }
                    refused += 1;
                }
            }
            assert!(refused > 5, "{refused} refused to {name}");
        }
        assert!(silent.is_empty(), "no entry of {silent:#?}");
        let verified = app.get(&house.owner, "/api/journal/verification").await.ok();
        assert_eq!(verified["sound"], true, "{verified}");
    }

    async fn without_an_entry_nothing_changes(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let ids = house.furnish(&app).await;
        let shut = match app.db.store.is_postgres() {
            true => "ALTER TABLE journal ADD CONSTRAINT shut CHECK (false) NOT VALID",
            false => "CREATE TRIGGER shut BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'shut'); END",
        };
        app.db.tamper(shut).await.expect("shuts the journal");
        let before = dump(&app.db, &[]).await;
        let world = app.world(vendorkit::World::revision);
        let (mut refused, mut silent) = (0, Vec::new());
        let previewed = templates().into_iter().filter(|template| template.operation.asks("dry_run"));
        for template in previewed.filter(|template| !ENTRYLESS.contains(&template.operation.id.as_str())) {
            let (path, body) = template.fill(&ids, None);
            let request = app.request(&house.owner, template.operation.method.clone(), &path);
            let answer = app.send(TestApp::with_body(request, body.as_ref()));
            let answer = answer.await;
            let nothing = answer.status == 200 && answer.json()["change_set"]["total"] == 0;
            if answer.status < 400 && !nothing {
                silent.push(format!("{}: {}", template.operation.id, answer.text));
            }
            refused += usize::from(answer.status >= 500);
        }
        assert!(silent.is_empty(), "done without an entry: {silent:#?}");
        assert_same(&before, &dump(&app.db, &[]).await, "a write without an entry");
        assert_eq!(app.world(vendorkit::World::revision), world, "a vendor was asked without an entry");
        assert!(refused >= 6, "{refused} refused for want of an entry");
    }

    async fn secrets_stay_secret(db: TestDb) {
        let logs = Logs::capture();
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let mut secrets = vec![PASSWORD.to_owned(), "another fine long one".to_owned()];
        let mut said = Vec::new();
        for entry in registry::ALL {
            let base = app.vendors.base_of(entry.id);
            let simulator = app.simulator(entry.id);
            for credentials in [simulator.credentials(&base), simulator.wrong_credentials(&base), simulator.powerless_credentials(&base)] {
                let hidden = entry.fields().into_iter().filter(|field| matches!(field.input, Input::Secret));
                secrets.extend(hidden.map(|field| text(&credentials[field.name])));
                let body = json!({ "integration": entry.id, "credentials": credentials });
                said.push(app.post(&house.owner, "/api/connections/trial", &body).await);
                said.push(app.post(&house.owner, "/api/connections", &body).await);
                // A secret in the wrong place, and of the wrong type, is not repeated either.
                let mut broken = body.clone();
                broken["credentials"]["nonsense"] = body["credentials"]["client_secret"].clone();
                said.push(app.post(&house.owner, "/api/connections", &broken).await);
                broken["credentials"] = body["credentials"]["client_secret"].clone();
                said.push(app.post(&house.owner, "/api/connections", &broken).await);
            }
        }
        app.run_jobs().await;
        let new = json!({ "present_password": PASSWORD, "new_password": "another fine long one" });
        said.push(app.put(&house.owner, "/api/me/password", &new).await);
        let staff = json!({ "name": "Nova", "email": house.email("nova"), "password": PASSWORD, "role": "viewer" });
        said.push(app.post(&house.owner, "/api/staff", &staff).await);
        let (key, _) = house.key(&app, &house.owner, "read").await;
        for caller in [&house.owner, &key] {
            app.get(caller, "/api/clients").await.ok();
            let (Caller::Session(token) | Caller::Key(token)) = caller else { continue };
            secrets.push(token.clone());
        }
        // A second factor with its recovery codes, a sign-in half done, and the code that ends it.
        let jo = house.person(&app, "jo", Role::Admin).await;
        let (secret, codes) = sign_in::enrol(&app, &jo).await;
        let again = json!({ "email": house.email("jo"), "password": PASSWORD });
        let pending = app.post(&Caller::Anonymous, "/api/session", &again).await.problem();
        let pending = text(&pending["second_factor"]["token"]);
        for code in [&codes[0], &codes[0], &codes[1]] {
            let body = json!({ "token": pending, "recovery_code": code });
            said.push(app.post(&Caller::Anonymous, "/api/session/second-factor", &body).await);
            said.push(app.post(&jo, "/api/session/reauthenticate", &json!({ "recovery_code": code })).await);
        }
        said.push(app.get(&jo, "/api/me/second-factor").await);
        let raw = totp_rs::Secret::try_from_base32(&secret).expect("base32").as_bytes().to_vec();
        let hexed: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
        secrets.extend([secret, pending, hexed.to_uppercase(), hexed]);
        secrets.extend(codes);
        secrets.sort();
        secrets.dedup();
        for template in templates().iter().filter(|one| one.operation.method == Method::GET && one.slots().is_empty()) {
            said.push(app.get(&house.owner, &template.operation.path).await);
        }
        for entry in app.all(&house.owner, "/api/journal").await {
            said.push(app.get(&house.owner, &format!("/api/journal/{}", text(&entry["id"]))).await);
        }
        for connection in app.get(&house.owner, "/api/connections").await.ok()["items"].as_array().expect("items") {
            said.push(app.get(&house.owner, &format!("/api/connections/{}", text(&connection["id"]))).await);
        }
        app.app.gate.drain().await;
        assert!(secrets.len() > 6, "{secrets:?}");
        let answers: String = said.iter().map(|answer| answer.text.as_str()).collect();
        must_lack("answers", answers.as_bytes(), &secrets);
        assert!(answers.contains("ninjaone"), "the answers are empty");
        must_lack("dump", format!("{:?}", dump(&app.db, &[]).await).as_bytes(), &secrets);
        if let Some(folder) = app.db.folder() {
            for file in std::fs::read_dir(folder).expect("a folder") {
                let file = file.expect("a file").path();
                let bytes = std::fs::read(&file).expect("reads");
                assert!(!bytes.windows(raw.len()).any(|part| part == raw), "{} holds the second factor", file.display());
                must_lack(&file.display().to_string(), &bytes, &secrets);
            }
        }
        let logs = logs.text();
        assert!(logs.len() > 10_000, "the logs are empty");
        must_lack("logs", logs.as_bytes(), &secrets);
    }
}

/// Fails when one of these stands in there, as it is or in a usual disguise.
fn must_lack(place: &str, bytes: &[u8], secrets: &[String]) {
    let there = String::from_utf8_lossy(bytes);
    let small = there.to_lowercase();
    for secret in secrets {
        let hexed: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        let escaped: String = secret.replace(' ', "%20");
        let plus = secret.replace(' ', "+");
        for form in [secret.as_str(), &escaped, &plus] {
            if let Some(at) = there.find(form) {
                let around: String =
                    there[..at].chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect();
                panic!("{place} hold {form}, after {around}");
            }
        }
        assert!(!small.contains(&hexed), "{place} hold {secret} in hex");
    }
}

/// Everything logged, at the finest level.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    fn capture() -> Self {
        let logs = Self::default();
        let writer = logs.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        // Each test is a process of its own under nextest.
        tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
        logs
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("a sound buffer")).into_owned()
    }
}

impl std::io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a sound buffer").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
