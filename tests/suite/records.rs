//! Records of clients: deleted and brought back, the customer and tenant lists as files, and how many threats a client
//! has.

use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    bulk::start,
    harness::{Caller, TestApp, text},
    house::House,
};

const CUSTOMERS: &str = "/api/msp-portal/customers";

async fn made(app: &TestApp, caller: &Caller, name: &str) -> String {
    text(&app.post(caller, "/api/clients", &json!({ "name": name })).await.ok()["item"]["id"])
}

/// Header and rows of a CSV file.
async fn file(app: &TestApp, caller: &Caller, path: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let answer = app.get(caller, path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.header("content-disposition").starts_with("attachment; filename="), "{path}");
    let mut reader = csv::Reader::from_reader(answer.text.as_bytes());
    let row = |row: csv::StringRecord| row.iter().map(str::to_owned).collect::<Vec<_>>();
    let header = row(reader.headers().expect("a header").clone());
    (header, reader.records().map(|record| row(record.expect("a row"))).collect())
}

both_databases! {
    async fn a_deleted_client_comes_back_for_thirty_days(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let pax8 = app.connect(owner, "pax8").await;
        app.post(owner, "/api/imports", &json!({ "connection_id": pax8 })).await.ok();
        let clients = app.all(owner, "/api/clients").await;
        let (first, second) = (text(&clients[0]["id"]), text(&clients[1]["id"]));
        let whole = app.get(owner, &format!("/api/clients/{first}")).await.ok();
        assert!(whole["mappings"].as_array().is_some_and(|all| !all.is_empty()));
        // Two are deleted at once, and one comes back.
        let body = json!({ "action": "delete", "clients": [first, second] });
        start(&app, owner, &body).await;
        app.run_jobs().await;
        let gone = app.all(owner, "/api/clients/deleted").await;
        assert_eq!(gone.len(), 2, "{gone:?}");
        assert!(gone.iter().all(|one| one.get("merged_into").is_none() && one["restorable_until"].is_string()));
        let undelete = |id: &str| format!("/api/clients/{id}/undelete");
        let preview = app.post(owner, &format!("{}?dry_run=true", undelete(&first)), &Value::Null).await.ok();
        assert_eq!(app.all(owner, "/api/clients/deleted").await.len(), 2, "a preview writes nothing");
        let digest = text(&preview["change_set"]["digest"]);
        let back = app.post(owner, &format!("{}?expect={digest}", undelete(&first)), &Value::Null).await.ok();
        assert_eq!((&back["item"]["name"], &back["warnings"]), (&whole["client"]["name"], &json!([])));
        let now = app.get(owner, &format!("/api/clients/{first}")).await.ok();
        let ids = |detail: &Value| -> Vec<String> {
            detail["mappings"].as_array().expect("mappings").iter().map(|one| text(&one["entity_id"])).collect()
        };
        assert_eq!(ids(&now), ids(&whole), "its mappings came back");
        let left = app.all(owner, "/api/clients/deleted").await;
        assert_eq!(left.iter().map(|one| text(&one["id"])).collect::<Vec<_>>(), std::slice::from_ref(&second));
        // Once more is once.
        let again = app.post(owner, &undelete(&first), &Value::Null).await.ok();
        assert_eq!(again["change_set"]["total"], 0);

        // What was decided since stays decided.
        let entity = app.all(owner, &format!("/api/connections/{pax8}/entities?state=unmapped")).await.remove(0);
        let map = json!({ "mappings": [{ "entity_id": entity["id"], "target": "client", "client_id": first }] });
        app.put(owner, "/api/mappings", &map).await.ok();
        let back = app.post(owner, &undelete(&second), &Value::Null).await.ok();
        assert_eq!(back["warnings"].as_array().map(Vec::len), Some(1), "{back}");
        assert_eq!(app.all(owner, "/api/clients/deleted").await.len(), 0);

        // Merged is not deleted; what is too long ago is gone; who may not delete brings nothing back.
        let (old, new) = (made(&app, owner, "Old").await, made(&app, owner, "New").await);
        app.post(owner, &format!("/api/clients/{old}/merge"), &json!({ "into": new })).await.ok();
        app.post(owner, &undelete(&old), &Value::Null).await.refused(409, "merged");
        let merged = app.all(owner, "/api/clients/deleted").await.remove(0);
        assert_eq!(merged["merged_into"], new.as_str());
        app.delete(owner, &format!("/api/clients/{new}")).await.ok();
        let engineer = house.person(&app, "engineer", Role::Engineer).await;
        app.post(&engineer, &undelete(&new), &Value::Null).await.refused(403, "forbidden");
        app.get(&engineer, "/api/clients/deleted").await.refused(403, "forbidden");
        let other = House::build(&app, "lark").await;
        app.post(&other.owner, &undelete(&new), &Value::Null).await.refused(404, "not_found");
        assert_eq!(app.get(&other.owner, "/api/clients/deleted").await.ok()["total"], 0);
    }

    async fn customers_and_tenants_are_files_as_they_are_lists(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let microsoft = app.connect(owner, "microsoft365").await;
        app.post(owner, "/api/imports", &json!({ "connection_id": microsoft })).await.ok();
        let body = json!({ "name": "=Formula", "primary_contact": "a@b.example", "notes": "two\nlines" });
        app.post(owner, CUSTOMERS, &body).await.ok();

        let (header, rows) = file(&app, owner, &format!("{CUSTOMERS}/export")).await;
        let seven = ["id", "name", "primary_contact", "tenants", "total_users", "health", "psa_id", "created_at"];
        assert_eq!(header[..8], seven);
        let listed = app.all(owner, CUSTOMERS).await;
        let shown = |one: &Value, field: &str| match &one[field] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let of_list = |one: &Value| ["id", "tenants", "total_users", "health", "psa_id"].map(|field| shown(one, field));
        let of_file = |row: &Vec<String>| [0, 3, 4, 5, 6].map(|at: usize| row[at].clone());
        assert_eq!(rows.iter().map(of_file).collect::<Vec<_>>(), listed.iter().map(of_list).collect::<Vec<_>>());
        assert!(rows.iter().any(|row| row[1] == "'=Formula"), "a formula");
        // The file changes nothing when it comes back.
        let csv = app.get(owner, &format!("{CUSTOMERS}/export")).await.text;
        let request = app.request(owner, Method::POST, "/api/imports/csv").header("content-type", "text/csv");
        let done = app.send(request.body(csv)).await.ok();
        assert_eq!((&done["item"]["unchanged"], &done["change_set"]["total"]), (&json!(rows.len()), &json!(0)), "{done}");

        let (header, rows) = file(&app, owner, "/api/tenants/export").await;
        let tenants = app.all(owner, "/api/tenants").await;
        let at = |name: &str| header.iter().position(|known| known == name).expect("a column");
        let figures = ["id", "tenant_id", "name", "domain", "customer_id", "health", "users"];
        let of_file: Vec<Vec<String>> =
            rows.iter().map(|row| figures.iter().map(|name| row[at(name)].clone()).collect()).collect();
        let of_list: Vec<Vec<String>> =
            tenants.iter().map(|one| figures.iter().map(|name| shown(one, name)).collect()).collect();
        assert_eq!(of_file, of_list);
        let book = app.get(owner, "/api/tenants/export?format=xlsx").await;
        assert!(book.text.starts_with("PK"), "not a workbook");
        assert_eq!(app.get(owner, "/api/journal?action=tenant_export").await.ok()["total"], 2);
        let finance = house.person(&app, "finance", Role::Finance).await;
        app.get(&finance, "/api/tenants/export").await.refused(403, "forbidden");
    }

    async fn ids_are_typed_with_a_new_client(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let typed = |integration: &str, id: &str| json!({ "integration": integration, "vendor_id": id });
        let body = json!({ "name": "Kite", "ids": [typed("threecx", "101"), typed("sophos", "abc")] });
        let done = app.post(owner, "/api/clients", &body).await.ok();
        let id = text(&done["item"]["id"]);
        let kinds: Vec<String> = done["change_set"]["changes"].as_array().expect("changes").iter().map(|one| text(&one["kind"])).collect();
        assert_eq!(kinds, ["client", "unverified_mapping", "unverified_mapping"], "one change set");
        let kept = app.get(owner, &format!("/api/clients/{id}/unverified-mappings")).await.ok();
        assert_eq!(kept["items"].as_array().map(Vec::len), Some(2), "{kept}");
        for (ids, pointer) in [
            (json!([typed("threecx", "102"), typed("nothing", "1")]), "/ids/1/integration"),
            (json!([typed("threecx", "  ")]), "/ids/0/vendor_id"),
        ] {
            let refused = app.post(owner, "/api/clients", &json!({ "name": "Lark", "ids": ids })).await.refused(422, "invalid");
            assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
        }
        let taken = json!({ "name": "Lark", "ids": [typed("sophos", "abc")] });
        app.post(owner, "/api/clients", &taken).await.refused(409, "taken");
        assert_eq!(app.all(owner, "/api/clients").await.len(), 1, "a refused one was made");
    }

    async fn a_clients_overview_counts_its_threats_where_they_are_known(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let unknown = made(&app, owner, "Unmapped").await;
        let detail = app.get(owner, &format!("/api/clients/{unknown}")).await.ok();
        assert!(detail.get("active_threats").is_none(), "unknown, not none: {detail}");
        let security = app.connect(owner, "sentinelone").await;
        app.post(owner, "/api/imports", &json!({ "connection_id": security })).await.ok();
        let mut some = 0;
        for client in app.all(owner, "/api/clients?has=sentinelone").await {
            let path = format!("/api/clients/{}", text(&client["id"]));
            let threats = app.all(owner, &format!("{path}/threats")).await;
            let active = threats.iter().filter(|threat| threat["active"] == true).count();
            let detail = app.get(owner, &path).await.ok();
            assert_eq!((&detail["active_threats"], &detail["threats"]["mapped"]), (&json!(active), &json!(true)));
            some += active;
        }
        assert!(some > 0, "nothing was counted");
    }
}
