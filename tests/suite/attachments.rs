//! Files of tickets, through the real API: who sees them, what is refused, what becomes of them at a PSA.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    harness::{Answer, Caller, TestApp, text},
    house::House,
    portal::{enable, member},
    requests::{ALL_SECTIONS, sections},
    tickets_journey::make,
};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR and so on";

/// Attaches a file to the ticket at this path.
pub async fn attach(
    app: &TestApp,
    caller: &Caller,
    ticket: &str,
    name: &str,
    content: impl Into<reqwest::Body>,
) -> Answer {
    let request = app.request(caller, Method::POST, &format!("{ticket}/attachments?name={name}"));
    app.send(request.header("content-type", "application/octet-stream").body(content)).await
}

async fn client(app: &TestApp, owner: &Caller, name: &str) -> String {
    let id = text(&app.post(owner, "/api/clients", &json!({ "name": name })).await.ok()["item"]["id"]);
    enable(app, owner, &id).await;
    sections(app, owner, &id, &ALL_SECTIONS).await;
    id
}

fn codes(answer: &Answer) -> Vec<String> {
    answer.json()["errors"].as_array().expect("errors").iter().map(|one| text(&one["code"])).collect()
}

fn names(listed: &Value) -> Vec<&str> {
    listed["items"].as_array().expect("items").iter().filter_map(|one| one["name"].as_str()).collect()
}

/// How many contents are in the store.
fn contents(app: &TestApp) -> usize {
    let organisations = std::fs::read_dir(app.files.path().join("store")).into_iter().flatten().flatten();
    organisations.map(|folder| std::fs::read_dir(folder.path()).expect("a folder").count()).sum()
}

async fn at_a_psa(db: testkit::TestDb, vendor: &'static str, taken: bool) {
    let app = TestApp::new(db).await;
    let house = House::build(&app, "kite").await;
    let owner = &house.owner;
    let connection = app.connect(owner, vendor).await;
    let quay = client(&app, owner, "Quay").await;
    let open = app.all(owner, &format!("/api/connections/{connection}/entities?state=unmapped")).await;
    let mapping = json!({ "entity_id": open[0]["id"], "target": "client", "client_id": quay });
    app.put(owner, "/api/mappings", &json!({ "mappings": [mapping] })).await.ok();
    let (user, _) = member(&app, &house, &quay, "sam@quay.example", "user").await;
    let ticket = make(&app, &user, "Printer does not print").await;
    let (mine, desk) = (format!("/api/clientone/tickets/{ticket}"), format!("/api/portal-tickets/{ticket}"));
    let made = attach(&app, &user, &mine, "photo.png", PNG).await.ok();
    assert_eq!(made["item"]["delivery"]["state"], "queued", "{made}");
    // First the ticket, then its file: once, however often jobs run.
    for _ in 0..3 {
        app.run_jobs().await;
        app.db.clock.advance(120);
    }
    let there = app.get(owner, &format!("{desk}/attachments")).await.ok();
    let file = &there["items"][0];
    assert_eq!(file["delivery"]["state"], "sent", "{there}");
    let notes = app.world(|world| {
        let all = world.tickets_after(vendor, 0).into_iter();
        let own = all.filter(|(_, one)| one.title.contains("[ClientOne #1]"));
        own.flat_map(|(_, one)| one.notes.iter().map(|(text, _)| text.clone()).collect::<Vec<_>>()).collect::<Vec<_>>()
    });
    let words = notes.iter().filter(|note| note.contains("photo.png")).count();
    if taken {
        assert!(file["delivery_problem"].is_null(), "{there}");
        assert_eq!(words, 0, "{notes:?}");
    } else {
        assert!(text(&file["delivery_problem"]).contains("kept in ClientOne"), "{there}");
        assert_eq!(words, 1, "{notes:?}");
    }
    let writes = app.all(owner, "/api/journal?action=ticket_file_attach").await;
    assert_eq!(writes.len(), usize::from(taken), "{writes:?}");
    // What is said of it there does not come back as news.
    app.db.clock.advance(3_600);
    app.post(owner, &format!("/api/connections/{connection}/sync"), &json!({})).await.ok();
    app.run_jobs().await;
    let seen = app.get(&user, &mine).await.ok();
    let said = seen["messages"].as_array().expect("messages").iter().filter(|one| one["kind"] == "reply").count();
    assert_eq!(said, 0, "{seen}");
}

