//! Tickets from the portal to the PSA and back, through the real API; and without a PSA.

use domain::Letter;
use serde_json::{Value, json};
use testkit::both_databases;
use vendorkit::world::TicketState;

use crate::{
    attachments,
    dump::{assert_same, dump},
    harness::{Caller, TestApp, text},
    house::House,
    portal::{enable, ids, letter, member},
    requests::{ALL_SECTIONS, ask_for, request_type, sections},
};

const MINE: &str = "/api/clientone/tickets";
const DESK: &str = "/api/portal-tickets";

/// A ticket that fits the usual form.
fn wanted(subject: &str) -> Value {
    json!({
        "subject": subject, "description": "Since this morning. The light is red.",
        "answers": [{ "key": "priority", "value": "High" }],
    })
}

/// Makes a ticket of a portal user.
pub async fn make(app: &TestApp, caller: &Caller, subject: &str) -> String {
    text(&app.post(caller, MINE, &wanted(subject)).await.ok()["item"]["id"])
}

/// A ticket of a client and of one that is hidden, made by staff.
pub async fn furnish(app: &TestApp, owner: &Caller, client: &str, hidden: &str) -> Vec<(&'static str, String)> {
    let mut made = Vec::new();
    for (kind, client) in [("portal_ticket", client), ("hidden_portal_ticket", hidden)] {
        let body = json!({ "client_id": client, "subject": "Printer", "description": "It does not print." });
        let ticket = text(&app.post(owner, DESK, &body).await.ok()["item"]["id"]);
        let file = attachments::attach(app, owner, &format!("{DESK}/{ticket}"), "log.txt", "lp0 on fire").await.ok();
        let file_kind = if kind == "portal_ticket" { "ticket_attachment" } else { "hidden_ticket_attachment" };
        made.extend([(kind, ticket), (file_kind, text(&file["item"]["id"]))]);
    }
    made
}

async fn client(app: &TestApp, house: &House, name: &str) -> String {
    let id = text(&app.post(&house.owner, "/api/clients", &json!({ "name": name })).await.ok()["item"]["id"]);
    enable(app, &house.owner, &id).await;
    sections(app, &house.owner, &id, &ALL_SECTIONS).await;
    id
}

async fn subject(app: &TestApp, house: &House, email: &str) -> String {
    match letter(app, house.organisation, email).await {
        Some(Letter::Notice { subject, .. }) => subject,
        other => panic!("{other:?}"),
    }
}

