//! The commercial face through the API: the paths and words of the customers page.

use domain::Role;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    harness::{Caller, TestApp, text},
    house::House,
};

const CUSTOMERS: &str = "/api/msp-portal/customers";

async fn made(app: &TestApp, caller: &Caller, name: &str) -> String {
    text(&app.post(caller, CUSTOMERS, &json!({ "name": name })).await.ok()["item"]["id"])
}

/// Names in a list.
fn names(listed: &[Value]) -> Vec<String> {
    listed.iter().map(|one| text(&one["name"])).collect()
}

both_databases! {
    async fn a_customer_lives_as_the_page_says(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        app.connect(owner, "microsoft365").await;
        app.connect(owner, "cipp").await;
        let psa = app.connect(owner, "connectwise-manage").await;
        let body = json!({
            "name": "Harbour", "primary_contact": "office@harbour.example", "phone": "1", "address": "Quay 1",
            "notes": "Closed on Wednesdays",
        });
        let made = app.post(owner, CUSTOMERS, &body).await.ok();
        let id = text(&made["item"]["id"]);
        let path = format!("{CUSTOMERS}/{id}");
        assert_eq!(made["item"]["health"], "unknown");
        assert_eq!(made["item"]["tenants"], 0);
        assert!(made["item"].get("total_users").is_none(), "unknown, not none: {made}");
        assert!(made["item"].get("licences").is_none() && made["item"].get("secure_score").is_none(), "{made}");
        // One record: the operations face has it under the same id.
        assert_eq!(app.get(owner, &format!("/api/clients/{id}")).await.ok()["client"]["name"], "Harbour");

        let tenants = app.all(owner, "/api/tenants").await;
        let both = tenants.iter().find(|tenant| tenant["connections"].as_array().is_some_and(|all| all.len() == 2));
        let both = both.expect("both tools list some tenant: it is shown once");
        let tenant = text(&both["id"]);
        let associate = json!({ "tenant_id": tenant });
        let preview = app.post(owner, &format!("{path}/tenants?dry_run=true"), &associate).await.ok();
        let changes = preview["change_set"]["changes"].as_array().expect("changes");
        let of = |kind: &str| changes.iter().filter(|change| change["kind"] == kind).count();
        // Both entities are mapped, and what they are called is learned.
        assert_eq!((of("mapping"), of("mapping") + of("client_alias")), (2, changes.len()), "{preview}");
        let digest = text(&preview["change_set"]["digest"]);
        app.post(owner, &format!("{path}/tenants?expect={digest}"), &associate).await.ok();
        let company = app.all(owner, &format!("/api/connections/{psa}/entities?state=unmapped")).await.remove(0);
        let map = json!({ "mappings": [{ "entity_id": company["id"], "target": "client", "client_id": id }] });
        app.put(owner, "/api/mappings", &map).await.ok();

        let listed = app.all(owner, &format!("{CUSTOMERS}?search=harb")).await;
        let [row] = listed.as_slice() else { panic!("one row: {listed:?}") };
        assert_eq!(row["tenants"], 1);
        assert_eq!(row["psa_id"], company["vendor_id"]);
        assert_eq!(row["primary_contact"]["email"], "office@harbour.example");
        let detail = app.get(owner, &path).await.ok();
        assert_eq!(detail["tenants"][0]["id"].as_str(), Some(tenant.as_str()));
        assert_eq!(detail["customer"]["total_users"], detail["tenants"][0]["users"]);
        assert_eq!(row["secure_score"], detail["tenants"][0]["secure_score"]);
        let seats = |figure: &str| row["licences"][figure].as_i64().expect("known");
        assert!(row["secure_score"].as_f64().is_some() && seats("owned") > 0 && seats("used") >= 0, "{row}");
        let (licensed, not) = (&row["total_users"], &row["unlicensed_users"]);
        let entity = detail["tenants"][0]["entities"].as_array().expect("entities").len();
        assert_eq!(entity, 2);
        let users = app.all(owner, &format!("/api/clients/{id}/users")).await;
        let sources: Vec<&Value> = users.iter().map(|user| &user["connection_id"]).collect();
        let most = sources.iter().map(|one| users.iter().filter(|user| user["connection_id"] == **one).count()).max();
        assert_eq!(licensed.as_u64().expect("known") + not.as_u64().expect("known"), most.unwrap_or(0) as u64);
        assert!(["healthy", "warning", "critical"].contains(&row["health"].as_str().expect("health")), "{row}");
        assert_eq!(row["stale"], false);
        app.db.clock.advance(7 * 86_400);
        let owner = &app.sign_in(&house.email("owner")).await;
        let old = app.get(owner, &path).await.ok();
        assert_eq!((&old["customer"]["health"], &old["customer"]["stale"]), (&json!("unknown"), &json!(true)));

        let other = text(&app.post(owner, CUSTOMERS, &json!({ "name": "Crane" })).await.ok()["item"]["id"]);
        let refused = app.post(owner, &format!("{CUSTOMERS}/{other}/tenants"), &associate).await.refused(409, "taken");
        assert!(text(&refused["detail"]).contains("Harbour"), "{refused}");
        let refused = app.delete(owner, &path).await.refused(409, "has_tenants");
        assert!(text(&refused["detail"]).contains(&text(&both["name"])), "{refused}");
        let replaced = app.put(owner, &path, &json!({ "name": "Harbour Dental", "phone": "2" })).await.ok();
        assert_eq!(replaced["item"]["phone"], "2");
        assert!(replaced["item"].get("notes").is_none() && replaced["item"].get("primary_contact").is_none());
        let refused = app.put(owner, &path, &json!({ "name": "H", "primary_contact": "nobody" })).await;
        assert_eq!(refused.refused(422, "invalid")["errors"][0]["pointer"], "/primary_contact");
        app.delete(owner, &format!("{path}/tenants/{tenant}")).await.ok();
        app.delete(owner, &path).await.ok();
        app.get(owner, &path).await.refused(404, "not_found");
        let actions = app.all(owner, &format!("{path}/activity")).await;
        let actions: Vec<&str> = actions.iter().filter_map(|entry| entry["action"].as_str()).collect();
        let expected = [
            "customer_delete", "customer_tenant_dissociate", "customer_update", "mapping_save", "customer_tenant_associate",
            "customer_create",
        ];
        assert_eq!(actions, expected);
        let only = app.all(owner, &format!("{path}/activity?action=customer_update&since=2020-01-01T00:00:00Z")).await;
        assert_eq!(only.len(), 1);
        assert!(app.all(owner, &format!("{path}/activity?until=2020-01-01T00:00:00Z")).await.is_empty());
    }

    async fn a_limited_caller_counts_and_sees_its_own_customers(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        app.connect(owner, "microsoft365").await;
        let (mine, hidden) = (made(&app, owner, "Mine").await, made(&app, owner, "Hidden From Some").await);
        let tenants = app.all(owner, "/api/tenants").await;
        for (customer, tenant) in [(&mine, &tenants[0]), (&hidden, &tenants[1])] {
            app.post(owner, &format!("{CUSTOMERS}/{customer}/tenants"), &json!({ "tenant_id": tenant["id"] })).await.ok();
        }
        house.staff(&app, "limited", Role::Admin, Some(vec![mine.clone()])).await;
        let limited = app.sign_in(&house.email("limited")).await;
        let page = app.get(&limited, CUSTOMERS).await.ok();
        assert_eq!((names(page["items"].as_array().expect("items")), &page["total"]), (vec!["Mine".to_owned()], &json!(1)));
        let page = app.get(&limited, "/api/tenants").await.ok();
        assert_eq!((&page["total"], &page["items"][0]["id"]), (&json!(1), &tenants[0]["id"]));
        assert_eq!(app.get(&limited, "/api/clients/stats").await.ok()["total"], 1);
        app.get(&limited, &format!("{CUSTOMERS}/{hidden}")).await.refused(404, "not_found");
        app.get(&limited, &format!("{CUSTOMERS}/{hidden}/activity")).await.refused(404, "not_found");
        app.get(&limited, &format!("/api/tenants/{}", text(&tenants[1]["id"]))).await.refused(404, "not_found");
        // Who may not see directories sees the customers, without the score.
        let finance = house.person(&app, "finance", Role::Finance).await;
        let detail = app.get(&finance, &format!("{CUSTOMERS}/{mine}")).await.ok();
        assert!(detail["tenants"][0].get("secure_score").is_none() && detail["tenants"][0]["name"].is_string(), "{detail}");
        app.get(&finance, "/api/tenants").await.refused(403, "forbidden");
    }

    async fn a_saved_filter_is_what_the_list_takes(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        for (query, why) in [
            ("colour=red", "unknown_parameter"),
            ("limit=5", "not_kept"),
            ("status=active&status=inactive", "twice"),
            ("status=asleep", "malformed"),
            ("devices_min=many", "malformed"),
            ("has=nothing", "unknown_integration"),
            ("has=pax8&missing=ninjaone", "one_of"),
        ] {
            let body = json!({ "name": "F", "query": query });
            let refused = app.post(owner, "/api/client-filters", &body).await.refused(422, "invalid");
            assert_eq!((&refused["errors"][0]["pointer"], &refused["errors"][0]["code"]), (&json!("/query"), &json!(why)), "{query}");
        }
        let query = "?search=a%20%26%20b&status=active&missing=dropsuite&devices_max=0&users_known=false&sort=name&direction=desc";
        let kept = app.post(owner, "/api/client-filters", &json!({ "name": "F", "query": query })).await.ok();
        app.post(owner, "/api/clients", &json!({ "name": "A & B" })).await.ok();
        app.post(owner, "/api/clients", &json!({ "name": "Crane" })).await.ok();
        let found = app.all(owner, &format!("/api/clients?{}", text(&kept["item"]["query"]))).await;
        assert_eq!(names(&found), ["A & B"]);
        let viewer = house.person(&app, "viewer", Role::Viewer).await;
        assert!(app.all(&viewer, "/api/client-filters").await.is_empty());
        app.post(&viewer, "/api/client-filters", &json!({ "name": "F", "query": "" })).await.ok();
        let (key, _) = house.key(&app, owner, "read").await;
        assert_eq!(app.all(&key, "/api/client-filters").await.len(), 1, "a key's are its owner's");
        app.post(&key, "/api/client-filters", &json!({ "name": "G", "query": "" })).await.refused(403, "forbidden");
    }
}
