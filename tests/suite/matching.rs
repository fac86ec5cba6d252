//! The mapping workbench through the API: what people confirm is learned, how far the matching is trusted is the
//! organisation's, and everything is mapped, swapped, excluded and unmapped in one change set each.

use domain::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    dump::{assert_same, dump},
    harness::{Caller, TestApp, text},
    house::House,
};

const SETTINGS: &str = "/api/organisation/matching";

async fn make(app: &TestApp, caller: &Caller, name: &str) -> String {
    text(&app.post(caller, "/api/clients", &json!({ "name": name })).await.ok()["item"]["id"])
}

fn to_client(entity: &Value, client: &str) -> Value {
    json!({ "entity_id": entity["id"], "target": "client", "client_id": client })
}

async fn save(app: &TestApp, caller: &Caller, mappings: &[Value]) -> Value {
    app.put(caller, "/api/mappings", &json!({ "mappings": mappings })).await.ok()
}

/// Changes of a kind in an answer.
fn changed(answer: &Value, kind: &str) -> usize {
    let changes = answer["change_set"]["changes"].as_array().expect("changes");
    changes.iter().filter(|change| change["kind"] == kind).count()
}

/// What a connection lists, without what is made to be mistaken for another.
async fn listed(app: &TestApp, caller: &Caller, connection: &str) -> Vec<Value> {
    let mut all = app.all(caller, &format!("/api/connections/{connection}/entities")).await;
    let trap = |name: String| ["harbour", "alder"].iter().any(|word| name.to_lowercase().contains(word));
    all.retain(|entity| !trap(text(&entity["name"])));
    all
}

/// The names that a client is known by.
async fn names(app: &TestApp, caller: &Caller, client: &str) -> Vec<String> {
    let all = app.all(caller, &format!("/api/clients/{client}/aliases")).await;
    all.iter().filter(|alias| alias["kind"] == "name").map(|alias| text(&alias["alias"])).collect()
}

