//! Files that the MSP keeps: whatever is sent as one, whatever becomes of the store, and what the worker's round removes.

use reqwest::Method;
use serde_json::{Value, json};
use storage::Storage;
use testkit::both_databases;

use crate::{
    harness::{Answer, Caller, FILE_LIMITS, TestApp, text},
    house::House,
    operations::Ids,
};

/// Sends a file.
pub async fn upload(app: &TestApp, caller: &Caller, query: &str, content: impl Into<reqwest::Body>) -> Answer {
    let request = app.request(caller, Method::POST, &format!("/api/files?{query}"));
    app.send(request.header("content-type", "application/octet-stream").body(content)).await
}

/// Keeps a text of a client, published to its people; gives back the file's id.
pub async fn published(app: &TestApp, owner: &Caller, client: &str, title: &str) -> String {
    let id = kept(app, owner, &format!("name=plan.txt&client_id={client}&title={}", title.replace(' ', "%20"))).await;
    app.post(owner, &format!("/api/files/{id}/publish"), &json!({ "to": "client" })).await.ok();
    id
}

async fn kept(app: &TestApp, owner: &Caller, query: &str) -> String {
    text(&upload(app, owner, query, "What is planned.").await.ok()["item"]["id"])
}

/// One of each kind for [`crate::operations`]: of a client, of one that is hidden, and the MSP's own.
pub async fn furnish(app: &TestApp, house: &House, client: &str, hidden: &str) -> Ids {
    let owner = &house.owner;
    let removed = kept(app, owner, &format!("name=old.txt&client_id={client}")).await;
    app.delete(owner, &format!("/api/files/{removed}")).await.ok();
    Ids::from([
        ("file", kept(app, owner, &format!("name=contract.txt&client_id={client}")).await),
        ("hidden_file", kept(app, owner, &format!("name=contract.txt&client_id={hidden}")).await),
        ("own_file", kept(app, owner, "name=prices.txt").await),
        ("removed_file", removed),
    ])
}

/// How many contents are in the store.
fn contents(app: &TestApp) -> usize {
    let organisations = std::fs::read_dir(app.files.path().join("store")).into_iter().flatten().flatten();
    organisations.map(|folder| std::fs::read_dir(folder.path()).expect("a folder").count()).sum()
}

fn codes(answer: &Answer) -> Vec<String> {
    answer.json()["errors"].as_array().expect("errors").iter().map(|one| text(&one["code"])).collect()
}

async fn client(app: &TestApp, owner: &Caller, name: &str) -> String {
    text(&app.post(owner, "/api/clients", &json!({ "name": name })).await.ok()["item"]["id"])
}

