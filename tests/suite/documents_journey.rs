//! What people of clients see of documents: published ones, theirs, by role, and that they read them.

use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    harness::{Caller, TestApp, text},
    house::House,
    kept_files::{published, upload},
    portal, requests,
};

async fn titles(app: &TestApp, caller: &Caller, query: &str) -> Vec<String> {
    let listed = app.all(caller, &format!("/api/clientone/documents{query}")).await;
    listed.iter().map(|one| text(&one["title"])).collect()
}

async fn client(app: &TestApp, owner: &Caller, name: &str) -> String {
    let id = text(&app.post(owner, "/api/clients", &json!({ "name": name })).await.ok()["item"]["id"]);
    portal::enable(app, owner, &id).await;
    requests::sections(app, owner, &id, &["documents", "activity"]).await;
    id
}

both_databases! {
    async fn people_read_what_is_published_to_them(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let (quay, reef) = (client(&app, owner, "Quay").await, client(&app, owner, "Reef").await);
        let (user, _) = portal::member(&app, &house, &quay, "user@quay.example", "user").await;
        let (manager, _) = portal::member(&app, &house, &quay, "manager@quay.example", "manager").await;
        let (stranger, _) = portal::member(&app, &house, &reef, "user@reef.example", "manager").await;
        let plan = published(&app, owner, &quay, "Plan").await;
        let prices = upload(&app, owner, "name=prices.txt&title=Prices&category=Sales", "All prices.").await.ok();
        let prices = text(&prices["item"]["id"]);
        let to = json!({ "to": "chosen", "client_ids": [quay], "managers_only": true });
        app.post(owner, &format!("/api/files/{prices}/publish"), &to).await.ok();
        let written = json!({ "library": "customer", "title": "Opening hours", "content": "Always.", "published": true });
        let written = text(&app.post(owner, "/api/library-documents", &written).await.ok()["item"]["id"]);
        assert_eq!(titles(&app, &user, "").await, ["Opening hours", "Plan"]);
        assert_eq!(titles(&app, &manager, "").await, ["Opening hours", "Plan", "Prices"]);
        assert_eq!(titles(&app, &manager, "?category=sales").await, ["Prices"]);
        assert_eq!(titles(&app, &manager, "?search=PLAN").await, ["Plan"]);
        assert_eq!(titles(&app, &stranger, "").await, ["Opening hours"]);
        let page = app.get(&manager, "/api/clientone/documents?limit=2").await.ok();
        assert_eq!((page["total"].as_i64(), page["items"].as_array().map(Vec::len)), (Some(3), Some(2)));
        let next = app.get(&manager, &format!("/api/clientone/documents?limit=2&cursor={}", text(&page["next_cursor"]))).await.ok();
        assert_eq!((next["items"][0]["title"].as_str(), next["next_cursor"].is_null()), (Some("Prices"), true));
        let dashboard = app.get(&user, "/api/clientone/dashboard").await.ok();
        assert_eq!(dashboard["documents"], 2);
        // Reading.
        let path = |id: &str| format!("/api/clientone/documents/{id}");
        let text_read = app.get(&user, &path(&written)).await.ok();
        assert_eq!((text_read["kind"].as_str(), text_read["text"].as_str()), (Some("text"), Some("Always.")));
        let read = app.get(&user, &format!("{}/content", path(&plan))).await;
        assert_eq!((read.status, read.text.as_str()), (200, "What is planned."));
        assert!(read.header("content-disposition").starts_with("attachment; filename=\"plan.txt\""));
        app.get(&user, &format!("{}/content", path(&written))).await.refused(404, "not_found");
        for (who, id) in [(&user, &prices), (&stranger, &plan), (&stranger, &prices)] {
            app.get(who, &path(id)).await.refused(404, "not_found");
            app.get(who, &format!("{}/content", path(id))).await.refused(404, "not_found");
        }
        let deeds = app.all(&user, "/api/clientone/activity").await;
        assert_eq!(deeds.iter().filter(|deed: &&Value| deed["action"] == "company_document_read").count(), 2);
        // Taken back, it is gone at once, and with the section everything is.
        app.post(owner, &format!("/api/files/{plan}/unpublish"), &json!({})).await.ok();
        app.get(&user, &format!("{}/content", path(&plan))).await.refused(404, "not_found");
        assert_eq!(titles(&app, &user, "").await, ["Opening hours"]);
        requests::sections(&app, owner, &quay, &["activity"]).await;
        app.get(&manager, "/api/clientone/documents").await.refused(404, "not_found");
        assert!(app.get(&manager, "/api/clientone/dashboard").await.ok()["documents"].is_null());
    }

    async fn a_signed_agreement_is_a_pdf_for_both_sides(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let (quay, reef) = (client(&app, owner, "Quay").await, client(&app, owner, "Reef").await);
        for one in [&quay, &reef] {
            requests::sections(&app, owner, one, &["agreements"]).await;
        }
        let (manager, _) = portal::member(&app, &house, &quay, "manager@quay.example", "manager").await;
        let (stranger, _) = portal::member(&app, &house, &reef, "manager@reef.example", "manager").await;
        let draft = requests::draft(&app, owner, "Terms", true).await;
        requests::send(&app, owner, &draft, &[&quay]).await;
        let copy = requests::copy_of(&app, owner, &draft, &quay).await;
        let (here, there) =
            (format!("/api/clientone-admin/agreement-instances/{copy}/pdf"), format!("/api/clientone/agreements/{copy}/pdf"));
        app.get(owner, &here).await.refused(409, "not_signed");
        let shown = app.get(&manager, &format!("/api/clientone/agreements/{copy}")).await.ok();
        let signature = json!({ "name": "Gale Guest", "text_hash": shown["text_hash"] });
        app.post(&manager, &format!("/api/clientone/agreements/{copy}/sign"), &signature).await.ok();
        let pdf = async |caller: &Caller, path: &str| {
            let response = app.request(caller, reqwest::Method::GET, path).send().await.expect("an answer");
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["content-type"], "application/pdf");
            assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"Terms 1.pdf\"; filename*=UTF-8''Terms%201.pdf");
            response.bytes().await.expect("a body")
        };
        let printed = pdf(owner, &here).await;
        assert!(printed.starts_with(b"%PDF-") && printed.len() < 200_000, "{} bytes", printed.len());
        app.db.clock.advance(3_600);
        assert_eq!(pdf(&manager, &there).await, printed, "the same record gives the same bytes");
        app.get(&stranger, &there).await.refused(404, "not_found");
    }
}
