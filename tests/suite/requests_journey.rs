//! A service request from the form to its end, and whoever must not see or do what.

use domain::{Letter, Role};
use serde_json::{Value, json};
use testkit::both_databases;

use crate::{
    dump::{assert_same, dump},
    harness::{Caller, TestApp, text},
    house::House,
    portal::{enable, ids, letter, member},
    requests::{ALL_SECTIONS, ask_for, asked_for, request_type, sections},
};

const TYPES: &str = "/api/clientone-admin/service-request-types";
const REQUESTS: &str = "/api/clientone-admin/service-requests";
const MINE: &str = "/api/clientone/service-requests";

async fn client(app: &TestApp, house: &House, name: &str) -> String {
    let id = text(&app.post(&house.owner, "/api/clients", &json!({ "name": name })).await.ok()["item"]["id"]);
    enable(app, &house.owner, &id).await;
    sections(app, &house.owner, &id, &ALL_SECTIONS).await;
    id
}

fn codes(problem: &Value) -> Vec<(String, String)> {
    let errors = problem["errors"].as_array().expect("errors");
    errors.iter().map(|error| (text(&error["pointer"]), text(&error["code"]))).collect()
}

async fn notice(app: &TestApp, house: &House, email: &str) -> Option<(String, String, Option<String>)> {
    match letter(app, house.organisation, email).await {
        Some(Letter::Notice { subject, paragraphs, link, .. }) => {
            Some((subject, paragraphs.join("\n"), link.map(|link| link.url)))
        }
        _ => None,
    }
}

