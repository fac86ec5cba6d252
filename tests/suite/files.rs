//! The client list as a file, and files as clients: out and in again, whatever is in them.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    harness::{Answer, Caller, TestApp, text},
    house::House,
};

/// Characters with which a cell becomes a formula.
const LIVE: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

async fn import(app: &TestApp, caller: &Caller, query: &str, file: impl Into<reqwest::Body>) -> Answer {
    let request = app.request(caller, Method::POST, &format!("/api/imports/csv?{query}"));
    app.send(request.header("content-type", "text/csv; charset=utf-8").body(file.into())).await
}

/// Header and rows of an export.
async fn export(app: &TestApp, caller: &Caller, query: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let answer = app.get(caller, &format!("/api/clients/export?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.header("content-type").starts_with("text/csv"), "{}", answer.header("content-type"));
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"clients.csv\"");
    let mut reader = csv::Reader::from_reader(answer.text.as_bytes());
    let row = |row: csv::StringRecord| row.iter().map(str::to_owned).collect::<Vec<_>>();
    let header = row(reader.headers().expect("a header").clone());
    (header, reader.records().map(|record| row(record.expect("a row"))).collect())
}

async fn make(app: &TestApp, caller: &Caller, body: Value) -> String {
    text(&app.post(caller, "/api/clients", &body).await.ok()["item"]["id"])
}

fn column(header: &[String], name: &str) -> usize {
    header.iter().position(|known| known == name).unwrap_or_else(|| panic!("no column {name} in {header:?}"))
}

both_databases! {
    async fn an_export_comes_back_without_a_change(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let pax8 = app.connect(owner, "pax8").await;
        app.post(owner, "/api/imports", &json!({ "connection_id": pax8 })).await.ok();
        for (name, notes) in [
            ("=HYPERLINK(\"http://kite.example\")", "+49 30\n\"quoted\"; and, so on\r\nend"),
            ("'=already guarded", "''@twice"),
            ("-2+3", "'s-Hertogenbosch"),
            ("@SUM(A1:A9)", "שלום עולם 👩‍🚒"),
            ("Twin", "one"),
            ("TWIN", "two"),
        ] {
            let body = json!({ "name": name, "notes": notes, "phone": "+49 30 1", "contact_email": "-a@kite.example" });
            make(&app, owner, body).await;
        }
        let away = make(&app, owner, json!({ "name": "Away", "status": "inactive" })).await;
        app.post(owner, &format!("/api/clients/{away}/archive"), &json!({})).await.ok();

        let tagged = import(&app, owner, "", "name,tags\nAway,VIP|=a\\|b | c\\\\|vip\n").await.ok();
        assert_eq!(tagged["item"]["updated"], 1, "{tagged}");
        assert_eq!(app.get(owner, &format!("/api/clients/{away}")).await.ok()["client"]["tags"], json!(["=a|b", "c\\", "vip"]));

        let (header, rows) = export(&app, owner, "archived=included").await;
        assert_eq!(header[..8], ["id", "name", "status", "contact_email", "phone", "address", "notes", "tags"]);
        assert_eq!(header[8..], ["integrations", "pax8_id"]);
        let own = rows.iter().find(|row| row[1] == "Away").expect("is exported");
        assert_eq!(own[7], "'=a\\|b|c\\\\|vip");
        let cells = rows.iter().flatten();
        assert_eq!(cells.filter(|cell| cell.starts_with(LIVE)).collect::<Vec<_>>(), Vec::<&String>::new());
        assert!(rows.iter().any(|row| row[1] == "'=HYPERLINK(\"http://kite.example\")"));
        let all = app.all(owner, "/api/clients?archived=included").await;
        assert_eq!(rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>(), all.iter().map(|one| text(&one["id"])).collect::<Vec<_>>());
        let mapped = app.all(owner, &format!("/api/connections/{pax8}/entities?state=mapped")).await;
        for row in rows.iter().filter(|row| row[8] == "pax8") {
            let ids: Vec<String> = mapped.iter().filter(|one| one["client_id"] == row[0].as_str()).map(|one| text(&one["vendor_id"])).collect();
            assert_eq!(row[column(&header, "pax8_id")], ids.join("|"));
        }

        for query in ["archived=included", "archived=included&bom=true"] {
            let file = app.get(owner, &format!("/api/clients/export?{query}")).await;
            assert_eq!(file.text.starts_with('\u{feff}'), query.contains("bom"), "{query}");
            for rules in ["", "empty=clear", "on_error=skip"] {
                let done = import(&app, owner, rules, file.text.clone()).await.ok();
                let counts = ["created", "updated", "unchanged", "errors"].map(|name| done["item"][name].as_u64());
                assert_eq!(counts, [Some(0), Some(0), Some(rows.len() as u64), Some(0)], "{done}");
                assert_eq!((&done["change_set"]["total"], &done["change_set"]["entry_id"]), (&json!(0), &Value::Null));
                assert_eq!(done["item"]["ignored_columns"], json!(["integrations", "pax8_id"]));
            }
        }
    }

    async fn an_export_holds_what_the_list_holds(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let ids = house.furnish(&app).await;
        let hidden = &ids["hidden"];
        app.post(&house.owner, &format!("/api/clients/{}/archive", ids["client"]), &json!({})).await.ok();
        for query in ["", "search=a", "status=inactive", "has=pax8", "missing=pax8,ninjaone", "devices_min=1&users_max=5", "archived=only"] {
            let (_, rows) = export(&app, &house.owner, query).await;
            let listed = app.all(&house.owner, &format!("/api/clients?{query}")).await;
            let names = listed.iter().map(|one| (text(&one["id"]), one["integrations"].as_array().expect("a list").len()));
            let got = rows.iter().map(|row| (row[0].clone(), row[8].split('|').filter(|one| !one.is_empty()).count()));
            assert_eq!(got.collect::<Vec<_>>(), names.collect::<Vec<_>>(), "{query}");
        }
        let (_, archived) = export(&app, &house.owner, "archived=only").await;
        assert_eq!(archived.len(), 2, "the one of the house, and the one above");
        house.staff(&app, "scoped", domain::Role::Viewer, Some(vec![ids["subscriber"].clone()])).await;
        let scoped = app.sign_in(&house.email("scoped")).await;
        let (header, rows) = export(&app, &scoped, "archived=included").await;
        assert_eq!(rows.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), [ids["subscriber"].as_str()]);
        assert!(!header.concat().is_empty() && !rows.concat().concat().contains(hidden.as_str()));
        let book = app.get(&house.owner, "/api/clients/export?format=xlsx").await;
        assert_eq!(book.header("content-type"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
        assert!(book.text.starts_with("PK"), "not a workbook");
        app.get(&house.owner, "/api/clients/export?has=pax8&missing=xero").await.refused(422, "invalid");
    }

    async fn a_file_is_previewed_applied_once_and_reverted(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let kite = make(&app, owner, json!({ "name": "Kite" })).await;
        let file = "Firma;Telefon\nKite;1\nLark;2\n";
        let query = "column=name:Firma&column=phone:Telefon";
        let preview = import(&app, owner, &format!("{query}&dry_run=true"), file).await.ok();
        assert_eq!((&preview["item"]["created"], &preview["item"]["updated"]), (&json!(1), &json!(1)), "{preview}");
        assert_eq!(app.all(owner, "/api/clients").await.len(), 1, "a preview writes nothing");
        let expect = text(&preview["change_set"]["digest"]);
        let moved = import(&app, owner, &format!("{query}&expect={expect}"), "Firma;Telefon\nKite;1\n").await;
        moved.refused(409, "moved");
        let keyed = async |file: &'static str| {
            let path = format!("/api/imports/csv?{query}&expect={expect}");
            let request = app.request(owner, Method::POST, &path).header("idempotency-key", "one");
            app.send(request.header("content-type", "text/csv").body(file)).await
        };
        let done = keyed(file).await.ok();
        assert_eq!(keyed(file).await.ok(), done, "the same key gets the first answer");
        keyed("Firma;Telefon\n").await.refused(422, "invalid");
        let clients = app.all(owner, "/api/clients").await;
        assert_eq!(clients.iter().map(|one| text(&one["phone"])).collect::<Vec<_>>(), ["1", "2"]);
        let entry = text(&done["change_set"]["entry_id"]);
        app.post(owner, &format!("/api/journal/{entry}/revert"), &json!({})).await.ok();
        let left = app.all(owner, "/api/clients").await;
        assert_eq!((left.len(), text(&left[0]["id"]), &left[0]["phone"]), (1, kite, &Value::Null));
    }

    async fn a_file_that_is_none_is_refused_with_the_place(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let bad = "id,name,status\nx,Kite,\n,,maybe\n";
        let problem = import(&app, owner, "", bad).await.refused(422, "invalid");
        let places: Vec<&str> = problem["errors"].as_array().expect("errors").iter().filter_map(|one| one["pointer"].as_str()).collect();
        assert_eq!(places, ["/line/2/column/1", "/line/3/column/3"]);
        let preview = import(&app, owner, "dry_run=true", bad).await.ok();
        assert_eq!(preview["item"]["mistakes"].as_array().map(Vec::len), Some(2), "{preview}");
        assert!(text(&preview["warnings"][0]).contains("on_error=skip"));
        for query in ["column=name", "column=nothing:Firma", "column=name:"] {
            let refused = import(&app, owner, query, "name\nKite\n").await.refused(422, "invalid");
            assert_eq!(refused["errors"][0]["pointer"], "column", "{query}");
        }
        // Larger than other bodies may be, but not boundless.
        let notes = "n".repeat(9_000);
        let large: String = (0..400).map(|n| format!("Client {n},{notes}\n")).collect();
        let done = import(&app, owner, "dry_run=true", format!("name,notes\n{large}")).await.ok();
        assert_eq!(done["item"]["created"], 400);
        let beyond = || "x".repeat(20 * 1024 * 1024 + 1);
        import(&app, owner, "", beyond()).await.refused(413, "too_large");
        let pieces = (0..21).map(|_| Ok::<_, std::io::Error>("y".repeat(1024 * 1024)));
        let stream = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
        import(&app, owner, "", stream).await.refused(413, "too_large");
        let post = |path: &str| app.request(owner, Method::POST, path);
        let json_body = |request: RequestBuilder| request.json(&json!({ "name": "n".repeat(3 * 1024 * 1024) }));
        app.send(json_body(post("/api/clients"))).await.refused(413, "too_large");
        app.send(json_body(post("/api/imports/csv"))).await.refused(415, "wrong_content_type");
        app.send(post("/api/imports/csv").body("name\nKite\n")).await.refused(415, "wrong_content_type");
        import(&app, &Caller::Anonymous, "", large).await.refused(401, "unauthenticated");
        assert_eq!(app.all(owner, "/api/clients").await.len(), 0);
    }

    async fn clients_are_archived_restored_and_merged(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let (old, new) = (make(&app, owner, json!({ "name": "Old", "phone": "1" })).await, make(&app, owner, json!({ "name": "New" })).await);
        let ask = async |path: &str, body: Value| app.post(owner, &format!("/api/clients/{path}"), &body).await;
        let away = ask(&format!("{old}/archive"), json!({})).await.ok();
        assert!(away["item"]["archived_at"].is_string(), "{away}");
        assert_eq!(app.get(owner, "/api/clients/stats").await.ok()["total"], 1);
        assert!(app.get(owner, &format!("/api/clients/{old}")).await.ok()["client"]["archived_at"].is_string());
        let back = ask(&format!("{old}/restore"), json!({})).await.ok();
        assert!(back["item"]["archived_at"].is_null(), "{back}");
        house.staff(&app, "narrow", domain::Role::Viewer, Some(vec![old.clone()])).await;
        let preview = ask(&format!("{old}/merge?dry_run=true"), json!({ "into": new, "take": ["name"] })).await.ok();
        assert!(text(&preview["warnings"][0]).contains("narrow of kite"), "{preview}");
        assert_eq!((&preview["item"]["name"], &preview["item"]["phone"]), (&json!("Old"), &json!("1")));
        let digest = text(&preview["change_set"]["digest"]);
        let done = ask(&format!("{old}/merge?expect={digest}"), json!({ "into": new, "take": ["name"] })).await.ok();
        let led = app.get(owner, &format!("/api/clients/{old}")).await.ok();
        assert_eq!(led["client"]["id"].as_str(), Some(new.as_str()), "reads are led on to the one that stays");
        ask(&format!("{old}/merge"), json!({ "into": new })).await.refused(409, "client_merged");
        ask(&format!("{new}/merge"), json!({ "into": new })).await.refused(422, "invalid");
        let entry = text(&done["change_set"]["entry_id"]);
        app.post(owner, &format!("/api/journal/{entry}/revert"), &json!({})).await.ok();
        let names: Vec<String> = app.all(owner, "/api/clients").await.iter().map(|one| text(&one["name"])).collect();
        assert_eq!(names, ["New", "Old"]);
    }
}