both_databases! {
    async fn how_far_the_matching_is_trusted_is_said_by_owners_and_admins(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let first = app.get(owner, SETTINGS).await;
        assert_eq!(first.ok(), json!({ "threshold": 0.95, "version": 0 }));
        assert_eq!(first.header("etag"), "\"0\"");
        let before = dump(&app.db, &[]).await;
        for (threshold, code) in [(0.905, "not_a_step"), (0.49, "out_of_range"), (1.01, "out_of_range"), (-3.0, "out_of_range")] {
            let refused = app.patch(owner, SETTINGS, &json!({ "threshold": threshold })).await.refused(422, "invalid");
            assert_eq!((&refused["errors"][0]["pointer"], &refused["errors"][0]["code"]), (&json!("/threshold"), &json!(code)));
        }
        app.patch(owner, SETTINGS, &json!({ "threshold": "much" })).await.refused(400, "malformed");
        let preview = app.patch(owner, &format!("{SETTINGS}?dry_run=true"), &json!({ "threshold": 0.9 })).await.ok();
        assert_eq!((&preview["item"]["threshold"], &preview["change_set"]["total"]), (&json!(0.9), &json!(1)));
        assert_eq!(app.patch(owner, SETTINGS, &json!({})).await.ok()["change_set"]["total"], 0);
        assert_same(&before, &dump(&app.db, &[]).await, "what was refused, previewed or left out");

        let admin = house.person(&app, "admin", Role::Admin).await;
        let matched = async |etag: &str, threshold: f64| {
            let request = app.request(&admin, Method::PATCH, SETTINGS).json(&json!({ "threshold": threshold }));
            app.send(request.header("if-match", etag)).await
        };
        let done = matched("\"0\"", 0.9).await;
        assert_eq!((&done.ok()["item"], done.header("etag").as_str()), (&json!({ "threshold": 0.9, "version": 1 }), "\"1\""));
        matched("\"0\"", 0.8).await.refused(412, "stale");
        let again = matched("\"1\"", 0.9).await.ok();
        assert_eq!((&again["change_set"]["total"], &again["item"]["version"]), (&json!(0), &json!(1)), "nothing new was said");
        for (name, role) in [("engineer", Role::Engineer), ("viewer", Role::Viewer), ("finance", Role::Finance)] {
            let caller = house.person(&app, name, role).await;
            app.get(&caller, SETTINGS).await.refused(403, "forbidden");
            app.patch(&caller, SETTINGS, &json!({ "threshold": 0.5 })).await.refused(403, "forbidden");
        }
        // Suggestions hold to it, unless one asks for another.
        let connection = app.connect(owner, "ninjaone").await;
        let path = format!("/api/connections/{connection}/mapping-suggestions");
        assert_eq!(app.get(owner, &path).await.ok()["threshold"], 0.9);
        assert_eq!(app.get(owner, &format!("{path}?threshold=0.6")).await.ok()["threshold"], 0.6);
        // Another organisation has its own.
        let other = House::build(&app, "lark").await;
        assert_eq!(app.get(&other.owner, SETTINGS).await.ok()["threshold"], 0.95);
    }

    async fn what_people_map_is_learned_listed_and_forgotten(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let connection = app.connect(owner, "ninjaone").await;
        let entities = listed(&app, owner, &connection).await;
        let (first, second) = (&entities[0], &entities[1]);
        let named = |entity: &Value| text(&entity["name"]).trim().to_owned();
        let (one, two) = (make(&app, owner, "First Owner").await, make(&app, owner, "Second Owner").await);
        let saved = save(&app, owner, &[to_client(first, &one), to_client(second, &two)]).await;
        assert_eq!(changed(&saved, "mapping"), 2, "{saved}");
        assert!(changed(&saved, "client_alias") >= 2, "{saved}");
        assert_eq!((names(&app, owner, &one).await, names(&app, owner, &two).await), (vec![named(first)], vec![named(second)]));

        // Swapped in one change set, and reverted whole.
        let swapped = save(&app, owner, &[to_client(first, &two), to_client(second, &one)]).await;
        assert_eq!(changed(&swapped, "mapping"), 2, "{swapped}");
        let owners: Vec<&Value> = swapped["item"]["entities"].as_array().expect("entities").iter().map(|one| &one["client_id"]).collect();
        assert_eq!(owners, [&json!(two), &json!(one)]);
        assert_eq!((names(&app, owner, &one).await, names(&app, owner, &two).await), (vec![named(second)], vec![named(first)]));
        let revert = format!("/api/journal/{}/revert", text(&swapped["change_set"]["entry_id"]));
        app.post(owner, &revert, &json!({})).await.ok();
        assert_eq!((names(&app, owner, &one).await, names(&app, owner, &two).await), (vec![named(first)], vec![named(second)]));

        let path = format!("/api/clients/{one}/aliases");
        let alias = app.all(owner, &path).await.into_iter().find(|alias| alias["kind"] == "name").expect("a name");
        assert_eq!((&alias["entity_id"], &alias["integration"]), (&first["id"], &json!("ninjaone")));
        assert!(alias["learned_at"].is_string() && alias["learned_by"].is_string(), "{alias}");
        let at = format!("{path}/{}", text(&alias["id"]));
        let viewer = house.person(&app, "viewer", Role::Viewer).await;
        assert_eq!(app.get(&viewer, &path).await.ok()["items"], app.get(owner, &path).await.ok()["items"]);
        app.delete(&viewer, &at).await.refused(403, "forbidden");
        let finance = house.person(&app, "finance", Role::Finance).await;
        app.delete(&finance, &at).await.refused(403, "forbidden");
        app.delete(owner, &format!("/api/clients/{two}/aliases/{}", text(&alias["id"]))).await.refused(404, "not_found");
        let preview = app.delete(owner, &format!("{at}?dry_run=true")).await.ok();
        assert_eq!((&preview["change_set"]["total"], names(&app, owner, &one).await.len()), (&json!(1), 1));
        let gone = app.delete(owner, &format!("{at}?reason=wrong&expect={}", text(&preview["change_set"]["digest"]))).await.ok();
        assert_eq!((&gone["item"], names(&app, owner, &one).await.len()), (&alias, 0));
        app.delete(owner, &at).await.refused(404, "not_found");
        let entry = app.get(owner, &format!("/api/journal/{}", text(&gone["change_set"]["entry_id"]))).await.ok();
        assert_eq!((&entry["action"], &entry["reason"]), (&json!("alias_delete"), &json!("wrong")), "{entry}");
        let verified = app.get(owner, "/api/journal/verification").await.ok();
        assert_eq!(verified["sound"], true, "{verified}");
    }

    async fn the_workbench_is_filtered_sorted_and_paged(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let connection = app.connect(owner, "ninjaone").await;
        let whole = app.all(owner, &format!("/api/connections/{connection}/entities")).await;
        let entities = listed(&app, owner, &connection).await;
        let path = format!("/api/connections/{connection}/mapping-suggestions");
        let client = make(&app, owner, "Whoever Owns Them").await;
        let mapped: Vec<Value> = entities.iter().take(3).map(|entity| to_client(entity, &client)).collect();
        save(&app, owner, &mapped).await;
        let twins = &entities[4];
        for _ in 0..2 {
            make(&app, owner, &text(&twins["name"])).await;
        }
        let sure = &entities[5];
        make(&app, owner, &text(&sure["name"])).await;
        let why = json!([{ "entity_id": entities[3]["id"], "target": "excluded", "reason": "our own test organisation" }]);
        app.put(owner, "/api/mappings", &json!({ "mappings": why })).await.ok();
        let asked = async |query: &str| app.get(owner, &format!("{path}?{query}")).await.ok();
        let count = whole.len() as u64;
        for (state, expected) in [("all", count), ("unmapped", count - 4), ("mapped", 3), ("excluded", 1)] {
            let found = asked(&format!("state={state}")).await;
            assert_eq!(found["total"].as_u64(), Some(expected), "{state}");
            assert_eq!(found["items"].as_array().map(|items| items.len() as u64), Some(expected), "all at once");
        }
        assert_eq!(app.get(owner, &path).await.ok()["total"].as_u64(), Some(count - 4), "the open ones are the usual");
        let excluded = asked("state=excluded").await;
        assert_eq!(excluded["items"][0]["entity"]["reason"], "our own test organisation");
        let ambiguous = asked("state=ambiguous").await;
        let ids = |found: &Value| -> Vec<String> {
            found["items"].as_array().expect("items").iter().map(|one| text(&one["entity"]["id"])).collect()
        };
        assert!(ids(&ambiguous).contains(&text(&twins["id"])), "{ambiguous}");
        assert!(ambiguous["items"].as_array().expect("items").iter().all(|one| one["advice"] == "ambiguous"));
        let likely = asked("min_score=0.95&sort=score&direction=desc").await;
        assert!(ids(&likely).contains(&text(&sure["id"])), "{likely}");
        let score = |one: &Value| one["suggestions"][0]["score"].as_f64().unwrap_or_default();
        let scores: Vec<f64> = likely["items"].as_array().expect("items").iter().map(score).collect();
        assert!(scores.iter().all(|score| *score >= 0.95) && scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
        let found = app.send(app.request(owner, Method::GET, &path).query(&[("search", text(&sure["name"]).to_uppercase())])).await.ok();
        assert!(ids(&found).contains(&text(&sure["id"])) && found["total"].as_u64() < Some(count - 4), "{found}");
        for query in ["state=all", "sort=score&direction=desc", "sort=score", "direction=desc&state=all"] {
            let unpaged = ids(&asked(query).await);
            let (mut paged, mut next) = (Vec::new(), Some(String::new()));
            while let Some(cursor) = next {
                let page = asked(&format!("{query}&limit=2{cursor}")).await;
                assert_eq!(page["total"].as_u64(), Some(unpaged.len() as u64));
                paged.extend(ids(&page));
                next = page["next_cursor"].as_str().map(|cursor| format!("&cursor={cursor}"));
            }
            assert_eq!(paged, unpaged, "{query}");
        }
        for (query, parameter) in [("min_score=1.2", "min_score"), ("min_score=-1", "min_score"), ("threshold=0.4", "threshold"), ("limit=0", "limit")] {
            let refused = app.get(owner, &format!("{path}?{query}")).await.refused(422, "invalid");
            assert_eq!(refused["errors"][0]["pointer"], parameter, "{refused}");
        }
        let typed = json!({ "integration": "ninjaone", "vendor_id": "999999001" });
        app.post(owner, &format!("/api/clients/{client}/unverified-mappings"), &typed).await.ok();
        let unverified = asked("state=unverified&limit=5").await;
        assert_eq!((&unverified["total"], &unverified["unverified"][0]["client_id"]), (&json!(1), &json!(client)), "{unverified}");
        assert_eq!((&unverified["unverified"][0]["vendor_id"], &unverified["items"]), (&json!("999999001"), &json!([])));
        assert_eq!(asked("state=unverified&search=nowhere").await["total"], 0);

        // Everything is unmapped in one change set, and what was learned goes with it.
        assert!(!names(&app, owner, &client).await.is_empty());
        let nobody = |entity: &Value| json!({ "entity_id": entity["id"], "target": "nobody" });
        let undone = save(&app, owner, &whole.iter().map(nobody).collect::<Vec<_>>()).await;
        assert_eq!(changed(&undone, "mapping"), 4, "{undone}");
        assert_eq!(asked("state=unmapped").await["total"].as_u64(), Some(count));
        assert!(names(&app, owner, &client).await.is_empty());
        let revert = format!("/api/journal/{}/revert", text(&undone["change_set"]["entry_id"]));
        app.post(owner, &revert, &json!({})).await.ok();
        assert_eq!((&asked("state=mapped").await["total"], &asked("state=excluded").await["items"][0]["entity"]["reason"]), (&json!(3), &json!("our own test organisation")));
    }
}
