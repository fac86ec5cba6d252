//! What an MSP does all day: connect its tools, make clients of what they list, keep them mapped, look at
//! them, change a quantity, and undo what was wrong. The world is the oracle of every count.

use std::collections::{BTreeMap, BTreeSet};

use integration::RecordKind;
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    harness::{Caller, TestApp, text},
    house::House,
};

const VENDORS: [&str; 3] = ["ninjaone", "microsoft365", "pax8"];

both_databases! {
    async fn every_tool_is_connected_and_lists_what_the_world_has(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let catalogue = app.get(&house.owner, "/api/integrations").await.ok();
        let known: BTreeSet<String> = items(&catalogue).iter().map(|one| text(&one["id"])).collect();
        assert_eq!(known, registry::ALL.iter().map(|entry| entry.id.to_owned()).collect());
        // Those that want consent at their own page are tried in `consent.rs`.
        let vendors: Vec<&str> =
            registry::ALL.iter().filter(|entry| entry.consent_field().is_none()).map(|entry| entry.id).collect();
        for vendor in &vendors {
            let vendor = *vendor;
            let tried = json!({ "integration": vendor, "credentials": app.credentials(vendor) });
            assert_eq!(app.post(&house.owner, "/api/connections/trial", &tried).await.ok()["works"], true);
            let id = app.connect(&house.owner, vendor).await;
            let connection = app.get(&house.owner, &format!("/api/connections/{id}")).await.ok();
            // Some of the world's tenants refuse on purpose, and one customer gives no token: the rest is there, and
            // the state says so.
            let state = if ["microsoft365", "dropsuite"].contains(&vendor) { "degraded" } else { "connected" };
            assert_eq!(connection["state"], state, "{connection}");
            assert_eq!(connection["state_reason"].is_string(), state == "degraded", "{connection}");
            assert_eq!(connection["syncing"], false, "{connection}");
            assert_eq!(connection["last_synced_at"].is_string(), state == "connected", "{connection}");
            assert!(!connection.to_string().contains("secret"), "{connection}");
            let entities = app.all(&house.owner, &format!("/api/connections/{id}/entities")).await;
            let expected = app.world(|world| app.simulator(vendor).expected(world, RecordKind::Entity));
            assert_eq!(Some(entities.len()), expected, "{vendor}");
            let runs = app.all(&house.owner, &format!("/api/runs?connection_id={id}")).await;
            assert!(!runs.is_empty(), "{vendor} has no runs");
            for run in runs {
                assert_eq!(run["connection_id"], id.as_str());
                let counts = &run["counts"];
                let of = |name: &str| counts[name].as_i64().expect("a number");
                let sum = ["added", "changed", "unchanged", "rejected", "repeated"].map(of).iter().sum::<i64>();
                assert_eq!(of("listed"), sum, "{run}");
                let kind = RecordKind::parse(run["kind"].as_str().expect("a kind")).expect("a known kind");
                let expected = app.world(|world| app.simulator(vendor).expected(world, kind));
                assert!(expected.is_none_or(|expected| expected == of("added") as usize), "{vendor}: {run}");
            }
            let again = app.post(&house.owner, &format!("/api/connections/{id}/sync"), &json!({})).await.ok();
            assert_eq!(again["started"], true);
            app.run_jobs().await;
        }
        let listed = app.get(&house.owner, "/api/connections").await.ok();
        assert_eq!(items(&listed).len(), vendors.len());
        let menus = app.get(&house.owner, "/api/integrations/menus").await.ok();
        let lines = |menu: &str| menus[menu].as_array().expect("a menu").len();
        // CIPP and Microsoft 365 fill the same kind of entity: two lines to import from, one to map to. Of 3CX and
        // SMTP2GO nothing is imported, only mapped.
        assert_eq!((lines("import"), lines("map")), (vendors.len() - 2, vendors.len() - 1));
    }

    async fn credentials_that_do_not_work_are_told_apart_and_nothing_is_saved(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        for vendor in VENDORS {
            let base = app.vendors.base_of(vendor);
            let simulator = app.simulator(vendor);
            let wrong = json!({ "integration": vendor, "credentials": simulator.wrong_credentials(&base) });
            let powerless = json!({ "integration": vendor, "credentials": simulator.powerless_credentials(&base) });
            let elsewhere = json!({
                "integration": vendor, "credentials": simulator.credentials("http://127.0.0.1:9/nobody"),
            });
            for path in ["/api/connections/trial", "/api/connections"] {
                let answer = app.post(&house.owner, path, &wrong).await;
                answer.refused(502, "vendor_credentials");
                let answer = app.post(&house.owner, path, &powerless).await;
                answer.refused(502, "vendor_forbidden");
                let problem = app.post(&house.owner, path, &elsewhere).await;
                assert!([422, 502].contains(&problem.status), "{vendor}: {}", problem.text);
                problem.problem();
                let empty = json!({ "integration": vendor, "credentials": {} });
                let problem = app.post(&house.owner, path, &empty).await.refused(422, "invalid");
                let pointer = problem["errors"][0]["pointer"].as_str().expect("a pointer");
                assert!(pointer.starts_with("/credentials/"), "{problem}");
            }
        }
        assert_eq!(items(&app.get(&house.owner, "/api/connections").await.ok()).len(), 0);
        assert_eq!(items(&app.get(&house.owner, "/api/runs").await.ok()).len(), 0);
    }

    async fn credentials_that_stop_working_ask_for_new_ones_and_go_on_with_them(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let id = app.connect(&house.owner, "ninjaone").await;
        let path = format!("/api/connections/{id}");
        // Tokens that end are no trouble: a new one is fetched.
        app.simulator("ninjaone").expire_tokens();
        app.post(&house.owner, &format!("{path}/sync"), &json!({})).await.ok();
        app.run_jobs().await;
        assert_eq!(app.get(&house.owner, &path).await.ok()["state"], "connected");

        let wrong = app.simulator("ninjaone").wrong_credentials(&app.vendors.base_of("ninjaone"));
        let refused = app.patch(&house.owner, &path, &json!({ "credentials": wrong })).await;
        refused.refused(502, "vendor_credentials");
        assert_eq!(app.get(&house.owner, &path).await.ok()["state"], "connected", "wrong ones replaced right ones");

        app.post(&house.owner, &format!("{path}/disconnect"), &json!({})).await.ok();
        let off = app.get(&house.owner, &path).await.ok();
        assert_eq!(off["state"], "disconnected");
        app.post(&house.owner, &format!("{path}/sync"), &json!({})).await.refused(409, "not_connected");
        app.post(&house.owner, &format!("{path}/reconnect"), &json!({})).await.ok();
        app.run_jobs().await;
        assert_eq!(app.get(&house.owner, &path).await.ok()["state"], "connected");
        let patch = json!({ "credentials": app.credentials("ninjaone"), "name": "The second app" });
        let saved = app.patch(&house.owner, &path, &patch).await.ok();
        assert_eq!(saved["item"]["name"], "The second app");
    }

    async fn an_import_is_previewed_applied_and_reverted_whole(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let id = app.connect(&house.owner, "pax8").await;
        let expected = app.world(|world| world.known_to("pax8").count() as u64);
        let body = json!({ "connection_id": id });
        let preview = app.post(&house.owner, "/api/imports?dry_run=true", &body).await.ok();
        assert_eq!(preview["change_set"]["dry_run"], true);
        let sum = |result: &Value| {
            let of = |name: &str| result["item"][name].as_u64().expect("a number");
            ["created", "linked", "already_mapped", "conflicts", "skipped"].map(of).iter().sum::<u64>()
        };
        assert_eq!(sum(&preview), expected);
        assert_eq!(count(&app, &house.owner, "").await, 0, "a preview made clients");
        let digest = text(&preview["change_set"]["digest"]);
        let done = app.post(&house.owner, &format!("/api/imports?expect={digest}"), &body).await.ok();
        assert_eq!(done["change_set"]["digest"], digest.as_str());
        for figure in ["created", "linked", "already_mapped", "conflicts", "skipped"] {
            assert_eq!(done["item"][figure], preview["item"][figure], "{figure}");
        }
        let created = done["item"]["created"].as_u64().expect("a number");
        assert!(created > 0 && created <= expected);
        assert_eq!(count(&app, &house.owner, "").await, created);
        let mapped = app.all(&house.owner, &format!("/api/connections/{id}/entities?state=mapped")).await;
        assert_eq!(mapped.len() as u64, created + done["item"]["linked"].as_u64().expect("a number"));

        let again = app.post(&house.owner, "/api/imports", &body).await.ok();
        assert_eq!((again["item"]["created"].as_u64(), sum(&again)), (Some(0), expected), "a second import makes nothing");

        let entry = text(&done["change_set"]["entry_id"]);
        let revert = format!("/api/journal/{entry}/revert");
        let undone = app.post(&house.owner, &revert, &json!({})).await.ok();
        assert_eq!(undone["change_set"]["total"], done["change_set"]["total"]);
        assert_eq!(count(&app, &house.owner, "").await, 0, "a reverted import left clients");
        let still = app.all(&house.owner, &format!("/api/connections/{id}/entities?state=mapped")).await;
        assert_eq!(still.len(), 0);
        let verified = app.get(&house.owner, "/api/journal/verification").await.ok();
        assert_eq!(verified["sound"], true, "{verified}");
    }

    async fn mapping_moves_what_is_stored_at_once(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let rmm = app.connect(owner, "ninjaone").await;
        let (key, devices) = app.world(|world| {
            let most = world.known_to("ninjaone").max_by_key(|business| business.devices.len()).expect("one");
            (most.key.to_string(), most.devices.len())
        });
        let entities = app.all(owner, &format!("/api/connections/{rmm}/entities")).await;
        let entity = entities.iter().find(|entity| entity["vendor_id"] == key.as_str()).expect("is listed");
        let entity = text(&entity["id"]);
        let make = async |name: &str| {
            let made = app.post(owner, "/api/clients", &json!({ "name": name })).await.ok();
            text(&made["item"]["id"])
        };
        let (one, two) = (make("First Owner").await, make("Second Owner").await);
        let map = |client: Option<&str>| match client {
            Some(client) => json!({ "mappings": [{ "entity_id": entity, "target": "client", "client_id": client }] }),
            None => json!({ "mappings": [{ "entity_id": entity, "target": "nobody" }] }),
        };
        let total = async |client: &str| {
            let listed = app.get(owner, &format!("/api/clients/{client}/devices")).await.ok();
            let shown = app.get(owner, &format!("/api/clients/{client}")).await.ok()["client"]["device_count"].clone();
            (listed["total"].as_u64().expect("a total") as usize, shown.as_u64().map(|count| count as usize))
        };
        // Nothing mapped: unknown, not none.
        assert_eq!(total(&one).await, (0, None));
        let saved = app.put(owner, "/api/mappings", &map(Some(&one))).await.ok();
        assert_eq!(saved["item"]["entities"][0]["client_id"], one.as_str());
        assert_eq!((total(&one).await, total(&two).await), ((devices, Some(devices)), (0, None)));
        app.put(owner, "/api/mappings", &map(Some(&two))).await.ok();
        assert_eq!((total(&one).await, total(&two).await), ((0, None), (devices, Some(devices))));
        app.run_jobs().await;
        let moved = app.put(owner, "/api/mappings", &map(None)).await.ok();
        assert_eq!((total(&one).await, total(&two).await), ((0, None), (0, None)));
        // Undone, everything is back where it was.
        let entry = text(&moved["change_set"]["entry_id"]);
        app.post(owner, &format!("/api/journal/{entry}/revert"), &json!({})).await.ok();
        assert_eq!(total(&two).await, (devices, Some(devices)));
        let unchanged = app.put(owner, "/api/mappings", &map(Some(&two))).await.ok();
        assert_eq!(unchanged["change_set"]["total"], 0);
        assert!(unchanged["change_set"]["entry_id"].is_null(), "a save without news wrote the journal");
    }

    async fn the_client_list_finds_by_every_filter_and_pages_without_loss(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        for vendor in VENDORS {
            let id = app.connect(owner, vendor).await;
            app.post(owner, "/api/imports", &json!({ "connection_id": id })).await.ok();
        }
        let all = app.all(owner, "/api/clients").await;
        assert!(all.len() >= 12, "{} clients", all.len());
        let stats = app.get(owner, "/api/clients/stats").await.ok();
        assert_eq!(stats["total"].as_u64(), Some(all.len() as u64));
        let names = |list: &[Value]| list.iter().map(|client| text(&client["name"])).collect::<Vec<_>>();
        // Page by page is the whole list, each once, in order; links lead on.
        let (mut paged, mut path) = (Vec::new(), Some("/api/clients?limit=5&sort=name".to_owned()));
        while let Some(at) = path {
            let answer = app.get(owner, &at).await;
            let link = answer.header("link");
            let page = answer.ok();
            assert_eq!(page["total"].as_u64(), Some(all.len() as u64));
            paged.extend(items(&page));
            path = link.strip_prefix('<').and_then(|rest| rest.split_once('>')).map(|(to, _)| to.to_owned());
            assert_eq!(path.is_some(), page["next_cursor"].is_string());
        }
        assert_eq!(names(&paged), names(&all));
        let has = |client: &Value, vendor: &str| {
            client["integrations"].as_array().expect("a list").iter().any(|one| one == vendor)
        };
        for vendor in VENDORS {
            let with = app.all(owner, &format!("/api/clients?has={vendor}")).await;
            let without = app.all(owner, &format!("/api/clients?missing={vendor}")).await;
            assert_eq!(with.len() + without.len(), all.len(), "{vendor}");
            assert!(with.iter().all(|client| has(client, vendor)) && !without.iter().any(|client| has(client, vendor)));
        }
        let both = app.all(owner, "/api/clients?has=ninjaone,pax8").await;
        let expected: Vec<_> = all.iter().filter(|one| has(one, "ninjaone") && has(one, "pax8")).cloned().collect();
        assert_eq!(names(&both), names(&expected));
        let count_of = |client: &Value| client["device_count"].as_i64().unwrap_or(0);
        let many = app.all(owner, "/api/clients?devices_min=3&devices_max=8").await;
        let expected: Vec<_> = all.iter().filter(|one| (3..=8).contains(&count_of(one))).cloned().collect();
        assert_eq!(names(&many), names(&expected));
        let sorted = app.all(owner, "/api/clients?sort=device_count&direction=desc").await;
        assert!(sorted.windows(2).all(|pair| count_of(&pair[0]) >= count_of(&pair[1])));
        assert_eq!(sorted.len(), all.len());
        let part: String = text(&all[3]["name"]).chars().take(5).collect();
        let found = app.get(owner, &format!("/api/clients?search={}", part.replace(' ', "%20"))).await.ok();
        assert!(names(&items(&found)).contains(&text(&all[3]["name"])), "{found}");
        for nothing in ["%25", "_", "%5C", "%27%20OR%201%3D1--"] {
            assert_eq!(count(&app, owner, &format!("?search={nothing}")).await, 0, "{nothing} is taken literally");
        }
        let inactive = text(&all[0]["id"]);
        app.patch(owner, &format!("/api/clients/{inactive}"), &json!({ "status": "inactive" })).await.ok();
        assert_eq!(count(&app, owner, "?status=inactive").await, 1);
        assert_eq!(count(&app, owner, "?status=active").await, all.len() as u64 - 1);
        let stats = app.get(owner, "/api/clients/stats").await.ok();
        assert_eq!((stats["inactive"].as_u64(), stats["total"].as_u64()), (Some(1), Some(all.len() as u64)));
    }

    async fn a_clients_page_shows_what_each_vendor_said_and_how_old_it_is(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let tenants = app.connect(owner, "microsoft365").await;
        app.post(owner, "/api/imports", &json!({ "connection_id": tenants })).await.ok();
        let open = |key: u64| key % 31 != 7;
        let truth: BTreeMap<String, usize> = app.world(|world| {
            let known = world.known_to("microsoft365").filter(|business| open(business.key));
            known.map(|business| (business.tenant_id.to_string(), business.people.len())).collect()
        });
        let mut seen = 0;
        for entity in app.all(owner, &format!("/api/connections/{tenants}/entities?state=mapped")).await {
            let client = text(&entity["client_id"]);
            let Some(people) = truth.get(entity["vendor_id"].as_str().expect("an id")) else { continue };
            let detail = app.get(owner, &format!("/api/clients/{client}")).await.ok();
            // Nothing that lists devices is mapped: nobody knows, and nobody says none.
            assert!(detail["client"]["device_count"].is_null(), "{detail}");
            assert!(detail["devices"]["synced_at"].is_null(), "{detail}");
            assert!(detail["users"]["synced_at"].is_string(), "{detail}");
            assert_eq!(detail["users"]["stale"], false, "{detail}");
            let first = app.get(owner, &format!("/api/clients/{client}/users?limit=1")).await;
            if *people > 1 {
                let link = first.header("link");
                let path = link.strip_prefix('<').and_then(|rest| rest.split_once('>')).expect("a link").0;
                let next = app.get(owner, path).await.ok();
                assert_ne!(next["items"][0]["id"], first.ok()["items"][0]["id"], "{path}");
            }
            let users = app.get(owner, &format!("/api/clients/{client}/users?limit=100")).await.ok();
            assert_eq!(users["total"].as_u64(), Some(*people as u64), "{entity}");
            for user in items(&users) {
                assert!(["registered", "not_registered", "unknown"].contains(&user["mfa"].as_str().expect("a word")));
            }
            let graph = app.get(owner, &format!("/api/clients/{client}/microsoft365")).await.ok();
            assert_eq!(graph["secure_scores"].as_array().map(Vec::len), Some(1), "{graph}");
            assert!(!graph["domains"].as_array().expect("domains").is_empty(), "{graph}");
            seen += people;
        }
        let expected = app.world(|world| app.simulator("microsoft365").expected(world, RecordKind::DirectoryUser));
        assert!(seen > 0 && Some(seen) >= expected.map(|all| all / 2), "{seen} people of {expected:?}");
        // A day without a sync, and a vendor switched off, show as stale.
        app.post(owner, &format!("/api/connections/{tenants}/disconnect"), &json!({})).await.ok();
        let mapped = app.all(owner, &format!("/api/connections/{tenants}/entities?state=mapped")).await;
        let client = text(&mapped[0]["client_id"]);
        let detail = app.get(owner, &format!("/api/clients/{client}")).await.ok();
        assert_eq!(detail["users"]["stale"], true, "{detail}");
    }

    async fn a_quantity_is_changed_at_the_vendor_and_refused_under_commitment(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let billing = app.connect(owner, "pax8").await;
        app.post(owner, "/api/imports", &json!({ "connection_id": billing })).await.ok();
        let mut rows = Vec::new();
        for client in app.all(owner, "/api/clients").await {
            let id = text(&client["id"]);
            for row in app.all(owner, &format!("/api/clients/{id}/subscriptions")).await {
                assert_eq!(row["editable"], true, "{row}");
                rows.push((id.clone(), row));
            }
        }
        let expected = app.world(|world| app.simulator("pax8").expected(world, RecordKind::Subscription));
        assert_eq!(Some(rows.len()), expected);
        let at = |id: &Value| app.world(|world| {
            let id = id.as_str().expect("an id").parse().expect("an id");
            world.subscription(id).map(|(_, found)| (found.quantity, found.commitment_ends))
        }).expect("is there");
        let now = app.db.now();
        let bound = |row: &Value| {
            let (quantity, until) = at(&row["vendor_id"]);
            quantity > 1 && until.is_some_and(|until| until > now)
        };
        let live = |row: &Value| row["status"].as_str().is_some_and(|word| word.eq_ignore_ascii_case("active"));
        let path = |client: &str, row: &Value| {
            format!("/api/clients/{client}/subscriptions/{}/quantity", text(&row["id"]))
        };

        let (client, row) = rows.iter().find(|(_, row)| live(row)).expect("an active subscription");
        let wanted = at(&row["vendor_id"]).0 + 3;
        let preview = app.post(owner, &format!("{}?dry_run=true", path(client, row)), &json!({ "quantity": wanted })).await.ok();
        assert_eq!(preview["change_set"]["dry_run"], true, "{preview}");
        assert_ne!(at(&row["vendor_id"]).0, wanted, "a preview reached the vendor");
        let done = app.post(owner, &path(client, row), &json!({ "quantity": wanted })).await.ok();
        assert_eq!(done["item"]["quantity"], wanted.to_string(), "{done}");
        assert_eq!(at(&row["vendor_id"]).0, wanted);
        let shown = app.all(owner, &format!("/api/clients/{client}/subscriptions")).await;
        assert!(shown.iter().any(|one| one["id"] == row["id"] && one["quantity"].as_str() == Some(&wanted.to_string())));

        let (client, row) = rows.iter().find(|(_, row)| live(row) && bound(row)).expect("one under commitment");
        let before = at(&row["vendor_id"]).0;
        let refused = app.post(owner, &path(client, row), &json!({ "quantity": before - 1 })).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        refused.problem();
        assert_eq!(at(&row["vendor_id"]).0, before);
        for quantity in [json!(0), json!(-1), json!(1.5), json!("7"), json!(null)] {
            let answer = app.post(owner, &path(client, row), &json!({ "quantity": quantity })).await;
            assert!([400, 422].contains(&answer.status), "{quantity}: {}", answer.text);
            answer.problem();
        }
        assert_eq!(at(&row["vendor_id"]).0, before);
    }

    async fn a_deleted_client_is_gone_and_comes_back_whole(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let rmm = app.connect(owner, "ninjaone").await;
        app.post(owner, "/api/imports", &json!({ "connection_id": rmm })).await.ok();
        let clients = app.all(owner, "/api/clients?sort=device_count&direction=desc").await;
        let id = text(&clients[0]["id"]);
        let path = format!("/api/clients/{id}");
        let whole = app.get(owner, &path).await.ok();
        let preview = app.delete(owner, &format!("{path}?dry_run=true")).await.ok();
        assert!(preview["change_set"]["total"].as_u64() >= Some(1));
        app.get(owner, &path).await.ok();
        let digest = text(&preview["change_set"]["digest"]);
        let done = app.delete(owner, &format!("{path}?expect={digest}")).await.ok();
        for part in ["", "/devices", "/users", "/subscriptions", "/microsoft365"] {
            app.get(owner, &format!("{path}{part}")).await.refused(404, "not_found");
        }
        app.patch(owner, &path, &json!({ "name": "Ghost" })).await.refused(404, "not_found");
        app.delete(owner, &path).await.refused(404, "not_found");
        assert_eq!(count(&app, owner, "").await, clients.len() as u64 - 1);
        let open = app.all(owner, &format!("/api/connections/{rmm}/entities?state=unmapped")).await;
        assert!(open.iter().any(|entity| entity["vendor_id"] == whole["mappings"][0]["vendor_id"]));
        let entry = text(&done["change_set"]["entry_id"]);
        app.post(owner, &format!("/api/journal/{entry}/revert"), &json!({})).await.ok();
        let back = app.get(owner, &path).await.ok();
        assert_eq!(back["client"]["name"], whole["client"]["name"]);
        assert_eq!(back["client"]["device_count"], whole["client"]["device_count"]);
        assert_eq!(back["mappings"], whole["mappings"]);
        assert_eq!(count(&app, owner, "").await, clients.len() as u64);
        let verified = app.get(owner, "/api/journal/verification").await.ok();
        assert_eq!(verified["sound"], true, "{verified}");
    }

    async fn a_vendor_that_suddenly_lists_nothing_is_not_believed(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let rmm = app.connect(owner, "ninjaone").await;
        app.post(owner, "/api/imports", &json!({ "connection_id": rmm })).await.ok();
        let devices = async || {
            let clients = app.all(owner, "/api/clients").await;
            clients.iter().map(|client| client["device_count"].as_i64().unwrap_or(0)).sum::<i64>()
        };
        let sync = async || {
            app.db.clock.advance(3_600);
            app.post(owner, &format!("/api/connections/{rmm}/sync"), &json!({})).await.ok();
            app.run_jobs().await;
        };
        let before = devices().await;
        assert!(before > 10);
        // What really changes is seen within one sync.
        let gone = app.change(|world| {
            let business = world.known_to("ninjaone").max_by_key(|one| one.devices.len()).expect("one");
            let (business, device) = (business.key, business.devices[0].key);
            world.add_devices(business, 2);
            world.remove_device(device).expect("is there").hostname
        });
        sync().await;
        assert_eq!(devices().await, before + 1, "{gone} is gone and two are new");
        // That nothing is left is not: it waits for a person.
        app.change(|world| world.forget_all("ninjaone"));
        sync().await;
        assert_eq!(devices().await, before + 1, "devices were removed on a vendor's silence");
        let held = app.all(owner, "/api/runs?state=held").await;
        let run = text(&held.first().unwrap_or_else(|| panic!("no run is held"))["id"]);
        assert!(held[0]["message"].as_str().is_some_and(|text| !text.is_empty()), "{held:?}");
        let viewer = house.person(&app, "viewer", domain::Role::Viewer).await;
        app.post(&viewer, &format!("/api/runs/{run}/release"), &json!({})).await.refused(403, "forbidden");
        let dropped = app.post(owner, &format!("/api/runs/{run}/drop"), &json!({})).await.ok();
        assert_eq!(dropped["item"]["state"], "dropped");
        app.post(owner, &format!("/api/runs/{run}/drop"), &json!({})).await.refused(409, "not_held");
        app.run_jobs().await;
        assert_eq!(devices().await, before + 1, "a dropped run was applied");
        // Let go by a person, it is done; the clients stay.
        sync().await;
        let clients = count(&app, owner, "").await;
        for run in app.all(owner, "/api/runs?state=held").await {
            app.post(owner, &format!("/api/runs/{}/release", text(&run["id"])), &json!({})).await.ok();
            app.run_jobs().await;
        }
        assert_eq!(app.all(owner, &format!("/api/connections/{rmm}/entities")).await.len(), 0);
        assert!(!app.all(owner, &format!("/api/connections/{rmm}/entities?with_removed=true")).await.is_empty());
        assert_eq!(count(&app, owner, "").await, clients);
    }
}

fn items(page: &Value) -> Vec<Value> {
    page["items"].as_array().cloned().expect("items")
}

async fn count(app: &TestApp, caller: &Caller, query: &str) -> u64 {
    app.get(caller, &format!("/api/clients{query}")).await.ok()["total"].as_u64().expect("a total")
}