both_databases! {
    async fn a_file_of_a_ticket_is_seen_by_those_who_see_the_ticket(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let (quay, reef) = (client(&app, owner, "Quay").await, client(&app, owner, "Reef").await);
        let (user, _) = member(&app, &house, &quay, "sam@quay.example", "user").await;
        let (other, _) = member(&app, &house, &quay, "max@quay.example", "user").await;
        let (manager, _) = member(&app, &house, &quay, "pat@quay.example", "manager").await;
        let (stranger, _) = member(&app, &house, &reef, "rob@reef.example", "manager").await;
        let ticket = make(&app, &user, "Printer").await;
        let (mine, desk) = (format!("/api/clientone/tickets/{ticket}"), format!("/api/portal-tickets/{ticket}"));
        let made = attach(&app, &user, &mine, "photo.png", PNG).await.ok();
        let id = text(&made["item"]["id"]);
        assert_eq!((made["item"]["media_type"].as_str(), made["item"]["of_company"].as_bool()), (Some("image/png"), Some(true)));
        let inside = attach(&app, owner, &desk, "notes.txt&internal=true", "They did not pay.").await.ok();
        attach(&app, owner, &desk, "manual.txt", "Turn it off and on.").await.ok();

        for caller in [&user, &manager] {
            let listed = app.get(caller, &format!("{mine}/attachments")).await.ok();
            assert_eq!(names(&listed), ["photo.png", "manual.txt"], "{listed}");
            let path = format!("{mine}/attachments/{id}/content");
            let response = app.request(caller, Method::GET, &path).send().await.expect("an answer");
            assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"photo.png\"; filename*=UTF-8''photo.png");
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            assert_eq!(response.bytes().await.expect("a body"), PNG);
            let secret = format!("{mine}/attachments/{}/content", text(&inside["item"]["id"]));
            app.get(caller, &secret).await.refused(404, "not_found");
        }
        for caller in [&other, &stranger] {
            app.get(caller, &format!("{mine}/attachments")).await.refused(404, "not_found");
            app.get(caller, &format!("{mine}/attachments/{id}/content")).await.refused(404, "not_found");
            attach(&app, caller, &mine, "photo.png", PNG).await.refused(404, "not_found");
        }
        let listed = app.get(owner, &format!("{desk}/attachments")).await.ok();
        assert_eq!(names(&listed), ["photo.png", "notes.txt", "manual.txt"]);
        assert_eq!(listed["items"][1]["internal"], true);
        let seen = app.get(&user, &mine).await.ok();
        assert!(!seen.to_string().contains("notes.txt") && seen.to_string().contains("manual.txt"), "{seen}");

        // Removed, its name stays and its content does not.
        app.delete(owner, &format!("{desk}/attachments/{id}")).await.ok();
        app.get(&user, &format!("{mine}/attachments/{id}/content")).await.refused(409, "removed");
        app.delete(owner, &format!("{desk}/attachments/{id}")).await.refused(409, "removed");
        let listed = app.get(&user, &format!("{mine}/attachments")).await.ok();
        assert!(listed["items"][0]["removed_at"].is_string(), "{listed}");
        let viewer = house.person(&app, "viewer", domain::Role::Viewer).await;
        app.get(&viewer, &format!("{desk}/attachments")).await.ok();
        attach(&app, &viewer, &desk, "a.txt", "x").await.refused(403, "forbidden");
    }

    async fn what_is_no_good_is_refused_and_leaves_nothing(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let quay = client(&app, &house.owner, "Quay").await;
        let (user, _) = member(&app, &house, &quay, "sam@quay.example", "user").await;
        let mine = format!("/api/clientone/tickets/{}", make(&app, &user, "Printer").await);
        for (name, content, code) in [
            ("run.exe", &b"MZ\x90\0\x03\0"[..], "type_not_taken"),
            ("photo.png", &b"MZ\x90\0\x03\0"[..], "type_not_taken"),
            ("photo.png", &b"<svg onload='alert(1)'/>"[..], "type_differs"),
            ("plan.pdf", &b"<html>%PDF-1.7"[..], "type_differs"),
            ("run.js", &b"alert(1)"[..], "type_not_taken"),
        ] {
            let refused = attach(&app, &user, &mine, name, content.to_vec()).await;
            assert_eq!((refused.status, codes(&refused)), (422, vec![code.to_owned()]), "{name}: {}", refused.text);
        }
        attach(&app, &user, &mine, "empty.txt", "").await.refused(422, "invalid");
        attach(&app, &user, &mine, "photo.png&dry_run=true", PNG).await.ok();
        assert_eq!(contents(&app), 0, "what was refused or previewed is kept");
        // An image with a script in it is text, and comes back as a file to be saved.
        let svg = attach(&app, &user, &mine, "plan.svg", "<svg onload='alert(1)'/>").await.ok();
        assert_eq!(svg["item"]["media_type"], "text/plain");
        // The same file twice is one; one key attaches once.
        attach(&app, &user, &mine, "plan.svg", "<svg onload='alert(1)'/>").await.refused(409, "already_attached");
        let keyed = async || {
            let request = app.request(&user, Method::POST, &format!("{mine}/attachments?name=log.txt"));
            let request = request.header("Idempotency-Key", "once").header("content-type", "application/octet-stream");
            app.send(request.body("lp0 on fire")).await.ok()
        };
        assert_eq!(keyed().await, keyed().await);
        assert_eq!(contents(&app), 2);
        for at in 0..23 {
            attach(&app, &user, &mine, &format!("{at}.txt"), "x").await.ok();
        }
        attach(&app, &user, &mine, "more.txt", "x").await.refused(409, "too_many_files");
        app.post(&user, &format!("{mine}/close"), &json!({})).await.ok();
        attach(&app, &user, &mine, "late.txt", "x").await.refused(409, "wrong_state");
        sections(&app, &house.owner, &quay, &["devices"]).await;
        app.get(&user, &format!("{mine}/attachments")).await.refused(404, "not_found");
    }

    async fn a_file_goes_to_autotask_once(db: TestDb) {
        at_a_psa(db, "autotask", true).await;
    }

    async fn a_psa_that_takes_no_files_is_told_of_it(db: TestDb) {
        at_a_psa(db, "halopsa", false).await;
    }
}