both_databases! {
    async fn a_request_is_made_looked_at_done_and_told_of(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let quay = client(&app, &house, "Quay").await;
        let (user, _) = member(&app, &house, &quay, "sam@quay.example", "user").await;
        let (other, _) = member(&app, &house, &quay, "max@quay.example", "user").await;
        let (manager, _) = member(&app, &house, &quay, "pat@quay.example", "manager").await;
        let laptop = request_type(&app, &house.owner, "New laptop").await;
        app.post(&house.owner, TYPES, &json!({ "name": "new  LAPTOP", "description": "Twice", "fields": [] }))
            .await
            .refused(409, "name_taken");

        // The form: what is missing and what does not fit is named by its place, and nothing is written.
        let offered = app.get(&user, "/api/clientone/service-request-types").await.ok();
        assert_eq!(offered["items"][0]["fields"].as_array().map(Vec::len), Some(4), "{offered}");
        let wrong = json!({
            "service_request_type_id": laptop, "description": " ",
            "answers": [{ "key": "starts_on", "value": "soon" }, { "key": "colour", "value": "red" }],
        });
        let before = dump(&app.db, &[]).await;
        let refused = app.post(&user, MINE, &wrong).await.refused(422, "invalid");
        let expected = [
            ("/description", "required"), ("/answers/1/key", "unknown_field"), ("/answers/0/value", "not_a_date"),
            ("/answers", "required"),
        ];
        assert_eq!(codes(&refused), expected.map(|(place, code)| (place.to_owned(), code.to_owned())));
        app.post(&user, &format!("{MINE}?dry_run=true"), &asked_for(&laptop)).await.ok();
        assert_same(&before, &dump(&app.db, &[]).await, "a refused and a previewed request");

        // One key, one request.
        let send = async || {
            let request = app.request(&user, reqwest::Method::POST, MINE).header("Idempotency-Key", "once");
            app.send(request.json(&asked_for(&laptop))).await.ok()
        };
        let (made, again) = (send().await, send().await);
        assert_eq!(made, again);
        let id = text(&made["item"]["id"]);
        assert_eq!((made["item"]["state"].as_str(), made["item"]["can_cancel"].as_bool()), (Some("submitted"), Some(true)));

        // Its requester and the Managers see it, a colleague does not, and staff see it by client, state and type.
        assert_eq!(ids(&app.get(&user, MINE).await.ok()), std::slice::from_ref(&id));
        assert_eq!(ids(&app.get(&manager, MINE).await.ok()), std::slice::from_ref(&id));
        assert_eq!(app.get(&other, MINE).await.ok()["total"], 0);
        app.get(&other, &format!("{MINE}/{id}")).await.refused(404, "not_found");
        app.post(&other, &format!("{MINE}/{id}/cancel"), &json!({})).await.refused(404, "not_found");
        app.post(&manager, &format!("{MINE}/{id}/cancel"), &json!({})).await.refused(409, "not_the_requester");
        let listed = app.get(&house.owner, &format!("{REQUESTS}?client_id={quay}&state=submitted&service_request_type_id={laptop}")).await.ok();
        assert_eq!((&listed["items"][0]["client"], &listed["items"][0]["requester"]), (&json!("Quay"), &json!("Gale of sam@quay.example")));
        assert_eq!(app.get(&house.owner, &format!("{REQUESTS}?state=rejected")).await.ok()["total"], 0);
        let engineer = house.person(&app, "engineer", Role::Engineer).await;
        app.get(&engineer, REQUESTS).await.refused(403, "forbidden");

        // Only the next step is possible, and each is told to the requester with what staff say to them.
        let act = async |body: Value| app.post(&house.owner, &format!("{REQUESTS}/{id}/acts"), &body).await;
        for early in ["start", "complete"] {
            let refused = act(json!({ "act": early })).await.refused(409, "wrong_state");
            assert!(refused.to_string().contains("review"), "{refused}");
        }
        app.db.clock.advance(1);
        act(json!({ "act": "review", "internal_note": "Ask Olive about the budget." })).await.ok();
        let (subject, _, link) = notice(&app, &house, "sam@quay.example").await.expect("a letter");
        assert_eq!(subject, "Your request “New laptop” is in review");
        assert!(link.is_some_and(|link| link.ends_with(&format!("/clientone/service-requests/{id}"))));
        app.post(&user, &format!("{MINE}/{id}/cancel"), &json!({})).await.refused(409, "wrong_state");
        act(json!({ "act": "reject" })).await.refused(422, "invalid");
        act(json!({ "act": "note" })).await.refused(422, "invalid");
        app.db.clock.advance(1);
        act(json!({ "act": "note", "internal_note": "Nobody else hears of this." })).await.ok();
        let (subject, ..) = notice(&app, &house, "sam@quay.example").await.expect("a letter");
        assert_eq!(subject, "Your request “New laptop” is in review", "an internal note is mailed");
        app.db.clock.advance(1);
        act(json!({ "act": "start", "note": "It is ordered." })).await.ok();
        let (subject, said, _) = notice(&app, &house, "sam@quay.example").await.expect("a letter");
        assert_eq!(subject, "Your request “New laptop” is in progress");
        assert!(said.contains("It is ordered.") && !said.contains("budget"), "{said}");
        act(json!({ "act": "complete" })).await.ok();
        for late in ["review", "start", "complete", "note"] {
            act(json!({ "act": late, "note": "x" })).await.refused(409, "wrong_state");
        }

        // What happened: all of it for staff, without what they said among themselves for the portal.
        let whole = app.get(&house.owner, &format!("{REQUESTS}/{id}")).await.ok();
        assert_eq!(whole["steps"].as_array().map(Vec::len), Some(5), "{whole}");
        assert_eq!(whole["steps"][2]["internal_note"], "Nobody else hears of this.");
        let seen = app.get(&user, &format!("{MINE}/{id}")).await.ok();
        let states: Vec<&str> = seen["events"].as_array().expect("events").iter().filter_map(|event| event["state"].as_str()).collect();
        assert_eq!(states, ["submitted", "in_review", "in_progress", "completed"]);
        assert!(!seen.to_string().contains("budget") && !seen.to_string().contains("Nobody else"), "{seen}");

        // It is in the feeds as the portal user's deed, and the journal is sound.
        for feed in [
            app.get(&manager, "/api/clientone/activity").await.ok(),
            app.get(&house.owner, &format!("/api/clientone-admin/activity?client_id={quay}")).await.ok(),
        ] {
            let deed = feed["items"].as_array().expect("items").iter().find(|deed| deed["action"] == "service_request_create");
            assert_eq!(deed.map(|deed| &deed["name"]), Some(&json!("Gale of sam@quay.example")), "{feed}");
        }
        assert_eq!(app.get(&house.owner, "/api/journal/verification").await.ok()["sound"], true);
    }

    async fn rejected_cancelled_retired_and_switched_off(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let quay = client(&app, &house, "Quay").await;
        let pier = client(&app, &house, "Pier").await;
        let (user, _) = member(&app, &house, &quay, "sam@quay.example", "user").await;
        let laptop = request_type(&app, &house.owner, "New laptop").await;
        let act = async |owner: &Caller, id: &str, body: Value| app.post(owner, &format!("{REQUESTS}/{id}/acts"), &body).await;

        let one = ask_for(&app, &user, &laptop).await;
        app.db.clock.advance(1);
        act(&house.owner, &one, json!({ "act": "reject", "note": "Please ask again in June." })).await.ok();
        let seen = app.get(&user, &format!("{MINE}/{one}")).await.ok();
        assert_eq!(seen["request"]["rejected_because"], "Please ask again in June.");
        let (_, said, _) = notice(&app, &house, "sam@quay.example").await.expect("a letter");
        assert!(said.contains("Please ask again in June."), "{said}");

        let two = ask_for(&app, &user, &laptop).await;
        app.post(&user, &format!("{MINE}/{two}/cancel"), &json!({})).await.ok();
        app.post(&user, &format!("{MINE}/{two}/cancel"), &json!({})).await.refused(409, "wrong_state");
        act(&house.owner, &two, json!({ "act": "review" })).await.refused(409, "wrong_state");

        // A type that changed or went leaves requests as they were made; what is retired is offered to nobody.
        let three = ask_for(&app, &user, &laptop).await;
        let update = async |body: Value| app.patch(&house.owner, &format!("{TYPES}/{laptop}"), &body).await;
        update(json!({ "name": "Laptop", "fields": [], "active": false })).await.ok();
        let kept = app.get(&user, &format!("{MINE}/{three}")).await.ok();
        assert_eq!((&kept["request"]["type_name"], &kept["request"]["answers"][0]["value"]), (&json!("New laptop"), &json!("2026-12-01")));
        assert_eq!(app.get(&user, "/api/clientone/service-request-types").await.ok()["total"], 0);
        let bare = json!({ "service_request_type_id": laptop, "description": "Still", "answers": [] });
        app.post(&user, MINE, &bare).await.refused(404, "not_found");
        assert_eq!(app.get(&house.owner, &format!("{TYPES}?active=false")).await.ok()["total"], 1);
        update(json!({ "active": true })).await.ok();
        app.post(&user, MINE, &bare).await.ok();

        // Types are for every client: whoever sees some of them does not change them, and the attempt is kept.
        house.staff(&app, "scoped", Role::Admin, Some(vec![pier.clone()])).await;
        let scoped = app.sign_in(&house.email("scoped")).await;
        app.post(&scoped, TYPES, &json!({ "name": "Mine", "description": "Mine", "fields": [] })).await.refused(403, "forbidden");
        let denied = app.get(&house.owner, "/api/journal?action=service_request_type_create&outcome=denied").await.ok();
        assert_eq!(denied["total"], 1, "{denied}");
        assert_eq!(app.get(&scoped, REQUESTS).await.ok()["total"], 0);
        app.get(&scoped, &format!("{REQUESTS}/{three}")).await.refused(404, "not_found");
        act(&scoped, &three, json!({ "act": "review" })).await.refused(404, "not_found");

        // Where the section is off it does not exist, and nobody is written to who may not come in.
        sections(&app, &house.owner, &quay, &["devices"]).await;
        app.get(&user, MINE).await.refused(404, "not_found");
        app.post(&user, MINE, &asked_for(&laptop)).await.refused(404, "not_found");
        app.db.clock.advance(1);
        app.post(&house.owner, &format!("/api/clientone-admin/settings/{quay}/disable"), &json!({})).await.ok();
        act(&house.owner, &three, json!({ "act": "review", "note": "Into the void." })).await.ok();
        let (_, said, _) = notice(&app, &house, "sam@quay.example").await.expect("the letter before");
        assert!(!said.contains("Into the void."), "{said}");
    }

    async fn what_is_asked_of_tickets_is_retired_and_never_forgotten(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let quay = client(&app, &house, "Quay").await;
        let (user, _) = member(&app, &house, &quay, "sam@quay.example", "user").await;
        let fields = "/api/clientone-admin/ticket-fields";
        let keys = |form: &Value| {
            form["fields"].as_array().expect("fields").iter().map(|field| text(&field["key"])).collect::<Vec<_>>()
        };
        let asked = app.get(&user, "/api/clientone/ticket-form").await.ok();
        assert_eq!(keys(&asked), ["priority", "category"]);
        let choice = |key: &str, options: &[&str]| {
            json!({ "key": key, "label": key, "kind": "choice", "options": options, "required": false })
        };
        let floor = json!({ "key": "floor", "label": "Floor", "kind": "number", "required": true });
        let both = [choice("priority", &["Low", "Urgent"]), choice("category", &["Other"])];
        let body = json!({ "fields": [both[0], both[1], floor] });
        app.put(&house.owner, fields, &json!({ "fields": [floor] })).await.refused(422, "invalid");
        let set = app.put(&house.owner, fields, &body).await.ok();
        assert_eq!(set["item"]["version"], 1);
        assert_eq!(keys(&app.get(&user, "/api/clientone/ticket-form").await.ok()), ["priority", "category", "floor"]);
        app.put(&house.owner, fields, &json!({ "fields": both })).await.ok();
        let asked = app.get(&user, "/api/clientone/ticket-form").await.ok();
        assert_eq!(keys(&asked), ["priority", "category"]);
        assert_eq!(asked["fields"][0]["options"], json!(["Low", "Urgent"]));
        let whole = app.get(&house.owner, fields).await.ok();
        assert_eq!(keys(&whole), ["priority", "category", "floor"]);
        assert_eq!(whole["fields"][2]["retired"], true);
        let names = |field: &Value| field["options"].as_array().map_or(0, Vec::len);
        assert_eq!((names(&whole["fields"][0]), names(&whole["fields"][1])), (4, 4), "an option is forgotten: {whole}");
        let stale = app.request(&house.owner, reqwest::Method::PUT, fields).header("If-Match", "\"1\"");
        app.send(stale.json(&body)).await.refused(412, "stale");
        sections(&app, &house.owner, &quay, &["devices"]).await;
        app.get(&user, "/api/clientone/ticket-form").await.refused(404, "not_found");
    }

    async fn two_who_act_at_once_take_one_step(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let quay = client(&app, &house, "Quay").await;
        let (user, _) = member(&app, &house, &quay, "sam@quay.example", "user").await;
        let laptop = request_type(&app, &house.owner, "New laptop").await;
        for _ in 0..4 {
            let id = ask_for(&app, &user, &laptop).await;
            let (acts, cancel) = (format!("{REQUESTS}/{id}/acts"), format!("{MINE}/{id}/cancel"));
            let (review, cancelled) = (json!({ "act": "review" }), json!({}));
            let (one, two, three) = tokio::join!(
                app.post(&house.owner, &acts, &review),
                app.post(&user, &cancel, &cancelled),
                app.post(&house.owner, &acts, &review),
            );
            let mut statuses = [one.status, two.status, three.status];
            statuses.sort_unstable();
            assert!(statuses[0] == 200 && statuses[1] > 400, "{statuses:?}: {} {} {}", one.text, two.text, three.text);
            let whole = app.get(&house.owner, &format!("{REQUESTS}/{id}")).await.ok();
            assert_eq!(whole["steps"].as_array().map(Vec::len), Some(2), "{whole}");
            assert_eq!(whole["request"]["version"], 2);
        }
    }
}