async fn journey(db: testkit::TestDb, vendor: &'static str) {
    let app = TestApp::new(db).await;
    let house = House::build(&app, "kite").await;
    let owner = &house.owner;
    let connection = app.connect(owner, vendor).await;
    let quay = client(&app, &house, "Quay").await;
    let open = app.all(owner, &format!("/api/connections/{connection}/entities?state=unmapped")).await;
    let mapping = json!({ "entity_id": open[0]["id"], "target": "client", "client_id": quay });
    app.put(owner, "/api/mappings", &json!({ "mappings": [mapping] })).await.ok();
    let (user, _) = member(&app, &house, &quay, "sam@quay.example", "user").await;
    let (other, _) = member(&app, &house, &quay, "max@quay.example", "user").await;
    let (manager, _) = member(&app, &house, &quay, "pat@quay.example", "manager").await;
    let cards =
        async |caller: &Caller| app.get(caller, "/api/clientone/dashboard").await.ok()["open_tickets"]["count"].clone();
    let before = cards(&user).await;

    // What is missing is named, a preview writes nothing, and one key makes one ticket.
    let all = dump(&app.db, &[]).await;
    let wrong = json!({ "subject": " ", "description": "x", "answers": [{ "key": "priority", "value": "Purple" }] });
    let problem = app.post(&user, MINE, &wrong).await.refused(422, "invalid");
    let places: Vec<&Value> = problem["errors"].as_array().expect("errors").iter().map(|one| &one["pointer"]).collect();
    assert_eq!(places, ["/subject", "/answers/0/value"]);
    app.post(&user, &format!("{MINE}?dry_run=true"), &wanted("Printer")).await.ok();
    assert_same(&all, &dump(&app.db, &[]).await, "a refused and a previewed ticket");
    let send = async || {
        let request = app.request(&user, reqwest::Method::POST, MINE).header("Idempotency-Key", "once");
        app.send(request.json(&wanted("Printer does not print"))).await.ok()
    };
    let (made, again) = (send().await, send().await);
    assert_eq!(made, again);
    let id = text(&made["item"]["id"]);
    assert_eq!((&made["item"]["delivery"]["state"], &made["item"]["number"]), (&json!("queued"), &json!(1)));
    assert!(made["item"]["delivery"]["since"].is_string(), "{made}");
    let mine = format!("{MINE}/{id}");

    // Its requester and the Managers see it; a colleague does not.
    assert_eq!(ids(&app.get(&user, MINE).await.ok()), std::slice::from_ref(&id));
    assert_eq!(ids(&app.get(&manager, &format!("{MINE}?open=true")).await.ok()), std::slice::from_ref(&id));
    assert_eq!(app.get(&other, MINE).await.ok()["total"], 0);
    app.get(&other, &mine).await.refused(404, "not_found");

    // It reaches the PSA.
    app.run_jobs().await;
    let there = || {
        app.world(|world| {
            let all = world.tickets_after(vendor, 0).into_iter();
            all.filter(|(_, one)| one.title == "Printer does not print [ClientOne #1]")
                .map(|(_, one)| one.clone())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(there().len(), 1);
    let seen = app.get(&user, &mine).await.ok();
    assert_eq!(seen["ticket"]["delivery"]["state"], "sent", "{seen}");
    assert!(!seen.to_string().contains(&connection), "{seen}");
    let staff = app.get(owner, &format!("{DESK}/{id}")).await.ok();
    assert_eq!((&staff["ticket"]["priority"], &staff["ticket"]["connection_id"]), (&json!("High"), &json!(connection)));
    assert!(staff["ticket"]["ticket_id"].is_string(), "{staff}");
    let after = cards(&user).await;
    assert_eq!(after.as_u64(), Some(before.as_u64().unwrap_or(0) + 1), "it is counted once");

    // An engineer works on it there; the next sync tells the portal, and the requester by mail.
    let key = there()[0].key;
    app.change(|world| {
        world.change_ticket(key, |one| {
            one.state = TicketState::InProgress;
            one.notes.extend([("We look at it at two.".to_owned(), true), ("Bad fuse, again.".to_owned(), false)]);
        })
    });
    let sync = async || {
        app.db.clock.advance(3_600);
        app.post(owner, &format!("/api/connections/{connection}/sync"), &json!({})).await.ok();
        app.run_jobs().await;
    };
    sync().await;
    let seen = app.get(&user, &mine).await.ok();
    let texts: Vec<&str> =
        seen["messages"].as_array().expect("messages").iter().filter_map(|one| one["text"].as_str()).collect();
    assert_eq!(texts[0], "We look at it at two.");
    assert!(texts.len() == 2 && !seen.to_string().contains("Bad fuse"), "{seen}");
    assert_eq!(seen["ticket"]["delivery"]["status"].as_str(), Some(texts[1]));
    let staff = app.get(owner, &format!("{DESK}/{id}")).await.ok();
    assert!(staff.to_string().contains("Bad fuse"), "{staff}");
    assert!(subject(&app, &house, "sam@quay.example").await.contains("#1"));

    // The reply is a note there, once, and no echo comes back.
    app.db.clock.advance(1);
    app.post(&user, &format!("{mine}/replies"), &json!({ "text": "It prints again." })).await.ok();
    app.run_jobs().await;
    let notes =
        || there()[0].notes.iter().filter(|(text, public)| *public && text.contains("It prints again.")).count();
    assert_eq!(notes(), 1);
    sync().await;
    assert_eq!(app.get(&user, &mine).await.ok()["messages"].as_array().map(Vec::len), Some(3));

    // While the PSA is left alone, what is said is queued and says since when; afterwards it gets there.
    app.post(owner, &format!("/api/connections/{connection}/pause"), &json!({})).await.ok();
    app.post(&user, &format!("{mine}/replies"), &json!({ "text": "Or not." })).await.ok();
    let since = app.db.now();
    for _ in 0..3 {
        app.run_jobs().await;
        app.db.clock.advance(600);
    }
    let seen = app.get(&user, &mine).await.ok();
    let last = seen["messages"].as_array().expect("messages").last().expect("one").clone();
    assert_eq!(last["delivery"]["state"], "queued", "{last}");
    let told: chrono::DateTime<chrono::Utc> = text(&last["delivery"]["since"]).parse().expect("a time");
    assert_eq!(told, since);
    app.post(owner, &format!("/api/connections/{connection}/reconnect"), &json!({})).await.ok();
    app.run_jobs().await;
    let seen = app.get(&user, &mine).await.ok();
    let last = seen["messages"].as_array().expect("messages").last().expect("one").clone();
    assert_eq!(last["delivery"]["state"], "sent", "{last}");
    assert_eq!(there()[0].notes.iter().filter(|(text, _)| text.contains("Or not.")).count(), 1);

    // Closed there is closed here; nothing is said about it until it is taken up again.
    app.change(|world| {
        let now = world.now;
        world.change_ticket(key, |one| (one.state, one.closed) = (TicketState::Closed, Some(now)))
    });
    sync().await;
    assert_eq!(app.get(&user, &mine).await.ok()["ticket"]["state"], "closed");
    assert_eq!(cards(&user).await, before);
    app.post(&user, &format!("{mine}/replies"), &json!({ "text": "Hello?" })).await.refused(409, "wrong_state");
    app.post(&manager, &format!("{mine}/reopen"), &json!({})).await.ok();
    assert_eq!(app.get(&user, &mine).await.ok()["ticket"]["state"], "open");

    // It is in the feeds, and the journal is sound.
    let feed = app.get(&manager, "/api/clientone/activity").await.ok().to_string();
    assert!(feed.contains("portal_ticket_create") && feed.contains("portal_ticket_reply"), "{feed}");
    assert_eq!(app.get(owner, "/api/journal/verification").await.ok()["sound"], true);
}

both_databases! {
    async fn a_ticket_goes_to_halopsa_and_comes_back(db: TestDb) {
        journey(db, "halopsa").await;
    }

    async fn a_ticket_goes_to_connectwise_and_comes_back(db: TestDb) {
        journey(db, "connectwise-manage").await;
    }

    async fn without_a_psa_a_ticket_lives_here(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let quay = client(&app, &house, "Quay").await;
        let (user, user_id) = member(&app, &house, &quay, "sam@quay.example", "user").await;
        let id = make(&app, &user, "No network").await;
        let (mine, desk) = (format!("{MINE}/{id}"), format!("{DESK}/{id}"));
        let seen = app.get(&user, &mine).await.ok();
        assert!(seen["ticket"]["delivery"].is_null(), "{seen}");
        assert_eq!(app.get(&user, "/api/clientone/dashboard").await.ok()["open_tickets"]["count"], 1);

        // Staff find it, take it, speak with the requester, and among themselves.
        let listed = app.get(owner, &format!("{DESK}?client_id={quay}&open=true&assigned=false&search=network")).await.ok();
        assert_eq!((ids(&listed), &listed["items"][0]["client"]), (vec![id.clone()], &json!("Quay")));
        assert_eq!(app.get(owner, &format!("{DESK}?search=%231")).await.ok()["total"], 1);
        assert_eq!(app.get(owner, &format!("{DESK}?state=closed")).await.ok()["total"], 0);
        let me = text(&app.get(owner, "/api/me").await.ok()["staff_id"]);
        app.post(owner, &format!("{desk}/assignee"), &json!({ "staff_id": me })).await.ok();
        assert_eq!(app.get(owner, &format!("{DESK}?assignee_id={me}")).await.ok()["total"], 1);
        app.db.clock.advance(1);
        app.post(owner, &format!("{desk}/notes"), &json!({ "text": "They did not pay." })).await.ok();
        assert!(letter(&app, house.organisation, "sam@quay.example").await.is_none_or(|one| !matches!(one, Letter::Notice { .. })));
        app.db.clock.advance(1);
        app.post(owner, &format!("{desk}/replies"), &json!({ "text": "We look at it." })).await.ok();
        assert_eq!(subject(&app, &house, "sam@quay.example").await, "New answer to your ticket #1: No network");
        app.db.clock.advance(1);
        app.post(owner, &format!("{desk}/acts"), &json!({ "act": "wait" })).await.ok();
        assert_eq!(subject(&app, &house, "sam@quay.example").await, "Your ticket #1 is waiting for your answer: No network");
        app.post(owner, &format!("{desk}/acts"), &json!({ "act": "reopen" })).await.refused(409, "wrong_state");
        app.post(&user, &format!("{mine}/replies"), &json!({ "text": "Still nothing." })).await.ok();
        app.post(&user, &format!("{mine}/read"), &json!({})).await.ok();
        let seen = app.get(&user, &mine).await.ok();
        assert_eq!((&seen["ticket"]["state"], &seen["read_number"]), (&json!("open"), &json!(5)));
        assert!(!seen.to_string().contains("did not pay") && !seen.to_string().contains("assignment"), "{seen}");
        let whole = app.get(owner, &desk).await.ok();
        assert_eq!(whole["messages"].as_array().map(Vec::len), Some(5), "{whole}");
        assert_eq!(whole["read_by"][0]["portal_user_id"], user_id.as_str());
        app.post(owner, &format!("{desk}/send-again"), &json!({})).await.refused(409, "nothing_refused");
        app.post(&user, &format!("{mine}/close"), &json!({})).await.ok();
        assert_eq!(app.get(&user, "/api/clientone/dashboard").await.ok()["open_tickets"]["count"], 0);

        // Where the section is off it does not exist; for staff it does.
        sections(&app, owner, &quay, &["devices"]).await;
        app.get(&user, MINE).await.refused(404, "not_found");
        app.post(&user, MINE, &wanted("Another")).await.refused(404, "not_found");
        app.get(owner, &desk).await.ok();
        let viewer = house.person(&app, "viewer", domain::Role::Viewer).await;
        app.get(&viewer, &desk).await.ok();
        app.post(&viewer, &format!("{desk}/notes"), &json!({ "text": "x" })).await.refused(403, "forbidden");
    }

    async fn a_service_request_becomes_one_ticket(db: TestDb) {
        let app = TestApp::new(db).await;
        let house = House::build(&app, "kite").await;
        let owner = &house.owner;
        let quay = client(&app, &house, "Quay").await;
        let (user, _) = member(&app, &house, &quay, "sam@quay.example", "user").await;
        let laptop = request_type(&app, owner, "New laptop").await;
        let request = ask_for(&app, &user, &laptop).await;
        let path = format!("/api/clientone-admin/service-requests/{request}/ticket");
        let preview = app.post(owner, &format!("{path}?dry_run=true"), &json!({})).await.ok();
        let digest = text(&preview["change_set"]["digest"]);
        let made = app.post(owner, &format!("{path}?expect={digest}"), &json!({})).await.ok();
        assert_eq!(made["change_set"]["total"], 3, "{made}");
        let ticket = text(&made["item"]["id"]);
        assert_eq!((&made["item"]["service_request_id"], &made["item"]["subject"]), (&json!(request), &json!("New laptop")));
        app.post(owner, &path, &json!({})).await.refused(409, "converted");
        let staff = app.get(owner, &format!("/api/clientone-admin/service-requests/{request}")).await.ok();
        assert_eq!(staff["request"]["portal_ticket_id"], ticket.as_str());
        let seen = app.get(&user, &format!("/api/clientone/service-requests/{request}")).await.ok();
        assert_eq!(seen["request"]["portal_ticket_id"], ticket.as_str());
        let seen = app.get(&user, &format!("{MINE}/{ticket}")).await.ok();
        assert!(seen["ticket"]["description"].as_str().is_some_and(|text| text.contains("For Sam") && text.contains("13 inch")), "{seen}");
        let engineer = house.person(&app, "engineer", domain::Role::Engineer).await;
        app.post(&engineer, &path, &json!({})).await.refused(403, "forbidden");
    }
}