both_databases! {
    async fn a_file_comes_back_byte_by_byte_as_an_attachment(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let content: Vec<u8> = b"%PDF-1.7\n".iter().copied().chain((0..60_000_u32).map(|at| (at % 251) as u8)).collect();
        let made = upload(&app, owner, "name=Vertrag%20%C3%BC.pdf&category=Contracts", content.clone()).await.ok();
        let item = &made["item"];
        assert_eq!((item["media_type"].as_str(), item["bytes"].as_u64()), (Some("application/pdf"), Some(content.len() as u64)));
        assert_eq!((item["title"].as_str(), item["number"].as_i64()), (Some("Vertrag ü.pdf"), Some(1)));
        assert!(item["published"].is_null(), "nobody sees it by itself");
        let path = format!("/api/files/{}/content", text(&item["id"]));
        let response = app.request(owner, Method::GET, &path).send().await.expect("an answer");
        let header = |name: &str| response.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(header("content-type"), "application/octet-stream");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("content-disposition"), "attachment; filename=\"Vertrag _.pdf\"; filename*=UTF-8''Vertrag%20%C3%BC.pdf");
        assert!(header("content-security-policy").contains("default-src 'none'"));
        assert_eq!(header("etag"), format!("\"{}\"", text(&item["sha256"])));
        assert_eq!(response.bytes().await.expect("a body"), content);
        let raw = std::fs::read_dir(app.files.path().join("store")).expect("a folder").flatten().next().expect("one");
        let raw = std::fs::read_dir(raw.path()).expect("a folder").flatten().next().expect("one");
        let raw = std::fs::read(raw.path()).expect("a file");
        assert!(!raw.windows(8).any(|part| part == b"%PDF-1.7"), "the store holds it in clear");
    }

    async fn what_is_no_good_is_refused_and_leaves_nothing(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let most = FILE_LIMITS.file as usize;
        upload(&app, owner, "name=a.txt", vec![b'x'; most + 1]).await.refused(413, "too_large");
        // The same without a declared length: it is cut where it is too much.
        let parts = (0..most / 1_024 + 1).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 1_024]));
        let endless = reqwest::Body::wrap_stream(futures_util::stream::iter(parts));
        upload(&app, owner, "name=a.txt", endless).await.refused(413, "too_large");
        let cases: [(&str, &[u8], &str); 12] = [
            ("a.txt", b"", "empty"),
            ("run.exe", b"MZ\x90\0\x03", "type_not_taken"),
            ("run.pdf.exe", b"text", "type_not_taken"),
            ("run.ps1", b"Remove-Item", "type_not_taken"),
            ("noextension", b"text", "type_not_taken"),
            ("a.pdf", b"MZ\x90\0\x03", "type_not_taken"),
            ("a.pdf", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "type_differs"),
            // Polyglots are what they begin with.
            ("a.pdf", b"<html><script>alert(1)</script>%PDF-1.7", "type_differs"),
            ("a.png", b"GIF89a/*\x89PNG*/=1;alert(1)", "type_differs"),
            ("a.txt", b"PK\x03\x04 text", "type_differs"),
            ("..", b"text", "not_a_file_name"),
            ("%E2%80%AE", b"text", "not_a_file_name"),
        ];
        for (name, content, code) in cases {
            let answer = upload(&app, owner, &format!("name={name}"), content.to_vec()).await;
            answer.refused(422, "invalid");
            assert_eq!(codes(&answer), [code], "{name}");
        }
        upload(&app, owner, "name=a%00.txt", "text").await.refused(400, "malformed");
        upload(&app, owner, "title=a", "text").await.refused(400, "malformed");
        assert_eq!(contents(&app), 0, "something is left in the store");
        assert_eq!(app.get(owner, "/api/files").await.ok()["total"], 0);
    }

    async fn names_are_made_harmless_and_markup_is_never_shown(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let long = format!("{}.txt", "x".repeat(300));
        for (name, kept) in [
            ("..%2F..%2Fetc%2Fpasswd.txt", "passwd.txt"),
            ("C%3A%5Cplan.txt", "plan.txt"),
            ("invoice%E2%80%AExcod.txt", "invoicexcod.txt"),
            ("a%0D%0Ab.txt", "ab.txt"),
            ("CON.txt", "_CON.txt"),
        ] {
            let made = upload(&app, owner, &format!("name={name}"), "text").await.ok();
            assert_eq!(made["item"]["name"], kept, "{name}");
        }
        let made = upload(&app, owner, &format!("name={long}&title=Long"), "text").await.ok();
        assert_eq!(text(&made["item"]["name"]).len(), 120);
        for (name, content) in [
            ("a.svg", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"),
            ("a.html", "<!DOCTYPE html><script>alert(1)</script>"),
        ] {
            let made = upload(&app, owner, &format!("name={name}"), content).await.ok();
            assert_eq!(made["item"]["media_type"], "text/plain");
            let answer = app.get(owner, &format!("/api/files/{}/content", text(&made["item"]["id"]))).await;
            assert_eq!(answer.header("content-type"), "application/octet-stream");
            assert!(answer.header("content-disposition").starts_with("attachment;"));
        }
    }

    async fn a_preview_keeps_nothing_and_a_key_keeps_once(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let preview = upload(&app, owner, "name=a.txt&dry_run=true", "text").await.ok();
        let digest = text(&preview["change_set"]["digest"]);
        assert_eq!((contents(&app), app.get(owner, "/api/files").await.ok()["total"].clone()), (0, json!(0)));
        upload(&app, owner, &format!("name=a.txt&expect={digest}"), "another").await.refused(409, "moved");
        assert_eq!(contents(&app), 0);
        let key = |content: &'static str| {
            let request = app.request(owner, Method::POST, &format!("/api/files?name=a.txt&expect={digest}"));
            request.header("content-type", "application/octet-stream").header("Idempotency-Key", "once").body(content)
        };
        let first = app.send(key("text")).await.ok();
        assert_eq!(app.send(key("text")).await.ok(), first);
        app.send(key("other")).await.refused(422, "invalid");
        assert_eq!((contents(&app), app.get(owner, "/api/files").await.ok()["total"].clone()), (1, json!(1)));
    }

    async fn limits_of_a_client_are_told(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let kite = client(&app, owner, "Kite").await;
        let whole = vec![b'x'; FILE_LIMITS.file as usize];
        for _ in 0..FILE_LIMITS.client / FILE_LIMITS.file {
            upload(&app, owner, &format!("name=a.txt&client_id={kite}"), whole.clone()).await.ok();
        }
        let before = contents(&app);
        upload(&app, owner, &format!("name=a.txt&client_id={kite}"), "x").await.refused(409, "storage_full");
        assert_eq!(contents(&app), before);
        upload(&app, owner, "name=a.txt", "x").await.ok();
    }

    async fn a_content_that_is_gone_or_damaged_is_told(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let id = kept(&app, owner, "name=a.txt").await;
        let path = format!("/api/files/{id}/content");
        let folder = std::fs::read_dir(app.files.path().join("store")).expect("a folder").flatten().next().expect("one").path();
        let file = std::fs::read_dir(folder).expect("a folder").flatten().next().expect("one").path();
        let mut raw = std::fs::read(&file).expect("a file");
        raw[0] ^= 1;
        std::fs::write(&file, raw).expect("writes");
        app.get(owner, &path).await.refused(409, "content_damaged");
        std::fs::remove_file(&file).expect("removes");
        app.get(owner, &path).await.refused(409, "content_missing");
        // What it was is still known, and another content mends it.
        app.get(owner, &format!("/api/files/{id}")).await.ok();
        let request = app.request(owner, Method::PUT, &path).body("again");
        app.send(request.header("content-type", "application/octet-stream")).await.ok();
        assert_eq!(app.get(owner, &path).await.text, "again");
    }

    async fn a_store_that_cannot_be_written_is_told(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        std::fs::write(app.files.path().join("store"), "a file where the folder should be").expect("writes");
        let answer = upload(&app, &house.owner, "name=a.txt", "text").await;
        answer.refused(503, "busy");
        assert_eq!(answer.header("retry-after"), "1");
        assert_eq!(app.get(&house.owner, "/api/files").await.ok()["total"], 0);
    }

    async fn former_contents_are_kept_and_etags_hold(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let id = kept(&app, owner, "name=a.txt").await;
        let path = format!("/api/files/{id}");
        let replace = |version: &'static str, content: &'static str| {
            let request = app.request(owner, Method::PUT, &format!("{path}/content")).header("If-Match", version);
            request.header("content-type", "application/octet-stream").body(content)
        };
        app.send(replace("\"7\"", "second")).await.refused(412, "stale");
        assert_eq!(app.send(replace("\"1\"", "second")).await.ok()["item"]["number"], 2);
        assert_eq!(contents(&app), 2, "the refused one is gone");
        assert_eq!(app.get(owner, &format!("{path}/content")).await.text, "second");
        assert_eq!(app.get(owner, &format!("{path}/content?number=1")).await.text, "What is planned.");
        app.get(owner, &format!("{path}/content?number=3")).await.refused(404, "not_found");
        let versions = app.get(owner, &format!("{path}/versions")).await.ok();
        let numbers: Vec<i64> = versions["items"].as_array().expect("items").iter().filter_map(|one| one["number"].as_i64()).collect();
        assert_eq!(numbers, [2, 1]);
    }

    async fn the_round_removes_what_nobody_needs_and_nothing_else(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let storage = Storage::folder(&app.files.path().join("store")).expect("a store");
        let (gone, stays) = (kept(&app, owner, "name=gone.txt").await, kept(&app, owner, "name=stays.txt").await);
        app.delete(owner, &format!("/api/files/{gone}")).await.ok();
        // An upload that never ended.
        let context = domain::Context::operator(house.organisation, app.db.now());
        let tx = app.db.store.begin(context).await.expect("begins");
        let row = tx.content_announce(persistence::ContentPurpose::File).await.expect("announces");
        tx.commit_unjournalled().await.expect("commits");
        let half = futures_util::stream::iter([Ok::<_, std::io::Error>("half".into())]);
        storage.put(&row.key, &storage::ContentKey::new(row.secret), 10, half).await.expect("writes");
        let round = async || worker::files_round(&app.db.store, &storage).await.expect("goes round");
        round().await;
        assert_eq!(contents(&app), 3, "it is too early for anything");
        app.db.clock.advance(25 * 3_600);
        round().await;
        assert_eq!(contents(&app), 2, "what never ended is gone");
        app.db.clock.advance(30 * 24 * 3_600);
        round().await;
        let owner = &app.sign_in(&house.email("owner")).await;
        app.get(owner, &format!("/api/files/{gone}")).await.refused(404, "not_found");
        assert_eq!(contents(&app), 2, "its content has a grace");
        app.db.clock.advance(8 * 24 * 3_600);
        round().await;
        assert_eq!(contents(&app), 1);
        let owner = &app.sign_in(&house.email("owner")).await;
        assert_eq!(app.get(owner, &format!("/api/files/{stays}/content")).await.text, "What is planned.");
        let entries = app.all(owner, "/api/journal").await;
        assert!(entries.iter().any(|entry: &Value| entry["action"] == "file_purge"), "the purge is in the journal");
    }
}
